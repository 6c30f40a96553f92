package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestFunctions runs functions of package builtin in DuckDB: types both ways, NULLs, lists and errors.
func TestFunctions(t *testing.T) {
	t.Parallel()
	db, err := Open(Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, tt := range []struct {
		name, sql, want string
		kind            googlesql.Kind
	}{
		{"text", "bq_upper('straße')", "STRASSE", googlesql.String},
		{"a long text", "bq_upper(repeat('ab', 50))", strings.Repeat("AB", 50), googlesql.String},
		{"NULL", "coalesce(bq_upper(NULL), 'none')", "none", googlesql.String},
		{"a list", "array_to_string(bq_split_string('a,b,c', ','), '|')", "a|b|c", googlesql.String},
		{"lists of several rows", "(SELECT string_agg(array_to_string(bq_split_string(x, '-'), '+'), ' ' ORDER BY x) " +
			"FROM (VALUES ('a-b'), ('c'), (NULL), ('d-e-f')) AS v(x))", "a+b c d+e+f", googlesql.String},
		{"decimals", "bq_numeric_text(bq_numeric_mul(99999999999999999999::DECIMAL(38,9), 2.5::DECIMAL(38,9)))",
			"249999999999999999997.5", googlesql.String},
		{"dates", "bq_date_text(bq_parse_date('2024-02-29') + 1)", "2024-03-01", googlesql.String},
		{"JSON", "bq_json_value_json(bq_parse_json('{\"b\": 1, \"a\": 2.50}', 'exact'), '$.a')", "2.5",
			googlesql.String},
		{"an error within TRY", "coalesce(TRY(bq_date_text(bq_parse_date('x'))), 'bad')", "bad", googlesql.String},
		{"TRY in a lambda", "coalesce(list_transform([{'x': 'y'}], lambda q: TRY(bq_parse_int(q.x)))[1]::VARCHAR, " +
			"'bad')",
			"bad", googlesql.String},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := db.Conn()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Release()
			res, err := conn.Query(context.Background(), "SELECT "+tt.sql, nil,
				[]googlesql.Column{{Name: "v", Type: googlesql.Type{Kind: tt.kind}}}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(res.Blocks[0].Columns[0].Bytes(0)); got != tt.want {
				t.Errorf("%s: got %q; want %q", tt.sql, got, tt.want)
			}
		})
	}
	conn, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	_, err = conn.Query(context.Background(), "SELECT bq_parse_int('x')", nil,
		[]googlesql.Column{{Name: "v", Type: googlesql.Type{Kind: googlesql.Int64}}}, 0)
	if err == nil || !strings.Contains(err.Error(), "Bad int64 value: x") {
		t.Errorf("got error %v; want that of the function", err)
	}
}
