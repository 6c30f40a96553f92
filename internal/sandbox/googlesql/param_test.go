package googlesql_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestUndeclared(t *testing.T) {
	_, cat := open(t)
	cases := []struct{ query, want string }{
		{"SELECT ?", "INT64"},
		{"SELECT ? IS NULL", "INT64"},
		{"SELECT ? = ?", "INT64 INT64"},
		{"SELECT 1 FROM types WHERE d = ?", "DATE"},
		{"SELECT 1 FROM types WHERE ? = d", "DATE"},
		{"SELECT 1 FROM types WHERE dt >= ?", "DATETIME"},
		{"SELECT 1 FROM types WHERE ts BETWEEN ? AND ?", "TIMESTAMP TIMESTAMP"},
		{"INSERT INTO types (i, s, d, n, j) VALUES (?, ?, ?, ?, ?)", "INT64 STRING DATE NUMERIC JSON"},
		{"INSERT INTO types (d) SELECT ?", "DATE"},
		{"INSERT INTO customers (tags, address) VALUES (?, ?)", "ARRAY<STRING> STRUCT<city STRING, zip INT64>"},
		{"UPDATE types SET d = ?, f = ? WHERE i = ?", "DATE FLOAT64 INT64"},
		{"DELETE FROM types WHERE s = ?", "STRING"},
		{"SELECT 1 FROM types WHERE i IN UNNEST(?)", "ARRAY<INT64>"},
		{"SELECT 1 FROM types WHERE s IN (?, ?)", "STRING STRING"},
		{"SELECT COALESCE(?, d) FROM types", "DATE"},
		{"SELECT IF(?, ?, s) FROM types", "BOOL STRING"},
		{"SELECT 1 FROM types WHERE s LIKE ?", "STRING"},
		{"SELECT 1 FROM types LIMIT ? OFFSET ?", "INT64 INT64"},
		{"SELECT CAST(? AS DATE), UPPER(?), ? + 1.5, ? || 'x'", "DATE STRING FLOAT64 STRING"},
		{"SELECT CASE s WHEN ? THEN 1 ELSE ? END FROM types", "STRING INT64"},
		{"SELECT DATE_ADD(?, INTERVAL ? DAY)", "DATE INT64"},
		{"SELECT '?', \"?\", r'?', `i`, ? /* ? */ FROM types -- ?\n# ?", "INT64"},
		{"SELECT ? UNION ALL SELECT d FROM types", "DATE"},
	}
	for _, c := range cases {
		opts := options(cat)
		opts.Positional = true
		st, err := googlesql.Translate(c.query, opts)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		var got []string
		for _, p := range st.Undeclared {
			got = append(got, p.Type.String())
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %s; want %s", c.query, s, c.want)
		}
		for i := range st.Params {
			if !strings.Contains(st.SQL, fmt.Sprintf("$%d ", i+1)) {
				t.Errorf("%s: parameter %d is not in %s", c.query, i+1, st.SQL)
			}
		}
	}
}

func TestNamedParams(t *testing.T) {
	db, cat := open(t)
	opts := options(cat)
	opts.AllowUndeclared = false
	opts.Params = []googlesql.Param{
		{Name: "Name", Type: googlesql.Type{Kind: googlesql.String}},
		{Name: "day", Type: googlesql.Type{Kind: googlesql.String}},
		{Name: "unused", Type: googlesql.Type{Kind: googlesql.Bool}},
	}
	st, err := googlesql.Translate("SELECT @name, @NAME || 'x', DATE '2024-01-01' < @day, @@project_id", opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Params) != 2 || len(st.Undeclared) != 0 || st.Params[0].Name != "name" {
		t.Errorf("got params %v, undeclared %v; want name and day, none", st.Params, st.Undeclared)
	}
	got, err := run(db, st, engine.Value{Type: st.Params[0].Type, Text: "Ada"},
		engine.Value{Type: st.Params[1].Type, Text: "2024-05-05"})
	if err != nil || got != "Ada|Adax|true|my-project" {
		t.Errorf("got %q, %v", got, err)
	}
	for query, want := range map[string]string{
		"SELECT @nope":  "Query parameter 'nope' not found at [1:8]",
		"SELECT 1, ?":   "Positional parameters are not supported at [1:11]",
		"SELECT @ name": "", // white space may stand after @
	} {
		_, err := googlesql.Translate(query, opts)
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: got %v; want %q", query, err, want)
		}
	}
}

func TestPositionalParams(t *testing.T) {
	db, cat := open(t)
	opts := options(cat)
	opts.Positional, opts.AllowUndeclared = true, false
	opts.Params = []googlesql.Param{{Type: googlesql.Type{Kind: googlesql.Int64}},
		{Type: googlesql.Type{Kind: googlesql.Timestamp}}}
	st, err := googlesql.Translate("SELECT ? + 1.5, ?", opts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := run(db, st, engine.Value{Type: st.Params[0].Type, Int: 2},
		engine.Value{Type: st.Params[1].Type, Int: time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC).UnixMicro()})
	if err != nil || got != "3.5|2024-01-02 03:04:05+00" {
		t.Errorf("got %q, %v", got, err)
	}
	_, err = googlesql.Translate("SELECT ?, ?, ?", opts)
	if want := "Query parameter number 3 not found; not enough positional parameters provided at [1:14]"; err == nil ||
		err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
	if _, err = googlesql.Translate("SELECT @a", opts); err == nil {
		t.Error("got no error for a named parameter among positional ones")
	}
}
