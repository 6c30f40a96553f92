package golangmigrate_test

import (
	"log"

	"github.com/golang-migrate/migrate/v4"
	_ "github.com/golang-migrate/migrate/v4/source/file"

	_ "github.com/bigqueryuser/bigqueryuser/driver/migrate/golangmigrate"
)

// A program that migrates a dataset, which must exist.
func Example() {
	m, err := migrate.New("file://migrations", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Up(); err != nil && err != migrate.ErrNoChange {
		log.Fatal(err)
	}
}
