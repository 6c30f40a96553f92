package googlesql_test

import (
	"errors"
	"testing"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// checkPosition fails a test whose error is no *Error with a position in the text: a tab counts up
// to eight columns.
func checkPosition(t *testing.T, s string, err error) {
	t.Helper()
	e, ok := errors.AsType[*googlesql.Error](err)
	if !ok {
		t.Fatalf("%q: got a %T; want an *Error", s, err)
	}
	lines, cols := 1, 1
	for _, r := range s {
		if r == '\n' || r == '\r' {
			lines++
		}
		cols++
		if r == '\t' {
			cols += 7
		}
	}
	if e.Line < 1 || e.Line > lines || e.Column < 1 || e.Column > cols || !utf8.ValidString(e.Message) &&
		utf8.ValidString(s) {
		t.Fatalf("%q: position of %v is outside of the text", s, e)
	}
}

// FuzzTranslate: Translate never panics, its errors are *Error with a position inside the
// text (a tab counts up to eight columns), and a success has a type, and SQL where it has columns.
func FuzzTranslate(f *testing.F) {
	_, cat := open(f)
	for _, s := range []string{
		"SELECT name, SUM(x) FROM `p.d.t` WHERE a = 'b' GROUP BY 1",
		"FROM orders |> WHERE id > 1 |> AGGREGATE SUM(amount) AS s DESC GROUP BY status |> AS t " +
			"|> JOIN customers USING (id)",
		"FROM customers c |> EXTEND id + 1 AS x |> SET name = 'a' |> DROP x |> RENAME id AS k |> DISTINCT |> LIMIT 1 " +
			"|> UNION ALL (SELECT 1, 'a', [], NULL) |> WITH w AS (SELECT 1) |> WHERE ROW_NUMBER() OVER () = 1",
		"SELECT AS STRUCT 1 x |> PIVOT (SUM(x) FOR x IN (1 AS a)) |> AGGREGATE GROUP AND ORDER BY ROLLUP(a)",
		"SELECT CAST(CURRENT_DATE() AS STRING FORMAT 'YYYY-MM'), CAST('x' AS TIMESTAMP(12)), RANGE<DATE> '[NULL, NULL)', " +
			"BIGNUMERIC '1' / 3, RANGE_START(RANGE(NULL, CURRENT_DATE()))",
		"WITH a AS (SELECT * FROM orders) SELECT x.* EXCEPT (id) FROM a x JOIN customers USING (id) ORDER BY 1 DESC " +
			"LIMIT 5",
		"INSERT INTO orders (id) VALUES (?), (DEFAULT)", "SELECT r'\\', b\"\\x00\", '''a\n''', 0x1F, .5e3, @a, @@x",
		"MERGE orders t USING customers s ON t.id = s.id WHEN MATCHED THEN DELETE",
		"SELECT ((((1)))), [1,2][OFFSET(0)], STRUCT<a INT64>(1).a",
		"CREATE TABLE t (a ARRAY<STRUCT<b NUMERIC(3, 2)>>)", "SELECT a.b.c-d-1.e",
		"SELECT EXTRACT(WEEK(MONDAY) FROM day) FROM orders",
		"SELECT FORMAT('%d%%', 1), FORMAT_DATE('%E', day), CAST('x' AS DATE) FROM orders",
		"SELECT * FROM my-project-1.d.t", "SELECT -9223372036854775808",
		"SELECT GENERATE_DATE_ARRAY('2024-01-01', '2024-02-01', INTERVAL 1 MONTH)",
		"SELECT 1 << 63, -x, NOT a, a IN UNNEST([1])",
		"ALTER TABLE orders ADD PRIMARY KEY (id) NOT ENFORCED, ALTER COLUMN id SET DEFAULT 5, DROP CONSTRAINT IF EXISTS x",
		"CREATE TABLE x PARTITION BY DATE_TRUNC(day, MONTH) CLUSTER BY id OPTIONS (labels = [('a', 'b')]) AS SELECT * " +
			"FROM orders",
		"CREATE TABLE x (a INT64 DEFAULT (1 + 2), CONSTRAINT c FOREIGN KEY (a) REFERENCES y(b) NOT ENFORCED)",
		"CREATE SNAPSHOT TABLE a CLONE orders OPTIONS (description = CONCAT('a', 'b'))", "ASSERT TRUE AS 'x'",
	} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, positional bool) {
		opts := options(cat)
		opts.Positional = positional
		st, err := googlesql.Translate(s, opts)
		if err != nil {
			checkPosition(t, s, err)
			return
		}
		// Keys, options, functions and transactions are nothing to DuckDB.
		if st.SQL == "" && (len(st.Columns) > 0 || st.Type == "INSERT" || st.Type == "CREATE_TABLE") || st.Type == "" {
			t.Fatalf("%q: got an empty statement", s)
		}
		for _, c := range st.Columns {
			if c.Type.Kind == "" {
				t.Fatalf("%q: column %q has no type", s, c.Name)
			}
		}
	})
}
