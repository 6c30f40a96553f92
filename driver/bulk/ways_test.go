package bulk_test

import (
	"context"
	"database/sql"
	"maps"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestWaysToWrite counts the requests of the ways to write rows, as docs/many-rows.md gives them.
func TestWaysToWrite(t *testing.T) {
	t.Parallel()
	type order struct {
		ID   int64
		City string
	}
	orders := func(n int) []order {
		rows := make([]order, n)
		for i := range rows {
			rows[i] = order{int64(i), strings.Repeat("x", 100)} // 106 bytes and their length in a request of Append
		}
		return rows
	}
	const insert = "INSERT INTO orders (id, city) VALUES (?, ?)"
	const unnest = "INSERT INTO orders (id, city) SELECT id, city FROM UNNEST(?)"
	const loadData = "LOAD DATA INTO orders FROM FILES (format = 'JSON', uris = ['gs://b/o'])"
	const longLoadData = "LOAD DATA INTO orders FROM FILES (format = 'JSON', uris = ['gs://b/long'])"
	write := func(n int, opts ...bulk.Option) func(context.Context, *sql.DB) error {
		return func(ctx context.Context, db *sql.DB) error {
			_, err := bulk.AppendSlice(ctx, db, "my_dataset.orders", orders(n), opts...)
			return err
		}
	}
	load := func(n int) func(context.Context, *sql.DB) error { return write(n, bulk.LoadJob()) }
	stream := map[fakebq.Method]int{fakebq.CreateWriteStream: 1, fakebq.AppendRows: 1, fakebq.FinalizeWriteStream: 1,
		fakebq.BatchCommitWriteStreams: 1}
	upload := map[fakebq.Method]int{fakebq.GetTable: 1, fakebq.Upload: 1, fakebq.Get: 1}
	for _, tt := range []struct {
		name  string
		write func(context.Context, *sql.DB) error
		want  map[fakebq.Method]int
	}{
		{"INSERT of a row", func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, insert, 1, "Bern")
			return err
		}, map[fakebq.Method]int{fakebq.Query: 1}},
		{"UNNEST of 1,000 rows", func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, unnest, orders(1000))
			return err
		}, map[fakebq.Method]int{fakebq.Query: 1}},
		{"UNNEST of 10,000 rows", func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, unnest, orders(10_000))
			return err
		}, map[fakebq.Method]int{fakebq.Query: 1}},
		{"Append of a row", write(1), stream},
		{"Append of 20,000 rows", write(20_000), stream},
		{"a load job of a row", load(1), upload},
		{"a load job of 20,000 rows", load(20_000), upload},
		{"LOAD DATA", func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, loadData)
			return err
		}, map[fakebq.Method]int{fakebq.Query: 1}},
		{"LOAD DATA that takes a while", func(ctx context.Context, db *sql.DB) error {
			_, err := db.ExecContext(ctx, longLoadData)
			return err
		}, map[fakebq.Method]int{fakebq.Query: 1, fakebq.GetQueryResults: 1, fakebq.Get: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.CreateTable("my-project.my_dataset.orders", fakebq.Field{Name: "id", Type: "INTEGER"},
				fakebq.Field{Name: "city", Type: "STRING"})
			for _, sql := range []string{insert, unnest} {
				server.On(sql, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			}
			server.On(loadData, fakebq.Answer{StatementType: "LOAD_DATA"})
			server.On(longLoadData, fakebq.Answer{StatementType: "LOAD_DATA", Incomplete: 1})
			db, _ := open(t, server)
			if err := tt.write(t.Context(), db); err != nil {
				t.Fatal(err)
			}
			if got := server.Counts(); !maps.Equal(got, tt.want) {
				t.Errorf("got %v; want %v", got, tt.want)
			}
		})
	}
}
