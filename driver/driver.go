package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// Name is the name under which the driver is registered with database/sql.
const Name = "bigqueryuser"

func init() { sql.Register(Name, &Driver{}) }

// Driver is the database/sql driver. sql.Open(Name, dsn) is the usual way to it;
// [NewConnector] with sql.OpenDB is the other.
type Driver struct{}

var (
	_ driver.Driver        = (*Driver)(nil)
	_ driver.DriverContext = (*Driver)(nil)
)

// OpenConnector parses the DSN and reads the client secrets that it names, so that a
// mistake in either is reported by sql.Open. It makes no request.
func (d *Driver) OpenConnector(name string) (driver.Connector, error) {
	cfg, err := dsn.Parse(name)
	if err != nil {
		return nil, err
	}
	return NewConnector(cfg)
}

// Open connects without a context. database/sql calls OpenConnector instead.
func (d *Driver) Open(name string) (driver.Conn, error) {
	c, err := d.OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}
