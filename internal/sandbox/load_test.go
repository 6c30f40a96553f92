package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
)

// parquet is a Parquet file of a query of DuckDB's.
func parquet(t testing.TB, sql string) string {
	t.Helper()
	db, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	path := filepath.Join(t.TempDir(), "x.parquet")
	if _, err := db.Exec(t.Context(), "COPY ("+sql+") TO "+engine.Literal(path)+" (FORMAT parquet)"); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// loadData runs a load job of the official client into d.t.
func loadData(t testing.TB, c *bigquery.Client, data string, set func(*bigquery.ReaderSource, *bigquery.Loader)) (
	*bigquery.JobStatus, error) {
	t.Helper()
	source := bigquery.NewReaderSource(strings.NewReader(data))
	loader := c.Dataset("d").Table("t").LoaderFrom(source)
	set(source, loader)
	job, err := loader.Run(t.Context())
	if err != nil {
		return nil, err
	}
	status, err := job.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return status, status.Err()
}

func TestLoad(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	exec(t, s, "CREATE SCHEMA d")
	c, err := bigquery.NewClient(t.Context(), DefaultProject, storageRESTOptions(t, s)...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	type (
		source = bigquery.ReaderSource
		loader = bigquery.Loader
	)
	asJSON := func(r *source, _ *loader) { r.SourceFormat = bigquery.JSON }
	schema := func(text string) bigquery.Schema {
		var out bigquery.Schema
		for _, f := range strings.Fields(text) {
			name, typ, _ := strings.Cut(f, ":")
			out = append(out, &bigquery.FieldSchema{Name: name, Type: bigquery.FieldType(typ)})
		}
		return out
	}
	auto := func(r *source, _ *loader) { r.AutoDetect = true }
	autoJSON := func(r *source, _ *loader) { r.AutoDetect, r.SourceFormat = true, bigquery.JSON }
	asParquet := func(r *source, _ *loader) { r.SourceFormat = bigquery.Parquet }
	for _, tt := range []struct {
		name  string
		setup string // of d.t
		data  string
		set   func(*source, *loader)
		want  string // the rows as JSON, or the schema and them
		err   string
	}{
		{"every type", "CREATE TABLE d.t (i INT64, f FLOAT64, b BOOL, s STRING, y BYTES, n NUMERIC, d DATE, t TIME, " +
			"dt DATETIME, " +
			"ts TIMESTAMP, iv INTERVAL, j JSON, l ARRAY<INT64>, r STRUCT<a INT64, l ARRAY<STRUCT<s STRING>>>, x INT64)",
			`{"i":"-9223372036854775808","f":"NaN","b":"true","s":5,"y":"AP8=","n":0.1,"d":"2024-02-29","t":"01:02:03",` +
				`"dt":"2024-02-29T01:02:03.5","ts":1709168523.25,"iv":"1-2 3 4:5:6","j":{"b":1,"a":[null]},"l":[1,2],` +
				`"R":{"a":3,"l":[{"s":"x"},{}]}}`,
			asJSON, `{"i":"-9223372036854775808","f":"NaN","b":true,"s":"5","y":"AP8=","n":"0.1","d":"2024-02-29","t":"01:02:03",` +
				`"dt":"2024-02-29T01:02:03.500","ts":"2024-02-29T01:02:03.250Z","iv":"P1Y2M3DT4H5M6S","j":{"a":[null],"b":1},` +
				`"l":[1,2],"r":{"a":3,"l":[{"s":"x"},{"s":null}]},"x":null}`, ""},
		{"defaults", "CREATE TABLE d.t (i INT64 NOT NULL, s STRING DEFAULT 'none')", `{"i":1}` + "\n\n" + `{"i":2,"s":null}`,
			asJSON, `{"i":1,"s":"none"} {"i":2,"s":null}`, ""},
		{"a schema makes the table", "", "1,a\n2,\"b, \"\"c\"\"\"\n3,\n", func(r *source, _ *loader) {
			r.Schema = schema("i:INTEGER s:STRING")
		}, `{"i":1,"s":"a"} {"i":2,"s":"b, \"c\""} {"i":3,"s":null}`, ""},
		{"CSV as it may be", "CREATE TABLE d.t (i INT64, b BOOL, s STRING, x STRING)",
			"ignored\nheader|b|s|x\n1|yes|'two\nlines'|''\n2|0|NA\n3|F|a|b|more\n", func(r *source, _ *loader) {
				r.SkipLeadingRows, r.FieldDelimiter, r.Quote, r.NullMarker = 2, "|", "'", "NA"
				r.AllowQuotedNewlines, r.AllowJaggedRows, r.IgnoreUnknownValues = true, true, true
			}, `{"i":1,"b":true,"s":"two\nlines","x":""} {"i":2,"b":false,"s":null,"x":null} {"i":3,"b":false,"s":"a","x":"b"}`,
			""},
		{"autodetect with a header", "", "id,when,at,ok,name\n1,2024-02-29,2024-02-29 01:02:03 UTC,true,x\n2.5,2024-03-01,,FALSE,\n",
			auto, `{"id":1,"when":"2024-02-29","at":"2024-02-29T01:02:03Z","ok":true,"name":"x"} ` +
				`{"id":2.5,"when":"2024-03-01","at":null,"ok":false,"name":null}`, ""},
		{"autodetect without", "", "a,1\nb,2\n", auto,
			`{"string_field_0":"a","int64_field_1":1} {"string_field_0":"b","int64_field_1":2}`,
			""},
		{"autodetect of JSON", "", `{"b": 1, "a": "x", "l": [1, 2.5], "r": {"d": "2024-02-29", "e": null}}` + "\n" +
			`{"c": true, "r": {"f": [{"g": 1}]}}`, autoJSON,
			`{"b":1,"a":"x","l":[1,2.5],"r":{"d":"2024-02-29","e":null,"f":[]},` +
				`"c":null} {"b":null,"a":null,"l":[],"r":{"d":null,"e":null,"f":[{"g":1}]},"c":true}`, ""},
		{"Parquet", "", parquet(t, "SELECT 1::INTEGER AS i, 'x' AS s, [{'a': 1.5::DOUBLE}] AS l, 1.25::DECIMAL(5, 2) AS n, "+
			"TIMESTAMPTZ '2024-02-29 01:02:03+00' AS ts"), asParquet,
			`{"i":1,"s":"x","l":[{"a":1.5}],"n":"1.25","ts":"2024-02-29T01:02:03Z"}`, ""},
		{"Parquet into a table", "CREATE TABLE d.t (s STRING DEFAULT 'd', i INT64)", parquet(t, "SELECT 7 AS i"), asParquet,
			`{"s":"d","i":7}`, ""},
		{"bad rows are left out", "CREATE TABLE d.t (i INT64)", "1\nx\n2\n", func(r *source,
			_ *loader) {
			r.MaxBadRecords = 1
		},
			`{"i":1} {"i":2}`, ""},

		{"a bad row", "CREATE TABLE d.t (i INT64, d DATE)", "1,2024-01-01\n2,2024-02-30\n", func(*source, *loader) {},
			"", `line_number: 2 byte_offset_to_start_of_line: 13 column_index: 1 column_name: "d" column_type: DATE value: "2024-02-30"`},
		{"too few columns", "CREATE TABLE d.t (i INT64, d DATE)", "1\n", func(*source, *loader) {}, "",
			"CSV table references column position 1, but line contains only 1 columns"},
		{"too many columns", "CREATE TABLE d.t (i INT64)", "1,2\n", func(*source, *loader) {}, "",
			"Too many values in line. Found 2 column(s) while expected 1."},
		{"a quoted newline", "CREATE TABLE d.t (s STRING)", "\"a\nb\"\n", func(*source, *loader) {}, "",
			"Missing close quote"},
		{"a bad line of JSON", "CREATE TABLE d.t (i INT64, r STRUCT<a INT64>)", `{"i":1}` + "\n" + `{"r":{"a":"x"}}`,
			asJSON, "",
			"JSON parsing error in row starting at position 8: Could not convert value to integer. Field: r.a; Value: x"},
		{"an unknown field", "CREATE TABLE d.t (i INT64)", `{"i":1,"x":{"y":1}}`, asJSON, "", "No such field: x."},
		{"a REQUIRED field", "CREATE TABLE d.t (i INT64 NOT NULL)", `{}`, asJSON, "", "Missing required field: i."},
		{"a long text", "CREATE TABLE d.t (s STRING(2))", `{"s":"abc"}`, asJSON, "", "maximum length of 2"},
		{"NULL in an ARRAY", "CREATE TABLE d.t (l ARRAY<INT64>)", `{"l":[null]}`, asJSON, "",
			"Only optional fields can be set to NULL"},
		{"no table", "", "1\n", func(r *source, l *loader) { l.CreateDisposition = bigquery.CreateNever }, "",
			"Not found: Table my-billing-project:d.t"},
		{"no schema", "", "1\n", func(*source, *loader) {}, "", "Schema has no fields"},
		{"another schema", "CREATE TABLE d.t (i INT64)", "1\n", func(r *source,
			_ *loader) {
			r.Schema = schema("i:STRING")
		}, "",
			"Field i has changed type from INTEGER to STRING"},
		{"WRITE_TRUNCATE of a partitioned table", "CREATE TABLE d.t (i INT64, d DATE) PARTITION BY d", "1\n",
			func(_ *source, l *loader) { l.WriteDisposition = bigquery.WriteTruncate }, "", "WRITE_TRUNCATE of a partitioned"},
		{"no Parquet", "CREATE TABLE d.t (i INT64)", "1\n", asParquet, "", "Failed to read the Parquet data"},
	} {
		exec(t, s, "DROP TABLE IF EXISTS d.t")
		if tt.setup != "" {
			exec(t, s, tt.setup)
		}
		status, err := loadData(t, c, tt.data, tt.set)
		var text string
		if status != nil {
			for _, e := range status.Errors {
				text += e.Message
			}
		}
		if tt.err != "" {
			if err == nil || !strings.Contains(text+err.Error(), tt.err) {
				t.Errorf("%s: got %v %s; want %s", tt.name, err, text, tt.err)
			}
			if tt.setup != "" && count(t, s, "d.t") != 0 {
				t.Errorf("%s: rows were written", tt.name)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v %s", tt.name, err, text)
			continue
		}
		got := values(t, s, "SELECT TO_JSON_STRING(t) FROM d.t AS t")
		want := "[" + strings.ReplaceAll(tt.want, "} {", "}] [{") + "]"
		if got != want {
			t.Errorf("%s: got\n%s; want\n%s", tt.name, got, want)
		}
		stats := status.Statistics.Details.(*bigquery.LoadStatistics)
		if n := int64(strings.Count(want, "}] [{") + 1); stats.OutputRows != n || stats.InputFiles != 1 ||
			stats.InputFileBytes != int64(len(tt.data)) || stats.OutputBytes <= 0 {
			t.Errorf("%s: got %+v; want %d rows", tt.name, stats, n)
		}
	}
}

// TestLoadDispositions: a job adds to the rows that are there, takes their place or does not touch them.
func TestLoadDispositions(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	c, err := bigquery.NewClient(t.Context(), DefaultProject, storageRESTOptions(t, s)...)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	exec(t, s, "CREATE SCHEMA d")
	for _, tt := range []struct {
		write  bigquery.TableWriteDisposition
		schema bigquery.Schema
		want   string
		err    string
	}{
		{"", nil, "[1 <nil>] [2 a]", ""},
		{bigquery.WriteAppend, nil, "[1 <nil>] [2 a]", ""},
		{bigquery.WriteEmpty, nil, "[1 <nil>]", "Already Exists"},
		{bigquery.WriteTruncate, nil, "[2 a]", ""},
		{bigquery.WriteTruncate, bigquery.Schema{{Name: "y", Type: bigquery.IntegerFieldType},
			{Name: "z", Type: bigquery.StringFieldType}, {Name: "extra", Type: bigquery.DateFieldType}}, "[2 a <nil>]", ""},
	} {
		exec(t, s, "CREATE OR REPLACE TABLE d.t (x INT64, s STRING)", "INSERT INTO d.t (x) VALUES (1)")
		_, err := loadData(t, c, "2,a", func(r *bigquery.ReaderSource, l *bigquery.Loader) {
			l.WriteDisposition, r.Schema, r.AllowJaggedRows = tt.write, tt.schema, true
		})
		if got := values(t, s, "SELECT * FROM d.t ORDER BY 1"); got != tt.want || (err == nil) != (tt.err == "") ||
			err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s %v: got %s, %v; want %s", tt.write, tt.schema != nil, got, err, tt.want)
		}
	}
}

// TestResumable: data comes in parts, of which one is sent again and one is lost.
func TestResumable(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (i INT64)")
	client := quietClient(t)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	do := func(method, url, contentRange, body string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if contentRange != "" {
			req.Header.Set("Content-Range", contentRange)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp
	}
	base := s.Endpoint() + "/upload/bigquery/v2/projects/" + url.PathEscape(DefaultProject) + "/jobs?uploadType="
	resp := do("POST", base+"resumable", "", `{"jobReference": {"jobId": "j1"}, "configuration": {"load": {
		"destinationTable": {"datasetId": "d", "tableId": "t"}, "sourceFormat": "CSV"}}}`)
	at := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusOK || at == "" {
		t.Fatalf("got %s, %q", resp.Status, at)
	}
	for i, step := range []struct {
		contentRange, body string
		status             int
		got                string // Range
	}{
		{"bytes */*", "", 308, ""},
		{"bytes 0-1/*", "1\n", 308, "bytes=0-1"},
		{"bytes 0-1/*", "1\n", 308, "bytes=0-1"},
		{"bytes 4-5/6", "3\n", 308, "bytes=0-1"}, // what is between is not here
		{"bytes */*", "", 308, "bytes=0-1"},
		{"bytes 2-5/6", "2\n3\n", 200, ""},
		{"bytes 2-5/6", "2\n3\n", 200, ""}, // the answer was lost
	} {
		resp := do("PUT", at, step.contentRange, step.body)
		if resp.StatusCode != step.status || resp.Header.Get("Range") != step.got {
			t.Errorf("step %d: got %s, Range %q; want %d, %q", i, resp.Status, resp.Header.Get("Range"), step.status, step.got)
		}
	}
	j, apiErr := s.jobs.Find(jobs.Caller{Admin: true}, DefaultProject, "j1", "")
	if apiErr != nil {
		t.Fatal(apiErr)
	}
	if !j.Wait(t.Context(), time.Minute) {
		t.Fatal("the job still runs")
	}
	if got := values(t, s, "SELECT * FROM d.t ORDER BY 1"); got != "[1] [2] [3]" {
		t.Errorf("got %s", got)
	}
	if resp := do("POST", base+"media", "", "x"); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("uploadType=media: got %s", resp.Status)
	}
}

func TestLoadRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	to := &bq.TableReference{ProjectId: DefaultProject, DatasetId: "d", TableId: "t"}
	media := func(load *bq.JobConfigurationLoad) error {
		job := &bq.Job{Configuration: &bq.JobConfiguration{Load: load}}
		_, err := svc.Jobs.Insert(DefaultProject, job).Media(bytes.NewReader([]byte("1\n"))).Context(t.Context()).Do()
		return err
	}
	for want, load := range map[string]*bq.JobConfigurationLoad{
		"destinationTable":      {},
		"from Cloud Storage":    {DestinationTable: to, SourceUris: []string{"gs://b/o"}},
		"sourceFormat AVRO":     {DestinationTable: to, SourceFormat: "AVRO"},
		"load.timePartitioning": {DestinationTable: to, TimePartitioning: &bq.TimePartitioning{Type: "DAY"}},
		"the encoding UTF-16LE": {DestinationTable: to, Encoding: "UTF-16LE"},
		"Not found: Dataset": {DestinationTable: &bq.TableReference{ProjectId: DefaultProject, DatasetId: "x",
			TableId: "t"}},
		"Access Denied":    {DestinationTable: &bq.TableReference{ProjectId: "other", DatasetId: "x", TableId: "t"}},
		"writeDisposition": {DestinationTable: to, WriteDisposition: "x"},
	} {
		var api *googleapi.Error
		if err := media(load); !errors.As(err, &api) || !strings.Contains(api.Message, want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	for what, config := range map[string]*bq.JobConfiguration{
		"brings no data": {Load: &bq.JobConfigurationLoad{DestinationTable: to}},
		"extract jobs":   {Extract: &bq.JobConfigurationExtract{DestinationUri: "gs://b/o"}},
	} {
		_, err := svc.Jobs.Insert(DefaultProject, &bq.Job{Configuration: config}).Context(t.Context()).Do()
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: got %v", what, fmt.Sprint(err))
		}
	}
}
