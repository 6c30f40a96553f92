package driver_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// readRecords reads all batches as one.
func readRecords(ctx context.Context, db driver.Queryer, query string) (arrow.RecordBatch, error) {
	r, err := driver.QueryArrow(ctx, db, query)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var all []arrow.RecordBatch
	for r.Next() {
		r.RecordBatch().Retain()
		all = append(all, r.RecordBatch())
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	columns := make([]arrow.Array, r.Schema().NumFields())
	rows := int64(0)
	for i := range columns {
		var parts []arrow.Array
		for _, b := range all {
			parts = append(parts, b.Column(i))
		}
		if columns[i], err = array.Concatenate(parts, memory.DefaultAllocator); err != nil {
			return nil, err
		}
		rows = int64(columns[i].Len())
	}
	return array.NewRecordBatch(r.Schema(), columns, rows), nil
}

// TestQueryArrowTypes: for every type the batches of REST equal those of the Storage Read API, and so do the schemas.
func TestQueryArrowTypes(t *testing.T) {
	t.Parallel()
	for _, tt := range bothPaths {
		t.Run(fmt.Sprint(tt.name, tt.field.MaxLength, tt.field.Precision), func(t *testing.T) {
			t.Parallel()
			plain, required, list := tt.field, tt.field, tt.field
			plain.Name, required.Name, required.Mode, list.Name, list.Mode = "c", "r", "REQUIRED", "l", "REPEATED"
			record := fakebq.Field{Name: "s", Type: "RECORD", Fields: []fakebq.Field{plain, list}}
			records := record
			records.Name, records.Mode = "ss", "REPEATED"
			fields := []fakebq.Field{plain, required, list, record, records}
			var rows [][]any
			for _, v := range tt.values {
				one := []any{v.in, []any{v.in, v.in}}
				rows = append(rows, []any{v.in, v.in, []any{v.in, v.in}, one, []any{one, one}})
			}
			some := tt.values[0].in
			rows = append(rows, []any{nil, some, nil, nil, nil},
				[]any{nil, some, []any{}, []any{nil, nil}, []any{[]any{nil, nil}}})
			server := fakebq.Run(t, fakebq.Options{})
			server.On("SELECT", fakebq.Answer{Fields: fields, Rows: rows, PageSize: 1})
			var all []arrow.RecordBatch
			for _, path := range []string{"rest", "storage"} {
				db := open(t, server, func(c *dsn.Config) { c.ReadAPI, c.StorageEndpoint = path, server.StorageURL() })
				got, err := readRecords(t.Context(), db, "SELECT")
				if err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				if got.NumRows() != int64(len(rows)) {
					t.Errorf("%s: got %d rows; want %d", path, got.NumRows(), len(rows))
				}
				all = append(all, got)
			}
			if !all[0].Schema().Equal(all[1].Schema()) {
				t.Errorf("got schemas %s and %s", all[0].Schema(), all[1].Schema())
			}
			for i := range fields {
				exactly := []array.EqualOption{array.WithNaNsEqual(true), array.WithAbsTolerance(0)}
				if !array.ApproxEqual(all[0].Column(i), all[1].Column(i), exactly...) {
					t.Errorf("column %s: got %v by REST, %v by Storage", fields[i].Name, all[0].Column(i), all[1].Column(i))
				}
			}
			typ, _ := all[0].Schema().Field(0).Metadata.GetValue(driver.ArrowType)
			if !strings.HasPrefix(typ, tt.name) {
				t.Errorf("got the type %q in the metadata; want %s", typ, tt.name)
			}
		})
	}
}

// TestQueryArrow: over REST and over Storage each row comes once, and in order if the query orders, also when
// streams break. A loop that ends early leaves nothing open.
func TestQueryArrow(t *testing.T) {
	t.Parallel()
	eachPath(t, func(t *testing.T, server *fakebq.Server, configure func(*dsn.Config), storage bool, query string) {
		server.InjectStream(fakebq.ReadRows, fakebq.StreamFault{Code: 14, Message: "gone", After: 1},
			fakebq.StreamFault{Code: 14, Message: "gone", After: 2})
		db := open(t, server, configure)
		record, err := readRecords(t.Context(), db, query)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, n := range record.Column(0).(*array.Int64).Int64Values() {
			got = append(got, int(n))
		}
		if problem := everyRowOnce(got, query == ordered); problem != "" {
			t.Error(problem)
		}
		for range 5 {
			r, err := driver.QueryArrow(t.Context(), db, query)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Next() || r.RecordBatch().NumRows() == 0 {
				t.Error(r.Err())
			}
			r.Retain()
			r.Release()
			r.Release()
			server.WaitIdle(t)
			server.WaitStreams(t)
			if r.Next() {
				t.Error("got a batch after Release")
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		r, err := driver.QueryArrow(ctx, db, query)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		for r.Next() {
		}
		if !errors.Is(r.Err(), context.Canceled) {
			t.Errorf("got %v; want context.Canceled", r.Err())
		}
		r.Release()
	})
}

// TestQueryArrowMalformed: what comes and can't be read is an error, never a panic in the program that reads it.
func TestQueryArrowMalformed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault fakebq.StreamFault
		want  string
	}{
		{"corrupt", fakebq.StreamFault{Corrupt: true, After: 1}, " of stream projects/"},
		{"a wrong row count", fakebq.StreamFault{Rows: 1, After: 1}, "announced as"},
		{"ended early", fakebq.StreamFault{End: true, After: 2}, "the Storage Read API sent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := bigTable(t)
			server.InjectStream(fakebq.ReadRows, tt.fault)
			_, err := readRecords(t.Context(), open(t, server, overStorage(server)), ordered)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want an error with %q", err, tt.want)
			}
		})
	}
}

// TestQueryArrowNoRows: a statement without rows has a schema, or none, and no batch.
func TestQueryArrowNoRows(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT", fakebq.Answer{Fields: numbers.Fields})
	server.On("INSERT", fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
	server.On("wrong", fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "wrong"}})
	db := open(t, server)
	for text, columns := range map[string]int{"SELECT": 2, "INSERT": 0} {
		r, err := driver.QueryArrow(t.Context(), db, text)
		if err != nil {
			t.Fatal(err)
		}
		if r.Schema().NumFields() != columns || r.Next() || r.Err() != nil {
			t.Errorf("%s: got %s, %v; want %d columns and no batch", text, r.Schema(), r.Err(), columns)
		}
		r.Release()
	}
	if _, err := driver.QueryArrow(t.Context(), db, "wrong"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("got %v; want invalidQuery", err)
	}
}
