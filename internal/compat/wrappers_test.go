package compat

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"strings"
	"testing"

	xsam "github.com/XSAM/otelsql"
	"github.com/ngrok/sqlmw"
	"github.com/qustavo/sqlhooks/v2"
	sqldblogger "github.com/simukti/sqldb-logger"
	uptrace "github.com/uptrace/opentelemetry-go-extra/otelsql"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// behind is a driver whose connections are those of a connector.
type behind struct{ *driver.Connector }

func (b behind) Open(string) (sqldriver.Conn, error) { return b.Connect(context.Background()) }

func (b behind) OpenConnector(string) (sqldriver.Connector, error) { return b.Connector, nil }

// only is behind without OpenConnector.
type only struct{ c *driver.Connector }

func (o only) Open(string) (sqldriver.Conn, error) { return o.c.Connect(context.Background()) }

type silent struct{}

func (silent) Log(context.Context, sqldblogger.Level, string, map[string]any) {}
func (silent) Before(ctx context.Context, _ string, _ ...any) (context.Context, error) {
	return ctx, nil
}

func (silent) After(ctx context.Context, _ string, _ ...any) (context.Context, error) {
	return ctx, nil
}

// opened is a connector of a driver that has none.
type opened struct{ d sqldriver.Driver }

func (o opened) Connect(context.Context) (sqldriver.Conn, error) { return o.d.Open("") }
func (o opened) Driver() sqldriver.Driver                        { return o.d }

// TestWrappers tries libraries that wrap drivers, and says what each loses: the table at
// driver.Queryer. Through all of them the connection can be reached.
func TestWrappers(t *testing.T) {
	t.Parallel()
	for _, w := range []struct {
		name string
		open func(*driver.Connector) *sql.DB
		lost string // by the names of the features below
	}{
		{"none", func(c *driver.Connector) *sql.DB { return sql.OpenDB(c) }, ""},
		{"XSAM/otelsql", func(c *driver.Connector) *sql.DB { return xsam.OpenDB(c) }, ""},
		{"uptrace/otelsql", func(c *driver.Connector) *sql.DB { return uptrace.OpenDB(c) }, ""},
		{"ngrok/sqlmw", func(c *driver.Connector) *sql.DB {
			connector, err := sqlmw.Driver(behind{c}, sqlmw.NullInterceptor{}).(sqldriver.DriverContext).OpenConnector("")
			if err != nil {
				panic(err)
			}
			return sql.OpenDB(connector)
		}, ""},
		{"simukti/sqldb-logger", func(c *driver.Connector) *sql.DB { return sqldblogger.OpenDriver("", behind{c}, silent{}) }, ""},
		{"qustavo/sqlhooks", func(c *driver.Connector) *sql.DB {
			return sql.OpenDB(opened{sqlhooks.Wrap(only{c}, silent{})})
		}, "slices, job options"},
	} {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			c := connector(t)
			db := w.open(c)
			t.Cleanup(func() { db.Close(); c.Close() })
			for _, q := range []string{"DB", "Tx"} {
				var queryer driver.Queryer = db
				if q == "Tx" {
					tx, err := db.BeginTx(t.Context(), nil)
					if err != nil {
						t.Fatal(err)
					}
					defer tx.Rollback()
					queryer = tx
				}
				if bytes, err := driver.Estimate(
					t.Context(),
					queryer,
					"SELECT id FROM users WHERE id > ?",
					0,
				); err != nil ||
					bytes == 0 {
					t.Errorf("%s: Estimate: got %d, %v", q, bytes, err)
				}
				if id, err := driver.Identity(
					t.Context(),
					queryer,
				); err != nil ||
					id.Account != sandbox.DefaultAccount {
					t.Errorf("%s: Identity: got %v, %v", q, id, err)
				}
			}
			var lost []string
			tries := func(name string, works bool) {
				if !works {
					lost = append(lost, name)
				}
			}
			var n int
			scan := func(query string, args ...any) error { return db.QueryRowContext(t.Context(), query, args...).Scan(&n) }
			tries("slices", scan("SELECT ARRAY_LENGTH(?)", []string{"a"}) == nil)
			tries("named arguments", scan("SELECT @n", sql.Named("n", 1)) == nil)
			tries("job options", scan("SELECT 1", driver.Priority("batch")) == nil)
			var day string
			err := db.QueryRowContext(t.Context(), "SELECT DATE '2024-02-29'").Scan(driver.As(&day))
			tries("the type of a value", err == nil && day == "2024-02-29")
			rows, err := db.QueryContext(t.Context(), "SELECT 1 AS a; SELECT CAST('1' AS NUMERIC) AS b")
			if err != nil {
				t.Fatal(err)
			}
			types, err := rows.ColumnTypes()
			tries("column types", err == nil && types[0].DatabaseTypeName() == "INT64")
			for rows.Next() {
			}
			tries("result sets", rows.NextResultSet() && rows.Next())
			rows.Close()
			if got := strings.Join(lost, ", "); got != w.lost {
				t.Errorf("lost: got %q; want %q", got, w.lost)
			}
		})
	}
}
