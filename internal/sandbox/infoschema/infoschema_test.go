package infoschema

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// TestViewsAreWhole: each view's columns can be parsed, none is listed as refused too, and each is filled.
func TestViewsAreWhole(t *testing.T) {
	t.Parallel()
	for name, v := range views {
		columns, err := columnsOf(v.columns)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, c := range columns {
			for _, r := range v.refused {
				if strings.EqualFold(c.Name, r) {
					t.Errorf("%s has the column %s, and refuses it", name, r)
				}
			}
		}
		if (v.rows == nil) != (v.scope == ofRegion) {
			t.Errorf("%s: the rows of a view come from datasets, or from the jobs of a region", name)
		}
	}
}

func TestLiteral(t *testing.T) {
	t.Parallel()
	columns, err := columnsOf("s STRING, b BOOL, i INT64, t TIMESTAMP, r STRUCT<a INT64, b STRING>, l ARRAY<STRING>")
	if err != nil {
		t.Fatal(err)
	}
	values := []any{"it's", true, int64(-5), time.Unix(1, 2_345_678), map[string]any{"a": int64(1)}, []any{"x", "y"}}
	want := []string{"'it''s'", "true", "-5", "timezone('UTC', make_timestamp(1002000))",
		"{'a': CAST(1 AS BIGINT), 'b': CAST(CAST(NULL AS VARCHAR) AS VARCHAR)}", "CAST(['x', 'y'] AS VARCHAR[])"}
	for i, c := range columns {
		if got := literal(values[i], c.Type); got != want[i] {
			t.Errorf("%s: got %s; want %s", c.Name, got, want[i])
		}
		empty := "CAST(NULL AS " + c.Type.DuckDB() + ")"
		if c.Type.Kind == googlesql.Array {
			empty = "CAST([] AS VARCHAR[])"
		}
		if got := literal(nil, c.Type); got != empty {
			t.Errorf("%s: got %s; want %s", c.Name, got, empty)
		}
	}
}

// TestScopes: which names a view can have, and the location that it gives to the query.
func TestScopes(t *testing.T) {
	t.Parallel()
	c, err := catalog.Open(t.Context(), catalog.Config{Location: "US", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.DB().Close)
	s := &Views{Catalog: c, Location: "US", Jobs: func(project string, own bool) ([]*wire.Job, *apierror.Error) {
		return []*wire.Job{{JobReference: &wire.JobReference{ProjectID: project, JobID: "j"}, Status: &wire.JobStatus{},
			Statistics: &wire.JobStatistics{}}}, nil
	}}
	for _, tt := range []struct{ view, dataset, location, at, part string }{
		{"TABLES", "region-us", "", "US", ""},
		{"TABLES", "Region-EU", "", "EU", ""},
		{"TABLES", "region-eu", "US", "", "not found in location US"},
		{"TABLES", "nosuch", "", "", "p:nosuch"},
		{"SCHEMATA", "", "", "US", ""},
		{"SCHEMATA", "", "EU", "EU", ""},
		{"PARTITIONS", "region-us", "", "", "must be qualified with a dataset"},
		{"JOBS", "region-us", "", "US", ""},
		{"JOBS", "nosuch", "", "", "p:nosuch"},
		{"NOSUCH", "region-us", "", "", "does not support INFORMATION_SCHEMA.NOSUCH"},
	} {
		location := tt.location
		table, err := s.View(googlesql.TableName{Project: "p", Dataset: tt.dataset, Table: tt.view}, tt.view, &location)
		text := ""
		if e, ok := errors.AsType[*apierror.Error](err); ok {
			text = e.Message
		} else if err != nil {
			text = err.Error()
		}
		if tt.part != "" && !strings.Contains(text, tt.part) || tt.part == "" && (err != nil || location != tt.at ||
			table.SQL == "") {
			t.Errorf("%s of %s: got %s in %s; want %s %s", tt.view, tt.dataset, text, location, tt.at, tt.part)
		}
	}
}
