package sandbox

import (
	"fmt"
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// rowsOf writes a result: values by commas, rows by bars.
func rowsOf(resp *bq.QueryResponse) string {
	var rows []string
	for _, r := range resp.Rows {
		var cells []string
		for _, c := range r.F {
			cells = append(cells, fmt.Sprint(c.V))
		}
		rows = append(rows, strings.Join(cells, ","))
	}
	return strings.Join(rows, "|")
}

// TestScripts holds scripts against the result of their last statement.
func TestScripts(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (x INT64, y STRING)",
		"INSERT INTO d.t VALUES (1, 'one'), (2, 'two'), (3, NULL)")
	c := newClient(t, s, DefaultAccount).with("")
	for _, tt := range []struct{ sql, want string }{
		{"SELECT 1; SELECT 2", "2"},
		{"DECLARE a INT64 DEFAULT 5; SELECT a, a + 1;", "5,6"},
		{"DECLARE a, b INT64; SELECT a, b", "<nil>,<nil>"},
		{"DECLARE a DEFAULT 'x'; DECLARE b STRING DEFAULT CONCAT(a, 'y'); SET a = b; SELECT A", "xy"},
		{"DECLARE a FLOAT64 DEFAULT 1; DECLARE n NUMERIC DEFAULT 2; DECLARE d DATE DEFAULT '2024-02-29'; SELECT a, " +
			"n, d", "1.0,2,2024-02-29"},
		{"DECLARE a, b INT64; DECLARE d DATE; SET (a, b, d) = (1, NULL, '2024-01-02'); SELECT a, b, d",
			"1,<nil>,2024-01-02"},
		{"DECLARE a INT64; DECLARE b STRING; SET (a, b) = (SELECT AS STRUCT x, y FROM d.t WHERE x = 2); SELECT a, b",
			"2,two"},
		{"DECLARE a, b INT64 DEFAULT 1; SET (a, b) = (SELECT AS STRUCT x, x FROM d.t WHERE FALSE); SELECT a, b",
			"<nil>,<nil>"},
		// A column of the name wins.
		{"DECLARE x INT64 DEFAULT 100; SELECT SUM(x) FROM d.t", "6"},
		{"DECLARE x INT64 DEFAULT 100; DECLARE z INT64 DEFAULT 2; SELECT t.x FROM d.t AS t WHERE t.x = z", "2"},
		{"DECLARE d STRUCT<t INT64> DEFAULT STRUCT(7); SELECT d.t, (SELECT d.t + COUNT(*) FROM d.t)", "7,10"},
		{"DECLARE a ARRAY<INT64> DEFAULT [1, 2, 3]; SELECT SUM(e) FROM UNNEST(a) AS e", "6"},
		{"DECLARE a ARRAY<INT64>; SELECT a IS NULL, ARRAY_LENGTH(a)", "true,<nil>"},
		{"DECLARE a ARRAY<INT64>; SET a = (SELECT ARRAY_AGG(x ORDER BY x) FROM d.t); SELECT a[OFFSET(2)], x FROM " +
			"d.t WHERE x IN UNNEST(a) ORDER BY x LIMIT 1", "3,1"},
		{"DECLARE a ARRAY<STRUCT<INT64, p STRING>> DEFAULT [(1, 'a'), (2, 'b')]; SELECT e.p FROM UNNEST(a) AS e " +
			"ORDER BY 1", "a|b"},
		{`DECLARE j JSON DEFAULT JSON '{"a": [1, 2]}'; DECLARE b BYTES DEFAULT b'\x00\xff'; DECLARE i INTERVAL ` +
			`DEFAULT INTERVAL 3 DAY; SELECT j.a[1], TO_HEX(b), i`, "2,00ff,0-0 3 0:0:0"},
		{"DECLARE t TIME DEFAULT '01:02:03.5'; DECLARE ts TIMESTAMP DEFAULT TIMESTAMP '2024-01-02 " +
			"03:04:05.123456+00'; DECLARE dt DATETIME DEFAULT '2024-01-02'; DECLARE b BOOL DEFAULT TRUE; SELECT t, " +
			"FORMAT_TIMESTAMP('%F %T', ts), dt, b", "01:02:03.500000,2024-01-02 03:04:05,2024-01-02T00:00:00,true"},
		{"DECLARE s STRING(3) DEFAULT 'abc'; DECLARE n NUMERIC(5, 2) DEFAULT 1.239; SELECT s, n", "abc,1.24"},
		// Control flow.
		{"DECLARE a INT64 DEFAULT 2; IF a = 1 THEN SELECT 'one'; ELSEIF a = 2 THEN SELECT 'two'; ELSE SELECT " +
			"'more'; END IF", "two"},
		{"IF NULL THEN SELECT 1; ELSE SELECT 2; END IF; IF FALSE THEN SELECT 3; END IF", "2"},
		{"IF EXISTS (SELECT 1 FROM d.t WHERE x = 3) THEN SELECT 'yes'; END IF", "yes"},
		{"DECLARE i INT64 DEFAULT 0; WHILE i < 3 DO SET i = i + 1; SELECT i; END WHILE", "3"},
		{"DECLARE i INT64 DEFAULT 0; LOOP SET i = i + 1; IF i = 2 THEN CONTINUE; END IF; IF i > 3 THEN BREAK; END " +
			"IF; SELECT i; END LOOP; ", "3"},
		{"DECLARE i INT64 DEFAULT 0; LOOP SET i = i + 1; IF i < 5 THEN ITERATE; END IF; LEAVE; END LOOP; SELECT i",
			"5"},
		{"DECLARE i INT64 DEFAULT 9; REPEAT SET i = i + 1; UNTIL i > 0 END REPEAT; SELECT i", "10"},
		{"DECLARE s STRING DEFAULT ''; FOR r IN (SELECT x, IFNULL(y, '-') AS y FROM d.t ORDER BY x DESC) DO SET s = " +
			"s || CAST(r.x AS STRING) || r.y; END FOR; SELECT s", "3-2two1one"},
		{"DECLARE n INT64 DEFAULT 0; FOR r IN (SELECT 1, STRUCT(2 AS b, [5] AS c) AS s) DO SET n = r.f0_ + r.s.b + " +
			"r.s.c[OFFSET(0)]; END FOR; SELECT n", "8"},
		{"DECLARE n INT64 DEFAULT 0; FOR r IN (SELECT x FROM d.t) DO FOR q IN (SELECT x FROM d.t WHERE x <= r.x) DO " +
			"SET n = n + 1; END FOR; END FOR; SELECT n", "6"},
		{"DECLARE n INT64 DEFAULT 0; outside: LOOP inside: LOOP SET n = n + 1; IF n < 4 THEN CONTINUE outside; END " +
			"IF; LEAVE outside; END LOOP inside; SET n = 100; END LOOP; SELECT n", "4"},
		{"l: BEGIN SELECT 1; LEAVE l; SELECT 2; END l", "1"},
		{"CASE WHEN FALSE THEN SELECT 1; WHEN 1 < 2 THEN SELECT 2; ELSE SELECT 3; END CASE", "2"},
		{"DECLARE a STRING DEFAULT 'b'; CASE a WHEN 'a' THEN SELECT 1; WHEN UPPER('B') THEN SELECT 2; WHEN 'b' THEN " +
			"SELECT 3; END CASE", "3"},
		{"CASE 5 WHEN 1 THEN SELECT 1; END CASE; SELECT 9", "9"},
		{"SELECT 1; RETURN; SELECT 2", "1"},
		{"BEGIN DECLARE a INT64 DEFAULT 1; BEGIN DECLARE b INT64 DEFAULT a + 1; SELECT a, b; END; END", "1,2"},
		{"BEGIN DECLARE a INT64 DEFAULT 1; END; BEGIN DECLARE a STRING DEFAULT 's'; SELECT a; END", "s"},
		// Errors.
		{"BEGIN SELECT 1; SELECT 1 / 0; SELECT 2; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END",
			"Query error: division by zero: 1 / 0 at [1:17]"},
		{"BEGIN\n  SELECT nosuch;\nEXCEPTION WHEN ERROR THEN SELECT @@error.message, @@error.statement_text; END",
			"Query error: Unrecognized name: nosuch at [2:10],SELECT nosuch;"},
		{"BEGIN RAISE USING MESSAGE = CONCAT('a', 'b'); EXCEPTION WHEN ERROR THEN SELECT @@error.message; END",
			"Query error: ab at [1:7]"},
		{"BEGIN BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN RAISE; END; EXCEPTION WHEN ERROR THEN SELECT " +
			"@@error.message; END", "Query error: division by zero: 1 / 0 at [1:13]"},
		{"BEGIN BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT nosuch; END; EXCEPTION WHEN ERROR THEN SELECT " +
			"@@error.message; END", "Query error: Unrecognized name: nosuch at [1:60]"},
		{"DECLARE n INT64 DEFAULT 0; WHILE n < 3 DO BEGIN SET n = n + 1; SELECT 1 / (n - 2); EXCEPTION WHEN ERROR " +
			"THEN SELECT 'oops', n; END; END WHILE; ", "1.0"},
		// EXECUTE IMMEDIATE.
		{"EXECUTE IMMEDIATE 'SELECT ' || '4'", "4"},
		{"DECLARE a INT64; DECLARE b FLOAT64; EXECUTE IMMEDIATE 'SELECT ? + 1, 2' INTO a, b USING 5; SELECT a, b",
			"6,2.0"},
		{"DECLARE a STRING DEFAULT 'x'; EXECUTE IMMEDIATE 'SELECT y FROM d.t WHERE x = @n' INTO a USING 2 AS n; " +
			"SELECT a", "two"},
		{"DECLARE a STRING DEFAULT 'x'; EXECUTE IMMEDIATE 'SELECT y FROM d.t WHERE x = 99' INTO a; SELECT a", "<nil>"},
		// System variables.
		{"UPDATE d.t SET y = 'n' WHERE x > 1; SELECT @@row_count; ROLLBACK", ""},
	} {
		resp, err := c.query(tt.sql)
		if tt.want == "" {
			if err == nil {
				t.Errorf("%s: got no error", tt.sql)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if got := rowsOf(resp); got != tt.want || resp.StatementType != "SCRIPT" {
			t.Errorf("%s:\ngot  %s of %s\nwant %s of SCRIPT", tt.sql, got, resp.StatementType, tt.want)
		}
	}
}
