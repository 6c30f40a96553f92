package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"
)

// Estimate returns the bytes that a statement would read, without running it. BigQuery checks the
// statement in a dry run, which bills nothing. The number is an upper bound for clustered tables and
// exact for most others. args are the arguments and options of the statement. The error is the one that
// the statement would fail with before it starts.
func Estimate(ctx context.Context, q Queryer, query string, args ...any) (bytes int64, err error) {
	named := make([]driver.NamedValue, len(args))
	for i, arg := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
		if n, ok := arg.(sql.NamedArg); ok {
			named[i].Name, named[i].Value = n.Name, n.Value
		}
	}
	err = onConn(ctx, q, func(c *conn) error {
		bytes, err = c.estimate(ctx, query, named)
		return err
	})
	return bytes, err
}

func (c *conn) estimate(ctx context.Context, query string, args []driver.NamedValue) (int64, error) {
	st, err := newStatement(ctx, &c.cfg, query, args)
	if err != nil {
		return 0, err
	}
	bound, err := c.bind(ctx, st)
	if err != nil {
		return 0, err
	}
	stats, err := c.dryRun(ctx, st, bound.params)
	if err != nil {
		return 0, err
	}
	return stats.TotalBytesProcessed, nil
}
