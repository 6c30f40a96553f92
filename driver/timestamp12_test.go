package driver_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

const (
	picosText = "2024-02-29T15:04:05.123456789012Z"
	picosSent = "2024-02-29 15:04:05.123456789012+00:00"
)

var picosTime = time.Date(2024, 2, 29, 15, 4, 5, 123456789, time.UTC)

// picosAnswer has TIMESTAMP(12) in a column, an ARRAY and a STRUCT, beside a TIMESTAMP and a RANGE
// of it.
func picosAnswer(rows int) fakebq.Answer {
	precise := func(name, mode string) fakebq.Field {
		return fakebq.Field{Name: name, Type: "TIMESTAMP", Mode: mode, TimestampPrecision: 12}
	}
	a := fakebq.Answer{Fields: []fakebq.Field{
		precise("p", ""), {Name: "t", Type: "TIMESTAMP"}, precise("a", "REPEATED"),
		{Name: "s", Type: "RECORD", Fields: []fakebq.Field{precise("p", ""), {Name: "d", Type: "DATE"}}},
		{Name: "r", Type: "RANGE", Element: "TIMESTAMP"},
	}}
	micros := picosTime.Truncate(time.Microsecond)
	for range rows {
		a.Rows = append(
			a.Rows,
			[]any{
				fakebq.Picos(picosText),
				micros,
				[]any{fakebq.Picos(picosText), fakebq.Picos("0001-01-01T00:00:00.000000000001Z")},
				[]any{fakebq.Picos(picosText), "2024-02-29"},
				fakebq.Range{Start: micros},
			},
		)
	}
	return a
}

