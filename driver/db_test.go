package driver_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"go.uber.org/goleak"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/api/googleapi"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open returns a database whose connector talks to the fake and whose sign-in is a fixed token.
func open(t testing.TB, server *fakebq.Server, change ...func(*dsn.Config)) *sql.DB {
	t.Helper()
	cfg := &dsn.Config{Project: "my-project", Endpoint: server.URL()}
	for _, f := range change {
		f(cfg)
	}
	connector, err := driver.NewConnector(cfg, driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var numbers = fakebq.Answer{
	Fields: []fakebq.Field{{Name: "name", Type: "STRING"}, {Name: "n", Type: "INTEGER"}},
	Rows:   [][]any{{"Ada", 1}, {nil, 2}, {"Grace", nil}},
}

func readAll(t testing.TB, rows *sql.Rows) [][]any {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]any
	for rows.Next() {
		row := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestRequests counts the requests of everyday statements: each is as few as the API allows.
func TestRequests(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	server.On("INSERT INTO t VALUES ('x', ?)", fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 3}})
	server.On("CREATE TABLE t (a INT64)", fakebq.Answer{StatementType: "CREATE_TABLE"})
	server.On("SELECT 1", fakebq.Answer{Fields: []fakebq.Field{{Name: "f0_", Type: "INTEGER"}}, Rows: [][]any{{1}}})
	server.On("SELECT name, n FROM t WHERE n > ?", numbers)
	server.On("SELECT name, n FROM paged", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 3, PageSize: 3})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Incomplete: 2})
	db := open(t, server)
	ctx := t.Context()
	for _, tt := range []struct {
		name string
		run  func() error
		want map[fakebq.Method]int
	}{
		{"Ping", func() error { return db.PingContext(ctx) }, map[fakebq.Method]int{fakebq.Insert: 1}},
		{"SELECT of one page", func() error {
			rows, err := db.QueryContext(ctx, "SELECT name, n FROM t")
			if err != nil {
				return err
			}
			if got := readAll(t, rows); len(got) != 3 {
				return fmt.Errorf("got %d rows; want 3", len(got))
			}
			return nil
		}, map[fakebq.Method]int{fakebq.Query: 1}},
		{"DML with RowsAffected", func() error {
			res, err := db.ExecContext(ctx, "INSERT INTO t VALUES ('x', ?)", 1)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); n != 3 || err != nil {
				return fmt.Errorf("RowsAffected: got %d, %v; want 3", n, err)
			}
			if _, err := res.LastInsertId(); err == nil {
				return errors.New("LastInsertId: got no error")
			}
			return nil
		}, map[fakebq.Method]int{fakebq.Query: 1}},
		{"DDL", func() error { _, err := db.ExecContext(ctx, "CREATE TABLE t (a INT64)"); return err }, map[fakebq.Method]int{fakebq.Query: 1}},
		{"Prepare and two queries", func() error {
			stmt, err := db.PrepareContext(ctx, "SELECT name, n FROM t WHERE n > ?")
			if err != nil {
				return err
			}
			defer stmt.Close()
			for range 2 {
				rows, err := stmt.QueryContext(ctx, 0)
				if err != nil {
					return err
				}
				readAll(t, rows)
			}
			return nil
		}, map[fakebq.Method]int{fakebq.Insert: 1, fakebq.Query: 2}},
		{"three pages", func() error {
			rows, err := db.QueryContext(ctx, "SELECT name, n FROM paged")
			if err != nil {
				return err
			}
			if got := readAll(t, rows); len(got) != 9 || got[8][0] != "Grace" {
				return fmt.Errorf("got %v", got)
			}
			return nil
		}, map[fakebq.Method]int{fakebq.Query: 1, fakebq.GetQueryResults: 2}},
		{"a job that goes on", func() error {
			rows, err := db.QueryContext(ctx, "SELECT slow")
			if err != nil {
				return err
			}
			if got := readAll(t, rows); len(got) != 3 {
				return fmt.Errorf("got %d rows; want 3", len(got))
			}
			return nil
		}, map[fakebq.Method]int{fakebq.Query: 1, fakebq.GetQueryResults: 2}},
	} {
		server.ResetLog()
		if err := tt.run(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := server.Counts(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got requests %v; want %v", tt.name, got, tt.want)
		}
	}
}

