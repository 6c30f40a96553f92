package driver_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// A transaction that another one was faster than is tried again as a whole.
func Example_transaction() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	transfer := func(amount int, from, to string) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET balance = balance - ? WHERE id = ?", amount, from); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET balance = balance + ? WHERE id = ?", amount, to); err != nil {
			return err
		}
		return tx.Commit()
	}
	tries, err := 1, transfer(100, "a", "b")
	for ; errors.Is(err, driver.ErrConcurrentUpdate) && tries < 10; tries++ {
		err = transfer(100, "a", "b")
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("transferred at try", tries)
	// Output: transferred at try 2
}

// Every SELECT of a script is a result set.
func Example_script() {
	db := exampleDB()
	defer db.Close()
	rows, err := db.QueryContext(context.Background(),
		"DECLARE last DATE DEFAULT '2026-03-01'; "+
			"SELECT COUNT(*) FROM orders WHERE day = last; "+
			"SELECT item FROM orders ORDER BY item")
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
	// Output:
	// 2
	// cup
	// tea
}

// A dry run tells what a statement would read, before it costs anything.
func ExampleEstimate() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	bytes, err := driver.Estimate(ctx, conn, "SELECT * FROM events WHERE day >= ?", time.Now().AddDate(0, -1, 0))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.1f GB\n", float64(bytes)/1e9)
	// Output: 12.3 GB
}

// When the context ends, the call returns at once, and the job is cancelled at BigQuery, where
// it would cost money.
func Example_cancel() {
	db := exampleDB()
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := db.QueryContext(ctx, "SELECT COUNT(*) FROM events AS a CROSS JOIN events AS b")
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Println("it took too long")
	}
	// Output: it took too long
}

// Stats tell what a statement cost.
func ExampleWithStats() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(ctx, &stats), "SELECT item FROM orders")
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	fmt.Println(stats.StatementType, "of", stats.TotalRows, "rows:", stats.BytesProcessed, "bytes read,",
		stats.BytesBilled, "billed to", stats.Project)
	// Output: SELECT of 2 rows: 52 bytes read, 10485760 billed to my-project
}

// An observer is told of all statements of a database, for a log or a bill.
func ExampleWithObserver() {
	db := exampleDB(driver.WithObserver(func(_ context.Context, s driver.Stats, err error) {
		fmt.Println(s.StatementType, "read", s.RowsRead, "rows,", s.BytesBilled, "bytes billed, error:", err)
	}))
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), "SELECT item FROM orders")
	if err != nil {
		log.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() { // the observer is told at the end
	}
	if err := rows.Err(); err != nil {
		log.Fatal(err)
	}
	// Output: SELECT read 2 rows, 10485760 bytes billed, error: <nil>
}

// A terminal program can show a bar while it waits.
func ExampleWithProgress() {
	db := exampleDB()
	defer db.Close()
	ctx := driver.WithProgress(context.Background(), func(p driver.Progress) {
		fmt.Printf("%d of %d stages, %d MB read\n", p.StagesDone, p.Stages, p.BytesProcessed/1e6)
	})
	var users int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(DISTINCT user) FROM events").Scan(&users); err != nil {
		log.Fatal(err)
	}
	fmt.Println(users, "users")
	// Output:
	// 1 of 2 stages, 7 MB read
	// 42 users
}

// The official client does what SQL has no words for, here in the middle of a transaction.
func ExampleRaw() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	err = driver.Raw(conn, func(c driver.RawConn) error {
		client, err := c.Client(ctx)
		if err != nil {
			return err
		}
		id, location := c.Session()
		q := client.Query("SELECT item FROM orders")
		q.Location, q.ConnectionProperties = location, []*bigquery.ConnectionProperty{{Key: "session_id", Value: id}}
		job, err := q.Run(ctx)
		if err != nil {
			return err
		}
		status, err := job.Wait(ctx)
		if err == nil {
			fmt.Println(status.Statistics.TotalBytesProcessed, "bytes read in the transaction")
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: 52 bytes read in the transaction
}
