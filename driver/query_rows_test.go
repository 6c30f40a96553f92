package driver_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

type numbered struct {
	I int
	S string
}

// collect reads all rows of a Query.
func collect[T any](ctx context.Context, q driver.Queryer, text string) (all []T, err error) {
	for v, err := range driver.Query[T](ctx, q, text) {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// TestQuery: over both paths each row comes once, in order where they are ordered, also when streams break.
func TestQuery(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		server.InjectStream(fakebq.ReadRows, fakebq.StreamFault{Code: 14, Message: "gone", After: 1},
			fakebq.StreamFault{Code: 14, Message: "gone", After: 2})
		rows, err := collect[numbered](t.Context(), open(t, server, configure), query)
		var got []int
		for _, r := range rows {
			got = append(got, r.I)
			if r.S != fmt.Sprint("row ", r.I) {
				t.Errorf("row %d has %q", r.I, r.S)
			}
		}
		if problem := everyRowOnce(got, query == ordered); err != nil || problem != "" {
			t.Errorf("got %v, %s", err, problem)
		}
	})
}

// TestQueryBreak: leaving the loop, also by a panic, closes everything, and the connection is used again.
func TestQueryBreak(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		db := open(t, server, configure)
		for _, after := range []int{1, 99, 100, 101, 500} {
			n := 0
			for _, err := range driver.Query[numbered](t.Context(), db, query) {
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == after {
					break
				}
			}
			server.WaitIdle(t)
			server.WaitStreams(t)
		}
		func() {
			defer func() { _ = recover() }()
			for range driver.Query[*numbered](t.Context(), db, query) {
				panic("left")
			}
		}()
		server.WaitIdle(t)
		server.WaitStreams(t)
		if got := db.Stats().OpenConnections; got != 1 {
			t.Errorf("got %d connections; want the first one to be used again", got)
		}
	})
}

// TestQueryEnds: database/sql closes the rows from another goroutine, because ctx or the transaction has ended. The
// loop ends with an error after it, and yields no more.
func TestQueryEnds(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"ctx", "transaction", "connection"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
				server.On(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
				server.On(rollback, fakebq.Answer{StatementType: "ROLLBACK_TRANSACTION"})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				db := open(t, server, configure)
				var q driver.Queryer = db
				end := cancel
				switch how {
				case "transaction":
					tx, err := db.BeginTx(t.Context(), nil)
					if err != nil {
						t.Fatal(err)
					}
					q, end = tx, func() { _ = tx.Rollback() }
				case "connection":
					conn, err := db.Conn(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					q = conn
				}
				ended := make(chan struct{})
				n, failed := 0, 0
				for _, err := range driver.Query[numbered](ctx, q, query) {
					if failed > 0 {
						t.Error("got more after an error")
					}
					if err != nil {
						failed++
						if how != "transaction" && !errors.Is(err, context.Canceled) {
							t.Errorf("got %v; want context.Canceled", err)
						}
						continue
					}
					if n++; n == 150 {
						go func() {
							end()
							close(ended)
						}()
					}
				}
				<-ended
				if failed == 0 && n < bigRows {
					t.Errorf("got %d rows and no error", n)
				}
			})
		})
	}
}