// TestTypes reads every scalar type, as a value and as NULL, and what the column says of itself.
func TestTypes(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.UTC)
	day := civil.Date{Year: 2024, Month: 2, Day: 29}
	type facts struct {
		name     string
		scanType reflect.Type
	}
	for _, tt := range []struct {
		field fakebq.Field
		in    any
		want  any
		facts facts
	}{
		{fakebq.Field{Type: "INTEGER"}, math.MinInt64, int64(math.MinInt64), facts{"INT64", reflect.TypeFor[sql.Null[int64]]()}},
		{fakebq.Field{Type: "FLOAT"}, math.Inf(-1), math.Inf(-1), facts{"FLOAT64", reflect.TypeFor[sql.Null[float64]]()}},
		{fakebq.Field{Type: "BOOLEAN"}, true, true, facts{"BOOL", reflect.TypeFor[sql.Null[bool]]()}},
		{fakebq.Field{Type: "STRING"}, "naïve \"\\\n<>&\u2028 😀", "naïve \"\\\n<>&\u2028 😀", facts{"STRING", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "BYTES"}, []byte{0, 255}, []byte{0, 255}, facts{"BYTES", reflect.TypeFor[sql.Null[[]byte]]()}},
		{fakebq.Field{Type: "NUMERIC"}, "99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999", facts{"NUMERIC", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "BIGNUMERIC"}, "-0.00000000000000000000000000000000000001", "-0.00000000000000000000000000000000000001", facts{"BIGNUMERIC", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "TIMESTAMP"}, at, at, facts{"TIMESTAMP", reflect.TypeFor[sql.Null[time.Time]]()}},
		{fakebq.Field{Type: "TIMESTAMP"}, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), facts{"TIMESTAMP", reflect.TypeFor[sql.Null[time.Time]]()}},
		{fakebq.Field{Type: "DATE"}, "9999-12-31", time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), facts{"DATE", reflect.TypeFor[sql.Null[time.Time]]()}},
		{fakebq.Field{Type: "DATETIME"}, at, at, facts{"DATETIME", reflect.TypeFor[sql.Null[time.Time]]()}},
		{fakebq.Field{Type: "TIME"}, "01:02:03.5", "01:02:03.5", facts{"TIME", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "INTERVAL"}, "1-2 3 4:5:6.789", "1-2 3 4:5:6.789", facts{"INTERVAL", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "GEOGRAPHY"}, "POINT(1 2)", "POINT(1 2)", facts{"GEOGRAPHY", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "JSON"}, `{"a": [1]}`, `{"a": [1]}`, facts{"JSON", reflect.TypeFor[sql.Null[string]]()}},
		{fakebq.Field{Type: "RANGE", Element: "DATE"}, "[2024-02-29, UNBOUNDED)", driver.Range{Start: day}, facts{"RANGE<DATE>", reflect.TypeFor[sql.Null[driver.Range]]()}},
		{fakebq.Field{Type: "RANGE", Element: "TIMESTAMP"}, fakebq.Range{Start: at}, driver.Range{Start: at}, facts{"RANGE<TIMESTAMP>", reflect.TypeFor[sql.Null[driver.Range]]()}},
	} {
		t.Run(tt.field.Type+tt.field.Element, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			nullable, required := tt.field, tt.field
			nullable.Name, required.Name, required.Mode = "c", "c", "REQUIRED"
			server.On("SELECT c", fakebq.Answer{Fields: []fakebq.Field{nullable, required}, Rows: [][]any{{tt.in, tt.in}, {nil, tt.in}}})
			rows, err := open(t, server).QueryContext(t.Context(), "SELECT c")
			if err != nil {
				t.Fatal(err)
			}
			types, err := rows.ColumnTypes()
			if err != nil {
				t.Fatal(err)
			}
			if got := (facts{types[0].DatabaseTypeName(), types[0].ScanType()}); got != tt.facts {
				t.Errorf("got %v; want %v", got, tt.facts)
			}
			if got, want := types[1].ScanType(), tt.facts.scanType.Field(0).Type; got != want {
				t.Errorf("REQUIRED: got scan type %v; want %v", got, want)
			}
			for i, want := range []bool{true, false} {
				if got, ok := types[i].Nullable(); got != want || !ok {
					t.Errorf("column %d: nullable %v, %v; want %v", i, got, ok, want)
				}
			}
			if names, _ := rows.Columns(); !reflect.DeepEqual(names, []string{"c", "c"}) {
				t.Errorf("got columns %q", names)
			}
			// What ScanType says can be scanned into.
			if !rows.Next() {
				t.Fatal(rows.Err())
			}
			null, plain := reflect.New(types[0].ScanType()), reflect.New(types[1].ScanType())
			if err := rows.Scan(null.Interface(), plain.Interface()); err != nil {
				t.Fatal(err)
			}
			if got := null.Elem().Field(0).Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("sql.Null: got %#v; want %#v", got, tt.want)
			}
			if got := plain.Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("plain: got %#v; want %#v", got, tt.want)
			}
			if got := readAll(t, rows); len(got) != 1 || got[0][0] != nil || !reflect.DeepEqual(got[0][1], tt.want) {
				t.Errorf("got %#v; want nil and %#v", got, tt.want)
			}
		})
	}
}

