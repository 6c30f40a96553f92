package bulk_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"

	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// exampleDB stands for a database of your own, opened with sql.Open, with a table my_dataset.people.
func exampleDB() (*sql.DB, *fakebq.Server) {
	server := fakebq.New(fakebq.Options{})
	url, err := server.Start()
	if err != nil {
		log.Fatal(err)
	}
	server.CreateTable("my-project.my_dataset.people", fakebq.Field{Name: "name", Type: "STRING", Mode: "REQUIRED"},
		fakebq.Field{Name: "born", Type: "DATE"}, fakebq.Field{Name: "tags", Type: "STRING", Mode: "REPEATED"})
	connector, err := driver.NewConnector(&dsn.Config{
		Project: "my-project", Auth: "none", Endpoint: url, StorageEndpoint: server.StorageURL(),
	})
	if err != nil {
		log.Fatal(err)
	}
	return sql.OpenDB(connector), server
}

// Structs into a table: all of them, or none.
func ExampleAppendSlice() {
	db, server := exampleDB()
	defer server.Close()
	defer db.Close()
	type person struct {
		Name string
		Born *civil.Date // nil is NULL
		Tags []string
	}
	people := []person{
		{"Ada", &civil.Date{Year: 1815, Month: 12, Day: 10}, []string{"mathematics"}},
		{"Bob", nil, nil},
	}
	result, err := bulk.AppendSlice(context.Background(), db, "my_dataset.people", people)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Rows, "rows")
	// Output: 2 rows
}

// Rows that the program produces while they are written, such as those of a file. Memory does not grow
// with their number.
func ExampleAppend() {
	db, server := exampleDB()
	defer server.Close()
	defer db.Close()
	rows := func(yield func([]any, error) bool) {
		for i := range 1000 {
			if !yield([]any{fmt.Sprint("person ", i), nil, []string{"made"}}, nil) {
				return
			}
		}
	}
	result, err := bulk.Append(context.Background(), db, "my_dataset.people", rows)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Rows, "rows")
	// Output: 1000 rows
}