// TestQueryBinding: a result that does not fit T is an error before the first row, which names column and field; a
// value that does not fit is one at its row.
func TestQueryBinding(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	at := fakebq.Field{Name: "at", Type: "TIMESTAMP"}
	n := fakebq.Field{Name: "n", Type: "INTEGER"}
	inner := fakebq.Field{Name: "s", Type: "RECORD", Fields: []fakebq.Field{at, n}}
	lines := inner
	lines.Name, lines.Mode = "lines", "REPEATED"
	server.On("times", fakebq.Answer{Fields: []fakebq.Field{n, at}})
	server.On("nested", fakebq.Answer{Fields: []fakebq.Field{inner, lines}})
	twice := fakebq.Field{Name: "s", Type: "RECORD", Fields: []fakebq.Field{n, {Name: "N", Type: "INTEGER"}}}
	server.On("twice", fakebq.Answer{Fields: []fakebq.Field{twice}})
	server.On("big", fakebq.Answer{Fields: []fakebq.Field{n}, Rows: [][]any{{1}, {2}, {300}, {4}}})
	server.On("null", fakebq.Answer{Fields: []fakebq.Field{n, at}, Rows: [][]any{{1, nil}, {nil, nil}}})
	db := open(t, server)
	for _, tt := range []struct {
		name string
		run  func() (int, error)
		want []string
		rows int
	}{
		{"a time into an int", countOf[badTime](t, db, "times"), []string{`column "at"`, "the field At of", "TIMESTAMP"}, 0},
		{"a pointer too", countOf[*badTime](t, db, "times"), []string{`column "at"`, "the field At of"}, 0},
		{"in a STRUCT", countOf[badStruct](t, db, "nested"), []string{`column "s"`, "the field S", "the field At"}, 0},
		{"in an ARRAY", countOf[badArray](t, db, "nested"), []string{`column "lines"`, "Lines", "the field N"}, 0},
		{"in a map", countOf[map[string]int](t, db, "times"), []string{`column "at"`, "TIMESTAMP"}, 0},
		{"two columns into one", countOf[int](t, db, "times"), []string{"2 columns"}, 0},
		{"an ARRAY into a number", countOf[struct{ Lines int }](t, db, "nested"), []string{`column "lines"`, "ARRAY"}, 0},
		{"a name twice", countOf[struct{ S struct{ N int } }](t, db, "twice"), []string{`column "s"`, "N: ", "twice"}, 0},
		{"a channel", countOf[chan int](t, db, "big"), []string{`column "n"`, "chan int"}, 0},
		{"too large", countOf[int8](t, db, "big"), []string{"row 3", `column "n"`, "300 is out of the range of int8"}, 2},
		{"NULL", countOf[struct{ N int }](t, db, "null"), []string{"row 2", `column "n"`, "NULL can't be put into a int"}, 1},
		{"NULL into a map", countOf[map[string]any](t, db, "null"), nil, 2},
		{"no such field", countOf[struct{ X int }](t, db, "times"), nil, 0},
		{"refused", countOf[int](t, db, "unknown"), []string{"no answer"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := tt.run()
			if rows != tt.rows || (err == nil) != (tt.want == nil) {
				t.Fatalf("got %d rows and %v; want %d and an error with %q", rows, err, tt.rows, tt.want)
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("got %v; want %q in it", err, part)
				}
			}
		})
	}
}

type (
	badTime   struct{ At int }
	badStruct struct{ S struct{ At bool } }
	badArray  struct{ Lines []struct{ N []int } }
)

func countOf[T any](t *testing.T, q driver.Queryer, text string) func() (int, error) {
	return func() (int, error) {
		all, err := collect[T](t.Context(), q, text)
		return len(all), err
	}
}

// TestQueryRows: what a row can become, over both paths.
func TestQueryRows(t *testing.T) {
	t.Parallel()
	type embedded struct{ N *int }
	type row struct {
		embedded
		Title string `bigquery:"name"`
	}
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT", fakebq.Answer{Fields: numbers.Fields, Rows: [][]any{{"Ada", 1}, {"Grace", nil}}, PageSize: 1})
	server.On("SELECT 1", fakebq.Answer{Fields: numbers.Fields[1:], Rows: [][]any{{1}, {nil}}, PageSize: 1})
	one := 1
	for _, path := range []string{"rest", "storage"} {
		db := open(t, server, func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = path, server.StorageURL() })
		check(t, db, "SELECT", []row{{embedded{&one}, "Ada"}, {embedded{nil}, "Grace"}})
		check(t, db, "SELECT", []*row{{embedded{&one}, "Ada"}, {embedded{nil}, "Grace"}})
		check(t, db, "SELECT", []map[string]any{{"name": "Ada", "n": int64(1)}, {"name": "Grace", "n": nil}})
		check(t, db, "SELECT", []map[string]*string{{"name": text("Ada"), "n": text("1")}, {"name": text("Grace"), "n": nil}})
		check(t, db, "SELECT", []driver.Struct{
			{Fields: []driver.StructField{{Name: "name", Value: "Ada"}, {Name: "n", Value: int64(1)}}},
			{Fields: []driver.StructField{{Name: "name", Value: "Grace"}, {Name: "n"}}},
		})
		check(t, db, "SELECT", []struct{}{{}, {}})
		check(t, db, "SELECT 1", []*int{&one, nil})
		check(t, db, "SELECT 1", []any{int64(1), nil})
		check(t, db, "SELECT 1", []sql.Null[uint8]{{V: 1, Valid: true}, {}})
	}
}

