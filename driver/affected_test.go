package driver_test

import (
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestRowsAffected: every kind of statement says how many rows it has changed, answered at
// once, by a poll and by jobs.insert.
func TestRowsAffected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, sql string
		answer    fakebq.Answer
		want      int64
	}{
		{"INSERT", "INSERT INTO t SELECT 1", fakebq.Answer{DML: &fakebq.DML{Inserted: 3}}, 3},
		{"UPDATE", "UPDATE t SET a = 1 WHERE TRUE", fakebq.Answer{DML: &fakebq.DML{Updated: 4}}, 4},
		{"UPDATE", "UPDATE t SET a = 1 WHERE FALSE", fakebq.Answer{DML: &fakebq.DML{}}, 0},
		{"DELETE", "DELETE FROM t WHERE TRUE", fakebq.Answer{DML: &fakebq.DML{Deleted: 5}}, 5},
		{"MERGE", "MERGE t USING u ON FALSE", fakebq.Answer{DML: &fakebq.DML{Inserted: 1, Updated: 2, Deleted: 3}}, 6},
		{"TRUNCATE_TABLE", "TRUNCATE TABLE t", fakebq.Answer{DML: &fakebq.DML{Deleted: 7}}, 7},
		{"CREATE_TABLE", "CREATE TABLE t (a INT64)", fakebq.Answer{}, 0},
		{"SELECT", "SELECT name, n FROM t", numbers, 0},
		{"SCRIPT", "TRUNCATE TABLE t; INSERT INTO t SELECT 1", fakebq.Answer{Children: []fakebq.Answer{
			{StatementType: "TRUNCATE_TABLE", DML: &fakebq.DML{Deleted: 7}},
			{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 3}},
		}}, 10},
	} {
		for _, way := range []string{"at once", "polled", "inserted"} {
			t.Run(tt.sql+"/"+way, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				answer, opts := tt.answer, []any(nil)
				answer.StatementType = tt.kind
				switch way {
				case "polled":
					answer.Incomplete = 1
				case "inserted":
					opts = []any{batch}
				}
				server.On(tt.sql, answer)
				var stats driver.Stats
				db := open(t, server)
				for _, ctx := range []bool{false, true} {
					with := t.Context()
					if ctx {
						with = driver.WithStats(with, &stats)
					}
					res, err := db.ExecContext(with, tt.sql, opts...)
					if err != nil {
						t.Fatal(err)
					}
					if n, err := res.RowsAffected(); n != tt.want || err != nil {
						t.Errorf("got %d, %v; want %d", n, err, tt.want)
					}
				}
				if stats.RowsAffected != tt.want || stats.RowsInserted+stats.RowsUpdated+stats.RowsDeleted != tt.want ||
					stats.StatementType != tt.kind {
					t.Errorf("got %+v; want %d rows", stats, tt.want)
				}
			})
		}
	}
}

// TestCreatedRows: the rows of CREATE TABLE AS SELECT are asked for by who asks for them, and
// by no other. What is not known is an error, and no 0.
func TestCreatedRows(t *testing.T) {
	t.Parallel()
	const text = "CREATE TABLE d.t AS SELECT 1 AS a"
	created := &fakebq.Created{Table: "example.com:proj.d.t", Rows: 9}
	for _, tt := range []struct {
		name   string
		change func(*fakebq.Answer, *fakebq.Server)
		dry    bool
		want   int64
		err    string
	}{
		{"at once", func(*fakebq.Answer, *fakebq.Server) {}, false, 9, ""},
		{"polled", func(a *fakebq.Answer, _ *fakebq.Server) { a.Incomplete = 1 }, false, 9, ""},
		{"skipped", func(a *fakebq.Answer, _ *fakebq.Server) {
			a.Created = &fakebq.Created{Table: created.Table, Rows: 9, Operation: "SKIP"}
		}, false, 0, ""},
		{"a dry run", func(*fakebq.Answer, *fakebq.Server) {}, true, 0, ""},
		{"a passing fault", func(_ *fakebq.Answer, s *fakebq.Server) {
			s.Inject(fakebq.Get, fakebq.Fail(fakebq.Error{Reason: "backendError"}))
		}, false, 9, ""},
		{"without a name", func(a *fakebq.Answer, _ *fakebq.Server) { a.Created = nil }, false, 0, "is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			answer := fakebq.Answer{StatementType: "CREATE_TABLE_AS_SELECT", Created: created}
			tt.change(&answer, server)
			server.On(text, answer)
			var args []any
			if tt.dry {
				args = []any{driver.DryRun()}
			}
			res, err := open(t, server).ExecContext(t.Context(), text, args...)
			if err != nil {
				t.Fatal(err)
			}
			asked := server.Count()
			for range 2 {
				n, err := res.RowsAffected()
				if n != tt.want || (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %d, %v; want %d, %q", n, err, tt.want, tt.err)
				}
			}
			if tt.name == "at once" && (asked != 1 || server.Count() != 3) {
				t.Errorf("got %d requests, and %d with RowsAffected; want 1 and 3", asked, server.Count())
			}
		})
	}
}

