package googlesql_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// catalog is a fixed set of tables in DuckDB's schema "d".
type catalog map[string]*googlesql.Table

func (c catalog) Table(n googlesql.TableName) (*googlesql.Table, error) {
	if n.Dataset == "usa_names" && n.Project == "bigquery-public-data" {
		return c["usa_1910_current"], nil
	}
	if n.Project != "my-project" || n.Dataset != "d" {
		return nil, nil
	}
	return c[n.Table], nil
}

// fixture is one table: its columns as "name TYPE" and its rows in DuckDB's SQL.
type fixture struct {
	name, cols, rows string
}

var fixtures = []fixture{
	{"usa_1910_current", "state STRING, gender STRING, year INT64, name STRING, number INT64",
		`('TX','M',1910,'William',100),('TX','M',1911,'William',150),('TX','F',1910,'Mary',300),('TX','F',1911,` +
			`'Mary',310),('TX','M',1910,'James',200)`},
	{"orders", "id INT64, customer_id INT64, day DATE, amount NUMERIC, price FLOAT64, status STRING, created TIMESTAMP",
		`(1,1,DATE '2024-01-01',10.50,1.5,'paid',TIMESTAMPTZ '2024-01-01 10:00:00+00'),
		 (2,1,DATE '2024-01-15',20.25,2.5,'open',TIMESTAMPTZ '2024-01-15 11:30:00+00'),
		 (3,2,DATE '2024-02-01',5.00,NULL,'paid',TIMESTAMPTZ '2024-02-01 23:59:59.5+00'),
		 (4,3,DATE '2024-02-29',7.75,4.0,NULL,NULL),
		 (5,NULL,DATE '2024-03-10',100.00,0.5,'paid',TIMESTAMPTZ '2024-03-10 00:00:00+00')`},
	{"customers", "id INT64, name STRING, tags ARRAY<STRING>, address STRUCT<city STRING, zip INT64>",
		`(1,'Ada',['vip','eu'],{'city':'London','zip':1}),(2,'Bob',[],{'city':'Paris','zip':2}),
		 (3,'Cleo',['us'],NULL)`},
	{"types", "i INT64, f FLOAT64, b BOOL, s STRING, y BYTES, n NUMERIC, d DATE, t TIME, dt DATETIME, ts TIMESTAMP, " +
		"j JSON",
		`(1,1.5,true,'x','\x01\x02'::BLOB,1.5,DATE '2024-01-02',
		  TIME '03:04:05',TIMESTAMP '2024-01-02 03:04:05',TIMESTAMPTZ '2024-01-02 03:04:05+00',
		  '{"a":1,"b":["x","y"],"c":{"d":null}}'),
		 (NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL)`},
	{"floats", "k INT64, x FLOAT64",
		`(1,1.0),(2,'NaN'::DOUBLE),(3,'-Infinity'::DOUBLE),(4,NULL),(5,'Infinity'::DOUBLE)`},
}

func columnsOf(t testing.TB, cols string) []googlesql.Column {
	t.Helper()
	st, err := googlesql.Translate("CREATE TABLE x.y ("+cols+")", googlesql.Options{
		DefaultProject: "my-project", SchemaSQL: func(_, d string) string { return d },
	})
	if err != nil {
		t.Fatalf("columns %q: %v", cols, err)
	}
	return st.NewColumns
}

// open starts a DuckDB with the fixtures.
func open(t testing.TB) (*sql.DB, catalog) {
	t.Helper()
	db, err := sql.Open("duckdb",
		"?autoinstall_known_extensions=false&default_null_order=nulls_first_on_asc_last_on_desc&errors_as_json=true")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	exec(t, db, "SET TimeZone = 'UTC'")
	exec(t, db, "CREATE SCHEMA d")
	cat := catalog{}
	for _, f := range fixtures {
		cols := columnsOf(t, f.cols)
		var defs []string
		for _, c := range cols {
			defs = append(defs, `"`+c.Name+`" `+c.Type.DuckDB())
		}
		exec(t, db, fmt.Sprintf(`CREATE TABLE d.%s (%s)`, f.name, strings.Join(defs, ", ")))
		exec(t, db, fmt.Sprintf(`INSERT INTO d.%s VALUES %s`, f.name, f.rows))
		cat[f.name] = &googlesql.Table{
			Name: googlesql.TableName{Project: "my-project", Dataset: "d", Table: f.name}, Columns: cols,
			SQL: `d."` + f.name + `"`,
		}
	}
	return db, cat
}