func TestColumnTypes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{Fields: []fakebq.Field{
		{Name: "s", Type: "STRING"}, {Name: "s10", Type: "STRING", MaxLength: 10}, {Name: "n", Type: "NUMERIC"},
		{Name: "n10", Type: "NUMERIC", Precision: 10, Scale: 2}, {Name: "b", Type: "BIGNUMERIC"}, {Name: "i", Type: "INTEGER"},
	}})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasScale := c.DecimalSize()
		got = append(got, fmt.Sprint(c.Name(), " ", length, hasLength, " ", precision, scale, hasScale))
	}
	want := []string{
		"s 9223372036854775807 true 0 0 false", "s10 10 true 0 0 false", "n 0 false 38 9 true",
		"n10 0 false 10 2 true", "b 0 false 76 38 true", "i 0 false 0 0 false",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestCivilScan scans DATE, DATETIME and TIME into the civil types, and JSON into bytes.
func TestCivilScan(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{
		Fields: []fakebq.Field{{Name: "d", Type: "DATE"}, {Name: "dt", Type: "DATETIME"}, {Name: "t", Type: "TIME"}, {Name: "j", Type: "JSON"}},
		Rows:   [][]any{{"2024-02-29", "2024-02-29T01:02:03.000004", "01:02:03.000004", `{"a":1}`}},
	})
	var (
		d  civil.Date
		dt civil.DateTime
		tm civil.Time
		j  []byte
	)
	if err := open(t, server).QueryRowContext(t.Context(), "SELECT *").Scan(&d, &dt, &tm, &j); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(d, " ", dt, " ", tm, " ", string(j)), `2024-02-29 2024-02-29T01:02:03.000004000 01:02:03.000004000 {"a":1}`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

// TestNested reads ARRAYs and STRUCTs, three deep, and what the columns say of themselves.
func TestNested(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	deep := fakebq.Field{Name: "orders", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{
		{Name: "id", Type: "INTEGER", Mode: "REQUIRED"},
		{Name: "price", Type: "NUMERIC", Precision: 10, Scale: 2},
		{Name: "lines", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{{Name: "id", Type: "DATE"}, {Name: "id", Type: "BYTES", MaxLength: 4}}},
	}}
	server.On("SELECT *", fakebq.Answer{
		Fields: []fakebq.Field{{Name: "tags", Type: "STRING", Mode: "REPEATED"}, deep, {Name: "s", Type: "RECORD", Fields: []fakebq.Field{{Name: "", Type: "FLOAT"}}}},
		Rows: [][]any{
			{[]string{"a", ""}, []any{[]any{7, "1.50", []any{[]any{"2024-01-02", []byte{1}}, []any{nil, nil}}}}, []any{1.5}},
			{nil, nil, nil},
		},
	})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"ARRAY<STRING> []string false",
		"ARRAY<STRUCT<id INT64, price NUMERIC(10, 2), lines ARRAY<STRUCT<id DATE, id BYTES(4)>>>> []driver.Struct false",
		"STRUCT<FLOAT64> sql.Null[github.com/bigqueryuser/bigqueryuser/driver.Struct] true",
	} {
		nullable, _ := types[i].Nullable()
		if got := fmt.Sprint(types[i].DatabaseTypeName(), " ", types[i].ScanType(), " ", nullable); got != want {
			t.Errorf("column %d: got %s; want %s", i, got, want)
		}
	}
	var tags []string
	var orders []driver.Struct
	var s any
	rows.Next()
	if err := rows.Scan(&tags, &orders, &s); err != nil {
		t.Fatal(err)
	}
	lines := []driver.Struct{
		{Fields: []driver.StructField{{Name: "id", Value: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)}, {Name: "id", Value: []byte{1}}}},
		{Fields: []driver.StructField{{Name: "id"}, {Name: "id"}}},
	}
	want := []driver.Struct{{Fields: []driver.StructField{{Name: "id", Value: int64(7)}, {Name: "price", Value: "1.5"}, {Name: "lines", Value: lines}}}}
	if !reflect.DeepEqual(tags, []string{"a", ""}) || !reflect.DeepEqual(orders, want) {
		t.Errorf("got %q and %v", tags, orders)
	}
	if got, want := fmt.Sprint(orders[0]), `{"id":7,"price":"1.5","lines":[{"id":"2024-01-02T00:00:00Z","id":"AQ=="},{"id":null,"id":null}]}`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if v, ok := orders[0].Get("price"); v != "1.5" || !ok {
		t.Errorf("Get: got %v, %v", v, ok)
	}
	rows.Next()
	if err := rows.Scan(&tags, &orders, &s); err != nil || len(tags) != 0 || tags == nil || len(orders) != 0 || s != nil {
		t.Errorf("NULLs: got %v, %v, %v, %v", tags, orders, s, err)
	}
}

