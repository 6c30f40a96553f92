package googlesql_test

import (
	"context"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestWrites runs each list of statements on a fresh database and reads the table back.
func TestWrites(t *testing.T) {
	cases := []struct {
		name       string
		statements []string
		query      string
		want       string
	}{
		{"insert values", []string{"INSERT INTO orders (id, day, amount) VALUES (9, '2024-05-05', 1.5), (10, DATE " +
			"'2024-01-01', NULL)"},
			"SELECT id, day, amount, status FROM orders WHERE id > 8 ORDER BY id",
			"9|2024-05-05|1.5|NULL\n10|2024-01-01|NULL|NULL"},
		{"insert select", []string{"INSERT d.customers (id, name) SELECT id + 10, UPPER(name) FROM customers WHERE " +
			"id < 3"},
			"SELECT id, name FROM customers WHERE id > 10 ORDER BY 1", "11|ADA\n12|BOB"},
		{"insert default and nested", []string{"INSERT customers VALUES (7, 'Eve', ['a','b'], STRUCT('Oslo', 3)), " +
			"(8, DEFAULT, [], NULL)"},
			"SELECT * FROM customers WHERE id > 5 ORDER BY id", "7|Eve|[a,b]|{Oslo,3}\n8|NULL|[]|NULL"},
		{"update", []string{"UPDATE orders SET status = 'done', price = price * 2 WHERE id IN (1, 3)"},
			"SELECT id, status, price FROM orders ORDER BY id LIMIT 3", "1|done|3\n2|open|2.5\n3|done|NULL"},
		{"update a field", []string{"UPDATE customers SET address.zip = customers.address.zip + 1, customers.name = " +
			"'x' " +
			"WHERE address IS NOT NULL"},
			"SELECT name, address FROM customers ORDER BY id", "x|{London,2}\nx|{Paris,3}\nCleo|NULL"},
		{"merge a field", []string{"MERGE customers c USING (SELECT 1 AS id, STRUCT('y' AS city, 5 AS zip) AS " +
			"address) s " +
			"ON c.id = s.id WHEN MATCHED THEN UPDATE SET address.city = s.address.city " +
			"WHEN NOT MATCHED BY SOURCE AND c.id = 2 THEN UPDATE SET address.zip = 9"},
			"SELECT id, address FROM customers ORDER BY id", "1|{y,1}\n2|{Paris,9}\n3|NULL"},
		{"merge computes what it takes", []string{"MERGE customers c USING (SELECT 1 AS id, 'x' AS s UNION ALL " +
			"SELECT 2, " +
			"'5' UNION ALL SELECT 7, 'y' UNION ALL SELECT 8, '8') s ON c.id = s.id WHEN MATCHED AND s.s != 'x' THEN " +
			"UPDATE SET id = 10 + CAST(s.s AS INT64) WHEN NOT MATCHED AND s.s != 'y' AND s.s != 'x' THEN INSERT (id) " +
			"VALUES (10 + CAST(s.s AS INT64))"},
			"SELECT id FROM customers ORDER BY id", "1\n3\n15\n18"},
		{"update from", []string{"UPDATE orders o SET status = c.name FROM customers c WHERE o.customer_id = c.id"},
			"SELECT status FROM orders ORDER BY id", "Ada\nAda\nBob\nCleo\npaid"},
		{"delete", []string{"DELETE FROM orders o WHERE o.status IS NULL", "DELETE orders WHERE customer_id IS NULL"},
			"SELECT COUNT(*) FROM orders", "3"},
		{"truncate", []string{"TRUNCATE TABLE orders"}, "SELECT COUNT(*) FROM orders", "0"},
		{"merge", []string{`MERGE customers T USING (SELECT 1 AS id, 'New' AS name UNION ALL SELECT 50, 'Zoe') S
			ON T.id = S.id
			WHEN MATCHED THEN UPDATE SET name = S.name
			WHEN NOT MATCHED THEN INSERT (id, name) VALUES (id, name)
			WHEN NOT MATCHED BY SOURCE AND T.id = 3 THEN DELETE`},
			"SELECT id, name FROM customers ORDER BY id", "1|New\n2|Bob\n50|Zoe"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			db, cat := open(t)
			for _, q := range c.statements {
				st, err := googlesql.Translate(q, options(cat))
				if err != nil {
					t.Fatalf("%s\n%v", q, err)
				}
				if st.Target == nil || st.Target.Dataset != "d" {
					t.Errorf("got target %v; want one in d", st.Target)
				}
				if _, err := db.Exec(context.Background(), st.SQL); err != nil {
					t.Fatalf("%s\n%s\n%v", q, st.SQL, err)
				}
			}
			st, err := googlesql.Translate(c.query, options(cat))
			if err != nil {
				t.Fatal(err)
			}
			got, err := run(db, st)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestCreate runs DDL and reads the new table back.
func TestCreate(t *testing.T) {
	cases := []struct {
		name, ddl, kind, insert, want string
	}{
		{"columns", "CREATE TABLE t (a INT64 NOT NULL OPTIONS(description='x'), b STRING(3) DEFAULT 'q', c " +
			"ARRAY<STRUCT<x INT64, y DATE>>, n NUMERIC(5, 2)) PARTITION BY RANGE_BUCKET(a, GENERATE_ARRAY(0, 10)) CLUSTER BY b",
			"CREATE_TABLE", "INSERT INTO t (a, c, n) VALUES (1, [STRUCT(2, DATE '2024-01-01')], 1.555)",
			"1|q|[{2,2024-01-01}]|1.56"},
		{"or replace", "CREATE OR REPLACE TABLE d.t (a INT64)", "CREATE_TABLE", "INSERT INTO t VALUES (5)", "5"},
		{"if not exists", "CREATE TABLE IF NOT EXISTS t (`select` STRING)", "CREATE_TABLE",
			"INSERT INTO t VALUES ('x')", "x"},
		{"as select", "CREATE TABLE t AS SELECT id, name AS `full name` FROM customers WHERE id = 1",
			"CREATE_TABLE_AS_SELECT", "INSERT INTO t VALUES (0, 'n')", "0|n\n1|Ada"},
		{"like", "CREATE TABLE t LIKE customers", "CREATE_TABLE",
			"INSERT INTO t (id, tags) VALUES (1, ['a'])", "1|NULL|[a]|NULL"},
		{"keys", "CREATE TABLE t (a INT64 PRIMARY KEY NOT ENFORCED, b INT64 CONSTRAINT c REFERENCES customers(id) NOT " +
			"ENFORCED, FOREIGN KEY (a) REFERENCES customers(id) NOT ENFORCED, CONSTRAINT `d` FOREIGN KEY (b) " +
			"REFERENCES d.customers(id) NOT ENFORCED)", "CREATE_TABLE", "INSERT INTO t VALUES (1, 2), (1, 3)", "1|2\n1|3"},
		{"key of columns", "CREATE TABLE t (primary INT64, constraint STRING, PRIMARY KEY (primary, constraint) NOT " +
			"ENFORCED)",
			"CREATE_TABLE", "INSERT INTO t VALUES (1, 'x')", "1|x"},
		{"typed as select", "CREATE TABLE t (x FLOAT64) AS SELECT id FROM customers WHERE id = 1",
			"CREATE_TABLE_AS_SELECT", "INSERT INTO t VALUES (0.5)", "0.5\n1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			db, cat := open(t)
			cat["customers"].Keys = []googlesql.Key{{Name: "pk$", Columns: []string{"id"}}}
			st, err := googlesql.Translate(c.ddl, options(cat))
			if err != nil {
				t.Fatal(err)
			}
			if st.Type != c.kind {
				t.Errorf("got type %s; want %s", st.Type, c.kind)
			}
			exec(t, db, st.SQL)
			cat["t"] = &googlesql.Table{Name: *st.Target, Columns: st.NewColumns, SQL: "d.t"}
			st, err = googlesql.Translate(c.insert, options(cat))
			if err != nil {
				t.Fatal(err)
			}
			exec(t, db, st.SQL)
			st, err = googlesql.Translate("SELECT * FROM t ORDER BY 1", options(cat))
			if err != nil {
				t.Fatal(err)
			}
			got, err := run(db, st)
			if err != nil || got != c.want {
				t.Errorf("got\n%s, %v\nwant\n%s", got, err, c.want)
			}
		})
	}
}

// TestSchemas checks the translations of statements about datasets and of DROP.
func TestSchemas(t *testing.T) {
	cases := []struct{ query, kind, sql string }{
		{"CREATE SCHEMA IF NOT EXISTS newds", "CREATE_SCHEMA", `CREATE SCHEMA IF NOT EXISTS "newds"`},
		{"CREATE SCHEMA other-project.newds", "CREATE_SCHEMA", `CREATE SCHEMA "newds"`},
		{"DROP SCHEMA d CASCADE;", "DROP_SCHEMA", `DROP SCHEMA "d" CASCADE`},
		{"drop table if exists d.t", "DROP_TABLE", `DROP TABLE IF EXISTS "d"."t"`},
	}
	for _, c := range cases {
		st, err := googlesql.Translate(c.query, options(nil))
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		if st.Type != c.kind || st.SQL != c.sql {
			t.Errorf("%s: got %s %q; want %s %q", c.query, st.Type, st.SQL, c.kind, c.sql)
		}
	}
}

// TestWriteErrors checks the failures that come when a statement runs.
func TestWriteErrors(t *testing.T) {
	db, cat := open(t)
	st, err := googlesql.Translate("CREATE TABLE narrow (s STRING(3), n NUMERIC(4, 2), y BYTES(2))", options(cat))
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, st.SQL)
	cat["narrow"] = &googlesql.Table{Name: *st.Target, Columns: st.NewColumns, SQL: "d.narrow"}
	cases := []struct{ query, want string }{
		{"UPDATE customers c SET name = o.status FROM orders o WHERE o.customer_id = c.id",
			"must match at most one source row"},
		{"MERGE customers c USING orders o ON o.customer_id = c.id WHEN MATCHED THEN UPDATE SET name = 'x'",
			"must match at most one source row"},
		{"INSERT INTO narrow (s) VALUES ('abcd')", "maximum length of 3"},
		{"INSERT INTO narrow (y) VALUES (b'abc')", "maximum length of 2"},
		{"INSERT INTO narrow (n) SELECT amount * 100 FROM orders", "numeric out of range"},
		{"INSERT INTO orders (id) SELECT 9223372036854775807 + id FROM orders", "Overflow"},
	}
	for _, c := range cases {
		st, err := googlesql.Translate(c.query, options(cat))
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
			continue
		}
		_, err = db.Exec(context.Background(), st.SQL)
		if err == nil || !strings.Contains(err.Error(), c.want) &&
			!strings.Contains(err.Error(), strings.TrimSuffix(c.want, " Error")) {
			t.Errorf("%s\n%s\ngot %v; want %q", c.query, st.SQL, err, c.want)
		}
	}
}