func text(s string) *string { return &s }

func check[T any](t *testing.T, q driver.Queryer, query string, want []T) {
	t.Helper()
	if got, err := collect[T](t.Context(), q, query); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%T: got %+v, %v; want %+v", want, got, err, want)
	}
}

// TestQueryStats: the observer gets the number of rows that were read, and each loop runs the statement again.
func TestQueryStats(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT", numbers)
	db, seen := observed(t, server)
	type row struct {
		Name *string
		N    *int
	}
	rows := driver.Query[row](t.Context(), db, "SELECT")
	for _, take := range []int64{1, 2, 3} {
		n := int64(0)
		var stats driver.Stats
		for range driver.Query[row](driver.WithStats(t.Context(), &stats), db, "SELECT") {
			if n++; n == take {
				break
			}
		}
		for range rows {
			break
		}
		told := seen()
		if len(told) != 2 || told[0].stats.RowsRead != take || told[1].stats.RowsRead != 1 || stats.TotalRows != 3 {
			t.Errorf("got %+v and %+v; want two statements, %d rows read and 1", told, stats, take)
		}
	}
	for range driver.Query[int](t.Context(), db, "SELECT") {
	}
	if told := seen(); len(told) != 1 || told[0].err == nil {
		t.Errorf("got %+v; want the error", told)
	}
}

// TestQueryScript: the rows of a script are those of its first SELECT; a change has none.
func TestQueryScript(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	one := fakebq.Answer{StatementType: "SELECT", Fields: numbers.Fields[1:], Rows: [][]any{{1}}}
	two := fakebq.Answer{StatementType: "SELECT", Fields: numbers.Fields, Rows: numbers.Rows}
	server.On("SELECT 1; SELECT 2", fakebq.Answer{Children: []fakebq.Answer{one, two}})
	server.On("INSERT INTO t VALUES (1)", fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
	db := open(t, server)
	check(t, db, "SELECT 1; SELECT 2", []int{1})
	check(t, db, "INSERT INTO t VALUES (1)", []int(nil))
}

// otherDriver is a database of another driver, with one row.
type otherDriver struct{ rows atomic.Int64 }

func (d *otherDriver) Connect(context.Context) (sqldriver.Conn, error) { return d, nil }
func (d *otherDriver) Driver() sqldriver.Driver                        { return nil }
func (d *otherDriver) Prepare(string) (sqldriver.Stmt, error)          { return nil, errors.New("none") }
func (d *otherDriver) Begin() (sqldriver.Tx, error)                    { return nil, errors.New("none") }
func (d *otherDriver) Columns() []string                               { return []string{"a"} }
func (d *otherDriver) Next([]sqldriver.Value) error                    { return io.EOF }
func (d *otherDriver) Close() error {
	d.rows.Add(-1)
	return nil
}
func (d *otherDriver) QueryContext(context.Context, string, []sqldriver.NamedValue) (sqldriver.Rows, error) {
	d.rows.Add(1)
	return d, nil
}

// TestQueryOtherDriver: a database of another driver is an error, and its rows are closed.
func TestQueryOtherDriver(t *testing.T) {
	t.Parallel()
	other := &otherDriver{}
	db := sql.OpenDB(other)
	if _, err := collect[int](t.Context(), db, "SELECT"); err == nil || !strings.Contains(err.Error(), "*sql.DB") {
		t.Errorf("got %v; want an error that names the Queryer", err)
	}
	if n := other.rows.Load(); n != 0 {
		t.Errorf("got %d rows open", n)
	}
	db.Close()
}
