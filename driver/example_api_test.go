package driver_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// A transaction that another one was faster than begins again.
func ExampleRunTransaction() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	tries := 0
	err := driver.RunTransaction(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) error {
		tries++
		_, err := tx.ExecContext(ctx, "UPDATE accounts SET balance = balance - ? WHERE id = ?", 100, "a")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "UPDATE accounts SET balance = balance + ? WHERE id = ?", 100, "b")
		return err
	})
	fmt.Println("transferred at try", tries, err)
	// Output: transferred at try 2 <nil>
}

// ExampleAs_json decodes a JSON column.
func ExampleAs_json() {
	db := exampleDB()
	defer db.Close()
	var order struct {
		ID   int64    `json:"id"`
		Tags []string `json:"tags"`
	}
	if err := db.QueryRow("SELECT doc FROM orders").Scan(driver.As(&order)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(order.ID, order.Tags)
	// Output: 7 [new paid]
}