// TestTimestamp12 reads all twelve digits on both paths, and asks for them only where there are any.
func TestTimestamp12(t *testing.T) {
	t.Parallel()
	const rows = 40
	micros := picosTime.Truncate(time.Microsecond)
	want := []any{
		picosTime,
		micros,
		[]time.Time{picosTime, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		driver.Struct{
			Fields: []driver.StructField{
				{Name: "p", Value: picosTime},
				{Name: "d", Value: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
			},
		},
		driver.Range{Start: micros},
	}
	for _, tt := range []struct {
		name   string
		change func(*dsn.Config)
		answer func(*fakebq.Answer)
		counts counts
	}{
		{"REST", func(*dsn.Config) {}, func(*fakebq.Answer) {}, counts{fakebq.Query: 1, fakebq.GetQueryResults: 1}},
		{
			"REST in pages", func(c *dsn.Config) { c.MaxResults = 10 }, func(*fakebq.Answer) {},
			counts{fakebq.Query: 1, fakebq.GetQueryResults: 4},
		},
		{
			"no job", func(c *dsn.Config) { c.JobCreation = "optional" },
			func(a *fakebq.Answer) { a.NoJob = true }, counts{fakebq.Query: 2},
		},
		{
			"Storage Read API", func(c *dsn.Config) { c.ReadAPI, c.MaxResults = "storage", 10 }, func(*fakebq.Answer) {},
			counts{fakebq.Query: 1, fakebq.GetQueryResults: 1, fakebq.Get: 1, fakebq.CreateReadSession: 1, fakebq.ReadRows: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			answer := picosAnswer(rows)
			tt.answer(&answer)
			server.On("SELECT p ORDER BY p", answer)
			db := open(t, server, func(c *dsn.Config) {
				c.StorageEndpoint = server.StorageURL()
				tt.change(c)
			})
			got, err := db.QueryContext(t.Context(), "SELECT p ORDER BY p")
			if err != nil {
				t.Fatal(err)
			}
			defer got.Close()
			types, err := got.ColumnTypes()
			if err != nil {
				t.Fatal(err)
			}
			if digits, _, ok := types[0].DecimalSize(); types[0].DatabaseTypeName() != "TIMESTAMP(12)" ||
				digits != 12 ||
				!ok ||
				types[0].ScanType() != reflect.TypeFor[sql.Null[time.Time]]() ||
				types[1].DatabaseTypeName() != "TIMESTAMP" ||
				types[3].DatabaseTypeName() != "STRUCT<p TIMESTAMP(12), d DATE>" {
				t.Errorf("got %v with %d digits, %v", types[0].DatabaseTypeName(), digits, types[0].ScanType())
			}
			n := 0
			for ; got.Next(); n++ {
				row := make([]any, 5)
				if err := got.Scan(&row[0], &row[1], &row[2], &row[3], &row[4]); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(row, want) {
					t.Fatalf("row %d: got %v; want %v", n, row, want)
				}
				var text, plain string
				var texts []string
				var s struct{ P, D string }
				if err := got.Scan(
					driver.As(&text),
					driver.As(&plain),
					driver.As(&texts),
					driver.As(&s),
					new(any),
				); err != nil {
					t.Fatal(err)
				}
				if read := fmt.Sprint(
					text,
					plain,
					texts,
					s,
				); read != picosText+"2024-02-29T15:04:05.123456Z["+picosText+" 0001-01-01T00:00:00.000000000001Z] {"+
					picosText+" 2024-02-29}" {
					t.Fatalf("row %d: got %s", n, read)
				}
				if s := row[3].(driver.Struct).String(); s != `{"p":"`+picosText+`","d":"2024-02-29"}` {
					t.Fatalf("row %d: got %s", n, s)
				}
			}
			if err := got.Err(); err != nil || n != rows {
				t.Errorf("got %d rows, %v; want %d", n, err, rows)
			}
			if counted := server.Counts(); !reflect.DeepEqual(counted, tt.counts) {
				t.Errorf("got requests %v; want %v", counted, tt.counts)
			}
		})
	}
}

// TestTimestamp12Arguments: a time keeps its nanoseconds where the parameter has them, one that was
// read keeps all of its digits, and elsewhere they are cut.
func TestTimestamp12Arguments(t *testing.T) {
	t.Parallel()
	twelve := int64(12)
	precise := &bq.QueryParameterType{Type: "TIMESTAMP", TimestampPrecision: &twelve}
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT p", picosAnswer(1))
	for text, typ := range map[string]*bq.QueryParameterType{
		"INSERT p": precise, "INSERT t": {Type: "TIMESTAMP"}, "INSERT a": {Type: "ARRAY", ArrayType: precise}, "INSERT none": nil,
	} {
		answer := fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{}}
		if typ != nil {
			answer.Parameters = []fakebq.Parameter{{Type: typ}}
		}
		server.On(text+" ?", answer)
	}
	db := open(t, server)
	rows, err := db.QueryContext(t.Context(), "SELECT p")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var value, list, record any
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if err := rows.Scan(&value, new(any), &list, &record, new(any)); err != nil {
		t.Fatal(err)
	}
	const micros = "TIMESTAMP 2024-02-29 15:04:05.123456+00:00"
	for _, tt := range []struct {
		sql  string
		arg  any
		want string
	}{
		{"INSERT p ?", picosTime, "TIMESTAMP 2024-02-29 15:04:05.123456789000+00:00"},
		{"INSERT p ?", value, "TIMESTAMP " + picosSent},
		{"INSERT p ?", (*time.Time)(nil), "TIMESTAMP NULL"},
		{"INSERT a ?", list, "ARRAY<TIMESTAMP> [" + picosSent + ", 0001-01-01 00:00:00.000000000001+00:00]"},
		{"INSERT a ?", []time.Time{picosTime}, "ARRAY<TIMESTAMP> [2024-02-29 15:04:05.123456789000+00:00]"},
		{"INSERT t ?", value, micros}, {"INSERT none ?", value, micros}, {"INSERT none ?", picosTime, micros},
	} {
		if _, err := db.ExecContext(t.Context(), tt.sql, tt.arg); err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		got := sentArguments(t, server)
		if !reflect.DeepEqual(got, []string{tt.want}) {
			t.Errorf("%s with a %T: got %q; want %s", tt.sql, tt.arg, got, tt.want)
		}
		precision := sent(t, server).QueryParameters[0].ParameterType
		if precision.ArrayType != nil {
			precision = precision.ArrayType
		}
		if is := precision.TimestampPrecision != nil; is != !strings.HasSuffix(tt.want, ".123456+00:00") {
			t.Errorf("%s with a %T: timestampPrecision is there: %v", tt.sql, tt.arg, is)
		}
	}
}

// TestTextOfTimes: DATE and DATETIME are text in BigQuery's own form, without a zone; values of
// them are plain times.
func TestTextOfTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 15, 4, 5, 600000000, time.UTC)
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	fields := []fakebq.Field{
		{Name: "d", Type: "DATE"},
		{Name: "dt", Type: "DATETIME"},
		{Name: "t", Type: "TIME"},
		{Name: "ts", Type: "TIMESTAMP"},
	}
	values := []any{"2024-02-29", at, "15:04:05.6", at}
	answer := fakebq.Answer{Fields: append(fields[:4:4], fakebq.Field{Name: "s", Type: "RECORD", Fields: fields})}
	answer.Rows = [][]any{append(values[:4:4], values)}
	var lists []any
	for _, f := range fields {
		f.Name, f.Mode = f.Name+"s", "REPEATED"
		answer.Fields = append(answer.Fields, f)
	}
	for _, v := range values {
		many := make([]any, 3000) // more than lie together otherwise
		for i := range many {
			many[i] = v
		}
		lists = append(lists, many)
	}
	answer.Rows[0] = append(answer.Rows[0], lists...)
	texts := []string{"2024-02-29", "2024-02-29T15:04:05.6", "15:04:05.6", "2024-02-29T15:04:05.6Z"}
	for _, readAPI := range []string{"rest", "storage"} {
		server := fakebq.Run(t, fakebq.Options{})
		twice := answer
		twice.Rows = append(twice.Rows, answer.Rows[0])
		server.On("SELECT * ORDER BY 1", twice)
		db := open(t, server, func(c *dsn.Config) {
			c.StorageEndpoint, c.ReadAPI, c.MaxResults = server.StorageURL(), readAPI, 1
		})
		rows, err := db.QueryContext(t.Context(), "SELECT * ORDER BY 1")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			got := make([]string, 4)
			into := make([][]string, 4)
			var s struct{ D, DT, T, TS string }
			var null sql.NullString
			var raw sql.Null[[]byte]
			dest := []any{
				driver.As(&got[0]),
				driver.As(&got[1]),
				driver.As(&got[2]),
				driver.As(&got[3]),
				driver.As(&s),
			}
			for i := range into {
				dest = append(dest, driver.As(&into[i]))
			}
			if err := rows.Scan(dest...); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, texts) || !reflect.DeepEqual([]string{s.D, s.DT, s.T, s.TS}, texts) {
				t.Errorf("%s: got %q, %q; want %q", readAPI, got, s, texts)
			}
			for i := range into {
				if len(into[i]) != 3000 || into[i][0] != texts[i] || into[i][2999] != texts[i] {
					t.Errorf("%s: got %d, %q; want 3000 of %s", readAPI, len(into[i]), into[i][2999], texts[i])
				}
			}
			any9 := make([]any, 9)
			if err := rows.Scan(
				&any9[0],
				&any9[1],
				&any9[2],
				&any9[3],
				&any9[4],
				&any9[5],
				&any9[6],
				&any9[7],
				&any9[8],
			); err != nil {
				t.Fatal(err)
			}
			if any9[0] != any(day) || any9[1] != any(at) || !reflect.DeepEqual(any9[5].([]time.Time)[2999], day) {
				t.Errorf("%s: got %v, %v", readAPI, any9[0], any9[1])
			}
			text, err := json.Marshal(any9[4])
			if want := fmt.Sprintf(
				`{"d":%q,"dt":%q,"t":%q,"ts":%q}`,
				texts[0],
				texts[1],
				texts[2],
				texts[3],
			); string(text) != want ||
				err != nil {
				t.Errorf("%s: got %s, %v; want %s", readAPI, text, err, want)
			}
			// A copy is a plain time, whatever lay at its place.
			plain := any9[0].(time.Time)
			if err := driver.As(&got[0]).Scan(plain); err != nil || got[0] != "2024-02-29T00:00:00Z" {
				t.Errorf("%s: a copy: got %s, %v", readAPI, got[0], err)
			}
			if err := rows.Scan(
				driver.As(&null),
				driver.As(&raw),
				new(any),
				new(any),
				new(any),
				new(any),
				new(any),
				new(any),
				new(any),
			); err != nil ||
				null.String != texts[0] ||
				string(raw.V) != texts[1] {
				t.Errorf("%s: got %v, %s, %v", readAPI, null, raw.V, err)
			}
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
	}
}
