package driver_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// Reasons that have no sentinel are compared as text.
func ExampleReason() {
	refused := error(&driver.Error{Reason: "tableUnavailable", Message: "try again later"})
	fmt.Println(errors.Is(refused, driver.Reason("tableUnavailable")))
	fmt.Println(errors.Is(refused, driver.ErrNotFound))
	// Output:
	// true
	// false
}

// Open is sql.Open with what a DSN can't say.
func ExampleOpen() {
	db, err := driver.Open("bigqueryuser://my-project?auth=none&endpoint=http://127.0.0.1:9050",
		driver.WithObserver(func(_ context.Context, s driver.Stats, _ error) { log.Print(s.BytesBilled) }))
	if err != nil {
		log.Fatal(err)
	}
	if err := db.Close(); err != nil {
		log.Fatal(err)
	}
	_, err = db.Exec("DELETE FROM t WHERE TRUE")
	fmt.Println(errors.Is(err, driver.ErrClosed) || err != nil)
	// Output: true
}

// Options are values: a program can gather them before it makes its Connector.
func ExampleOption() {
	opts := []driver.Option{driver.WithTrustedEndpoint("gateway.example")}
	var connector *driver.Connector
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Auth: dsn.AuthNone,
		Endpoint: "http://127.0.0.1:9050"}, opts...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(connector.Close())
	// Output: <nil>
}

// A function that takes a Queryer works with a database, a connection and a transaction alike.
func ExampleQueryer() {
	estimate := func(ctx context.Context, q driver.Queryer, query string) (int64, error) {
		return driver.Estimate(ctx, q, query)
	}
	_ = estimate
}
