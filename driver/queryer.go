package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
)

// Queryer is an argument of [Raw], [Estimate], [Identity], [Query] and [QueryArrow]: a *sql.DB,
// *sql.Conn or *sql.Tx, or a library's type that wraps one.
//
// Raw, Estimate and Identity find this driver's connection also under libraries that wrap
// connections: by their method Raw() driver.Conn or WrappedConn() driver.Conn, else by a query that
// this driver's connection recognizes by its context and answers without a request. If neither
// finds a connection, they return an error.
//
//	library               found by   restrictions
//	XSAM/otelsql          Raw        none
//	uptrace/otelsql       the query  none; it traces the query
//	ngrok/sqlmw           the query  none
//	simukti/sqldb-logger  the query  none; it logs the query
//	qustavo/sqlhooks      the query  no slices, structs or JobOptions as arguments
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

var (
	_ Queryer = (*sql.DB)(nil)
	_ Queryer = (*sql.Conn)(nil)
	_ Queryer = (*sql.Tx)(nil)
)

// onConn calls f with the driver's connection under q. For a transaction it is the transaction's
// connection.
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
		return errors.New("bigqueryuser: got nil; want a *sql.DB, *sql.Conn or *sql.Tx")
	}
	return byQuery(ctx, q, f)
}

// maxWrappers stops at connections that wrap themselves.
const maxWrappers = 16

// unwrap returns this driver's connection in a connection of another library; nil if the library
// hides it.
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

// call is a function to call with this driver's connection. The context of a query carries it.
type call struct {
	f    func(*conn) error
	done bool
	err  error
}

type callKey struct{}

// callText is the text of that query. Drivers of other databases run it, without harm.
const callText = "SELECT 1"

// byQuery calls f through a query that this driver's connection answers without a request.
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
		err = errors.New("the query did not reach a connection of this driver")
	case ctx.Err() != nil:
		return err
	}
	return fmt.Errorf("bigqueryuser: the connection of the %T is not one of this driver, or a library hides it: %w",
		q, err)
}

// callOf returns the call that a query carries; nil if it is an ordinary query.
func callOf(ctx context.Context, text string) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil || c.done || text != callText {
		return nil
	}
	return c
}

// on calls the function.
func (c *call) on(conn *conn) (driver.Rows, error) {
	c.done = true
	c.err = c.f(conn)
	return noRows{}, nil
}

// noRows is a result without columns and rows.
type noRows struct{}

func (noRows) Columns() []string         { return nil }
func (noRows) Next([]driver.Value) error { return io.EOF }
func (noRows) Close() error              { return nil }
