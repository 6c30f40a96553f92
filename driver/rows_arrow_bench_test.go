package driver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
	bq "google.golang.org/api/bigquery/v2"
)

// BenchmarkRecord decodes Arrow records of 8,192 rows into driver values, a run of rows at a time,
// as a stream does.
func BenchmarkRecord(b *testing.B) {
	for _, shape := range []struct {
		name  string
		types []string
	}{
		{"int", []string{"INT64"}},
		{"text", []string{"STRING"}},
		{"narrow", []string{"INT64", "STRING"}},
		{"wide", strings.Fields(strings.Repeat("INT64 FLOAT64 STRING TIMESTAMP NUMERIC ", 4))},
	} {
		b.Run(shape.name, func(b *testing.B) {
			const rows = 8192
			r, record := arrowRecord(b, shape.types, rows)
			b.ReportAllocs()
			for b.Loop() {
				for from, step := 0, r.step(record); from < rows; from += step {
					run, err := r.batch(record, from, min(from+step, rows))
					if err != nil {
						b.Fatal(err)
					}
					r.spares.put(run)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}

// arrowRecord returns a record with columns of these types, and its reader.
func arrowRecord(b *testing.B, types []string, rows int) (*arrowReader, arrow.RecordBatch) {
	r := &arrowReader{spares: make(spares, 1)}
	var fields []arrow.Field
	var arrays []arrow.Array
	for i, typ := range types {
		f := &bq.TableFieldSchema{Name: fmt.Sprintf("c%d", i), Type: typ}
		c, err := newColumn(f)
		if err != nil {
			b.Fatal(err)
		}
		k, err := arrowKindOf(f)
		if err != nil {
			b.Fatal(err)
		}
		r.columns, r.kinds = append(r.columns, c), append(r.kinds, k)
		build := array.NewBuilder(arrowmemory.DefaultAllocator, scalarOf(f).schema)
		for row := range rows {
			switch build := build.(type) {
			case *array.Int64Builder:
				build.Append(int64(row) * 7919)
			case *array.Float64Builder:
				build.Append(float64(row) / 13)
			case *array.StringBuilder:
				build.Append(strings.Repeat("x", 8+row%16))
			case *array.TimestampBuilder:
				build.Append(arrow.Timestamp(time.Duration(row) * time.Hour / time.Microsecond))
			case *array.Decimal128Builder:
				build.Append(decimal128.FromI64(int64(row) * 7919_010_000))
			default:
				b.Fatalf("no values of type %s", typ)
			}
		}
		a := build.NewArray()
		arrays = append(arrays, a)
		fields = append(fields, arrow.Field{Name: f.Name, Type: a.DataType(), Nullable: true})
	}
	return r, array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, int64(rows))
}