func exec(t testing.TB, db *sql.DB, q string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(context.Background(), q, args...); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

func options(cat googlesql.Catalog) googlesql.Options {
	return googlesql.Options{
		Catalog: cat, DefaultProject: "my-project", DefaultDataset: "d", AllowUndeclared: true,
		SessionUser: "ada@example.com",
		SchemaSQL:   func(_, d string) string { return `"` + d + `"` },
	}
}

// run translates and executes a query and prints its rows: columns joined by |, rows by a
// newline. The physical types of DuckDB's answer must be those of the GoogleSQL types.
func run(db *sql.DB, st *googlesql.Statement, args ...any) (string, error) {
	rows, err := db.QueryContext(context.Background(), st.SQL, args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	cts, err := rows.ColumnTypes()
	if err != nil {
		return "", err
	}
	if len(cts) != len(st.Columns) {
		return "", fmt.Errorf("got %d columns; want %d", len(cts), len(st.Columns))
	}
	for i, ct := range cts {
		if got, want := ct.DatabaseTypeName(), st.Columns[i].Type.DuckDB(); !sameType(got, want) {
			return "", fmt.Errorf("column %d: DuckDB says %s; GoogleSQL's %s is %s", i, got, st.Columns[i].Type, want)
		}
	}
	var lines []string
	for rows.Next() {
		cells := make([]any, len(cts))
		ptrs := make([]any, len(cts))
		for i := range cells {
			ptrs[i] = &cells[i]
		}
		if err := rows.Scan(ptrs...); err != nil {
			return "", err
		}
		var texts []string
		for i, c := range cells {
			texts = append(texts, text(c, st.Columns[i].Type))
		}
		lines = append(lines, strings.Join(texts, "|"))
	}
	return strings.Join(lines, "\n"), rows.Err()
}

// sameType compares type names without the quotes of field names and DuckDB's two names
// of TIMESTAMPTZ.
func sameType(a, b string) bool {
	norm := strings.NewReplacer(`"`, "", "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
	return norm.Replace(a) == norm.Replace(b)
}

// text prints a value roughly as BigQuery's console does.
func text(v any, t googlesql.Type) string {
	if v == nil {
		return "NULL"
	}
	if t.Kind == googlesql.JSON {
		b, err := json.Marshal(v)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	switch x := v.(type) {
	case float64:
		return strconv.FormatFloat(x, 'g', -1, 64)
	case []byte:
		return fmt.Sprintf("%x", x)
	case duckdb.Decimal:
		r := new(big.Rat).SetFrac(x.Value, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(x.Scale)), nil))
		s := r.FloatString(9)
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	case time.Time:
		switch t.Kind {
		case googlesql.Date:
			return x.Format("2006-01-02")
		case googlesql.Time:
			return x.Format("15:04:05.999999")
		case googlesql.Datetime:
			return x.Format("2006-01-02T15:04:05.999999")
		}
		return x.UTC().Format("2006-01-02 15:04:05.999999") + "+00"
	case duckdb.Interval:
		return fmt.Sprintf("%dm%dd%dus", x.Months, x.Days, x.Micros)
	case []any:
		var parts []string
		for _, e := range x {
			parts = append(parts, text(e, *t.Elem))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var parts []string
		for i, n := range t.FieldNames() {
			parts = append(parts, text(x[n], t.Fields[i].Type))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprint(v)
}

// debug prints the translations when GOOGLESQL_DEBUG is set.
func debug(t testing.TB, sql string) {
	if os.Getenv("GOOGLESQL_DEBUG") != "" {
		t.Log(sql)
	}
}
