package googlesql_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
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
func open(t testing.TB) (*engine.Conn, catalog) {
	t.Helper()
	db, err := engine.Open(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	conn, err := db.Conn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	exec(t, conn, "CREATE SCHEMA d")
	cat := catalog{}
	for _, f := range fixtures {
		cols := columnsOf(t, f.cols)
		var defs []string
		for _, c := range cols {
			defs = append(defs, `"`+c.Name+`" `+c.Type.DuckDB())
		}
		exec(t, conn, fmt.Sprintf(`CREATE TABLE d.%s (%s)`, f.name, strings.Join(defs, ", ")))
		exec(t, conn, fmt.Sprintf(`INSERT INTO d.%s VALUES %s`, f.name, f.rows))
		cat[f.name] = &googlesql.Table{
			Name:    googlesql.TableName{Project: "my-project", Dataset: "d", Table: f.name},
			Columns: cols, SQL: `d."` + f.name + `"`,
		}
	}
	return conn, cat
}

func exec(t testing.TB, conn *engine.Conn, q string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), q); err != nil {
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

// run executes a translated query and prints its rows: columns joined by |, rows by a
// newline. The engine checks that the physical types are those of the GoogleSQL types.
func run(conn *engine.Conn, st *googlesql.Statement, args ...engine.Value) (string, error) {
	res, err := conn.Query(context.Background(), st.SQL, args, st.Columns, 0)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, b := range res.Blocks {
		for r := range b.Rows {
			var texts []string
			for _, v := range b.Columns {
				texts = append(texts, text(v, r))
			}
			lines = append(lines, strings.Join(texts, "|"))
		}
	}
	return strings.Join(lines, "\n"), nil
}

// text prints a value roughly as BigQuery's console does.
func text(v *engine.Vector, i int) string {
	if v.Null(i) {
		return "NULL"
	}
	switch v.Type.Kind {
	case googlesql.Int64:
		return strconv.FormatInt(v.Ints[i], 10)
	case googlesql.Float64:
		return strconv.FormatFloat(v.Floats[i], 'g', -1, 64)
	case googlesql.Bool:
		return strconv.FormatBool(v.Bools[i])
	case googlesql.Bytes:
		return fmt.Sprintf("%x", v.Bytes(i))
	case googlesql.Numeric:
		return string(v.Decimals[i].AppendDecimal(nil, 9))
	case googlesql.Range:
		end := engine.Vector{Type: *v.Type.Elem, Len: 1, Ints: []int64{0}}
		return builtin.DecodeRange(v.Bytes(i)).Text(func(n int64) string {
			end.Ints[0] = n
			return text(&end, 0)
		})
	case googlesql.TimestampPicos:
		return builtin.PicosISO(builtin.SplitPicos(v.Decimals[i].Big()))
	case googlesql.BigNumeric:
		return builtin.BigNumericText(builtin.DecodeBigNumeric(v.Bytes(i)))
	case googlesql.Date:
		return time.Unix(v.Ints[i]*86400, 0).UTC().Format("2006-01-02")
	case googlesql.Time:
		return time.UnixMicro(v.Ints[i]).UTC().Format("15:04:05.999999")
	case googlesql.Datetime:
		return time.UnixMicro(v.Ints[i]).UTC().Format("2006-01-02T15:04:05.999999")
	case googlesql.Timestamp:
		return time.UnixMicro(v.Ints[i]).UTC().Format("2006-01-02 15:04:05.999999") + "+00"
	case googlesql.Interval:
		return fmt.Sprintf("%dm%dd%dus", v.Intervals[i].Months, v.Intervals[i].Days, v.Intervals[i].Micros)
	case googlesql.Array:
		var parts []string
		for k := v.Offsets[i]; k < v.Offsets[i+1]; k++ {
			parts = append(parts, text(v.Elem, int(k)))
		}
		return "[" + strings.Join(parts, ",") + "]"
	case googlesql.Struct:
		var parts []string
		for _, f := range v.Fields {
			parts = append(parts, text(f, i))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return string(v.Bytes(i))
}

// debug prints the translations when GOOGLESQL_DEBUG is set.
func debug(t testing.TB, sql string) {
	if os.Getenv("GOOGLESQL_DEBUG") != "" {
		t.Log(sql)
	}
}
