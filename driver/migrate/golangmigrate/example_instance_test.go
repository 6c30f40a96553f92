package golangmigrate_test

import (
	"database/sql"
	"log"

	"github.com/golang-migrate/migrate/v4"

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
