package engine

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// interruptEvery is how often a statement whose context has ended is interrupted
// again. DuckDB ignores an interrupt before the statement has begun.
const interruptEvery = 20 * time.Millisecond

// Exec runs statements without parameters, one after another, and returns the
// number of rows that the last one changed.
func (c *Conn) Exec(ctx context.Context, sql string) (int64, error) {
	var changed int64
	err := c.each(ctx, sql, func(stmt mapping.PreparedStatement) error {
		return execute(stmt, func(res *mapping.Result) error {
			changed = int64(mapping.RowsChanged(res))
			return nil
		})
	})
	return changed, err
}

// Query runs one statement and keeps its rows. columns are the columns of the
// result, with their types; nil if the statement has no result. A result of
// more than limit bytes is ErrTooLarge. Zero means no limit.
func (c *Conn) Query(ctx context.Context, sql string, params []Value, columns []googlesql.Column, limit int64) (*Result,
	error) {
	var interrupted error
	for range interruptTries {
		out, err := c.query(ctx, sql, params, columns, limit)
		if e, ok := errors.AsType[*Error](err); interrupted != nil && ok && e.Type == "transactioncontext" {
			return nil, interrupted // the error has ended the transaction, so it can't be learned any more
		}
		if e, ok := errors.AsType[*Error](err); columns == nil || ctx.Err() != nil || !ok || e.Type != "interrupt" {
			return out, err
		}
		interrupted = err
	}
	return nil, interrupted
}

// interruptTries is how often a statement with rows is run to learn its error. If one of DuckDB's
// threads fails it stops the others, and sometimes the reader gets their "Interrupted!" instead.
const interruptTries = 5

func (c *Conn) query(ctx context.Context, sql string, params []Value, columns []googlesql.Column, limit int64) (*Result,
	error) {
	var out *Result
	n := 0
	err := c.each(ctx, sql, func(stmt mapping.PreparedStatement) error {
		if n++; n > 1 {
			return fmt.Errorf("duckdb: more than one statement: %s", sql)
		}
		if err := bind(stmt, params); err != nil {
			return err
		}
		return execute(stmt, func(res *mapping.Result) error {
			var err error
			out, err = read(ctx, res, columns, limit)
			return err
		})
	})
	return out, err
}

// each prepares the statements of sql in turn. When ctx ends, the running
// statement is interrupted, and the error is ctx's cause.
func (c *Conn) each(ctx context.Context, sql string, do func(mapping.PreparedStatement) error) error {
	if !strings.Contains(sql, swallows) {
		return c.all(ctx, sql, do)
	}
	return c.watched(func() error { return c.all(ctx, sql, do) })
}

func (c *Conn) all(ctx context.Context, sql string, do func(mapping.PreparedStatement) error) error {
	var stmts mapping.ExtractedStatements
	count := mapping.ExtractStatements(c.conn, sql, &stmts)
	defer mapping.DestroyExtracted(&stmts)
	if count == 0 {
		if msg := mapping.ExtractStatementsError(stmts); msg != "" {
			return newError(msg)
		}
		return errors.New("duckdb: an empty statement")
	}
	stop := c.watch(ctx)
	defer stop()
	for i := mapping.IdxT(0); i < count; i++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := c.prepare(stmts, i, do)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) prepare(stmts mapping.ExtractedStatements, i mapping.IdxT,
	do func(mapping.PreparedStatement) error) error {
	var stmt mapping.PreparedStatement
	state := mapping.PrepareExtractedStatement(c.conn, stmts, i, &stmt)
	defer mapping.DestroyPrepare(&stmt)
	if state == mapping.StateError {
		return newError(mapping.PrepareError(stmt))
	}
	if c.refusal != "" { // of a constant
		return &Error{Type: Builtin, Message: c.refusal}
	}
	return do(stmt)
}

// watch interrupts the connection once ctx ends, until the returned function is
// called.
func (c *Conn) watch(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	watcher := make(chan struct{})
	go func() {
		defer close(watcher)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		tick := time.NewTicker(interruptEvery)
		defer tick.Stop()
		for {
			mapping.Interrupt(c.conn)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(done)
		<-watcher
	}
}

// execute runs a bound statement and passes its result to use, which must not keep
// it.
func execute(stmt mapping.PreparedStatement, use func(*mapping.Result) error) error {
	var pending mapping.PendingResult
	// A streaming result is computed while it is read, so that reading a result
	// that is too large stops before DuckDB has filled its memory.
	state := bindings.PendingPreparedStreaming(stmt, &pending)
	defer mapping.DestroyPending(&pending)
	if state == mapping.StateError {
		return newError(mapping.PendingError(pending))
	}
	var res mapping.Result
	state = mapping.ExecutePending(pending, &res)
	defer mapping.DestroyResult(&res)
	if state == mapping.StateError {
		return newError(mapping.ResultError(&res))
	}
	return use(&res)
}