// TestInferredTypes: a NULL and a time get the type that BigQuery says, which is asked once.
func TestInferredTypes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	types := []*bq.QueryParameterType{{Type: "DATE"}, {Type: "DATETIME"}, {Type: "TIMESTAMP"}, {Type: "TIME"}, {Type: "NUMERIC"}}
	var positional, named []fakebq.Parameter
	for i, typ := range types {
		positional = append(positional, fakebq.Parameter{Type: typ})
		named = append(named, fakebq.Parameter{Name: string(rune('a' + i)), Type: typ})
	}
	insert := fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}}
	byPosition, byName := insert, insert
	byPosition.Parameters, byName.Parameters = positional, named
	server.On("INSERT INTO t VALUES (?, ?, ?, ?, ?)", byPosition)
	server.On("INSERT INTO t VALUES (@a, @b, @c, @d, @e)", byName)
	db := open(t, server)
	at := time.Date(2024, 2, 29, 23, 30, 0, 1000, time.FixedZone("", -3*3600))
	want := []string{"DATE 2024-02-29", "DATETIME 2024-02-29 23:30:00.000001", "TIMESTAMP 2024-03-01 02:30:00.000001+00:00", "TIME 23:30:00.000001", "NUMERIC NULL"}
	for _, tt := range []struct {
		name, sql string
		args      []any
	}{
		{"positional", "INSERT INTO t VALUES (?, ?, ?, ?, ?)", []any{at, at, at, at, nil}},
		{"named", "INSERT INTO t VALUES (@a, @b, @c, @d, @e)", []any{sql.Named("a", at), sql.Named("B", at), sql.Named("c", at), sql.Named("d", at), sql.Named("e", nil)}},
	} {
		server.ResetLog()
		for range 3 {
			if _, err := db.ExecContext(t.Context(), tt.sql, tt.args...); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		if got, want := server.Counts(), (map[fakebq.Method]int{fakebq.Insert: 1, fakebq.Query: 3}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got requests %v; want %v", tt.name, got, want)
		}
		for _, r := range server.Requests(fakebq.Query) {
			req, err := r.QueryRequest()
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(req); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %q; want %q", tt.name, got, want)
			}
		}
	}
}

