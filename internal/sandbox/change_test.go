package sandbox

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"
)

// TestUpdateByTheOfficialClient: what describes datasets and tables, and their columns, can be changed.
func TestUpdateByTheOfficialClient(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	c := official(t, s, signIn(t, s, DefaultAccount), DefaultProject)
	ds := c.Dataset("d")
	if err := ds.Create(t.Context(), &bigquery.DatasetMetadata{Name: "old", Labels: map[string]string{"a": "1",
		"b": "2"}}); err != nil {
		t.Fatal(err)
	}
	md, err := ds.Metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	change := bigquery.DatasetMetadataToUpdate{Description: "text"}
	change.SetLabel("a", "3")
	change.DeleteLabel("b")
	changed, err := ds.Update(t.Context(), change, md.ETag)
	if err != nil || changed.Name != "old" || changed.Description != "text" || len(changed.Labels) != 1 ||
		changed.Labels["a"] != "3" {
		t.Errorf("got %+v, %v", changed, err)
	}
	_, err = ds.Update(t.Context(), change, md.ETag)
	if api := (*googleapi.Error)(nil); !errors.As(err, &api) || api.Code != 412 {
		t.Errorf("an old etag: got %v; want 412", err)
	}

	table := ds.Table("t")
	schema := bigquery.Schema{{Name: "x", Type: bigquery.IntegerFieldType, Required: true, Description: "one"}}
	if err := table.Create(t.Context(), &bigquery.TableMetadata{Schema: schema}); err != nil {
		t.Fatal(err)
	}
	exec(t, s, "INSERT INTO d.t VALUES (1)")
	more := append(bigquery.Schema{}, schema...)
	more = append(more, &bigquery.FieldSchema{Name: "s", Type: bigquery.StringFieldType, Description: "two"},
		&bigquery.FieldSchema{Name: "r", Type: bigquery.RecordFieldType, Repeated: true,
			Schema: bigquery.Schema{{Name: "a", Type: bigquery.DateFieldType}}})
	got, err := table.Update(t.Context(), bigquery.TableMetadataToUpdate{Schema: more, Name: "friendly"}, "")
	if err != nil || len(got.Schema) != 3 || got.Schema[1].Description != "two" || got.Schema[0].Description != "one" ||
		got.Name != "friendly" || got.NumRows != 1 || !got.Schema[0].Required {
		t.Errorf("got %+v, %v", got, err)
	}
	relaxed := append(bigquery.Schema{}, more...)
	relaxed[0] = &bigquery.FieldSchema{Name: "x", Type: bigquery.IntegerFieldType, Description: "now"}
	got, err = table.Update(t.Context(), bigquery.TableMetadataToUpdate{Schema: relaxed}, got.ETag)
	if err != nil || got.Schema[0].Required || got.Schema[0].Description != "now" || got.Name != "friendly" {
		t.Errorf("got %+v, %v", got, err)
	}
	exec(t, s, "INSERT INTO d.t (s) VALUES ('a')")
	for _, tt := range []struct {
		schema bigquery.Schema
		want   string
	}{
		{relaxed[:2], "Field r is missing in new schema"},
		{append(append(bigquery.Schema{}, relaxed...), &bigquery.FieldSchema{Name: "q", Type: bigquery.StringFieldType,
			Required: true}), "Cannot add required fields to an existing schema. (field: q)"},
		{append(bigquery.Schema{{Name: "x", Type: bigquery.StringFieldType}}, relaxed[1:]...),
			"Field x has changed type from INT64 to STRING"},
		{append(bigquery.Schema{{Name: "x", Type: bigquery.IntegerFieldType, Required: true}}, relaxed[1:]...),
			"Field x has changed mode from NULLABLE to REQUIRED"},
	} {
		_, err := table.Update(t.Context(), bigquery.TableMetadataToUpdate{Schema: tt.schema}, "")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v; want %s", err, tt.want)
		}
	}
}

