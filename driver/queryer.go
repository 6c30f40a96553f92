package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// Queryer is what [Raw], [Estimate] and [Identity] take: a *sql.DB, a *sql.Conn or a *sql.Tx, or
// what a library has made of one.
//
// They reach this driver's connection under libraries that put one of their own around it: by a
// method Raw() driver.Conn or WrappedConn() driver.Conn of such a connection, else by a query that
// no request is made for, which the connection of this driver recognises by its context. Where
// neither reaches one, they fail.
//
//	library               reached by  what it loses of the driver
//	XSAM/otelsql          Raw         nothing
//	uptrace/otelsql       the query   nothing; it traces the query
//	ngrok/sqlmw           the query   nothing
//	simukti/sqldb-logger  the query   nothing; it logs the query
//	qustavo/sqlhooks      the query   slices, structs and JobOptions as arguments
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

var (
	_ Queryer = (*sql.DB)(nil)
	_ Queryer = (*sql.Conn)(nil)
	_ Queryer = (*sql.Tx)(nil)
)

// onConn calls f with the connection of this driver under q. It is q's own, also that of a transaction.
func onConn(ctx context.Context, q Queryer, f func(*conn) error) error {
	switch q := q.(type) {
	case *sql.DB:
		held, err := q.Conn(ctx)
		if err != nil {
			return err
		}
		defer held.Close()
		return onConn(ctx, held, f)
	case *sql.Conn:
		found := false
		err := q.Raw(func(raw any) (err error) {
			if c := unwrap(raw); c != nil {
				found, err = true, f(c)
			}
			return err
		})
		if found || err != nil {
			return err
		}
	case nil:
		return errors.New("bigqueryuser: got nil, want a *sql.DB, *sql.Conn or *sql.Tx")
	}
	return byQuery(ctx, q, f)
}

// maxWrappers ends connections that wrap themselves.
const maxWrappers = 16

// unwrap returns the connection of this driver in a connection of another library; nil if there is
// none to be seen.
func unwrap(raw any) *conn {
	for range maxWrappers {
		switch c := raw.(type) {
		case *conn:
			return c
		case interface{ Raw() driver.Conn }:
			raw = c.Raw()
		case interface{ WrappedConn() driver.Conn }:
			raw = c.WrappedConn()
		default:
			return nil
		}
	}
	return nil
}

// call is a call of a function with the connection of this driver, in the context of a query.
type call struct {
	f    func(*conn) error
	done bool
	err  error
}

type callKey struct{}

// callText is the query's text. It is harmless to the drivers of other databases, which run it.
const callText = "SELECT 1"

// byQuery calls f by a query that the connection of this driver answers without BigQuery.
func byQuery(ctx context.Context, q Queryer, f func(*conn) error) error {
	c := &call{f: f}
	rows, err := q.QueryContext(context.WithValue(ctx, callKey{}, c), callText)
	if err == nil {
		err = rows.Close()
	}
	switch {
	case c.done:
		return c.err
	case err == nil:
		err = errors.New("it answered the query that this driver's connection answers")
	case ctx.Err() != nil:
		return err
	}
	return fmt.Errorf("bigqueryuser: the connection of the %T is not one of this driver, or a library hides it: %w", q, err)
}

// callOf returns the call that a query is for; nil for a query of its own.
func callOf(ctx context.Context, text string) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil || c.done || text != callText {
		return nil
	}
	return c
}

// on makes the call.
func (c *call) on(conn *conn) (driver.Rows, error) {
	c.done = true
	c.err = c.f(conn)
	return noRows{}, nil
}

// noRows is a result without columns.
type noRows struct{}

func (noRows) Columns() []string         { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }
func (noRows) Close() error              { return nil }