func TestLastInsertId(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
	res, err := open(t, server).ExecContext(t.Context(), insert)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := res.LastInsertId(); id != 0 || err == nil ||
		!strings.Contains(err.Error(), "no last insert id: use GENERATE_UUID()") {
		t.Errorf("got %d, %v; want an error that says what to do", id, err)
	}
}

// TestQueryOfAnything: what has no rows has no columns either, and QueryRow says so in
// database/sql's words.
func TestQueryOfAnything(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("INSERT", fakebq.Answer{DML: &fakebq.DML{Inserted: 3}})
	server.On("CREATE", fakebq.Answer{StatementType: "CREATE_TABLE"})
	server.On("TRUNCATE", fakebq.Answer{StatementType: "TRUNCATE_TABLE", DML: &fakebq.DML{Deleted: 7}})
	server.On("SELECT", fakebq.Answer{Fields: numbers.Fields})
	db := open(t, server)
	for text, want := range map[string][]string{"INSERT": {}, "CREATE": {}, "TRUNCATE": {}, "SELECT": {"name", "n"}} {
		rows, err := db.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil || !reflect.DeepEqual(columns, want) {
			t.Errorf("%s: got columns %q, %v; want %q", text, columns, err, want)
		}
		if got := readAll(t, rows); len(got) != 0 || rows.NextResultSet() {
			t.Errorf("%s: got rows %v; want none", text, got)
		}
		if err := db.QueryRowContext(t.Context(), text).Scan(new(any)); !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("%s by QueryRow: got %v; want sql.ErrNoRows", text, err)
		}
		if got := server.Executions(text); got != 2 {
			t.Errorf("%s: ran %d times; want 2", text, got)
		}
	}
}

// TestStatsOfAFailure: a failed statement does not leave the numbers of the one before it.
func TestStatsOfAFailure(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", fakebq.Answer{
		Fields: numbers.Fields,
		Rows:   numbers.Rows,
		Bytes:  100,
		Billed: 10 << 20,
	})
	server.On("SELECT late", fakebq.Answer{Incomplete: 1, Err: &fakebq.Error{Reason: "resourcesExceeded"}})
	db := open(t, server)
	var stats driver.Stats
	ctx := driver.WithStats(t.Context(), &stats)
	if _, err := db.ExecContext(ctx, "SELECT name, n FROM t"); err != nil {
		t.Fatal(err)
	}
	job := stats.JobID
	for _, run := range []func() error{
		func() error { _, err := db.ExecContext(ctx, "SELECT late"); return err },
		func() error { _, err := db.QueryContext(ctx, "SELECT late"); return err },
	} {
		if err := run(); !errors.Is(err, driver.ErrResourcesExceeded) {
			t.Fatal(err)
		}
		if stats.Query != "SELECT late" || stats.BytesBilled != 0 || stats.JobID == "" ||
			stats.JobID == job || stats.Duration <= 0 {
			t.Errorf("got %+v; want those of the failed job", stats)
		}
	}
}
