package driver

import (
	"strings"
	"testing"
)

// The statements below, one a line, and whether their rows can have an order.
const (
	orderedStatements = `
		SELECT a FROM t ORDER BY a
		select a from t order by a
		Select a From t oRdEr   bY a
		SELECT a FROM t ORDER/* so */BY a -- LIMIT
		SELECT a FROM t ORDER BY a DESC
		SELECT a FROM t ORDER BY a NULLS LAST
		SELECT a FROM t ORDER BY 1, 2
		SELECT a FROM t ORDER BY a LIMIT 5
		SELECT a FROM t ORDER BY a LIMIT 5 OFFSET 2
		SELECT a FROM t ORDER BY a;
		SELECT DISTINCT a FROM t ORDER BY a
		SELECT a, COUNT(*) FROM t GROUP BY a ORDER BY 2 DESC
		SELECT a FROM t GROUP BY ALL ORDER BY a
		SELECT a FROM t WHERE b = 'x' ORDER BY a
		SELECT a FROM t WHERE b = ? ORDER BY a
		SELECT a FROM t WHERE b = @b ORDER BY a
		SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1 ORDER BY a
		SELECT a FROM t WINDOW w AS (PARTITION BY b) ORDER BY a
		SELECT * FROM (SELECT a FROM t) ORDER BY a LIMIT 5
		SELECT * FROM t JOIN u USING (a) ORDER BY a
		SELECT * FROM t, UNNEST(b) AS c ORDER BY c
		SELECT * FROM t FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP() ORDER BY a
		SELECT * FROM t TABLESAMPLE SYSTEM (10 PERCENT) ORDER BY a
		SELECT * FROM t PIVOT (SUM(a) FOR b IN ('x', 'y')) ORDER BY c
		SELECT * FROM ML.PREDICT(MODEL m, (SELECT a FROM t)) ORDER BY a
		SELECT CASE WHEN a THEN 1 ELSE 2 END AS b FROM t ORDER BY b
		SELECT ARRAY_AGG(a ORDER BY a) AS b FROM t ORDER BY b
		SELECT AS STRUCT a FROM t ORDER BY a
		SELECT AS VALUE a FROM t ORDER BY a
		SELECT WITH DIFFERENTIAL_PRIVACY a FROM t ORDER BY a
		SELECT 'a' AS b ORDER BY b
		(SELECT a FROM t ORDER BY a)
		((SELECT a FROM t ORDER BY a))
		(SELECT a FROM t) ORDER BY a
		(SELECT a FROM t ORDER BY a) LIMIT 10
		(SELECT a FROM (SELECT a FROM t) ORDER BY a)
		/* all */ (SELECT a FROM t ORDER BY a)
		WITH x AS (SELECT 1 AS a) SELECT a FROM x ORDER BY a
		WITH x AS (SELECT 1 AS a) (SELECT a FROM x ORDER BY a)
		WITH x AS (SELECT 1 AS a), y AS (SELECT 2) ((SELECT a FROM x ORDER BY a))
		WITH RECURSIVE x AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM x WHERE a < 3) SELECT a FROM x ORDER BY a
		WITH x AS (SELECT a FROM t ORDER BY a LIMIT 3) SELECT * FROM x ORDER BY a
		SELECT 1 UNION ALL SELECT 2 ORDER BY 1
		(SELECT 1 AS a) UNION ALL (SELECT 2) ORDER BY a
		SELECT a FROM t EXCEPT DISTINCT SELECT a FROM u ORDER BY a
		SELECT a FROM t INTERSECT DISTINCT SELECT a FROM u ORDER BY a
		@{x=1} SELECT a FROM t ORDER BY a
		@{x=1} (SELECT a FROM t ORDER BY a)
		@{x='}('} (SELECT a FROM t ORDER BY a)
		WITH x AS (SELECT 1 AS a) @{x=1} (SELECT a FROM x ORDER BY a)
		FROM t |> ORDER BY a
		FROM t |> WHERE a > 1 |> ORDER BY a
		FROM t |> ORDER BY a DESC |> LIMIT 3
		FROM t |> ORDER BY a |> SELECT b
		(FROM t |> ORDER BY a)
		(FROM t |> WHERE a > 1) |> ORDER BY a
		SELECT a FROM t |> ORDER BY a
		FROM t |> AGGREGATE COUNT(*) AS n DESC GROUP BY k
		FROM t |> AGGREGATE COUNT(*) AS n ASC GROUP BY k
		FROM t |> AGGREGATE COUNT(*) DESC NULLS LAST GROUP BY k
		FROM t |> AGGREGATE COUNT(*) AS n GROUP BY k ASC
		FROM t |> AGGREGATE COUNT(*) AS n GROUP BY k DESC
		FROM t |> AGGREGATE COUNT(*) AS n GROUP BY k NULLS FIRST
		FROM t |> AGGREGATE COUNT(*) AS n GROUP BY k asc, l
		FROM t |> AGGREGATE COUNT(*) AS n GROUP AND ORDER BY k
		FROM t |> AGGREGATE COUNT(*) AS n GROUP AND ORDER BY k DESC
		FROM t |> AGGREGATE SUM(a) AS b DESC
		SELECT k FROM t |> AGGREGATE COUNT(*) AS n DESC GROUP BY k
		WITH x AS (SELECT 1 AS k) FROM x |> AGGREGATE COUNT(*) AS n GROUP BY k DESC
		(FROM t |> AGGREGATE COUNT(*) AS n GROUP BY k DESC)
		FROM t |> EXTEND a + 1 AS b |> AGGREGATE SUM(b) GROUP BY c DESC |> WHERE c > 1
		FROM t |> JOIN u USING (a) |> ORDER BY a
		GRAPH g MATCH (n) RETURN n.a AS a ORDER BY a
		GRAPH g MATCH (n)-[e]->(m) RETURN n.a ORDER BY n.a LIMIT 3
		EXECUTE IMMEDIATE 'SELECT a FROM t'
		EXECUTE IMMEDIATE FORMAT('SELECT a FROM %s', 't')
		EXECUTE IMMEDIATE @text USING 1 AS a
		CALL d.p()
		SELECT a FROM t; SELECT b FROM t
		DECLARE x INT64; SELECT x
		BEGIN SELECT a FROM t; END`

	unorderedStatements = `
		SELECT a FROM t
		SELECT a FROM t LIMIT 5
		SELECT 'ORDER BY a' FROM t
		SELECT "ORDER BY a" FROM t
		SELECT r'ORDER BY a' FROM t
		SELECT '''ORDER BY a''' FROM t
		SELECT 'it\'s ORDER BY a' FROM t
		SELECT a FROM t -- ORDER BY a
		SELECT a FROM t # ORDER BY a
		SELECT a FROM t /* ORDER BY a */ LIMIT 5
		SELECT a FROM t GROUP BY a
		SELECT a FROM t WHERE b = 'order' GROUP BY a
		SELECT * FROM (SELECT a FROM t ORDER BY a)
		SELECT * FROM (SELECT a FROM t ORDER BY a LIMIT 3)
		SELECT * FROM (SELECT a FROM t ORDER BY a) AS x
		WITH x AS (SELECT a FROM t ORDER BY a LIMIT 3) SELECT * FROM x
		WITH x AS (SELECT a FROM t ORDER BY a LIMIT 3) (SELECT * FROM x)
		SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t
		SELECT ROW_NUMBER() OVER (PARTITION BY b ORDER BY a) FROM t
		SELECT SUM(a) OVER w FROM t WINDOW w AS (ORDER BY a)
		SELECT a FROM t QUALIFY ROW_NUMBER() OVER (ORDER BY a) = 1
		SELECT ARRAY_AGG(a ORDER BY a), ARRAY(SELECT b FROM u ORDER BY b) FROM t
		SELECT STRING_AGG(a, ',' ORDER BY a DESC LIMIT 2) FROM t
		SELECT PERCENTILE_CONT(a, 0.5) OVER () FROM t
		(SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t)
		SELECT a FROM t WHERE a IN (SELECT b FROM u ORDER BY b LIMIT 1)
		SELECT (SELECT b FROM u ORDER BY b LIMIT 1) FROM t
		SELECT EXISTS(SELECT b FROM u ORDER BY b) FROM t
		SELECT a, order_by, by_order FROM t
		SELECT a FROM t JOIN (SELECT b FROM u ORDER BY b) ON a = b
		SELECT 1 UNION ALL SELECT 2
		(SELECT a FROM t) UNION ALL SELECT b FROM u
		SELECT a FROM t UNION ALL (SELECT b FROM u ORDER BY b LIMIT 1)
		@{x='ORDER BY'} SELECT a FROM t
		@{order=1} SELECT a FROM t
		SELECT a FROM t@{hint=1} LIMIT 5
		FROM t
		FROM t |> WHERE a > 1
		FROM t |> SELECT a |> LIMIT 5
		FROM t |> AGGREGATE COUNT(*) AS n GROUP BY k
		FROM t |> AGGREGATE ARRAY_AGG(a ORDER BY b DESC) GROUP BY k
		FROM t |> EXTEND ROW_NUMBER() OVER (ORDER BY a DESC) AS n
		FROM t |> JOIN (SELECT a FROM u ORDER BY a DESC) USING (a)
		FROM (SELECT a FROM t ORDER BY a) |> SELECT a
		GRAPH g MATCH (n) RETURN n.a
		)))(
		INSERT INTO t SELECT a FROM u`
)

