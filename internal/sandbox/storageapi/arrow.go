package storageapi

import (
	"fmt"
	"math/big"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// batchOf returns rows [from, to) of a block as an Arrow batch. Most columns are not copied,
// because the engine's vectors have Arrow's layout.
func batchOf(schema *arrow.Schema, block *engine.Block, from, to int) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, len(block.Columns))
	for i, v := range block.Columns {
		data, err := dataOf(v, schema.Field(i).Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", schema.Field(i).Name, err)
		}
		whole := array.MakeFromData(data)
		columns[i] = array.NewSlice(whole, int64(from), int64(to))
	}
	return array.NewRecordBatch(schema, columns, int64(to-from)), nil
}

// dataOf converts a vector to an Arrow type.
func dataOf(v *engine.Vector, typ arrow.DataType) (arrow.ArrayData, error) {
	valid, nulls := validity(v)
	flat := func(values *memory.Buffer) (arrow.ArrayData, error) {
		return array.NewData(typ, v.Len, []*memory.Buffer{valid, values}, nil, nulls, 0), nil
	}
	switch v.Type.Kind {
	case googlesql.Int64, googlesql.Time, googlesql.Datetime, googlesql.Timestamp:
		return flat(bufferOf(v.Ints))
	case googlesql.Date:
		return flat(bufferOf(mapped(v.Ints, func(n int64) int32 { return int32(n) })))
	case googlesql.Float64:
		return flat(bufferOf(v.Floats))
	case googlesql.Bool:
		bits := make([]byte, bitutil.BytesForBits(int64(v.Len)))
		for i, b := range v.Bools {
			bitutil.SetBitTo(bits, i, b)
		}
		return flat(memory.NewBufferBytes(bits))
	case googlesql.Numeric:
		return flat(bufferOf(mapped(v.Decimals, scaleTo(typ.(arrow.DecimalType).GetScale()))))
	case googlesql.BigNumeric:
		values, err := bigNumerics(v, typ.(arrow.DecimalType).GetScale())
		if err != nil {
			return nil, err
		}
		return flat(bufferOf(values))
	case googlesql.TimestampPicos:
		return picos(v, typ, valid, nulls), nil
	case googlesql.Range:
		return ranges(v, typ.(*arrow.StructType), valid, nulls)
	case googlesql.Interval:
		return flat(bufferOf(mapped(v.Intervals, func(iv engine.Interval) arrow.MonthDayNanoInterval {
			return arrow.MonthDayNanoInterval{Months: iv.Months, Days: iv.Days, Nanoseconds: iv.Micros * 1000}
		})))
	case googlesql.String, googlesql.JSON, googlesql.Bytes:
		buffers := []*memory.Buffer{valid, bufferOf(v.Offsets), memory.NewBufferBytes(v.Data)}
		return array.NewData(typ, v.Len, buffers, nil, nulls, 0), nil
	case googlesql.Array:
		elem, err := dataOf(v.Elem, typ.(*arrow.ListType).Elem())
		if err != nil {
			return nil, err
		}
		return array.NewData(typ, v.Len, []*memory.Buffer{nil, bufferOf(v.Offsets)}, []arrow.ArrayData{elem}, 0, 0), nil
	case googlesql.Struct:
		fields := make([]arrow.ArrayData, len(v.Fields))
		for i, f := range v.Fields {
			var err error
			if fields[i], err = dataOf(f, typ.(*arrow.StructType).Field(i).Type); err != nil {
				return nil, err
			}
		}
		return array.NewData(typ, v.Len, []*memory.Buffer{valid}, fields, nulls, 0), nil
	}
	return nil, fmt.Errorf("the type %s has no form in Arrow here", v.Type.Kind)
}

// validity returns Arrow's bitmap, in which 1 marks a value.
func validity(v *engine.Vector) (*memory.Buffer, int) {
	if v.Nulls == nil {
		return nil, 0
	}
	bits, nulls := make([]byte, bitutil.BytesForBits(int64(v.Len))), 0
	for i := range v.Len {
		if v.Null(i) {
			nulls++
		} else {
			bitutil.SetBit(bits, i)
		}
	}
	return memory.NewBufferBytes(bits), nulls
}

