package main

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"time"
)

// parquetWriter writes an Apache Parquet file. Scalars keep their types. Arrays, structs, JSON, and
// types that Parquet does not have, become text.
type parquetWriter struct {
	s       *shell
	columns []column
	builder *array.RecordBuilder
	file    *pqarrow.FileWriter
	on      int
}

var arrowTypes = map[string]arrow.DataType{
	"INT64": arrow.PrimitiveTypes.Int64, "FLOAT64": arrow.PrimitiveTypes.Float64,
	"BOOL": arrow.FixedWidthTypes.Boolean, "BYTES": arrow.BinaryTypes.Binary,
	"NUMERIC": &arrow.Decimal128Type{Precision: 38, Scale: 9}, "DATE": arrow.FixedWidthTypes.Date32,
	"TIMESTAMP": arrow.FixedWidthTypes.Timestamp_us, "DATETIME": &arrow.TimestampType{Unit: arrow.Microsecond},
}

func (w *parquetWriter) begin(columns []column) error {
	if w.s.terminal {
		return errors.New("a Parquet file is not text: write it to a file, with -o or >")
	}
	w.columns = columns
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.name, Type: arrow.BinaryTypes.String, Nullable: true}
		if t, ok := arrowTypes[c.base()]; ok {
			fields[i].Type = t
		}
	}
	schema := arrow.NewSchema(fields, nil)
	w.builder = array.NewRecordBuilder(memory.DefaultAllocator, schema)
	var err error
	w.file, err = pqarrow.NewFileWriter(
		schema,
		nopCloser{w.s.out},
		parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy)),
		pqarrow.DefaultWriterProps(),
	)
	return err
}

func (w *parquetWriter) row(values []any) error {
	for i, v := range values {
		if err := w.append(w.builder.Field(i), w.columns[i], v); err != nil {
			return err
		}
	}
	if w.on++; w.on == 64*page {
		return w.flush()
	}
	return nil
}

func (w *parquetWriter) append(b array.Builder, c column, v any) error {
	if v == nil {
		b.AppendNull()
		return nil
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v.(int64))
	case *array.Float64Builder:
		b.Append(v.(float64))
	case *array.BooleanBuilder:
		b.Append(v.(bool))
	case *array.BinaryBuilder:
		b.Append(v.([]byte))
	case *array.Decimal128Builder:
		n, err := decimal128.FromString(v.(string), 38, 9)
		if err != nil {
			return err
		}
		b.Append(n)
	case *array.Date32Builder:
		b.Append(arrow.Date32FromTime(v.(time.Time)))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(v.(time.Time).UnixMicro()))
	case *array.StringBuilder:
		cell, _ := c.text(v)
		b.Append(cell)
	}
	return nil
}

func (w *parquetWriter) flush() error {
	batch := w.builder.NewRecordBatch()
	defer batch.Release()
	w.on = 0
	return w.file.Write(batch)
}

func (w *parquetWriter) end(int) error {
	defer w.builder.Release()
	if w.on > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.file.Close()
}

// nopCloser keeps the Parquet writer from closing a writer that others use.
type nopCloser struct {
	w interface{ Write([]byte) (int, error) }
}

func (n nopCloser) Write(p []byte) (int, error) { return n.w.Write(p) }
