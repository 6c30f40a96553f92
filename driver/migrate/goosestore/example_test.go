package goosestore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/pressly/goose/v3"

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

// Another table of versions, and a lock that expires after five minutes.
func ExampleNewStore() {
	db, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectCustom, db, os.DirFS("migrations"),
		goose.WithStore(goosestore.NewStore("my_versions")),
		goose.WithLocker(goosestore.NewLocker("my_versions_lock", 5*time.Minute)),
		goose.WithIsolateDDL(true)) // BigQuery does not allow DDL in transactions
	if err != nil {
		log.Fatal(err)
	}
	log.Print(provider.GetDBVersion(context.Background()))
}

// NewProvider keeps the versions in the default table.
func ExampleStore() {
	var store *goosestore.Store = goosestore.NewStore(goosestore.DefaultTable)
	fmt.Println(store.Tablename())
	// Output: goose_db_version
}

// A lock that is not held can't be released.
func ExampleLocker() {
	var locker *goosestore.Locker = goosestore.NewLocker("my_versions_lock", 5*time.Minute)
	fmt.Println(locker.Unlock(context.Background(), nil))
	// Output: goosestore: the lock is not held
}
