package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// The first connection signs the person in; the next program start finds the sign-in.
func Example() {
	db, err := sql.Open(driver.Name, "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json&maximum_bytes_billed=10000000000")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(context.Background(), &stats),
		"SELECT name, SUM(number) FROM `bigquery-public-data.usa_names.usa_1910_current` WHERE year >= ? GROUP BY name ORDER BY 2 DESC LIMIT 3", 2000)
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var total int64
		if err := rows.Scan(&name, &total); err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, total)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(stats.BytesBilled, "bytes billed to", stats.Project)
}

// A program that carries its client secrets inside says //go:embed client_secrets.json.
func ExampleNewConnector() {
	secrets, err := os.ReadFile("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", TokenStore: "keyring"}, driver.WithClientSecrets(secrets))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // the person may have to sign in
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		log.Fatal(err)
	}
	who, err := driver.Identity(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("signed in as", who.Account)
}

// Arguments are typed parameters. Times, NULLs, slices and structs take the type that the statement needs.
func Example_arguments() {
	ctx, db := context.Background(), exampleDB()
	if _, err := db.ExecContext(ctx, "INSERT INTO orders (id, day, note, tags) VALUES (@id, @day, @note, @tags)",
		sql.Named("id", 7), sql.Named("day", time.Now()), sql.Named("note", nil), sql.Named("tags", []string{"new"})); err != nil {
		log.Fatal(err)
	}
}

// A transaction that another one was faster than is tried again as a whole.
func Example_transaction() {
	ctx, db := context.Background(), exampleDB()
	transfer := func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET balance = balance - ? WHERE id = ?", 100, "a"); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET balance = balance + ? WHERE id = ?", 100, "b"); err != nil {
			return err
		}
		return tx.Commit()
	}
	err := transfer()
	for errors.Is(err, driver.ErrConcurrentUpdate) {
		err = transfer()
	}
	if err != nil {
		log.Fatal(err)
	}
}

// Every SELECT of a script is a result set.
func Example_script() {
	rows, err := exampleDB().QueryContext(context.Background(), "SELECT COUNT(*) FROM orders; SELECT id FROM orders ORDER BY id")
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for more := true; more; more = rows.NextResultSet() {
		for rows.Next() {
			var v any
			if err := rows.Scan(&v); err != nil {
				log.Fatal(err)
			}
			fmt.Println(v)
		}
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
}

// A dry run tells what a statement would read, before it costs anything.
func ExampleEstimate() {
	ctx := context.Background()
	conn, err := exampleDB().Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	bytes, err := driver.Estimate(ctx, conn, "SELECT * FROM orders WHERE day = ?", time.Now())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f GB\n", float64(bytes)/1e9)
}

// Every statement of a nightly report runs when there are idle resources, and can be found on the bill.
func ExampleWithOptions() {
	ctx, db := context.Background(), exampleDB()
	ctx = driver.WithOptions(ctx, driver.Priority("batch"), driver.Labels(map[string]string{"report": "nightly"}), driver.JobIDPrefix("nightly_"))
	if _, err := db.ExecContext(ctx, "DELETE FROM orders WHERE day < ?", time.Now().AddDate(-1, 0, 0)); err != nil {
		log.Fatal(err)
	}
	// An option can stand among the arguments, too.
	rows, err := db.QueryContext(ctx, "SELECT day, COUNT(*) FROM orders WHERE day >= ? GROUP BY day", time.Now().AddDate(0, -1, 0),
		driver.DestinationTable("reports.orders_by_day", bigquery.WriteTruncate, bigquery.CreateIfNeeded))
	if err != nil {
		log.Fatal(err)
	}
	rows.Close()
}

// A wrong value is refused by its name before anything is sent.
func ExampleJobOption() {
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Auth: "none", Endpoint: "http://127.0.0.1:9050"})
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	_, err = db.ExecContext(context.Background(), "DELETE FROM orders WHERE TRUE", driver.Priority("low"))
	fmt.Println(err)
	// Output: bigqueryuser: option priority: has a value that is not allowed; want interactive or batch
}

// STRUCT and ARRAY values decode into Go's own types, by field name.
func ExampleAs() {
	type line struct {
		Item  string
		Price float64
	}
	value := []driver.Struct{{Fields: []driver.StructField{{Name: "item", Value: "tea"}, {Name: "price", Value: "3.5"}}}} // what Scan gets
	var lines []line
	if err := driver.As(&lines).Scan(value); err != nil { // rows.Scan(driver.As(&lines))
		log.Fatal(err)
	}
	fmt.Println(lines)
	// Output: [{tea 3.5}]
}

func ExampleStruct() {
	s := driver.Struct{Fields: []driver.StructField{{Name: "item", Value: "tea"}, {Name: "price", Value: "3.5"}, {Name: "note"}}}
	price, _ := s.Get("price")
	fmt.Println(price, s)
	// Output: 3.5 {"item":"tea","price":"3.5","note":null}
}

// exampleDB stands for a database of your own.
func exampleDB() *sql.DB {
	db, err := sql.Open(driver.Name, "bigqueryuser://my-project/shop?client_secrets=client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	return db
}
