package engine

import (
	"errors"
	"fmt"
	"math"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// ErrNullElement means that an ARRAY of a result has a NULL element, which
// BigQuery can't write.
var ErrNullElement = errors.New("an ARRAY holds a NULL element")

var errInt64 = &Error{Type: Builtin, Message: "int64 overflow"}

// gatherInt accepts every integer type, because DuckDB's sums and counts can be
// wider or narrower than INT64.
func gatherInt(src *source, rows []int, out *Vector) error {
	var get func(i int) (int64, error)
	switch src.typ {
	case mapping.TypeBigInt:
		get = func(i int) (int64, error) { return at[int64](src, i), nil }
	case mapping.TypeInteger:
		get = func(i int) (int64, error) { return int64(at[int32](src, i)), nil }
	case mapping.TypeSmallInt:
		get = func(i int) (int64, error) { return int64(at[int16](src, i)), nil }
	case mapping.TypeTinyInt:
		get = func(i int) (int64, error) { return int64(at[int8](src, i)), nil }
	case mapping.TypeUInteger:
		get = func(i int) (int64, error) { return int64(at[uint32](src, i)), nil }
	case mapping.TypeUSmallInt:
		get = func(i int) (int64, error) { return int64(at[uint16](src, i)), nil }
	case mapping.TypeUTinyInt:
		get = func(i int) (int64, error) { return int64(at[uint8](src, i)), nil }
	case mapping.TypeUBigInt:
		get = func(i int) (int64, error) {
			if v := at[uint64](src, i); v <= math.MaxInt64 {
				return int64(v), nil
			}
			return 0, errInt64
		}
	case mapping.TypeHugeInt:
		get = func(i int) (int64, error) {
			v := hugeInt(src, i)
			if v.Hi != int64(v.Lo)>>63 {
				return 0, errInt64
			}
			return int64(v.Lo), nil
		}
	default:
		return fmt.Errorf("DuckDB gives its type %d for INT64", src.typ)
	}
	return fill(src, rows, out, &out.Ints, src.typ, get)
}

func gatherFloat(src *source, rows []int, out *Vector) error {
	if src.typ == mapping.TypeFloat {
		return fill(src, rows, out, &out.Floats, src.typ,
			func(i int) (float64, error) { return float64(at[float32](src, i)), nil })
	}
	return fill(src, rows, out, &out.Floats, mapping.TypeDouble,
		func(i int) (float64, error) { return at[float64](src, i), nil })
}

// hugeInt reads DuckDB's 128-bit integer: the low half comes first in memory.
func hugeInt(src *source, i int) Int128 {
	halves := at[[2]uint64](src, i)
	return Int128{Lo: halves[0], Hi: int64(halves[1])}
}

// numericScale is the scale of every NUMERIC, whatever its parameters are.
const numericScale = 9

func gatherDecimal(src *source, rows []int, out *Vector) error {
	if src.typ != mapping.TypeDecimal || src.scale > numericScale {
		return fmt.Errorf("DuckDB gives its type %d of scale %d for NUMERIC", src.typ, src.scale)
	}
	factor := uint64(1)
	for range numericScale - src.scale {
		factor *= 10
	}
	return fill(src, rows, out, &out.Decimals, src.typ, func(i int) (Int128, error) {
		var v Int128
		switch src.physical {
		case mapping.TypeSmallInt:
			v = int128(int64(at[int16](src, i)))
		case mapping.TypeInteger:
			v = int128(int64(at[int32](src, i)))
		case mapping.TypeBigInt:
			v = int128(at[int64](src, i))
		default:
			v = hugeInt(src, i)
		}
		v, ok := v.mul(factor)
		if !ok {
			return v, &Error{Type: Builtin, Message: "numeric overflow"}
		}
		return v, nil
	})
}

func gatherText(src *source, rows []int, out *Vector, want mapping.Type) error {
	if src.typ != want {
		return fmt.Errorf("DuckDB gives its type %d for %s", src.typ, out.Type.Kind)
	}
	out.Offsets = make([]int32, 1, len(rows)+1)
	total := 0
	for i, r := range rows {
		if !out.Null(i) {
			total += len(src.bytes(r))
		}
	}
	if err := fitsInt32(total); err != nil {
		return err
	}
	out.Data = make([]byte, 0, total)
	for i, r := range rows {
		if !out.Null(i) {
			out.Data = append(out.Data, src.bytes(r)...)
		}
		out.Offsets = append(out.Offsets, int32(len(out.Data)))
	}
	return nil
}

func gatherArray(src *source, rows []int, out *Vector) error {
	if src.typ != mapping.TypeList {
		for _, r := range rows {
			if r >= 0 && !src.null(r) {
				return fmt.Errorf("DuckDB gives its type %d for ARRAY", src.typ)
			}
		}
		out.reserve()
		return nil
	}
	out.Offsets = make([]int32, 1, len(rows)+1)
	var places []int
	for _, r := range rows {
		if r >= 0 && !src.null(r) {
			entry := at[[2]uint64](src, r) // offset, length
			for k := range entry[1] {
				places = append(places, int(entry[0]+k))
			}
		}
		if err := fitsInt32(len(places)); err != nil {
			return err
		}
		out.Offsets = append(out.Offsets, int32(len(places)))
	}
	elem, err := gather(mapping.ListVectorGetChild(src.vec), places, *out.Type.Elem)
	if err != nil {
		return err
	}
	out.Elem = elem
	if elem.Nulls != nil {
		return ErrNullElement
	}
	return nil
}

func gatherStruct(src *source, rows []int, out *Vector) error {
	if src.typ != mapping.TypeStruct {
		return fmt.Errorf("DuckDB gives its type %d for STRUCT", src.typ)
	}
	// Below a NULL struct the fields' memory says nothing.
	places := rows
	if out.Nulls != nil {
		places = make([]int, len(rows))
		for i, r := range rows {
			places[i] = r
			if out.Null(i) {
				places[i] = -1
			}
		}
	}
	for i, f := range out.Type.Fields {
		child, err := gather(mapping.StructVectorGetChild(src.vec, mapping.IdxT(i)), places, f.Type)
		if err != nil {
			return fmt.Errorf("field %q: %w", f.Name, err)
		}
		out.Fields = append(out.Fields, child)
	}
	return nil
}
