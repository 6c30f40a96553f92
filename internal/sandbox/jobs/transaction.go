package jobs

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
)

// transaction is an open transaction of a session. DuckDB keeps its rows apart
// from everybody else's; the conflicts between transactions are the sandbox's
// own, because BigQuery's are between tables and DuckDB's between rows.
type transaction struct {
	id string
	// begun is the catalog's clock when the transaction began.
	begun int64
	// claimed are the tables whose rows it has changed or deleted, with the lock of each;
	// appended are those that it has only added rows to.
	claimed, appended map[*catalog.Table]bool
	// temp are the temporary tables as they were when it began.
	temp map[string]*catalog.Table
	// broken tells of an error in it, after which DuckDB has given up its rows. It keeps its tables until it ends.
	broken bool
}

// broken reports whether the session has a transaction that can only be rolled back.
func (s *session) broken() bool { return s != nil && s.tx != nil && s.tx.broken }

// controlTypes are the statements about sessions and transactions.
var controlTypes = []string{"BEGIN_TRANSACTION", "COMMIT_TRANSACTION", "ROLLBACK_TRANSACTION", "CALL"}

// conflict returns the error of a transaction that has lost a table to another
// one.
func (tx *transaction) conflict(t *catalog.Table) *apierror.Error {
	return apierror.Errorf("invalidQuery", apierror.AbortedByUpdate+" against table %s. Transaction ID: %s", t.Name,
		tx.id)
}

// executeControl runs a statement about a session or its transaction.
func (s *Runner) executeControl(q *query, p *plan) (*outcome, *apierror.Error) {
	if p.stmt.Type == "CALL" {
		return &outcome{}, s.abortSession(p.who, q, p.stmt.Session)
	}
	sess := q.session
	if sess == nil {
		return nil, outsideSession()
	}
	switch {
	case p.stmt.Type == "BEGIN_TRANSACTION" && sess.tx != nil:
		return nil, apierror.Errorf("invalidQuery", "A transaction is already open in this session; transactions "+
			"cannot be nested")
	case p.stmt.Type == "BEGIN_TRANSACTION":
		return &outcome{}, s.beginTransaction(sess)
	case sess.tx == nil:
		return nil, apierror.Errorf("invalidQuery", "There is no open transaction in this session to commit or roll "+
			"back")
	case p.stmt.Type == "COMMIT_TRANSACTION" && sess.tx.broken:
		return nil, brokenTransaction()
	case p.stmt.Type == "COMMIT_TRANSACTION":
		return &outcome{}, s.commit(sess)
	default:
		s.rollback(sess)
		return &outcome{}, nil
	}
}

// brokenTransaction returns the sandbox's own limit: in BigQuery the transaction
// goes on.
func brokenTransaction() *apierror.Error {
	return apierror.Errorf("invalidQuery", "The sandbox can't go on with a transaction after an error in it, because "+
		"DuckDB has given up its rows; roll it back")
}

func outsideSession() *apierror.Error {
	return apierror.Errorf("invalidQuery", "Transaction control statements are supported only in scripts or sessions")
}

// beginTransaction opens a transaction and takes its snapshot: DuckDB would take it
// only when the transaction first looks at something.
func (s *Runner) beginTransaction(sess *session) *apierror.Error {
	// The clock first: a change between the two is a conflict then, never overlooked.
	tx := &transaction{id: rand.Text(), begun: s.catalog.Changes(), claimed: map[*catalog.Table]bool{},
		appended: map[*catalog.Table]bool{}, temp: sess.work.snapshot()}
	if _, err := sess.conn.Exec(context.Background(), "BEGIN TRANSACTION"); err != nil {
		return apierror.From(err)
	}
	sess.tx = tx
	if _, err := sess.conn.Exec(context.Background(), "SELECT count(*) FROM duckdb_schemas()"); err != nil {
		s.rollback(sess)
		return apierror.From(err)
	}
	return nil
}

// claim takes a table for a transaction that is going to change or delete rows of it.
func (s *Runner) claim(tx *transaction, t *catalog.Table) *apierror.Error {
	if tx.claimed[t] {
		return nil
	}
	if !t.TryLock() {
		return tx.conflict(t)
	}
	tx.claimed[t] = true // with its lock, which the transaction's end gives back
	if s.catalog.MutatedSince(t, tx.begun) {
		return tx.conflict(t)
	}
	return nil
}

// commit ends a transaction with its changes. If DuckDB refuses, they are gone, but the transaction stays open, as it
// does in BigQuery after an error.
func (s *Runner) commit(sess *session) *apierror.Error {
	tx := sess.tx
	if _, err := sess.conn.Exec(context.Background(), "COMMIT"); err != nil {
		tx.broken = true
		return apierror.From(err)
	}
	sess.tx = nil
	for t := range tx.appended {
		s.catalog.Touch(t, s.now(), tx.claimed[t])
	}
	for t := range tx.claimed {
		s.catalog.Touch(t, s.now(), true)
	}
	tx.release()
	return nil
}

// rollback ends the transaction of a session, if there is one, without its changes.
func (s *Runner) rollback(sess *session) {
	if sess.tx == nil {
		return
	}
	// DuckDB says no if its transaction has ended by itself; that is what is wanted.
	_, err := sess.conn.Exec(context.Background(), "ROLLBACK")
	if _, ok := errors.AsType[*engine.Error](err); err != nil && !ok {
		s.log.Error("a transaction was not rolled back", "error", err)
	}
	sess.work.restore(sess.tx.temp)
	sess.tx.release()
	sess.tx = nil
}

// release gives the tables back.
func (tx *transaction) release() {
	for t := range tx.claimed {
		t.Unlock()
	}
}

// atomically runs statements of DuckDB in a transaction of their own, on a connection that has none.
func atomically(ctx context.Context, conn *engine.Conn, sql string) error {
	_, err := conn.Exec(ctx, "BEGIN; "+sql+"; COMMIT")
	if err != nil {
		_, _ = conn.Exec(context.Background(), "ROLLBACK") // BEGIN may be what has failed
	}
	return err
}
