package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// count runs a query of one number with options, and prints the number.
func count(ctx context.Context, db *sql.DB, query string, options ...any) {
	var n int64
	if err := db.QueryRowContext(ctx, query, options...).Scan(&n); err != nil {
		log.Fatal(err)
	}
	fmt.Println(n)
}

// A statement that would read more than the limit fails, and costs nothing.
func ExampleMaximumBytesBilled() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.QueryContext(ctx, "SELECT * FROM clicks", driver.MaximumBytesBilled(1e9))
	fmt.Println(errors.Is(err, driver.ErrBytesBilledLimit))
	// Output: true
}

// Labels group jobs on the bill. Those of an option add to those of the DSN.
func ExampleLabels() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.Labels(map[string]string{"report": "daily"}))
	// Output: 3
}

func ExampleLocation() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.Location("EU"))
	// Output: 3
}

// BigQuery ends the job after a minute, even if the program has been killed.
func ExampleJobTimeout() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.JobTimeout(time.Minute))
	// Output: 3
}

func ExamplePriority() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.Priority(string(bigquery.BatchPriority)))
	// Output: 3
}

// Table names without a dataset are looked up in another project.
func ExampleDefaultDataset() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.DefaultDataset("other-project.shop"))
	// Output: 3
}

// A nightly check reads the tables again instead of taking a cached result.
func ExampleUseQueryCache() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.UseQueryCache(false))
	// Output: 3
}

// CURRENT_DATE() and the like are those of Zurich.
func ExampleTimeZone() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.TimeZone("Europe/Zurich"))
	// Output: 3
}

// Short queries are answered faster without a job. Their Stats have no job id.
func ExampleJobCreation() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders", driver.JobCreation("optional"))
	// Output: 3
}

// The ids of jobs begin with a prefix, by which logs and the job list are searched.
func ExampleJobIDPrefix() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	var stats driver.Stats
	count(driver.WithStats(ctx, &stats), db, "SELECT COUNT(*) FROM orders", driver.JobIDPrefix("nightly_"))
	fmt.Println(stats.JobID[:len("nightly_")])
	// Output:
	// 3
	// nightly_
}

// Slots of a reservation are used for one statement; "none" bills it by bytes.
func ExampleReservation() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders",
		driver.Reservation("projects/my-project/locations/US/reservations/reports"))
	// Output: 3
}

// The result is encrypted with a key of the user's organization.
func ExampleKMSKey() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	count(ctx, db, "SELECT COUNT(*) FROM orders",
		driver.KMSKey("projects/my-project/locations/us/keyRings/my-ring/cryptoKeys/my-key"))
	// Output: 3
}

// A dry run checks a statement without running it: its columns are known, its rows are not.
func ExampleDryRun() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(ctx, &stats), "SELECT item FROM orders", driver.DryRun())
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(columns, rows.Next(), stats.BytesProcessed, "bytes")
	// Output: [item] false 52 bytes
}

// The result of a query is kept in a table. Later queries read the table, which is cheaper than
// running the query again.
func ExampleDestinationTable() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	_, err := db.ExecContext(ctx, "SELECT item FROM orders",
		driver.DestinationTable("reports.items", bigquery.WriteTruncate, bigquery.CreateIfNeeded))
	if err != nil {
		log.Fatal(err)
	}
	rows, err := db.QueryContext(ctx, "SELECT item FROM reports.items ORDER BY item")
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var item string
		if err := rows.Scan(&item); err != nil {
			log.Fatal(err)
		}
		fmt.Println(item)
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// cup
	// tea
}

// The page of a job in the Cloud console shows its plan.
func ExampleStats_ConsoleURL() {
	stats := driver.Stats{Project: "my-project", Location: "US", JobID: "job_1"}
	fmt.Println(stats.ConsoleURL())
	// Output: https://console.cloud.google.com/bigquery?j=bq%3AUS%3Ajob_1&page=queryresults&project=my-project
}

// Prepare returns the columns of a statement before it runs.
func ExampleColumn() {
	db := exampleDB()
	defer db.Close()
	var stats driver.Stats
	stmt, err := db.PrepareContext(driver.WithStats(context.Background(), &stats), "SELECT item FROM orders")
	if err != nil {
		log.Fatal(err)
	}
	defer stmt.Close()
	for _, c := range stats.Columns {
		fmt.Println(c.Name, c.DatabaseTypeName, c.ScanType)
	}
	// Output: item STRING sql.Null[string]
}

// A RANGE is an argument and a result. Start belongs to it, End does not; nil means unbounded.
func ExampleRange() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	stay := driver.Range{Start: civil.Date{Year: 2026, Month: 3, Day: 1}}
	var got driver.Range
	err := db.QueryRowContext(ctx, "SELECT stay FROM bookings WHERE RANGE_OVERLAPS(stay, ?)", stay).Scan(&got)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(stay)
	fmt.Println(got, got.Start.(civil.Date).Day)
	// Output:
	// [2026-03-01, UNBOUNDED)
	// [2026-03-05, 2026-03-08) 5
}

func ExampleStruct_Get() {
	s := driver.Struct{Fields: []driver.StructField{{Name: "item", Value: "tea"}}}
	item, ok := s.Get("item")
	_, missing := s.Get("price")
	fmt.Println(item, ok, missing)
	// Output: tea true false
}

func ExampleStruct_MarshalJSON() {
	s := driver.Struct{Fields: []driver.StructField{{Name: "item", Value: "tea"}, {Name: "tags", Value: []string{"new"}}}}
	text, err := s.MarshalJSON()
	fmt.Println(string(text), err)
	// Output: {"item":"tea","tags":["new"]} <nil>
}

// An observer adds up what the statements of a program have cost.
func ExampleObserver() {
	var mu sync.Mutex // statements end on many goroutines
	var billed int64
	var add driver.Observer = func(_ context.Context, s driver.Stats, _ error) {
		mu.Lock()
		defer mu.Unlock()
		billed += s.BytesBilled
	}
	db := exampleDB(driver.WithObserver(add))
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), "SELECT item FROM orders"); err != nil {
		log.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	fmt.Println(billed/(1<<20), "MiB billed")
	// Output: 10 MiB billed
}
