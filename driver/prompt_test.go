package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestSilentServer: of a server that does not answer the caller is free within 100 ms of the
// deadline, whatever it asked for. The best of five tries counts, since the machine may be
// busy.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	const limit, slack = 30 * time.Millisecond, 100 * time.Millisecond
	for name, ask := range map[string]func(t *testing.T, ctx context.Context, s *fakebq.Server, db *sql.DB) error{
		"Query": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.QueryContext(ctx, "SELECT name, n FROM t")
			return err
		},
		"QueryRow": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			return db.QueryRowContext(ctx, "SELECT name, n FROM t").Scan(new(any), new(any))
		},
		"Exec": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.ExecContext(ctx, insert)
			return err
		},
		"Exec by jobs.insert": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.ExecContext(ctx, insert, batch)
			return err
		},
		"Exec, its poll": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.ExecContext(ctx, "SELECT slow")
			return err
		},
		"Prepare": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.PrepareContext(ctx, insert)
			return err
		},
		"the types of arguments": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.ExecContext(ctx, "INSERT INTO t VALUES (?)", nil)
			return err
		},
		"Ping": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			return db.PingContext(ctx)
		},
		"Estimate": func(t *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			conn, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, err = driver.Estimate(ctx, conn, insert)
			return err
		},
		"Begin": func(_ *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			_, err := db.BeginTx(ctx, nil)
			return err
		},
		"Next of a further page": func(t *testing.T, ctx context.Context, _ *fakebq.Server, db *sql.DB) error {
			rows, err := db.QueryContext(ctx, "SELECT paged")
			if err != nil {
				return err // of a machine so busy that the first page came too late
			}
			defer rows.Close()
			for rows.Next() {
			}
			return rows.Err()
		},
		"NextResultSet": func(t *testing.T, ctx context.Context, s *fakebq.Server, db *sql.DB) error {
			rows, err := db.QueryContext(ctx, script)
			if err != nil {
				return err // the first result is fetched, too
			}
			defer rows.Close()
			for rows.NextResultSet() {
			}
			return rows.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var late time.Duration
			for range 5 {
				server := transactions(t)
				server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
				server.On("SELECT paged", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Repeat: 9, PageSize: 3})
				server.On(script, scriptAnswer)
				silent := []fakebq.Method{fakebq.GetQueryResults}
				if name != "Exec, its poll" && name != "Next of a further page" && name != "NextResultSet" {
					silent = append(silent, fakebq.Query, fakebq.Insert)
				}
				for _, method := range silent {
					server.Inject(method, fakebq.HangBefore(nil))
				}
				db := open(t, server)
				ctx, cancel := context.WithTimeout(t.Context(), limit)
				deadline, _ := ctx.Deadline()
				err := ask(t, ctx, server, db)
				late = time.Since(deadline)
				cancel()
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("got %v; want context.DeadlineExceeded", err)
				}
				server.Close() // ends what hangs
				if late <= slack {
					return
				}
			}
			t.Errorf("the caller was free %v after the deadline; want at most %v", late, slack)
		})
	}
	for name, end := range map[string]func(*sql.Tx) error{"Commit": (*sql.Tx).Commit, "Rollback": (*sql.Tx).Rollback} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var late time.Duration
			for try := range 5 {
				server := transactions(t)
				db := open(t, server)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second<<try)
				tx, err := db.BeginTx(ctx, nil)
				if err != nil {
					cancel()
					continue // the machine is too busy
				}
				server.Inject(fakebq.Query, fakebq.HangBefore(nil))
				deadline, _ := ctx.Deadline()
				err = end(tx)
				late = time.Since(deadline)
				cancel()
				if errors.Is(err, sql.ErrTxDone) {
					continue // database/sql has rolled back before
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatalf("got %v; want context.DeadlineExceeded", err)
				}
				server.Close()
				if late <= slack {
					return
				}
			}
			t.Errorf("the caller was free %v after the deadline; want at most %v", late, slack)
		})
	}
}