// TestTypesChange: a remembered type does not outlive the table it came from.
func TestTypesChange(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO t VALUES (?)"
	server := fakebq.Run(t, fakebq.Options{})
	var columnType atomic.Value
	columnType.Store("DATE")
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		typ := columnType.Load().(string)
		if st.SQL != insert {
			return fakebq.Answer{StatementType: "CREATE_TABLE"}, true
		}
		if !st.DryRun && st.Parameters[0].ParameterType.Type != typ {
			return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Value has type DATE at [1:2]"}}, true
		}
		return fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: typ}}}}, true
	})
	db := open(t, server)
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	count := func(step string, dryRuns, queries int) {
		t.Helper()
		if got := server.Counts(); got[fakebq.Insert] != dryRuns || got[fakebq.Query] != queries {
			t.Errorf("%s: got requests %v; want %d dry runs and %d statements", step, got, dryRuns, queries)
		}
		server.ResetLog()
	}
	run(insert, time.Now())
	count("first", 1, 1)
	run(insert, time.Now())
	count("again", 0, 1)
	columnType.Store("TIMESTAMP") // another program's DDL
	run(insert, time.Now())
	count("after another program's DDL", 1, 2)
	run("CREATE OR REPLACE TABLE t (x DATETIME)")
	columnType.Store("DATETIME")
	server.ResetLog()
	run(insert, time.Now())
	count("after DDL of its own", 1, 1)
	server.OnFunc(nil)
	server.On(insert, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{}, Err: &fakebq.Error{Reason: "invalidQuery", Message: "division by zero"},
		Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATETIME"}}}})
	if _, err := db.ExecContext(t.Context(), insert, time.Now()); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("got %v; want invalidQuery", err)
	}
	count("an error that is not about types", 1, 1)
}

func parameters(req *bq.QueryRequest) []string {
	var out []string
	for _, p := range req.QueryParameters {
		value := p.ParameterValue.Value
		if value == "" {
			value = "NULL"
		}
		out = append(out, p.ParameterType.Type+" "+value)
	}
	return out
}

// TestErrors: what BigQuery refuses is an *Error with its reason, and the *googleapi.Error under it.
func TestErrors(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT x", fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Unrecognized name: x at [1:8]"}})
	server.On("SELECT forbidden", fakebq.Answer{Reject: &fakebq.Error{Reason: "accessDenied", Message: "Access Denied: Project my-project: User does not have bigquery.jobs.create permission in project my-project."}})
	server.On("SELECT gone", fakebq.Answer{Reject: &fakebq.Error{Reason: "notFound", Message: "Not found: Table my-project:d.gone"}})
	server.On("SELECT late", fakebq.Answer{Incomplete: 1, Err: &fakebq.Error{Reason: "resourcesExceeded", Message: "Resources exceeded during query execution"}})
	db := open(t, server)
	for _, tt := range []struct {
		sql      string
		is       error
		location string
		status   int
		say      string
	}{
		{"SELECT x", driver.ErrInvalidQuery, "1:8", 400, "Unrecognized name: x at [1:8]"},
		{"SELECT forbidden", driver.ErrAccessDenied, "", 403, "BigQuery Job User (bigquery.jobs.create) in project my-project"},
		{"SELECT gone", driver.ErrNotFound, "", 404, "d.gone"},
		{"SELECT late", driver.ErrResourcesExceeded, "", 400, "job "},
	} {
		_, err := db.QueryContext(t.Context(), tt.sql)
		var e *driver.Error
		if !errors.As(err, &e) || !errors.Is(err, tt.is) || e.Location != tt.location || e.Status != tt.status || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("%s: got %v (%+v); want %v at %q with status %d and %q", tt.sql, err, e, tt.is, tt.location, tt.status, tt.say)
		}
		if errors.Is(err, driver.ErrQuotaExceeded) {
			t.Errorf("%s: matches another reason", tt.sql)
		}
		var api *googleapi.Error
		if !errors.As(err, &api) {
			t.Errorf("%s: no *googleapi.Error under %v", tt.sql, err)
		}
	}
	if _, err := db.PrepareContext(t.Context(), "SELECT x"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("Prepare: got %v; want invalidQuery", err)
	}
	if _, err := db.BeginTx(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "transactions") {
		t.Errorf("BeginTx: got %v", err)
	}
}

