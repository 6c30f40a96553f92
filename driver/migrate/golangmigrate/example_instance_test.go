package golangmigrate_test

import (
	"database/sql"
	"fmt"
	"log"
	"slices"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"

	"github.com/bigqueryuser/bigqueryuser/driver/migrate/golangmigrate"
)

// A program that has opened its database itself, such as with client secrets that are embedded in it.
func ExampleWithInstance() {
	db, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	config := golangmigrate.Config{Table: "my_migrations", LockExpiry: 5 * golangmigrate.DefaultLockExpiry}
	target, err := golangmigrate.WithInstance(db, config)
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrate.NewWithDatabaseInstance("file://migrations", "bigquery", target)
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Up(); err != nil && err != migrate.ErrNoChange {
		log.Fatal(err)
	}
}

// The defaults of a Config.
func ExampleConfig() {
	fmt.Println(golangmigrate.DefaultTable, golangmigrate.DefaultLockExpiry, golangmigrate.DefaultLockTimeout)
	// Output: schema_migrations 1m0s 10s
}

// Importing the package registers the driver under the scheme of a DSN. A wrong key is found before anything is sent.
func ExampleDriver() {
	fmt.Println(slices.Contains(database.List(), "bigqueryuser"))
	_, err := new(golangmigrate.Driver).Open("bigqueryuser://my-project/my_dataset?x-lock-expiry=soon")
	fmt.Println(err)
	// Output:
	// true
	// golangmigrate: x-lock-expiry: got "soon"; want a duration such as 1m
}
