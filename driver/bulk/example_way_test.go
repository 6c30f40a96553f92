package bulk_test

import (
	"context"
	"fmt"
	"log"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
)

// Arrow record batches, such as those of driver.QueryArrow, into a table.
func ExampleAppendRecords() {
	db, server := exampleDB()
	defer server.Close()
	defer db.Close()
	schema := arrow.NewSchema([]arrow.Field{{Name: "name", Type: arrow.BinaryTypes.String}}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.StringBuilder).AppendValues([]string{"Ada", "Bob"}, nil)
	records, err := array.NewRecordReader(schema, []arrow.RecordBatch{builder.NewRecordBatch()})
	if err != nil {
		log.Fatal(err)
	}
	defer records.Release()
	result, err := bulk.AppendRecords(context.Background(), db, "my_dataset.people", records)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Rows, "rows")
	// Output: 2 rows
}

// With Committed each row is visible as soon as BigQuery has acknowledged it. After an error the
// result has the number of rows in the table.
func ExampleCommitted() {
	db, server := exampleDB()
	defer server.Close()
	defer db.Close()
	events := slices.Values([]string{"Ada", "Bob", "Cyd"}) // an input that may have no end
	rows := func(yield func([]any, error) bool) {
		for name := range events {
			if !yield([]any{name, nil, nil}, nil) {
				return
			}
		}
	}
	result, err := bulk.Append(context.Background(), db, "my_dataset.people", rows, bulk.Committed())
	if err != nil {
		log.Printf("%d rows are in the table: %v", result.Rows, err)
	}
	fmt.Println(result.Rows, "rows")
	// Output: 3 rows
}

func ExampleWithProgress() {
	db, server := exampleDB()
	defer server.Close()
	defer db.Close()
	var last bulk.Progress
	options := []bulk.Option{bulk.WithProgress(func(p bulk.Progress) { last = p })}
	_, err := bulk.AppendSlice(context.Background(), db, "my_dataset.people", [][]any{{"Ada", nil, nil}}, options...)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(last.Rows, "rows acknowledged")
	// Output: 1 rows acknowledged
}

// A network that blocks gRPC has no Storage Write API. Append then uses a load job by itself; LoadJob
// saves it the attempt.
func ExampleLoadJob() {
	db, server := exampleDB()
	defer server.Close()
	defer db.Close()
	var result bulk.Result
	result, err := bulk.AppendSlice(context.Background(), db, "my_dataset.people", [][]any{{"Ada", nil, nil}},
		bulk.LoadJob())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Rows, "rows, by a load job:", result.JobID != "")
	// Output: 1 rows, by a load job: true
}
