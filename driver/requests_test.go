package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// counts are requests by method.
type counts = map[fakebq.Method]int

// TestRequests counts the requests of everyday statements, REST and gRPC: each is as few as the
// API allows.
func TestRequests(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	big, err := fakebq.NewTable(numbers.Fields, 100_000, func(i int) []any { return []any{fmt.Sprint("name ", i), i} })
	if err != nil {
		t.Fatal(err)
	}
	server.On("SELECT name, n FROM t", numbers)
	server.On("INSERT INTO t VALUES ('x', ?)", fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 3}})
	server.On("CREATE TABLE t (a INT64)", fakebq.Answer{StatementType: "CREATE_TABLE"})
	const procedure = "CREATE PROCEDURE p() BEGIN SELECT 1; END"
	server.On(procedure, fakebq.Answer{StatementType: "SCRIPT"}) // BigQuery's word for it
	server.On("SELECT 1", fakebq.Answer{Fields: []fakebq.Field{{Name: "f0_", Type: "INTEGER"}}, Rows: [][]any{{1}}})
	server.On("SELECT name, n FROM t WHERE n > ?", numbers)
	server.On("SELECT name, n FROM paged", fakebq.Answer{
		Fields:   numbers.Fields,
		Rows:     numbers.Rows,
		Repeat:   3,
		PageSize: 3,
	})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Incomplete: 2})
	server.On("SELECT big", fakebq.Answer{Table: big})
	server.On("SELECT big ORDER BY n", fakebq.Answer{Table: big})
	server.On("BEGIN TRANSACTION", fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
	server.On("COMMIT TRANSACTION", fakebq.Answer{StatementType: "COMMIT_TRANSACTION"})

	db := open(t, server)
	db.SetMaxOpenConns(1)
	storage := open(t, server, overStorage(server))
	ctx := t.Context()
	sel := func(db *sql.DB, query string, rows int) func() error {
		return func() error { return countRows(ctx, db, query, rows) }
	}
	insert := func(run func(context.Context, string, ...any) (sql.Result, error)) error {
		res, err := run(ctx, "INSERT INTO t VALUES ('x', ?)", 1)
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
	}
	transaction := func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		return errors.Join(insert(tx.ExecContext), tx.Commit())
	}
	for _, tt := range []struct {
		name string
		run  func() error
		want counts
	}{
		{"Ping", func() error { return db.PingContext(ctx) }, counts{fakebq.Insert: 1}},
		{"SELECT of one row", sel(db, "SELECT 1", 1), counts{fakebq.Query: 1}},
		{"SELECT of one page", sel(db, "SELECT name, n FROM t", 3), counts{fakebq.Query: 1}},
		{"DML with RowsAffected", func() error { return insert(db.ExecContext) }, counts{fakebq.Query: 1}},
		{
			"DDL",
			func() error { _, err := db.ExecContext(ctx, "CREATE TABLE t (a INT64)"); return err },
			counts{fakebq.Query: 1},
		},
		{
			"CREATE PROCEDURE",
			func() error { _, err := db.ExecContext(ctx, procedure); return err },
			counts{fakebq.Query: 1},
		},
		{"CREATE PROCEDURE by Query", sel(db, procedure, 0), counts{fakebq.Query: 1}},
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
		}, counts{fakebq.Insert: 1, fakebq.Query: 2}},
		{"Begin, Exec, Commit for the first time", transaction, counts{fakebq.Query: 3}},
		{"Begin, Exec, Commit", transaction, counts{fakebq.Query: 3}},
		{"three pages", sel(db, "SELECT name, n FROM paged", 9), counts{fakebq.Query: 1, fakebq.GetQueryResults: 2}},
		{"a job that goes on", sel(db, "SELECT slow", 3), counts{fakebq.Query: 1, fakebq.GetQueryResults: 2}},
		{"100,000 rows over REST", sel(db, "SELECT big", 100_000), counts{fakebq.Query: 1, fakebq.GetQueryResults: 1}},
		{"100,000 rows over Storage, in order", sel(storage, "SELECT big ORDER BY n", 100_000),
			counts{fakebq.Query: 1, fakebq.Get: 1, fakebq.CreateReadSession: 1, fakebq.ReadRows: 1}},
		{"a small result, where Storage could be used", sel(storage, "SELECT name, n FROM t", 3), counts{fakebq.Query: 1}},
	} {
		server.ResetLog()
		if err := tt.run(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := server.Counts(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got requests %v; want %v", tt.name, got, tt.want)
		}
	}

	// Without an order to keep, one stream per processor is read.
	server.ResetLog()
	if err := countRows(ctx, storage, "SELECT big", 100_000); err != nil {
		t.Error(err)
	}
	got := maps.Clone(server.Counts())
	streams := got[fakebq.ReadRows]
	delete(got, fakebq.ReadRows)
	want := counts{fakebq.Query: 1, fakebq.Get: 1, fakebq.CreateReadSession: 1}
	if streams < 1 || streams > 8 || !reflect.DeepEqual(got, want) {
		t.Errorf("100,000 rows over Storage: got requests %v and %d streams; want %v and 1 to 8", got, streams, want)
	}
}

func countRows(ctx context.Context, db *sql.DB, query string, want int) error {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if n != want {
		return fmt.Errorf("got %d rows, %v; want %d", n, rows.Err(), want)
	}
	return rows.Err()
}

// TestPages: the first page of a result is small, unless the configuration says how large pages
// are, and the others are as BigQuery makes them. What was read of one page stays as it was
// when the next is read.
func TestPages(t *testing.T) {
	t.Parallel()
	fields := []fakebq.Field{
		{Name: "i", Type: "INTEGER"},
		{Name: "s", Type: "STRING"},
		{Name: "b", Type: "BYTES"},
		{Name: "l", Type: "STRING", Mode: "REPEATED"},
	}
	table, err := fakebq.NewTable(fields, 25_000, func(i int) []any {
		s := fmt.Sprint("row ", i)
		return []any{i, s, []byte(s), []string{s, s}}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		max   int64
		pages int
	}{
		{"the driver's sizes", 0, 2},
		{"a size that is given", 10_000, 3},
	} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT *", fakebq.Answer{Table: table})
		db := open(t, server, func(c *dsn.Config) { c.MaxResults = tt.max })
		rows, err := db.QueryContext(t.Context(), "SELECT *")
		if err != nil {
			t.Fatal(err)
		}
		all := readAll(t, rows)
		if len(all) != 25_000 {
			t.Fatalf("got %d rows; want 25,000", len(all))
		}
		for i, row := range all {
			s := fmt.Sprint("row ", i)
			if want := []any{int64(i), s, []byte(s), []string{s, s}}; !reflect.DeepEqual(row, want) {
				t.Fatalf("row %d: got %v; want %v", i, row, want)
			}
		}
		first, err := server.Requests(fakebq.Query)[0].QueryRequest()
		if err != nil {
			t.Fatal(err)
		}
		sizes := []string{fmt.Sprint(first.MaxResults)}
		for _, r := range server.Requests(fakebq.GetQueryResults) {
			sizes = append(sizes, r.Query.Get("maxResults"))
		}
		if len(sizes) != tt.pages || sizes[0] != "10000" || tt.max > 0 && slices.Max(sizes) != "10000" {
			t.Errorf("%s: got pages of %q; want %d, the first of 10000 rows", tt.name, sizes, tt.pages)
		}
	}
}
