package googlesql_test

import (
	"errors"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestErrors(t *testing.T) {
	_, cat := open(t)
	cases := []struct{ query, want string }{
		// Syntax.
		{"SELECT", "Syntax error: Unexpected end of statement at [1:7]"},
		{"SELCT 1", `Syntax error: Unexpected identifier "SELCT" at [1:1]`},
		{"SELECT 1 FROM", "Syntax error: Unexpected end of statement at [1:14]"},
		{"SELECT (1", `Syntax error: Expected ")" but got end of statement at [1:10]`},
		{"SELECT 1 1", `Syntax error: Expected end of input but got integer literal "1" at [1:10]`},
		{"SELECT 'abc", "Syntax error: Unclosed string literal at [1:8]"},
		{"SELECT /* x", "Syntax error: Unclosed comment at [1:8]"},
		{"SELECT `a", "Syntax error: Unclosed identifier literal at [1:8]"},
		{`SELECT '\q'`, `Syntax error: Illegal escape sequence: \q at [1:9]`},
		{"SELECT $", `Syntax error: Illegal input character "$" at [1:8]`},
		{"", "Syntax error: Unexpected end of statement at [1:1]"},
		{"SELECT 1 UNION SELECT 2", "Syntax error: Expected keyword ALL or keyword DISTINCT but got keyword SELECT " +
			"at [1:16]"},
		{"SELECT a = 1 = 2 FROM orders", `Syntax error: Unexpected "=" at [1:14]`},
		// Names.
		{"SELECT foo", "Unrecognized name: foo at [1:8]"},
		{"SELECT\n  nme FROM customers", "Unrecognized name: nme; Did you mean name? at [2:3]"},
		{"SELECT é, x FROM (SELECT 1 AS y)", `Syntax error: Illegal input character "é" at [1:8]`},
		{"SELECT 'é', x FROM (SELECT 1 AS y)", "Unrecognized name: x at [1:13]"},
		{"SELECT\tx", "Unrecognized name: x at [1:9]"},
		{"SELECT c.nope FROM customers c", "Name nope not found inside c at [1:10]"},
		{"SELECT address.nope FROM customers", "Field name nope does not exist in STRUCT<city STRING, zip INT64> at " +
			"[1:16]"},
		{"SELECT id FROM customers, orders", "Column name id is ambiguous at [1:8]"},
		{"SELECT 1 FROM customers, customers", "Duplicate table alias customers in the same FROM clause at [1:26]"},
		{"SELECT * FROM nope", "Not found: Table my-project:d.nope was not found at [1:15]"},
		{"SELECT nope(1)", "Function not found: nope at [1:8]"},
		{"SELECT ST_BUFFER(1)", "Function not supported by the sandbox: ST_BUFFER (it has no geography functions) " +
			"at [1:8]"},
		{"SELECT ML.PREDICT(1)", "Function not supported by the sandbox: ML.PREDICT (it has no machine learning " +
			"functions) at [1:8]"},
		{"SELECT * EXCEPT (zz) FROM orders", "Column zz in SELECT * EXCEPT list does not exist at [1:18]"},
		// Types.
		{"SELECT 1 = 'a'", "No matching signature for operator = for argument types: INT64, STRING at [1:8]"},
		{"SELECT 1 + TRUE", "No matching signature for operator + for argument types: INT64, BOOL at [1:8]"},
		{"SELECT UPPER(1)", "No matching signature for function UPPER for argument types: INT64 at [1:8]"},
		{"SELECT SUM(name) FROM customers", "No matching signature for function SUM for argument types: STRING at " +
			"[1:8]"},
		{"SELECT 1 FROM orders WHERE id", "WHERE clause should return type BOOL, but returns type INT64 at [1:28]"},
		{"SELECT CAST(DATE '2024-01-01' AS INT64)", "Invalid cast from DATE to INT64 at [1:8]"},
		{"SELECT CAST('x' AS INT64)", `Could not cast literal "x" to type INT64 at [1:13]`},
		{"SELECT DATE '2024-02-30'", `Invalid DATE literal: "2024-02-30" at [1:8]`},
		{"SELECT id FROM orders WHERE day = 'soon'", `Could not cast literal "soon" to type DATE at [1:35]`},
		{"SELECT 9223372036854775808", "Invalid integer literal: 9223372036854775808 at [1:8]"},
		{"SELECT TIMESTAMP '2024-01-01' = DATE '2024-01-01'", "No matching signature for operator = for argument " +
			"types: TIMESTAMP, DATE at [1:8]"},
		{"SELECT 1 UNION ALL SELECT 'a'", "Column 1 in UNION ALL has incompatible types: INT64, STRING at [1:20]"},
		{"SELECT 1 UNION ALL SELECT 1, 2", "Queries in UNION ALL have mismatched column count; query 1 has 1 " +
			"column(s), query 2 has 2 column(s) at [1:20]"},
		{"SELECT (SELECT 1, 2)", "Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to " +
			"build STRUCT values at [1:8]"},
		{"SELECT id FROM orders ORDER BY 2", "ORDER BY column number item is out of range. Column numbers should be " +
			"between 1 and 1 at [1:32]"},
		{"SELECT y FROM (SELECT 1 AS y) AS y\nWHERE y = 1", "No matching signature for operator = for argument " +
			"types: STRUCT<y INT64>, INT64 at [2:7]"},
		{"SELECT created + INTERVAL 1 MONTH FROM orders", "TIMESTAMP +/- INTERVAL is not supported for intervals " +
			"with non-zero MONTH or YEAR part at [1:8]"},
		{"SELECT [1] = [1]", "Equality is not defined for arguments of type ARRAY<INT64> at [1:8]"},
		{"SELECT 1 IN (SELECT 'a')", "Cannot execute IN subquery with uncomparable types INT64 and STRING at [1:8]"},
		// Grouping.
		{"SELECT name, COUNT(*) FROM customers", "SELECT list expression references column name which is neither " +
			"grouped nor aggregated at [1:8]"},
		{"SELECT status, day FROM orders GROUP BY status", "SELECT list expression references column day which is " +
			"neither grouped nor aggregated at [1:16]"},
		{"SELECT status FROM orders GROUP BY status HAVING id > 1", "HAVING clause expression references column id " +
			"which is neither grouped nor aggregated at [1:50]"},
		{"SELECT id FROM orders ORDER BY COUNT(*)", "SELECT list expression references column id which is neither " +
			"grouped nor aggregated at [1:8]"},
		{"SELECT COUNT(*) FROM orders ORDER BY id", "ORDER BY clause expression references column id which is " +
			"neither grouped nor aggregated at [1:38]"},
		{"SELECT COUNT(*), (SELECT status) FROM orders", "SELECT list expression references column status which is " +
			"neither grouped nor aggregated at [1:26]"},
		{"SELECT 1 FROM orders WHERE SUM(id) > 1", "Aggregate function SUM not allowed in WHERE clause at [1:28]"},
		{"SELECT SUM(SUM(id)) FROM orders", "Aggregations of aggregations are not allowed at [1:12]"},
		{"SELECT ROW_NUMBER() FROM orders", "Analytic function ROW_NUMBER cannot be called without an OVER clause " +
			"at [1:8]"},
		// Statements.
		{"BEGIN SELECT 1; END", "A BEGIN ... END block is not supported by the sandbox at [1:1]"},
		{"BEGIN TRANSACTION; SELECT 1", "Only one statement can stand here at [1:20]"},
		{"COMMIT TRANSACTION x", `Syntax error: Expected end of input but got identifier "x" at [1:20]`},
		{"CALL d.p()", "CALL d.p is not supported by the sandbox at [1:1]"},
		{"CALL BQ.ABORT_SESSION(1)", "BQ.ABORT_SESSION of anything but a literal is not supported by the sandbox at " +
			"[1:23]"},
		{"DELETE FROM orders", "DELETE must have a WHERE clause at [1:19]"},
		{"UPDATE orders SET id = 1", "UPDATE must have a WHERE clause at [1:25]"},
		{"INSERT INTO orders (id) VALUES ('x')", "Value has type STRING which cannot be inserted into column id, " +
			"which has type INT64 at [1:33]"},
		{"INSERT INTO orders (id, day) VALUES (1)", "Inserted row has wrong column count; Has 1, expected 2 at [1:38]"},
		{"INSERT INTO orders (nope) VALUES (1)", "Column nope is not present in table my-project:d.orders at [1:21]"},
		{"CREATE TABLE t AS SELECT 1", "CREATE TABLE columns must be named, but column 1 has no name at [1:19]"},
		{"CREATE TABLE t (a INT64, A STRING)", "Duplicate column name A in CREATE TABLE at [1:26]"},
		{"UPDATE customers SET address.zip = 1, address.zip = 2 WHERE TRUE",
			"Update item address.zip assigned more than once at [1:39]"},
		{"UPDATE customers SET address = NULL, address.zip = 2 WHERE TRUE",
			"Update item address assigned more than once at [1:38]"},
		{"UPDATE customers SET address.zip = 2, address = NULL WHERE TRUE",
			"Update item address assigned more than once at [1:39]"},
		{"UPDATE customers SET address.nope = 2 WHERE TRUE",
			"Field name nope does not exist in STRUCT<city STRING, zip INT64> at [1:30]"},
		{"UPDATE customers SET name.a = 2 WHERE TRUE", "Cannot access field a on a value with type STRING at [1:27]"},
		{"UPDATE customers SET address.zip = DEFAULT WHERE TRUE",
			"DEFAULT cannot be assigned to a field of a STRUCT at [1:36]"},
		{"UPDATE customers SET address.zip = 'x' WHERE TRUE", "Value has type STRING which cannot be inserted into " +
			"column address.zip, which has type INT64 at [1:36]"},
		{"CREATE TABLE t (a INT64, PRIMARY KEY (b) NOT ENFORCED)",
			"Column b of the key does not exist in table my-project:d.t at [1:39]"},
		{"CREATE TABLE t (a INT64 PRIMARY KEY NOT ENFORCED, PRIMARY KEY (a) NOT ENFORCED)",
			"Multiple primary keys are not allowed at [1:51]"},
		{"CREATE TABLE t (a INT64 REFERENCES customers(nope) NOT ENFORCED)",
			"Column nope of the key does not exist in table my-project:d.customers at [1:46]"},
		{"CREATE TABLE t (a INT64 REFERENCES customers(id) NOT ENFORCED)",
			"A foreign key to columns that are not the primary key of my-project:d.customers is not supported by " +
				"the sandbox at [1:25]"},
		{"CREATE TABLE t (a INT64, b INT64 REFERENCES t(a) NOT ENFORCED)",
			"A foreign key cannot refer to a column in the same table at [1:34]"},
		{"CREATE TABLE t (a INT64 REFERENCES x.t(a) NOT ENFORCED)",
			"A foreign key and the table that it refers to must be in the same dataset at [1:25]"},
		{"CREATE TABLE t (a FLOAT64 PRIMARY KEY NOT ENFORCED)",
			"Column a of type FLOAT64 cannot be part of a key at [1:17]"},
		{"CREATE TABLE t (a INT64, PRIMARY KEY (a, A) NOT ENFORCED)",
			"Column A is more than once in the key at [1:42]"},
		{"CREATE TABLE t (a INT64, CONSTRAINT c PRIMARY KEY (a) NOT ENFORCED)",
			"A primary key cannot have a name at [1:37]"},
		{"CREATE TABLE t (a INT64 DEFAULT (SELECT 1))", "Subqueries are not allowed in a DEFAULT expression at [1:34]"},
		{"CREATE TABLE t (a INT64 DEFAULT b)", "Unrecognized name: b at [1:33]"},
		{"CREATE TABLE t (a INT64 DEFAULT 'x')",
			"Default value of column a has type STRING, which does not coerce to INT64 at [1:33]"},
		{"CREATE TABLE t (a INT64) OPTIONS (nope = 1)", "Unknown option: nope at [1:35]"},
		{"CREATE TABLE t (a INT64) OPTIONS (description = 1)",
			"Option description value has type INT64 which does not coerce to expected type STRING at [1:49]"},
		{"CREATE TABLE t (a INT64) OPTIONS (description = '', Description = '')",
			"Duplicate option: Description at [1:53]"},
		{"CREATE TABLE t (a INT64) OPTIONS (description = (SELECT 'x'))",
			"Subqueries are not allowed in OPTIONS at [1:50]"},
		{"CREATE TABLE t (a INT64 OPTIONS (nope = 1))", "Unknown option: nope at [1:34]"},
		{"CREATE TABLE t (a INT64 OPTIONS (rounding_mode = 'x'))",
			"The option rounding_mode is not supported by the sandbox at [1:34]"},
		{"CREATE TABLE t (a STRUCT<b INT64 NOT NULL>)",
			"NOT NULL of a field of a STRUCT is not supported by the sandbox at [1:34]"},
		{"CREATE TABLE t (a INT64, FOREIGN KEY (a) REFERENCES customers(id, name) NOT ENFORCED)",
			"A foreign key must have as many columns as it refers to at [1:26]"},
		{"CREATE TABLE t LIKE nope", "Not found: Table my-project:d.nope was not found at [1:1]"},
		{"WITH a AS (SELECT 1 AS x), A AS (SELECT 2 AS x) SELECT * FROM a",
			"Duplicate alias A for WITH subquery at [1:28]"},
		{"SELECT SUM(DISTINCT id) OVER (ORDER BY id) FROM orders",
			"Window ORDER BY is not allowed if DISTINCT is specified at [1:8]"},
		{"SELECT STRING_AGG(status, ',' ORDER BY id) OVER () FROM orders",
			"ORDER BY and LIMIT in the arguments of STRING_AGG are not allowed with OVER at [1:8]"},
		// Refusals.
		{"CREATE TABLE t (a INT64 PRIMARY KEY)", "Enforcement of primary and foreign keys is not supported: " +
			"NOT ENFORCED must be given at [1:36]"},
		{"CREATE TABLE t CLONE customers FOR SYSTEM_TIME AS OF CURRENT_TIMESTAMP()",
			"FOR SYSTEM_TIME AS OF of a table that is copied is not supported by the sandbox at [1:32]"},
		{"SELECT 1; SELECT 2", "Only one statement can stand here at [1:11]"},
		{"FROM orders |> CALL f()", "The pipe operator CALL is not supported by the sandbox at [1:16]"},
		{"SELECT @@job.id", "System variable @@job.id is not supported by the sandbox at [1:8]"},
		{"CREATE TABLE t (a INT64) OPTIONS (kms_key_name = NULL)",
			"The option kms_key_name is not supported by the sandbox at [1:35]"},
		{"CREATE TABLE t (a STRING) DEFAULT COLLATE 'und:ci'",
			"DEFAULT COLLATE is not supported by the sandbox at [1:27]"},
		{"CREATE SCHEMA s DEFAULT COLLATE 'und:ci'", "DEFAULT COLLATE is not supported by the sandbox at [1:17]"},
		{"CREATE TABLE t PARTITION BY _PARTITIONDATE AS SELECT 1 AS x",
			"PARTITION BY the time of ingestion cannot be used with AS query at [1:29]"},
		{"CREATE TABLE t (a INT64) PARTITION BY b", "Unrecognized name: b at [1:39]"},
		{"CREATE TABLE t (a FLOAT64) CLUSTER BY a", "CLUSTER BY does not support column a of type FLOAT64 at [1:39]"},
		{"CREATE TABLE t (a INT64) CLUSTER BY a, A", "Column a is more than once in CLUSTER BY at [1:40]"},
		{"CREATE TABLE t (a INT64) CLUSTER BY a + 1", "CLUSTER BY expression must be a top-level column at [1:37]"},
		{"CREATE TABLE t (a INT64) PARTITION BY RANGE_BUCKET(a, GENERATE_ARRAY(5, 1))",
			"The end of RANGE_BUCKET must be greater than its start at [1:55]"},
	}
	for _, c := range cases {
		st, err := googlesql.Translate(c.query, options(cat))
		_, ok := errors.AsType[*googlesql.Error](err)
		switch {
		case err == nil:
			t.Errorf("%s\ngot %q; want error %q", c.query, st.SQL, c.want)
		case !ok:
			t.Errorf("%s: got a %T; want an *Error", c.query, err)
		case err.Error() != c.want:
			t.Errorf("%s\ngot  %s\nwant %s", c.query, err, c.want)
		}
	}
}

// failing is a Catalog whose lookups fail.
type failing struct{ err error }

func (f failing) Table(googlesql.TableName) (*googlesql.Table, error) { return nil, f.err }

func TestCatalogErrors(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&googlesql.Error{Message: "Access Denied: Table p:d.t"}, "Access Denied: Table p:d.t at [1:15]"},
		{errors.New("broken"), "broken at [1:15]"},
	} {
		_, err := googlesql.Translate("SELECT * FROM d.t", googlesql.Options{Catalog: failing{c.err}})
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v; want %s", err, c.want)
		}
	}
}
