package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestRunTransaction begins again after a conflict, in the function or in Commit, and after nothing else.
func TestRunTransaction(t *testing.T) {
	t.Parallel()
	conflict := &fakebq.Error{
		Reason:  "invalidQuery",
		Message: "Transaction is aborted due to concurrent update against table p:d.t. Transaction ID: 1",
	}
	bad := errors.New("no")
	run := func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, insert)
		return err
	}
	committed := fakebq.Answer{StatementType: "COMMIT_TRANSACTION"}
	for _, tt := range []struct {
		name    string
		insert  []fakebq.Answer
		commit  []fakebq.Answer
		f       func(context.Context, *sql.Tx) error
		want    error
		runs    int
		commits int
	}{
		{"no conflict", nil, nil, run, nil, 1, 1},
		{"conflict at Commit", nil, []fakebq.Answer{{Err: conflict}, committed}, run, nil, 2, 2},
		{"conflict in the function", []fakebq.Answer{{Err: conflict}, {DML: &fakebq.DML{}}}, nil, run, nil, 2, 1},
		{
			"conflict wrapped by the function", []fakebq.Answer{{Err: conflict}, {DML: &fakebq.DML{}}}, nil,
			func(ctx context.Context, tx *sql.Tx) error {
				if err := run(ctx, tx); err != nil {
					return fmt.Errorf("transfer: %w", err)
				}
				return nil
			}, nil, 2, 1,
		},
		{
			"conflict that the function hides", []fakebq.Answer{{Err: conflict}, {DML: &fakebq.DML{}}}, nil,
			func(ctx context.Context, tx *sql.Tx) error { _ = run(ctx, tx); return nil }, nil, 2, 1,
		},
		{"another error of the function", nil, nil, func(context.Context, *sql.Tx) error { return bad }, bad, 1, 0},
		{
			"another error of BigQuery",
			[]fakebq.Answer{{Err: &fakebq.Error{Reason: "invalidQuery", Message: "Division by zero"}}}, nil, run,
			driver.ErrInvalidQuery, 1, 0,
		},
		{
			"an unknown outcome that met a conflict", nil, nil,
			func(context.Context, *sql.Tx) error {
				return errors.Join(driver.ErrOutcomeUnknown, driver.ErrConcurrentUpdate)
			},
			driver.ErrOutcomeUnknown, 1, 0,
		},
		{
			"an unknown commit", nil, nil,
			func(context.Context, *sql.Tx) error {
				return errors.Join(driver.ErrCommitUnknown, driver.ErrConcurrentUpdate)
			},
			driver.ErrCommitUnknown, 1, 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			if tt.insert != nil {
				server.On(insert, tt.insert...)
			}
			if tt.commit != nil {
				server.On(commit, tt.commit...)
			}
			runs := 0
			err := driver.RunTransaction(
				t.Context(),
				open(t, server),
				nil,
				func(ctx context.Context, tx *sql.Tx) error {
					runs++
					return tt.f(ctx, tx)
				},
			)
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil || runs != tt.runs {
				t.Errorf("got %v after %d runs; want %v after %d", err, runs, tt.want, tt.runs)
			}
			commits := 0
			texts, _ := statements(t, server)
			for _, text := range texts {
				if text == commit {
					commits++
				}
			}
			if commits != tt.commits {
				t.Errorf("got %d commits; want %d", commits, tt.commits)
			}
		})
	}
}

// TestRunTransactionEnds: it gives up with its context, and rolls back where the function panics.
func TestRunTransactionEnds(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	server.On(commit, fakebq.Answer{Err: &fakebq.Error{
		Reason:  "invalidQuery",
		Message: "Transaction is aborted due to concurrent update against table p:d.t. Transaction ID: 1",
	}})
	db := open(t, server)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runs := 0
	err := driver.RunTransaction(ctx, db, nil, func(context.Context, *sql.Tx) error {
		if runs++; runs == 3 {
			time.AfterFunc(50*time.Millisecond, cancel)
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || runs < 3 || runs > 4 ||
		!errors.Is(err, driver.ErrConcurrentUpdate) && !errors.Is(err, driver.ErrCommitUnknown) {
		t.Errorf("got %v after %d runs; want the end of the context and the conflict", err, runs)
	}
	server = transactions(t) // the first one may still end the session of a COMMIT that was given up
	db = open(t, server)
	func() {
		defer func() { _ = recover() }()
		_ = driver.RunTransaction(t.Context(), db, nil, func(context.Context, *sql.Tx) error { panic("no") })
	}()
	if texts, _ := statements(t, server); texts[len(texts)-1] != rollback {
		t.Errorf("got %q last; want a rollback", texts[len(texts)-1])
	}
	err = driver.RunTransaction(
		t.Context(),
		db,
		&sql.TxOptions{ReadOnly: true},
		func(context.Context, *sql.Tx) error { return nil },
	)
	if err == nil {
		t.Error("a read-only transaction: got no error")
	}
}