// TestUpdate: update empties what it leaves out, and what the sandbox can't change is refused by name.
func TestUpdate(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d OPTIONS(description = 'text')", "CREATE TABLE d.t (x INT64) OPTIONS(description = 'text')")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	table, err := svc.Tables.Update(DefaultProject, "d", "t", &bq.Table{FriendlyName: "new"}).Context(t.Context()).Do()
	if err != nil || table.Description != "" || table.FriendlyName != "new" || len(table.Schema.Fields) != 1 {
		t.Errorf("got %+v, %v", table, err)
	}
	ds, err := svc.Datasets.Update(DefaultProject, "d", &bq.Dataset{FriendlyName: "new"}).Context(t.Context()).Do()
	if err != nil || ds.Description != "" || ds.FriendlyName != "new" {
		t.Errorf("got %+v, %v", ds, err)
	}
	later := time.Now().Add(time.Hour).UnixMilli()
	table, err = svc.Tables.Patch(DefaultProject, "d", "t", &bq.Table{ExpirationTime: later}).Context(t.Context()).Do()
	if err != nil || table.ExpirationTime != later || table.FriendlyName != "new" {
		t.Errorf("got %+v, %v", table, err)
	}
	table.Description = "more" // and all else as it is
	if table, err = svc.Tables.Update(DefaultProject, "d", "t", table).Context(t.Context()).Do(); err != nil ||
		table.Description != "more" {
		t.Errorf("got %+v, %v", table, err)
	}
	table, err = svc.Tables.Patch(DefaultProject, "d", "t", &bq.Table{NullFields: []string{"ExpirationTime"}}).
		Context(t.Context()).Do()
	if err != nil || table.ExpirationTime != 0 {
		t.Errorf("got %+v, %v", table, err)
	}
	_, err = svc.Tables.Patch(DefaultProject, "d", "t", &bq.Table{Clustering: &bq.Clustering{Fields: []string{"x"}}}).
		Context(t.Context()).Do()
	if err == nil || !strings.Contains(err.Error(), "does not support changing clustering") {
		t.Errorf("got %v", err)
	}
	_, err = svc.Datasets.Patch(DefaultProject, "d",
		&bq.Dataset{DefaultTableExpirationMs: 3600000}).Context(t.Context()).Do()
	if err == nil || !strings.Contains(err.Error(), "changing defaultTableExpirationMs") {
		t.Errorf("got %v", err)
	}
	view := &bq.Table{TableReference: &bq.TableReference{TableId: "v"},
		View: &bq.ViewDefinition{Query: "SELECT x + 1 AS y FROM d.t",
			ForceSendFields: []string{"UseLegacySql"}}}
	if _, err := svc.Tables.Insert(DefaultProject, "d", view).Context(t.Context()).Do(); err != nil {
		t.Fatal(err)
	}
	exec(t, s, "INSERT INTO d.t VALUES (1)")
	if got := values(t, s, "SELECT y FROM d.v"); got != "[2]" {
		t.Errorf("a view: got %s", got)
	}
}

// TestParameterValues: values may come as JSON numbers and bools.
func TestParameterValues(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	tok := signIn(t, s, DefaultAccount).AccessToken
	status, _, body := call(t, s, tok, "POST", queryPath(DefaultProject), `{"query":
		"SELECT FORMAT('%t %t %t %t', ?, ?, ?, ARRAY_LENGTH(?))", "useLegacySql": false,
		"parameterMode": "POSITIONAL", "queryParameters": [
		{"parameterType": {"type": "INT64"}, "parameterValue": {"value": 9007199254740993}},
		{"parameterType": {"type": "FLOAT64"}, "parameterValue": {"value": 1.5}},
		{"parameterType": {"type": "BOOL"}, "parameterValue": {"value": true}},
		{"parameterType": {"type": "ARRAY", "arrayType": {"type": "INT64"}}, "parameterValue": {"arrayValues": [{"value": 1}]}}]}`)
	if status != 200 {
		t.Fatalf("got %v", body)
	}
	row := body["rows"].([]any)[0].(map[string]any)["f"].([]any)[0].(map[string]any)["v"]
	if row != "9007199254740993 1.5 true 1" {
		t.Errorf("got %v", row)
	}
	status, _, body = call(t, s, tok, "POST", queryPath(DefaultProject), `{"query": "SELECT ?", "useLegacySql": false,
		"queryParameters": [{"parameterType": {"type": "INT64"}, "parameterValue": {"value": [1]}}]}`)
	if _, message := reasonOf(body); status != 400 || !strings.Contains(message, "is not a scalar value") {
		t.Errorf("got %d %v", status, body)
	}
}
