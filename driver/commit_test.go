package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestCommitOutcome: a COMMIT whose answer is lost is asked for again, by the same request id;
// where the answer stays away the error says that it is not known, and where there is one, it says
// what happened.
func TestCommitOutcome(t *testing.T) {
	t.Parallel()
	conflict := fakebq.Answer{Err: &fakebq.Error{
		Reason:  "invalidQuery",
		Message: "Transaction is aborted due to concurrent update against table my-project:d.t. Transaction ID: 1",
	}}
	refused := fakebq.Answer{
		Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Transaction control statements are not allowed here"},
	}
	done := fakebq.Answer{StatementType: "COMMIT_TRANSACTION"}
	polled := done
	polled.Incomplete = 1
	unavailable := make([]fakebq.Fault, 20)
	for i := range unavailable {
		unavailable[i] = fakebq.HTML(http.StatusServiceUnavailable)
	}
	for _, tt := range []struct {
		name    string
		answer  fakebq.Answer
		method  fakebq.Method
		faults  []fakebq.Fault
		unknown bool
		want    error // nil: committed, unless it is unknown
	}{
		{"the answer is lost once", done, fakebq.Query, []fakebq.Fault{fakebq.Cut(10)}, true, driver.ErrInvalidQuery},
		{
			"503 after it",
			done,
			fakebq.Query,
			[]fakebq.Fault{fakebq.HTML(http.StatusServiceUnavailable).After()},
			true,
			driver.ErrInvalidQuery,
		},
		{"503 before it", done, fakebq.Query, []fakebq.Fault{fakebq.HTML(http.StatusServiceUnavailable)}, false, nil},
		{"the answer stays away", done, fakebq.Query, append([]fakebq.Fault{fakebq.Cut(10)}, unavailable...), true, nil},
		{"polls stay unanswered", polled, fakebq.GetQueryResults, unavailable, true, nil},
		{"refused after a lost answer", refused, fakebq.Query, []fakebq.Fault{fakebq.Drop()}, true, driver.ErrInvalidQuery},
		{"refused", refused, fakebq.Query, nil, false, driver.ErrInvalidQuery},
		{"a conflict", conflict, fakebq.Query, nil, false, driver.ErrConcurrentUpdate},
		{
			"a conflict after a lost answer",
			conflict,
			fakebq.Query,
			[]fakebq.Fault{fakebq.Drop().After()},
			false,
			driver.ErrConcurrentUpdate,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			server.On(commit, tt.answer)
			db := openPausing(t, server, noPause)
			tx := beginTx(t, db)
			server.Inject(tt.method, tt.faults...)
			err := tx.Commit()
			if errors.Is(err, driver.ErrCommitUnknown) != tt.unknown || tt.want != nil && !errors.Is(err, tt.want) ||
				(err == nil) != (tt.want == nil && !tt.unknown) {
				t.Errorf("got %v; want %v, unknown: %t", err, tt.want, tt.unknown)
			}
			if _, ok := errors.AsType[*driver.Error](err); err != nil && !ok {
				t.Errorf("got %v; want what BigQuery said in it", err)
			}
			if err == nil && server.Executions(commit) != 1 {
				t.Errorf("COMMIT ran %d times; want 1", server.Executions(commit))
			}
			server.WaitIdle(t)
			if err != nil && server.Faults() == 0 {
				wantNoSessions(t, db, server)
			}
		})
	}
}

// TestEndInCommit: the context of BeginTx bounds Commit and Rollback too; the session goes, and
// with it whatever is left of the transaction.
func TestEndInCommit(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*sql.Tx) error{"Commit": (*sql.Tx).Commit, "Rollback": (*sql.Tx).Rollback} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := transactions(t)
			db := open(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer := make(chan struct{})
			server.Inject(fakebq.Query, fakebq.Hang(answer))
			go func() {
				server.WaitFor(t, fakebq.Query, 2)
				cancel()
			}()
			err = end(tx)
			if !errors.Is(err, context.Canceled) || errors.Is(err, driver.ErrCommitUnknown) != (name == "Commit") {
				t.Errorf("got %v; want context.Canceled", err)
			}
			close(answer)
			wantNoSessions(t, db, server)
		})
	}
}

// TestEndBeforeCommit: a transaction whose context has ended is rolled back, and no COMMIT is sent.
func TestEndBeforeCommit(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	tx, err := db.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if _, err := tx.ExecContext(ctx, insert); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v; want context.DeadlineExceeded", err)
	}
	if err := tx.Commit(); err != nil { // nothing was sent that could have failed
		t.Errorf("a context without end: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	if tx, err = db.BeginTx(ctx, nil); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := tx.Commit(); !errors.Is(err, context.Canceled) && !errors.Is(err, sql.ErrTxDone) {
		t.Errorf("got %v; want context.Canceled or sql.ErrTxDone", err)
	}
	server.WaitFor(t, fakebq.Query, 4)
	server.WaitIdle(t)
	if c, r := server.Executions(commit), server.Executions(rollback); c != 1 || r != 1 {
		t.Errorf("got %d commits and %d rollbacks; want 1 and 1", c, r)
	}
}