// TestOrder: an order that a statement's rows have is always seen. The other way round is only slower.
func TestOrder(t *testing.T) {
	t.Parallel()
	check := func(sql string, want bool) {
		if got, err := scanText(sql); got.ordered != want || err != nil {
			t.Errorf("%q: got ordered %v, %v; want %v", sql, got.ordered, err, want)
		}
	}
	n := 0
	for ordered, statements := range map[bool]string{true: orderedStatements, false: unorderedStatements} {
		for sql := range strings.Lines(statements) {
			if sql = strings.TrimSpace(sql); sql != "" {
				check(sql, ordered)
				n++
			}
		}
	}
	if n < 120 {
		t.Errorf("got %d statements; want 120 at least", n)
	}
	check("SELECT a FROM t # first\nORDER # then\nBY a", true)
	check("-- all\n(SELECT a FROM t ORDER BY a) LIMIT 10", true)
	check("select a from t order\n by a", true)
	check("SELECT `order` by FROM t", false)
	check("", false)
}

// TestKinds: what a statement is decides what may be done with it.
func TestKinds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql   string
		kind  sqlKind
		reads bool
	}{
		{"", kindOther, false},
		{"SELECT 1", kindQuery, true},
		{"select 1;", kindQuery, true},
		{"-- why\n SELECT 1", kindQuery, true},
		{"(SELECT 1) UNION ALL (SELECT 2)", kindQuery, true},
		{"@{x=1} SELECT 1", kindQuery, true},
		{"WITH x AS (SELECT 1) SELECT * FROM x", kindQuery, true},
		{"FROM t |> WHERE a > 1", kindQuery, true},
		{"FROM t |> INSERT INTO u", kindOther, false},
		{"GRAPH g MATCH (n) RETURN n.a", kindQuery, true},
		{"INSERT INTO t VALUES (1)", kindDML, false},
		{"update t set a = 1 where true", kindDML, false},
		{"DELETE FROM t WHERE TRUE", kindDML, false},
		{"MERGE t USING u ON FALSE WHEN NOT MATCHED THEN INSERT ROW", kindDML, false},
		{"TRUNCATE TABLE t", kindDML, false},
		{"CREATE TABLE t (a INT64)", kindDDL, false},
		{"CREATE TEMP TABLE t AS SELECT 1 AS a", kindDDL, false},
		{"ALTER TABLE t ADD COLUMN b INT64", kindDDL, false},
		{"DROP TABLE IF EXISTS t", kindDDL, false},
		{"UNDROP SCHEMA d", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN SELECT 1; END", kindDDL, false},
		{"CREATE PROCEDURE d.p() BEGIN END;", kindDDL, false},
		{"CREATE OR REPLACE PROCEDURE `p.d.q`(x INT64, INOUT y STRING) BEGIN SET y = 'a;'; END; -- done", kindDDL, false},
		{"create procedure if not exists p(out n int64) begin set n = 1; select n; end;", kindDDL, false},
		{"CREATE PROCEDURE p() OPTIONS (strict_mode = FALSE) BEGIN DELETE FROM t WHERE TRUE; END", kindDDL, false},
		{"CREATE PROCEDURE p(a INT64) BEGIN BEGIN SELECT 1; EXCEPTION WHEN ERROR THEN BEGIN SELECT 2; END; END; END",
			kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN BEGIN TRANSACTION; INSERT INTO t VALUES (1); COMMIT; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN SELECT 1; BEGIN; COMMIT; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN IF a THEN SELECT 1; ELSE BEGIN SELECT 2; END; END IF; SELECT 3; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN SELECT CASE WHEN a THEN 1 END; SELECT IF(a, 1, 2); SELECT 3; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN CASE x WHEN 1 THEN SELECT 1; ELSE SELECT 2; END CASE; SELECT 3; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN l: BEGIN LEAVE l; END l; LOOP BREAK; END LOOP; WHILE a DO SET a = b; END WHILE; " +
			"FOR r IN (SELECT 1) DO SELECT 2; END FOR; REPEAT SELECT 3; UNTIL a END REPEAT; SELECT 4; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN SELECT begin, t.end, t.case FROM t; SELECT 2; END", kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN DECLARE x INT64; EXECUTE IMMEDIATE 'END;' INTO x; SELECT x; END", kindDDL, false},
		{"CREATE PROCEDURE p() WITH CONNECTION `p.us.c` OPTIONS (engine = 'SPARK') LANGUAGE PYTHON AS r'''a; b'''",
			kindDDL, false},
		{"CREATE PROCEDURE p() BEGIN SELECT 1; END; CALL p()", kindScript, false},
		{"CREATE PROCEDURE p() BEGIN BEGIN SELECT 1; END; END; SELECT 2", kindScript, false},
		{"CREATE PROCEDURE p() BEGIN BEGIN TRANSACTION; COMMIT; END; SELECT 2", kindScript, false},
		{"CREATE PROCEDURE p() LANGUAGE PYTHON AS 'x'; BEGIN SELECT 1; END", kindScript, false},
		{"SELECT 1; CREATE PROCEDURE p() BEGIN SELECT 1; END", kindScript, false},
		{"CREATE TABLE procedure (a INT64); BEGIN SELECT 1; END", kindScript, false},
		{"BEGIN", kindTransaction, false},
		{"BEGIN TRANSACTION;", kindTransaction, false},
		{"COMMIT", kindTransaction, false},
		{"ROLLBACK TRANSACTION", kindTransaction, false},
		{"BEGIN SELECT 1; END", kindScript, true},
		{"BEGIN INSERT INTO t VALUES (1); END", kindScript, false},
		{"SELECT 1; SELECT 2", kindScript, true},
		{"SELECT 1; DELETE FROM t WHERE TRUE", kindScript, false},
		{"DECLARE x INT64 DEFAULT 1; SELECT x", kindScript, true},
		{"SET x = 1", kindScript, true},
		{"IF a THEN SELECT 1; END IF", kindScript, true},
		{"outer: LOOP LEAVE; END LOOP", kindScript, true},
		{"CALL d.p()", kindScript, false},
		{"EXECUTE IMMEDIATE 'SELECT 1'", kindScript, false},
		{"LOAD DATA INTO t FROM FILES (uris = ['gs://b/f'])", kindOther, false},
		{"EXPORT DATA OPTIONS (uri = 'gs://b/*') AS SELECT 1", kindOther, false},
		{"GRANT SELECT ON TABLE t TO 'user:a@b'", kindOther, false},
		{"ASSERT (SELECT COUNT(*) > 1 FROM t)", kindOther, false},
		{"nonsense", kindOther, false},
	} {
		got, err := scanText(tt.sql)
		if got.kind != tt.kind || got.reads != tt.reads || err != nil {
			t.Errorf("%q: got kind %d, reads %v, %v; want %d, %v", tt.sql, got.kind, got.reads, err, tt.kind, tt.reads)
		}
	}
	for statementType, want := range map[string]sqlKind{
		"SELECT":                 kindQuery,
		"INSERT":                 kindDML,
		"MERGE":                  kindDML,
		"TRUNCATE_TABLE":         kindDML,
		"CREATE_TABLE_AS_SELECT": kindDDL,
		"ALTER_TABLE":            kindDDL,
		"DROP_SCHEMA":            kindDDL,
		"UNDROP_SCHEMA":          kindDDL,
		"SCRIPT":                 kindScript,
		"CALL":                   kindScript,
		"BEGIN_TRANSACTION":      kindTransaction,
		"COMMIT_TRANSACTION":     kindTransaction,
		"LOAD_DATA":              kindOther,
		"EXPORT_DATA":            kindOther,
		"A_NEW_ONE":              kindOther,
	} {
		if got := kindOfType(statementType); got != want {
			t.Errorf("%s: got kind %d; want %d", statementType, got, want)
		}
	}
}
