package driver_test

import (
	"context"
	"fmt"
	"log"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// Rows of a query as values of a struct. The error comes with the last pair.
func ExampleQuery() {
	db := exampleDB()
	defer db.Close()
	type person struct {
		Name *string // nil for NULL
		N    *int
	}
	for p, err := range driver.Query[person](context.Background(), db, "SELECT name, n FROM t") {
		if err != nil {
			log.Fatal(err)
		}
		if p.Name != nil && p.N != nil {
			fmt.Println(*p.Name, *p.N)
		}
	}
	// Output: Ada 1
}

// Rows of a query as Arrow record batches.
func ExampleQueryArrow() {
	db := exampleDB()
	defer db.Close()
	records, err := driver.QueryArrow(context.Background(), db, "SELECT name, n FROM t")
	if err != nil {
		log.Fatal(err)
	}
	defer records.Release()
	typ, _ := records.Schema().Field(1).Metadata.GetValue(driver.ArrowType)
	sum := int64(0)
	for records.Next() {
		n := records.RecordBatch().Column(1).(*array.Int64)
		for i := range n.Len() {
			sum += n.Value(i) // 0 for NULL
		}
	}
	if err := records.Err(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(typ, sum)
	// Output: INT64 3
}