// TestReplacedTransport: programs wrap http.DefaultTransport, for tracing say.
func TestReplacedTransport(t *testing.T) {
	old := http.DefaultTransport
	http.DefaultTransport = http.NewFileTransport(http.Dir(t.TempDir()))
	defer func() { http.DefaultTransport = old }()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	if err := query(t.Context(), open(t, server)); err != nil {
		t.Error(err)
	}
}

// TestBytesLimit: a statement that would cost more than the person wants is refused.
func TestBytesLimit(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Bytes: 2 << 30, Billed: 2 << 30})
	db := open(t, server, func(c *dsn.Config) { c.MaximumBytesBilled = 1 << 30 })
	if _, err := db.QueryContext(t.Context(), "SELECT name, n FROM t"); !errors.Is(err, driver.ErrBytesBilledLimit) {
		t.Errorf("got %v; want bytesBilledLimitExceeded", err)
	}
}

// TestRetry: a statement survives passing faults, and runs once.
func TestRetry(t *testing.T) {
	t.Parallel()
	insert := "INSERT INTO t VALUES (1)"
	for _, tt := range []struct {
		name  string
		fault fakebq.Fault
	}{
		{"503", fakebq.Fail(fakebq.Error{Reason: "backendError"})},
		{"a page of HTML", fakebq.HTML(http.StatusBadGateway)},
		{"rateLimitExceeded", fakebq.Fail(fakebq.Error{Reason: "rateLimitExceeded"})},
		{"a dropped connection", fakebq.Drop()},
		{"the answer lost", fakebq.Drop().After()},
		{"half an answer", fakebq.Cut(20)},
		{"a token refused once", fakebq.Fail(fakebq.Error{Reason: "authError", Status: 401})},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(insert, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}})
			server.Inject(fakebq.Query, tt.fault)
			res, err := open(t, server).ExecContext(t.Context(), insert)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := res.RowsAffected(); n != 1 {
				t.Errorf("RowsAffected: got %d; want 1", n)
			}
			if got := server.Executions(insert); got != 1 {
				t.Errorf("the statement ran %d times; want 1", got)
			}
			if got := server.Count(fakebq.Query); got != 2 {
				t.Errorf("got %d requests; want 2", got)
			}
		})
	}
}

// TestNoRetry: what will not pass is told at once.
func TestNoRetry(t *testing.T) {
	t.Parallel()
	for _, fault := range []fakebq.Fault{
		fakebq.Fail(fakebq.Error{Reason: "invalidQuery"}), fakebq.Fail(fakebq.Error{Reason: "accessDenied"}),
		fakebq.Fail(fakebq.Error{Reason: "quotaExceeded"}), fakebq.Garbage("{}"), fakebq.Garbage("{"), fakebq.Garbage("<html>"), fakebq.Body(307, "text/html", ""),
	} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT name, n FROM t", numbers)
		server.Inject(fakebq.Query, fault)
		if rows, err := open(t, server).QueryContext(t.Context(), "SELECT name, n FROM t"); err == nil {
			rows.Close()
			t.Error("got no error")
		}
		if got := server.Count(); got != 1 {
			t.Errorf("got %d requests; want 1", got)
		}
	}
}

