package goosestore_test

import (
	"context"
	"database/sql"
	"log"
	"os"

	_ "github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/migrate/goosestore"
)

// A program that migrates a dataset, which must exist.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	provider, err := goosestore.NewProvider(db, os.DirFS("migrations"))
	if err != nil {
		log.Fatal(err)
	}
	results, err := provider.Up(ctx)
	if err != nil {
		log.Fatal(err)
	}
	log.Print(results)
}
