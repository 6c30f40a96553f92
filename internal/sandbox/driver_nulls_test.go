package sandbox

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"
)

// TestDriverNulls puts NULLs with and without a Go type, and values, in every position of a statement. want are the
// types of the columns and then the rows.
func TestDriverNulls(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	execSQL(t, db, "CREATE TABLE t (i INT64, s STRING, d DATE, n NUMERIC, b BOOL, y BYTES, a ARRAY<STRING>)")
	execSQL(t, db, "INSERT INTO t (i, s, d, n, b, a) VALUES (1, 'a', DATE '2024-01-01', 1.5, TRUE, ['x', 'y'])")
	execSQL(t, db, "CREATE PROCEDURE p(x STRING, OUT y STRING) BEGIN SET y = IFNULL(x, 'none'); END")
	execSQL(t, db, "CREATE TABLE FUNCTION tf(x STRING) AS (SELECT i FROM d.t WHERE x IS NULL OR s = x)")
	var str *string
	var num *int64
	var tim *time.Time
	var boo *bool
	var flo *float64
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = "2024-01-01 00:00:00 +0000 UTC"
	type args = []any
	for _, tt := range []struct {
		sql  string
		args args
		want string
	}{
		{"SELECT i FROM t WHERE s = ?", args{nil}, "INT64"},
		{"SELECT i FROM t WHERE ? = s", args{str}, "INT64"},
		{"SELECT i FROM t WHERE d = ?", args{tim}, "INT64"},
		{"SELECT i FROM t WHERE d = ?", args{now}, "INT64; 1"},
		{"SELECT i FROM t WHERE ? IS NULL", args{nil}, "INT64; 1"},
		{"SELECT i FROM t WHERE ? IS NULL OR s = ?", args{nil, nil}, "INT64; 1"},
		{"SELECT i FROM t WHERE ? IS NULL OR d >= ?", args{tim, tim}, "INT64; 1"},
		{"SELECT i FROM t WHERE ? IS NULL OR d >= ?", args{now, now}, "INT64; 1"},
		{"SELECT i FROM t WHERE d BETWEEN ? AND ?", args{now, tim}, "INT64"},
		{"SELECT i FROM t WHERE s LIKE ? OR STARTS_WITH(s, ?)", args{nil, str}, "INT64"},
		{"SELECT i FROM t WHERE NOT ? OR b = ?", args{nil, boo}, "INT64"},
		{"SELECT i FROM t WHERE s IS DISTINCT FROM ?", args{str}, "INT64; 1"},
		{"SELECT i FROM t WHERE s IN (?, ?)", args{nil, "a"}, "INT64; 1"},
		{"SELECT i FROM t WHERE s NOT IN (?, ?)", args{str, "b"}, "INT64"},
		{"SELECT i FROM t WHERE s IN UNNEST(?)", args{nil}, "INT64"},
		{"SELECT i FROM t WHERE s NOT IN UNNEST(?)", args{[]string(nil)}, "INT64; 1"},
		{"SELECT i FROM t WHERE d IN UNNEST(?)", args{[]time.Time{now}}, "INT64; 1"},
		{"SELECT i FROM t WHERE d IN UNNEST(?)", args{[]civil.Date{}}, "INT64"},
		{"SELECT i FROM t WHERE n IN UNNEST(?)", args{[]float64{1.5}}, "INT64; 1"},
		{"SELECT i FROM t WHERE n IN UNNEST(?)", args{[]string{"1.5"}}, "INT64; 1"},
		{"SELECT i FROM t WHERE s IN UNNEST(?)", args{[][]byte{[]byte("a")}}, "INT64; 1"},
		{"SELECT i FROM t WHERE EXISTS (SELECT 1 FROM UNNEST(a) e WHERE e = ?)", args{str}, "INT64"},
		{"SELECT COALESCE(?, s), COALESCE(?, d) FROM t", args{nil, tim}, "STRING DATE; a " + day},
		{"SELECT COALESCE(?, ?, 'x')", args{str, nil}, "STRING; x"},
		{"SELECT IF(?, 1, 2), IF(TRUE, ?, s) FROM t", args{nil, nil}, "INT64 STRING; 2 <nil>"},
		{"SELECT IFNULL(?, d), NULLIF(s, ?) FROM t", args{tim, nil}, "DATE STRING; " + day + " a"},
		{"SELECT CASE s WHEN ? THEN 1 ELSE 2 END, CASE WHEN TRUE THEN ? ELSE 'x' END FROM t", args{nil, nil},
			"INT64 STRING; 2 <nil>"},
		{"SELECT CASE WHEN ? THEN 1 END, CASE WHEN TRUE THEN ? END", args{boo, str}, "INT64 STRING; <nil> <nil>"},
		{"SELECT UPPER(?), CONCAT(?, 'a'), ? || ?", args{nil, nil, str, str}, "STRING STRING STRING; <nil> <nil> <nil>"},
		{"SELECT SUBSTR(?, ?, ?)", args{"hello", 2, nil}, "STRING; <nil>"},
		{"SELECT LENGTH(?), MD5(?)", args{nil, nil}, "INT64 BYTES; <nil> <nil>"},
		{"SELECT DATE_ADD(?, INTERVAL ? DAY)", args{now, num}, "DATE; <nil>"},
		{"SELECT d + INTERVAL ? MONTH, INTERVAL ? DAY FROM t", args{num, nil}, "DATETIME INTERVAL; <nil> <nil>"},
		{"SELECT TIMESTAMP_SUB(?, INTERVAL ? HOUR)", args{now, 0}, "TIMESTAMP; " + day},
		{"SELECT DATE_DIFF(d, ?, DAY) FROM t", args{tim}, "INT64; <nil>"},
		{"SELECT EXTRACT(DAY FROM ?)", args{tim}, "INT64; <nil>"},
		{"SELECT DATE_TRUNC(?, MONTH), LAST_DAY(?)", args{now, tim}, "DATE DATE; " + day + " <nil>"},
		{"SELECT FORMAT_TIMESTAMP('%Y', ?), DATE(?)", args{tim, nil}, "STRING DATE; <nil> <nil>"},
		{"SELECT -?, -?, ? + 1", args{nil, flo, nil}, "INT64 FLOAT64 INT64; <nil> <nil> <nil>"},
		{"SELECT n * ?, n * ?, MOD(i, ?) FROM t", args{nil, flo, num}, "NUMERIC NUMERIC INT64; <nil> <nil> <nil>"},
		{"SELECT GREATEST(?, ?), SAFE_DIVIDE(?, 0)", args{1, num, flo}, "INT64 FLOAT64; <nil> <nil>"},
		{"SELECT STRUCT(? AS a, ? AS b)", args{str, tim}, `STRUCT<a STRING, b TIMESTAMP>; {"a":null,"b":null}`},
		{"SELECT STRUCT<a STRING, b DATE>(?, ?)", args{nil, tim}, `STRUCT<a STRING, b DATE>; {"a":null,"b":null}`},
		{"SELECT [?, 'a'][OFFSET(0)], ARRAY<DATE>[?][OFFSET(0)]", args{nil, tim}, "STRING DATE; <nil> <nil>"},
		{"SELECT a[SAFE_OFFSET(?)], ARRAY_TO_STRING(?, ',') FROM t", args{nil, nil}, "STRING STRING; <nil> "},
		{"SELECT s FROM t GROUP BY s HAVING COUNT(*) > ?", args{nil}, "STRING"},
		{"SELECT SUM(?), COUNT(?), MAX(?) FROM t", args{flo, nil, tim}, "FLOAT64 INT64 TIMESTAMP; <nil> 0 <nil>"},
		{"SELECT LAG(s, ?, ?) OVER (ORDER BY i) FROM t", args{1, str}, "STRING; <nil>"},
		{"SELECT i FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY i) <= ?", args{num}, "INT64"},
		{"SELECT ? AS x UNION ALL SELECT s FROM t ORDER BY x", args{nil}, "STRING; <nil>; a"},
		{"SELECT ? UNION ALL SELECT ?", args{tim, now}, "TIMESTAMP; <nil>; " + day},
		{"WITH q AS (SELECT ? AS x) SELECT COALESCE(x, 'a') FROM q", args{str}, "STRING; a"},
		{"SELECT t.i FROM t JOIN (SELECT ? AS s) u ON t.s = u.s", args{str}, "INT64"},
		{"SELECT CAST(? AS DATE), CAST(? AS JSON), SAFE_CAST(? AS INT64)", args{tim, nil, "x"},
			"DATE JSON INT64; <nil> <nil> <nil>"},
		{"SELECT JSON_VALUE(?, '$.a'), TO_JSON(?), TO_JSON_STRING(?)", args{nil, nil, str}, "STRING JSON STRING; <nil> null null"},
		{"SELECT FORMAT('%s', ?), FORMAT('%t %t', ?, ?)", args{nil, nil, tim}, "STRING STRING; <nil> NULL NULL"},
		{"SELECT * FROM tf(?)", args{str}, "INT64; 1"},
		{"SELECT i FROM t LIMIT ? OFFSET ?", args{1, 0}, "INT64; 1"},
		{"SELECT i FROM t LIMIT ?", args{num}, "error: LIMIT must not be null"},
		{"SELECT i FROM t LIMIT 1 OFFSET ?", args{nil}, "error: OFFSET must not be null"},
		{"DECLARE x STRING DEFAULT ?; SELECT x", args{str}, "STRING; <nil>"},
		{"DECLARE x STRING DEFAULT ?; SELECT x", args{nil}, "error: BigQuery found no type for this NULL"},
		{"DECLARE x INT64; SET x = ?; SELECT x", args{num}, "INT64; <nil>"},
		{"IF ? THEN SELECT 1; ELSE SELECT 2; END IF", args{boo}, "INT64; 2"},
		{"EXECUTE IMMEDIATE 'SELECT ?, @@time_zone' USING ?", args{str}, "STRING STRING; <nil> UTC"},
		{"FOR r IN (SELECT ? AS x) DO SELECT r.x; END FOR", args{str}, "STRING; <nil>"},
		{"DECLARE y STRING; CALL p(?, y); SELECT y", args{str}, "STRING; none"},
		// Statements that change rows come last, each with a query of what has become of them.
		{"INSERT INTO t (i, s, d) SELECT i + 1, ?, ? FROM t", args{nil, tim}, ""},
		{"SELECT s, d FROM t WHERE i = ?", args{2}, "STRING DATE; <nil> <nil>"},
		{"INSERT INTO t (i, s, d, n, b, y, a) VALUES (?, ?, ?, ?, ?, ?, ?)", args{3, num, str, tim, str, boo, nil}, ""},
		{"SELECT * FROM t WHERE i = ?", args{3}, "INT64 STRING DATE NUMERIC BOOL BYTES ARRAY<STRING>; 3 <nil> <nil> <nil> " +
			"<nil> <nil> []"},
		{"INSERT INTO t (i, s, d) VALUES (? + 1, UPPER(?), COALESCE(?, DATE '2024-01-01'))", args{3, str, tim}, ""},
		{"SELECT s, d FROM t WHERE i = ?", args{4}, "STRING DATE; <nil> " + day},
		{"INSERT INTO t (i, a) VALUES (5, [?])", args{str}, "error: Array cannot have a null element; error in writing field a"},
		{"UPDATE t SET s = COALESCE(?, s), d = ?, n = ? WHERE i = ?", args{str, tim, flo, 1}, ""},
		{"SELECT s, d, n FROM t WHERE i = ?", args{1}, "STRING DATE NUMERIC; a <nil> <nil>"},
		{"DELETE FROM t WHERE s = ? OR d < ?", args{str, tim}, ""},
		{"MERGE t USING (SELECT ? AS i, ? AS s) q ON t.i = q.i WHEN MATCHED THEN UPDATE SET s = q.s WHEN NOT " +
			"MATCHED THEN INSERT (i, s) VALUES (q.i, q.s)", args{1, str}, ""},
		{"MERGE t USING (SELECT ? AS i) q ON t.i = q.i WHEN MATCHED THEN UPDATE SET d = ? WHEN NOT MATCHED THEN INSERT (i, " +
			"d) VALUES (q.i, ?)", args{1, now, tim}, ""},
		{"SELECT COUNT(*), COUNT(s), COUNT(d) FROM t WHERE i = ?", args{1}, "INT64 INT64 INT64; 1 0 1"},
		{"MERGE t USING UNNEST(?) q ON t.i = q.i WHEN NOT MATCHED THEN INSERT (i, s) VALUES (q.i, q.s)", args{[]struct {
			I int64
			S *string
		}{{8, nil}}}, ""},
		{"SELECT s FROM t WHERE i = ?", args{8}, "STRING; <nil>"},
	} {
		rows, err := db.QueryContext(t.Context(), tt.sql, tt.args...)
		if part, fails := strings.CutPrefix(tt.want, "error: "); fails || err != nil {
			if !fails || err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %v; want %s", tt.sql, err, tt.want)
			}
			continue
		}
		types, err := rows.ColumnTypes()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		line := make([]string, len(types))
		to := make([]any, len(types))
		for i, typ := range types {
			line[i], to[i] = typ.DatabaseTypeName(), new(any)
		}
		got = append(got, strings.Join(line, " "))
		for rows.Next() {
			if err := rows.Scan(to...); err != nil {
				t.Fatal(err)
			}
			for i := range to {
				line[i] = fmt.Sprint(*to[i].(*any))
			}
			got = append(got, strings.Join(line, " "))
		}
		rows.Close()
		if text := strings.Join(got, "; "); text != tt.want || rows.Err() != nil {
			t.Errorf("%s: got %s, %v; want %s", tt.sql, text, rows.Err(), tt.want)
		}
	}
}
