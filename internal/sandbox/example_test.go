package sandbox_test

import (
	"context"
	"fmt"
	"log"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// A test makes the tables that it needs and points its driver at the endpoint.
func Example() {
	ctx := context.Background()
	s, err := sandbox.Start(ctx, sandbox.Config{NoData: true})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	err = s.Exec(ctx, sandbox.DefaultProject,
		"CREATE SCHEMA shop",
		"CREATE TABLE shop.orders (id INT64 NOT NULL, price NUMERIC)",
		"INSERT INTO shop.orders (id, price) VALUES (1, NUMERIC '9.99')")
	fmt.Println(err, len(s.Endpoint()) > 0)
	// Output: <nil> true
}