// bufferOf returns the memory of numbers, which have the same layout in Arrow.
func bufferOf[T any](values []T) *memory.Buffer {
	var one T
	size := len(values) * int(unsafe.Sizeof(one))
	return memory.NewBufferBytes(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), size))
}

func mapped[T, U any](values []T, f func(T) U) []U {
	out := make([]U, len(values))
	for i, v := range values {
		out[i] = f(v)
	}
	return out
}

// scaleTo reduces a NUMERIC, which has nine digits after the point, to the scale of its column.
func scaleTo(scale int32) func(engine.Int128) decimal128.Num {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(9-scale)), nil)
	return func(d engine.Int128) decimal128.Num {
		if scale == 9 {
			return decimal128.New(d.Hi, d.Lo)
		}
		return decimal128.FromBigInt(new(big.Int).Quo(d.Big(), unit))
	}
}

// bigNumerics converts BIGNUMERICs to Arrow's form.
func bigNumerics(v *engine.Vector, scale int32) ([]decimal256.Num, error) {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(38-scale)), nil)
	out := make([]decimal256.Num, v.Len)
	for i := range out {
		if v.Null(i) {
			continue
		}
		d := builtin.DecodeBigNumeric(v.Bytes(i))
		var err error
		if out[i], err = storagewire.Decimal256(d.Quo(d, unit)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// picos converts TIMESTAMP(12)s to text or to the unit of the type.
func picos(v *engine.Vector, typ arrow.DataType, valid *memory.Buffer, nulls int) arrow.ArrayData {
	micros, rests := make([]int64, v.Len), make([]int64, v.Len)
	for i, d := range v.Decimals {
		micros[i], rests[i] = builtin.SplitPicos(d.Big())
	}
	stamp, ok := typ.(*arrow.TimestampType)
	if !ok {
		offsets, text := make([]int32, 1, v.Len+1), []byte(nil)
		for i := range micros {
			if !v.Null(i) {
				text = append(text, builtin.PicosISO(micros[i], rests[i])...)
			}
			offsets = append(offsets, int32(len(text)))
		}
		buffers := []*memory.Buffer{valid, bufferOf(offsets), memory.NewBufferBytes(text)}
		return array.NewData(typ, v.Len, buffers, nil, nulls, 0)
	}
	if stamp.Unit == arrow.Nanosecond {
		for i := range micros {
			micros[i] = micros[i]*1000 + rests[i]/1000
		}
	}
	return array.NewData(typ, v.Len, []*memory.Buffer{valid, bufferOf(micros)}, nil, nulls, 0)
}

// ranges returns RANGEs as STRUCTs of two bounds; NULL means unbounded.
func ranges(v *engine.Vector, typ *arrow.StructType, valid *memory.Buffer, nulls int) (arrow.ArrayData, error) {
	var ends [2]*engine.Vector
	for k := range ends {
		ends[k] = &engine.Vector{Type: *v.Type.Elem, Len: v.Len, Ints: make([]int64, v.Len),
			Nulls: make([]uint64, (v.Len+63)/64)}
	}
	for i := range v.Len {
		var bounds [2]*int64
		if !v.Null(i) {
			bounds[0], bounds[1] = builtin.DecodeRange(v.Bytes(i)).Ends()
		}
		for k, b := range bounds {
			if b == nil {
				ends[k].Nulls[i/64] |= 1 << (i % 64)
			} else {
				ends[k].Ints[i] = *b
			}
		}
	}
	fields := make([]arrow.ArrayData, len(ends))
	for k, e := range ends {
		var err error
		if fields[k], err = dataOf(e, typ.Field(k).Type); err != nil {
			return nil, err
		}
	}
	return array.NewData(typ, v.Len, []*memory.Buffer{valid}, fields, nulls, 0), nil
}
