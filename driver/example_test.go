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

// The first connection signs the user in. The next program start finds the stored sign-in.
func Example() {
	db, err := sql.Open("bigqueryuser", "bigqueryuser://my-project?client_secrets=client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(),
		"SELECT name, SUM(number) AS total FROM `bigquery-public-data.usa_names.usa_1910_current` "+
			"WHERE state = ? GROUP BY name ORDER BY total DESC LIMIT 3", "TX")
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
}

// A program that carries its client secrets inside says //go:embed client_secrets.json.
func ExampleNewConnector() {
	secrets, err := os.ReadFile("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", TokenStore: "keyring"},
		driver.WithClientSecrets(secrets))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // the user may have to sign in
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

// A command of a program that forgets who has signed in on this machine: the next connection
// asks anew.
func ExampleConnector_Authenticator() {
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", ClientSecrets: "client_secrets.json"})
	if err != nil {
		log.Fatal(err)
	}
	defer connector.Close()
	if err := connector.Authenticator().Logout(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// Arguments are typed parameters, never text of the statement. A time takes the type that the
// statement needs, here that of a DATE column.
func Example_arguments() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	day := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	res, err := db.ExecContext(ctx, "INSERT INTO orders (id, day, item) VALUES (?, ?, ?)", 7, day, "tea")
	if err != nil {
		log.Fatal(err)
	}
	inserted, err := res.RowsAffected()
	if err != nil {
		log.Fatal(err)
	}
	var open int64 // a name can stand in several places
	err = db.QueryRowContext(ctx,
		"SELECT COUNT(*) FROM orders WHERE day <= @day AND (shipped IS NULL OR shipped > @day)",
		sql.Named("day", day)).Scan(&open)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(inserted, "inserted,", open, "open")
	// Output: 1 inserted, 3 open
}

// A nil argument is a NULL of the type that the statement needs. A NULL scans into a pointer,
// sql.Null[T] or any.
func Example_null() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	if _, err := db.ExecContext(ctx, "UPDATE orders SET shipped = ? WHERE id = ?", nil, 7); err != nil {
		log.Fatal(err)
	}
	var shipped sql.Null[time.Time]
	var note *string
	var price any
	row := db.QueryRowContext(ctx, "SELECT shipped, note, price FROM orders WHERE id = ?", 7)
	if err := row.Scan(&shipped, &note, &price); err != nil {
		log.Fatal(err)
	}
	fmt.Println(shipped.Valid, note == nil, price)
	// Output: false true <nil>
}

// If the statement does not determine the type of a NULL, its Go type does: in an optional filter, and in any
// row of an INSERT from a slice.
func Example_typedNull() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	var city *string // no filter
	rows, err := db.QueryContext(ctx, "SELECT id FROM orders WHERE @city IS NULL OR city = @city", sql.Named("city", city))
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	found := 0
	for rows.Next() {
		found++
	}
	type order struct {
		ID   int64
		City *string
	}
	bern := "Bern"
	res, err := db.ExecContext(ctx, "INSERT INTO orders (id, city) SELECT id, city FROM UNNEST(?)",
		[]order{{ID: 9}, {ID: 10, City: &bern}})
	if err != nil {
		log.Fatal(err)
	}
	inserted, err := res.RowsAffected()
	fmt.Println(found, "found,", inserted, "inserted", err)
	// Output: 2 found, 2 inserted <nil>
}

// An ARRAY scans into a slice of its type, and As decodes STRUCTs into Go's own. Both are
// arguments as well.
func Example_arraysAndStructs() {
	type line struct {
		Item  string
		Price float64 `bigquery:"unit_price"`
	}
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.ExecContext(ctx, "INSERT INTO baskets (tags, lines) VALUES (?, ?)",
		[]string{"new", "gift"}, []line{{"tea", 3.5}})
	if err != nil {
		log.Fatal(err)
	}
	var tags []string
	var lines []line
	if err := db.QueryRowContext(ctx, "SELECT tags, lines FROM baskets").Scan(&tags, driver.As(&lines)); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q %+v\n", tags, lines)
	// Output: ["new" "gift"] [{Item:tea Price:3.5} {Item:cup Price:12}]
}

// Every statement of a nightly report runs when there are idle resources, and can be found on
// the bill.
func ExampleWithOptions() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	ctx = driver.WithOptions(ctx, driver.Priority("batch"),
		driver.Labels(map[string]string{"report": "nightly"}), driver.JobIDPrefix("nightly_"))
	if _, err := db.ExecContext(ctx, "DELETE FROM orders WHERE day < ?", time.Now().AddDate(-1, 0, 0)); err != nil {
		log.Fatal(err)
	}
	// An option can stand among the arguments, too.
	rows, err := db.QueryContext(ctx, "SELECT day, COUNT(*) FROM orders WHERE day >= ? GROUP BY day",
		time.Now().AddDate(0, -1, 0),
		driver.DestinationTable("reports.orders_by_day", bigquery.WriteTruncate, bigquery.CreateIfNeeded))
	if err != nil {
		log.Fatal(err)
	}
	rows.Close()
}

// A wrong value is refused by its name before anything is sent.
func ExampleJobOption() {
	db := exampleDB()
	defer db.Close()
	_, err := db.ExecContext(context.Background(), "DELETE FROM orders WHERE TRUE", driver.Priority("low"))
	fmt.Println(err)
	// Output: bigqueryuser: option priority: has a value that is not allowed; want interactive or batch
}

// STRUCT and ARRAY values decode into Go's own types, by field name.
func ExampleAs() {
	type line struct {
		Item  string
		Price float64
	}
	value := []driver.Struct{{ // what Scan gets
		Fields: []driver.StructField{{Name: "item", Value: "tea"}, {Name: "price", Value: "3.5"}},
	}}
	var lines []line
	if err := driver.As(&lines).Scan(value); err != nil { // rows.Scan(driver.As(&lines))
		log.Fatal(err)
	}
	fmt.Println(lines)
	// Output: [{tea 3.5}]
}

func ExampleStruct() {
	s := driver.Struct{Fields: []driver.StructField{
		{Name: "item", Value: "tea"},
		{Name: "price", Value: "3.5"},
		{Name: "note"},
	}}
	price, _ := s.Get("price")
	fmt.Println(price, s)
	// Output: 3.5 {"item":"tea","price":"3.5","note":null}
}

// BigQuery says where in a statement it stumbled; %+v shows the place.
func ExampleError() {
	db := exampleDB()
	defer db.Close()
	_, err := db.QueryContext(context.Background(), "SELECT id,\n  prize\nFROM orders")
	if e, ok := errors.AsType[*driver.Error](err); ok && errors.Is(err, driver.ErrInvalidQuery) {
		fmt.Println("at", e.Location)
	}
	fmt.Printf("%+v\n", err)
	// Output:
	// at 2:3
	// bigqueryuser: Unrecognized name: prize; Did you mean price? at [2:3] (invalidQuery)
	//   prize
	//   ^
}
