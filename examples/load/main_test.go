package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local/localtest"
)

// loaded runs the program and returns what it prints and what it shows beside it.
func loaded(t *testing.T, l loading) (out, errOut string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	err = run(t.Context(), &o, &e, &dsn.Config{}, l)
	return o.String(), e.String(), err
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoad(t *testing.T) {
	localtest.NewComputer(t)
	var many strings.Builder
	many.WriteString("id,name\n")
	for i := range 20_000 {
		fmt.Fprintf(&many, "%d,\"name, %d\"\n", i, i)
	}
	nested := `{"id": 1, "n": 12345678901234567890.5, "tags": ["a", "b"], "r": {"x": 1234567890123.123456789, "d": "2024-02-29"}, "j": {"y": [1]}}` +
		"\n" + `{"id": 2}` + "\n"
	for _, tt := range []struct {
		name string
		l    loading
		want string
	}{
		{"the planets", loading{table: "demo.planets"}, "8 rows, "},
		{"many rows", loading{file: file(t, "many.csv", many.String()), table: "demo.many", bar: true}, "20000 rows, "},
		{"lines of JSON", loading{file: file(t, "x.ndjson", `{"a": 1, "b": "x"}`+"\n"+`{"a": 2.5}`), table: "demo.json"},
			"2 rows, "},
		{"CSV of Excel", loading{file: file(t, "x.csv", "\ufeff\"id\",name\r\n1,\"a \"\"b\"\",\r\nc\"\r\n2,\r\n"), table: "demo.excel",
			schema: "id INT64 NOT NULL, name STRING"}, "2 rows, "},
		{"nested", loading{file: file(t, "x.jsonl", nested), table: "demo.nested",
			schema: "id INT64 NOT NULL, n NUMERIC, tags ARRAY<STRING>, r STRUCT<x NUMERIC, d DATE>, j JSON"}, "2 rows, "},
	} {
		out, errOut, err := loaded(t, tt.l)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if !strings.HasPrefix(out, tt.want) || !strings.Contains(out, "by the Storage Write API") ||
			!strings.Contains(out, tt.l.table+" has "+strings.TrimSuffix(tt.want, ", ")) {
			t.Errorf("%s: got %s; want %s", tt.name, out, tt.want)
		}
		if shown := strings.Contains(errOut, "%"); shown != tt.l.bar {
			t.Errorf("%s: a bar was shown: %v; want %v\n%s", tt.name, shown, tt.l.bar, errOut)
		}
	}
}

func TestLoadErrors(t *testing.T) {
	localtest.NewComputer(t)
	for _, tt := range []struct {
		name string
		l    loading
		want string
	}{
		{"no number", loading{file: file(t, "x.csv", "a\n1\nx\n"), table: "d.t", schema: "a INT64"},
			`line 3, column a: "x" is no INT64`},
		{"too many fields", loading{file: file(t, "x.csv", "a\n1,2\n"), table: "d.t", schema: "a INT64"},
			"record on line 2: wrong number of fields"},
		{"a bare quote", loading{file: file(t, "x.csv", "a\n1\n2\"3\n"), table: "d.t", schema: "a INT64"},
			`parse error on line 3, column 2: bare "`},
		{"no JSON", loading{file: file(t, "x.ndjson", "{"), table: "d.t", schema: "a INT64"}, "unexpected EOF"},
		{"no JSON later", loading{file: file(t, "x.ndjson", `{"a": 1}`+"\nx\n"), table: "d.t", schema: "a INT64"},
			"after byte 8: invalid character 'x'"},
		{"NULL", loading{file: file(t, "x.ndjson", "{}"), table: "d.t", schema: "a INT64 NOT NULL"}, `row 1: column "a"`},
		{"nested without a schema", loading{file: file(t, "x.ndjson", `{"a": {"b": 1}}`), table: "d.t"},
			"nested values need a table"},
		{"no rows", loading{file: file(t, "x.csv", "a\n"), table: "d.t"}, "the file has no rows"},
		{"no file", loading{file: filepath.Join(t.TempDir(), "nosuch.csv"), table: "d.t"}, "nosuch.csv"},
		{"no dataset", loading{table: "t"}, "dataset"},
	} {
		out, _, err := loaded(t, tt.l)
		if err == nil || !strings.Contains(err.Error(), tt.want) || out != "" {
			t.Errorf("%s: got %q, %v; want %s", tt.name, out, err, tt.want)
		}
	}
}