// TestUnauthorized: a token that stays refused is an error after one more try, and the pool drops the connection.
func TestUnauthorized(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{Verify: func(string) (string, bool) { return "", false }})
	db := open(t, server)
	_, err := db.QueryContext(t.Context(), "SELECT 1")
	var e *driver.Error
	if !errors.As(err, &e) || e.Status != 401 {
		t.Errorf("got %v; want an *Error with status 401", err)
	}
	if got := server.Count(); got != 2 {
		t.Errorf("got %d requests; want 2", got)
	}
	if got := db.Stats().OpenConnections; got != 0 {
		t.Errorf("the pool keeps %d connections; want 0", got)
	}
}

func TestScanMistakes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	db := open(t, server)
	rows, err := db.QueryContext(t.Context(), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	var name string
	var n int
	if err := rows.Scan(&name, &n); err == nil {
		t.Error("Scan before Next: got no error")
	}
	rows.Next()
	if err := rows.Scan(&name); err == nil {
		t.Error("Scan of one of two columns: got no error")
	}
	if err := rows.Scan(&n, &name); err == nil {
		t.Error("Scan of a STRING into an int: got no error")
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if rows.Next() {
		t.Error("Next after Close: got a row")
	}
	if err := rows.Scan(&name, &n); err == nil {
		t.Error("Scan after Close: got no error")
	}
	if err := db.QueryRowContext(t.Context(), "SELECT name, n FROM t").Scan(&name, &n); err != nil || name != "Ada" || n != 1 {
		t.Errorf("got %s, %d, %v", name, n, err)
	}
}

// TestRequest pins what the driver asks for.
func TestRequest(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	db := open(t, server, func(c *dsn.Config) {
		c.Dataset, c.Location, c.MaxResults, c.QuotaProject, c.Application = "d", "EU", 2, "quota-project", "report/1.0"
		c.MaximumBytesBilled, c.Labels, c.JobTimeout, c.UseQueryCache = 1<<40, map[string]string{"team": "sales"}, 90*time.Second, new(bool)
	})
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(t.Context(), &stats), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 3 {
		t.Errorf("got %d rows; want 3", len(got))
	}
	first := server.Requests(fakebq.Query)[0]
	req, err := first.QueryRequest()
	if err != nil {
		t.Fatal(err)
	}
	if req.UseLegacySql == nil || *req.UseLegacySql || req.Location != "EU" || req.MaxResults != 2 || req.DefaultDataset == nil ||
		req.DefaultDataset.ProjectId != "my-project" || req.DefaultDataset.DatasetId != "d" || len(req.RequestId) == 0 || len(req.RequestId) > 36 ||
		!req.FormatOptions.UseInt64Timestamp || req.MaximumBytesBilled != 1<<40 || req.Labels["team"] != "sales" || req.JobTimeoutMs != 90_000 ||
		req.UseQueryCache == nil || *req.UseQueryCache {
		t.Errorf("got %+v", req)
	}
	for key, want := range map[string]string{"Authorization": "Bearer token", "X-Goog-User-Project": "quota-project", "User-Agent": "report/1.0 bigqueryuser"} {
		if got := first.Header.Get(key); got != want {
			t.Errorf("header %s: got %q; want %q", key, got, want)
		}
	}
	second := server.Requests(fakebq.GetQueryResults)
	if len(second) != 1 || second[0].Query.Get("location") != "EU" || second[0].Query.Get("maxResults") != "2" {
		t.Errorf("got the second page's request %+v", second)
	}
	if stats.Project != "my-project" || stats.JobID == "" || stats.Location != "EU" || stats.StatementType != "SELECT" || stats.TotalRows != 3 {
		t.Errorf("got %+v", stats)
	}
}
