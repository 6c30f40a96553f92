package sandbox

import (
	"errors"
	"fmt"
	"testing"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/iterator"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

func TestDatasetsThroughTheOfficialClient(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	c := official(t, s, tok, DefaultProject)
	ds := c.Dataset("d1")
	if err := ds.Create(t.Context(), &bigquery.DatasetMetadata{Description: "one", Labels: map[string]string{"k": "v"},
		Location: "EU"}); err != nil {
		t.Fatal(err)
	}
	md, err := ds.Metadata(t.Context())
	if err != nil || md.Description != "one" || md.Labels["k"] != "v" || md.Location != "EU" ||
		md.CreationTime.IsZero() || md.ETag == "" {
		t.Errorf("got %+v, %v", md, err)
	}
	if err := c.Dataset("d2").Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	var names []string
	it := c.Datasets(t.Context())
	it.PageInfo().MaxSize = 1
	for {
		d, err := it.Next()
		if errors.Is(err, iterator.Done) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, d.DatasetID)
	}
	if fmt.Sprint(names) != "[d1 d2]" {
		t.Errorf("got datasets %v; want d1 and d2", names)
	}

	schema := bigquery.Schema{
		{Name: "id", Type: bigquery.IntegerFieldType, Required: true, Description: "the key"},
		{Name: "tags", Type: bigquery.StringFieldType, Repeated: true},
		{Name: "r", Type: bigquery.RecordFieldType, Schema: bigquery.Schema{{Name: "x", Type: bigquery.FloatFieldType,
			Description: "inner"}, {Name: "y", Type: bigquery.DateFieldType, Repeated: true}}},
		{Name: "n", Type: bigquery.NumericFieldType},
		{Name: "ts", Type: bigquery.TimestampFieldType},
		{Name: "b", Type: bigquery.BytesFieldType},
		{Name: "ok", Type: bigquery.BooleanFieldType},
	}
	tbl := ds.Table("t")
	if err := tbl.Create(t.Context(), &bigquery.TableMetadata{Schema: schema, Description: "a table"}); err != nil {
		t.Fatal(err)
	}
	tmd, err := tbl.Metadata(t.Context())
	if err != nil || tmd.Description != "a table" || tmd.Type != bigquery.RegularTable || tmd.NumRows != 0 ||
		tmd.Location != "EU" {
		t.Fatalf("got %+v, %v", tmd, err)
	}
	for i, f := range tmd.Schema {
		want := schema[i]
		if f.Name != want.Name || f.Type != want.Type || f.Required != want.Required || f.Repeated != want.Repeated ||
			f.Description != want.Description || len(f.Schema) != len(want.Schema) {
			t.Errorf("field %d: got %+v; want %+v", i, f, want)
		}
	}
	if got := tmd.Schema[2].Schema; got[0].Description != "inner" || got[1].Type != bigquery.DateFieldType ||
		!got[1].Repeated {
		t.Errorf("got inner fields %+v, %+v", got[0], got[1])
	}

	err = ds.Delete(t.Context())
	if e := apiErr(t, err); e.Code != 400 || e.Errors[0].Reason != "resourceInUse" {
		t.Errorf("a dataset with a table: got %v; want resourceInUse", err)
	}
	if err := tbl.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = tbl.Metadata(t.Context())
	if e := apiErr(t, err); e.Code != 404 {
		t.Errorf("a dropped table: got %v; want 404", err)
	}
	exec(t, s, "CREATE TABLE d2.t (a INT64)")
	if err := c.Dataset("d2").DeleteWithContents(t.Context()); err != nil {
		t.Error(err)
	}
	if err := ds.Delete(t.Context()); err != nil {
		t.Error(err)
	}
	if left := s.catalog.List(DefaultProject); len(left) != 0 {
		t.Errorf("got %d datasets; want none", len(left))
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	svc := rest(t, s, tok)
	if _, err := svc.Datasets.Insert(DefaultProject,
		&bq.Dataset{DatasetReference: &bq.DatasetReference{DatasetId: "eu"}, Location: "EU"}).Do(); err != nil {
		t.Fatal(err)
	}
	exec(t, s, "CREATE TABLE eu.t (a INT64)")
	run := func(sql, location string) string {
		resp, err := svc.Jobs.Query(DefaultProject, &bq.QueryRequest{Query: sql, UseLegacySql: legacyOff,
			Location: location}).Do()
		if err != nil {
			return apiErr(t, err).Errors[0].Reason
		}
		return resp.JobReference.Location
	}
	for _, tt := range []struct{ sql, location, want string }{
		{"SELECT 1", "", "US"},
		{"SELECT 1", "asia-east1", "asia-east1"},
		{"SELECT * FROM eu.t", "", "EU"},
		{"SELECT * FROM eu.t", "EU", "EU"},
		{"CREATE TABLE eu.u (a INT64)", "", "EU"},
		{"CREATE TABLE eu.v (a INT64)", "US", "notFound"},
		{"INSERT INTO eu.t VALUES (1)", "", "EU"},
		{"SELECT * FROM eu.t", "US", "notFound"},
		{"SELECT * FROM eu.t, `bigquery-public-data.usa_names.usa_1910_current`", "", "notFound"},
	} {
		if got := run(tt.sql, tt.location); got != tt.want {
			t.Errorf("%s in %q: got %s; want %s", tt.sql, tt.location, got, tt.want)
		}
	}
}

func TestTabledataList(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	c := official(t, s, tok, DefaultProject)
	it := c.DatasetInProject(catalog.PublicProject, "usa_names").Table("usa_1910_current").Read(t.Context())
	it.PageInfo().MaxSize = 100
	var row []bigquery.Value
	for range 250 {
		if err := it.Next(&row); err != nil {
			t.Fatal(err)
		}
	}
	if len(row) != 5 || it.TotalRows != 382694 {
		t.Errorf("got row %v of %d; want 5 columns of 382694 rows", row, it.TotalRows)
	}
	page, err := rest(t, s, tok).Tabledata.List(catalog.PublicProject, "usa_names",
		"usa_1910_current").SelectedFields("name,year").StartIndex(382693).Do()
	if err != nil || len(page.Rows) != 1 || len(page.Rows[0].F) != 2 || page.PageToken != "" {
		t.Errorf("the last row: got %+v, %v; want one row of two columns", page, err)
	}
}

func TestLegacyProject(t *testing.T) {
	t.Parallel()
	const project = "example.com:proj"
	s := start(t, Config{NoData: true, Projects: map[string][]string{DefaultAccount: {project}}})
	tok := signIn(t, s, DefaultAccount)
	c := official(t, s, tok, project)
	if err := c.Dataset("d").Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	rows(t, c, "CREATE TABLE d.t AS SELECT 1 AS a")
	if got := rows(t, c, "SELECT a FROM `example.com:proj.d.t`"); fmt.Sprint(got) != "[[1]]" {
		t.Errorf("got %v; want 1", got)
	}
}
