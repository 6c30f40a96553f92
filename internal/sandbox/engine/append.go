package engine

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// appendRows is how many rows are passed to DuckDB at a time, the size of its vectors.
const appendRows = 2048

// Append adds rows to a table, in the transaction of the connection. Each row has one value for
// each column of the table, in order.
func (c *Conn) Append(ctx context.Context, schema, table string, types []googlesql.Type, rows [][]Value) error {
	var appender mapping.Appender
	defer mapping.AppenderDestroy(&appender)
	if mapping.AppenderCreate(c.conn, schema, table, &appender) == mapping.StateError {
		return appendError(appender)
	}
	logical := make([]mapping.LogicalType, 0, len(types))
	defer func() {
		for i := range logical {
			mapping.DestroyLogicalType(&logical[i])
		}
	}()
	for _, t := range types {
		lt, err := logicalType(t)
		if err != nil {
			return err
		}
		logical = append(logical, lt)
	}
	for from := 0; from < len(rows); from += appendRows {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := appendChunk(appender, logical, types, rows[from:min(from+appendRows, len(rows))]); err != nil {
			return err
		}
	}
	if mapping.AppenderFlush(appender) == mapping.StateError {
		return appendError(appender)
	}
	return nil
}

func appendError(appender mapping.Appender) error {
	data := mapping.AppenderErrorData(appender)
	defer mapping.DestroyErrorData(&data)
	if text := mapping.ErrorDataMessage(data); text != "" {
		return newError(text)
	}
	return errors.New("duckdb: rows could not be appended")
}

func appendChunk(
	appender mapping.Appender,
	logical []mapping.LogicalType,
	types []googlesql.Type,
	rows [][]Value,
) error {
	chunk := mapping.CreateDataChunk(logical)
	defer mapping.DestroyDataChunk(&chunk)
	column := make([]Value, len(rows))
	for i, t := range types {
		for r := range rows {
			column[r] = rows[r][i]
		}
		if err := store(mapping.DataChunkGetVector(chunk, mapping.IdxT(i)), t, column); err != nil {
			return err
		}
	}
	mapping.DataChunkSetSize(chunk, mapping.IdxT(len(rows)))
	if mapping.AppendDataChunk(appender, chunk) == mapping.StateError {
		return appendError(appender)
	}
	return nil
}

// store puts values of a type into an empty vector.
func store(vec mapping.Vector, t googlesql.Type, values []Value) error {
	mapping.VectorEnsureValidityWritable(vec)
	validity, data := mapping.VectorGetValidity(vec), mapping.VectorGetData(vec)
	for i := range values {
		v := &values[i]
		if v.Null && t.Kind != googlesql.Array { // a NULL array is an empty one
			word := (*uint64)(unsafe.Add(validity, i/64*8))
			*word &^= 1 << (i % 64)
			continue
		}
		switch t.Kind {
		case googlesql.Int64, googlesql.Time, googlesql.Datetime, googlesql.Timestamp:
			put(data, i, v.Int)
		case googlesql.Date:
			put(data, i, int32(v.Int))
		case googlesql.Float64:
			put(data, i, v.Float)
		case googlesql.Bool:
			put(data, i, v.Bool)
		case googlesql.String, googlesql.JSON, googlesql.Bytes, googlesql.BigNumeric,
			googlesql.Range:
			mapping.VectorAssignStringElementLen(vec, mapping.IdxT(i), []byte(v.Text))
		case googlesql.Numeric, googlesql.TimestampPicos:
			put(data, i, [2]uint64{v.Decimal.Lo, uint64(v.Decimal.Hi)})
		case googlesql.Interval:
			put(data, i, v.Interval)
		case googlesql.Array, googlesql.Struct:
		default:
			return fmt.Errorf("duckdb: a value of type %s can't be stored", t.Kind)
		}
	}
	switch t.Kind {
	case googlesql.Array:
		return storeArrays(vec, *t.Elem, values)
	case googlesql.Struct:
		return storeStructs(vec, t, values)
	}
	return nil
}

func storeArrays(vec mapping.Vector, elem googlesql.Type, values []Value) error {
	var all []Value
	data := mapping.VectorGetData(vec)
	for i, v := range values {
		put(data, i, [2]uint64{uint64(len(all)), uint64(len(v.Elems))})
		all = append(all, v.Elems...)
	}
	mapping.ListVectorReserve(vec, mapping.IdxT(len(all)))
	mapping.ListVectorSetSize(vec, mapping.IdxT(len(all)))
	return store(mapping.ListVectorGetChild(vec), elem, all)
}

func storeStructs(vec mapping.Vector, t googlesql.Type, values []Value) error {
	for k, f := range t.Fields {
		field := make([]Value, len(values))
		for i, v := range values {
			if field[i] = (Value{Type: f.Type, Null: true}); !v.Null {
				field[i] = v.Elems[k]
			}
		}
		if err := store(mapping.StructVectorGetChild(vec, mapping.IdxT(k)), f.Type, field); err != nil {
			return err
		}
	}
	return nil
}
