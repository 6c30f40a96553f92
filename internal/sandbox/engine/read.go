package engine

import (
	"context"
	"fmt"
	"math"
	"unsafe"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// read copies a result out of DuckDB, chunk by chunk.
func read(ctx context.Context, res *mapping.Result, columns []googlesql.Column, limit int64) (*Result, error) {
	out := &Result{Columns: columns}
	if len(columns) == 0 {
		out.Changed = int64(mapping.RowsChanged(res))
		return out, nil
	}
	if n := int(mapping.ColumnCount(res)); n != len(columns) {
		return nil, fmt.Errorf("duckdb: the statement gives %d columns; want %d", n, len(columns))
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		block, err := readChunk(res, columns)
		if err != nil {
			return nil, err
		}
		if block == nil {
			return out, nil
		}
		for _, v := range block.Columns {
			out.Bytes += v.size()
		}
		if limit > 0 && out.Bytes > limit {
			return nil, ErrTooLarge
		}
		out.add(block)
	}
}

// readChunk returns nil after the last chunk.
func readChunk(res *mapping.Result, columns []googlesql.Column) (*Block, error) {
	chunk := mapping.FetchChunk(*res)
	if chunk.Ptr == nil {
		if msg := mapping.ResultError(res); msg != "" {
			return nil, newError(msg)
		}
		return nil, nil
	}
	defer mapping.DestroyDataChunk(&chunk)
	block := &Block{Rows: int(mapping.DataChunkGetSize(chunk)), Columns: make([]*Vector, len(columns))}
	all := make([]int, block.Rows)
	for i := range all {
		all[i] = i
	}
	unnamed := 0
	for i, col := range columns {
		name := col.Name
		if name == "" {
			name = fmt.Sprintf("f%d_", unnamed) // as BigQuery calls it
			unnamed++
		}
		vec := mapping.DataChunkGetVector(chunk, mapping.IdxT(i))
		v, err := gather(vec, all, col.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
		block.Columns[i] = v
	}
	return block, nil
}

// source is a vector of DuckDB, valid as long as its chunk.
type source struct {
	vec      mapping.Vector
	typ      mapping.Type
	data     unsafe.Pointer
	validity unsafe.Pointer
	// of a DECIMAL
	scale    int
	physical mapping.Type
}

func open(vec mapping.Vector) source {
	lt := mapping.VectorGetColumnType(vec)
	defer mapping.DestroyLogicalType(&lt)
	s := source{
		vec: vec, typ: mapping.GetTypeId(lt),
		data: mapping.VectorGetData(vec), validity: mapping.VectorGetValidity(vec),
	}
	if s.typ == mapping.TypeDecimal {
		s.scale = int(mapping.DecimalScale(lt))
		s.physical = mapping.DecimalInternalType(lt)
	}
	return s
}

func (s *source) null(i int) bool {
	if s.validity == nil {
		return false
	}
	word := *(*uint64)(unsafe.Add(s.validity, i/64*8))
	return word&(1<<(i%64)) == 0
}

func at[T any](s *source, i int) T {
	var zero T
	return *(*T)(unsafe.Add(s.data, uintptr(i)*unsafe.Sizeof(zero)))
}

// bytes returns the value of a VARCHAR or BLOB, valid as long as the chunk. A
// duckdb_string_t is 16 bytes: the length, then up to 12 bytes of text or, of a
// longer one, a prefix and a pointer.
func (s *source) bytes(i int) []byte {
	p := unsafe.Add(s.data, uintptr(i)*16)
	n := *(*uint32)(p)
	if n <= 12 {
		return unsafe.Slice((*byte)(unsafe.Add(p, 4)), n)
	}
	return unsafe.Slice(*(**byte)(unsafe.Add(p, 8)), n)
}

// gather copies the values of vec at the places in rows; a place of -1 is NULL.
func gather(vec mapping.Vector, rows []int, typ googlesql.Type) (*Vector, error) {
	src := open(vec)
	out := &Vector{Type: typ, Len: len(rows)}
	if typ.Kind == googlesql.Array {
		return out, gatherArray(&src, rows, out)
	}
	empty := true
	for i, r := range rows {
		if r < 0 || src.null(r) {
			out.setNull(i)
		} else {
			empty = false
		}
	}
	if empty && src.typ != mapping.TypeStruct {
		// DuckDB chooses the type of an untyped NULL.
		out.reserve()
		return out, nil
	}
	switch typ.Kind {
	case googlesql.Int64:
		return out, gatherInt(&src, rows, out)
	case googlesql.Float64:
		return out, gatherFloat(&src, rows, out)
	case googlesql.Bool:
		return out, fill(&src, rows, out, &out.Bools, mapping.TypeBoolean,
			func(i int) (bool, error) { return at[bool](&src, i), nil })
	case googlesql.String, googlesql.JSON:
		return out, gatherText(&src, rows, out, mapping.TypeVarchar)
	case googlesql.Bytes, googlesql.BigNumeric, googlesql.Range:
		return out, gatherText(&src, rows, out, mapping.TypeBlob)
	case googlesql.TimestampPicos:
		return out, fill(&src, rows, out, &out.Decimals, mapping.TypeHugeInt,
			func(i int) (Int128, error) { return hugeInt(&src, i), nil })
	case googlesql.Numeric:
		return out, gatherDecimal(&src, rows, out)
	case googlesql.Date:
		return out, fill(&src, rows, out, &out.Ints, mapping.TypeDate,
			func(i int) (int64, error) { return inRange(int64(at[int32](&src, i)), minDate, maxDate, "DATE") })
	case googlesql.Time:
		return out, fill(&src, rows, out, &out.Ints, mapping.TypeTime,
			func(i int) (int64, error) { return inRange(at[int64](&src, i), 0, dayMicros-1, "TIME") })
	case googlesql.Datetime:
		return out, fill(&src, rows, out, &out.Ints, mapping.TypeTimestamp,
			func(i int) (int64, error) { return inRange(at[int64](&src, i), minMicros, maxMicros, "DATETIME") })
	case googlesql.Timestamp:
		return out, fill(&src, rows, out, &out.Ints, mapping.TypeTimestampTZ,
			func(i int) (int64, error) { return inRange(at[int64](&src, i), minMicros, maxMicros, "TIMESTAMP") })
	case googlesql.Interval:
		return out, fill(&src, rows, out, &out.Intervals, mapping.TypeInterval,
			func(i int) (Interval, error) { return at[Interval](&src, i), nil })
	case googlesql.Struct:
		return out, gatherStruct(&src, rows, out)
	default:
		return nil, fmt.Errorf("the sandbox can't keep values of type %s", typ.Kind)
	}
}

// The range of BigQuery's dates and times: years 1 to 9999.
const (
	dayMicros = 86400 * 1000000
	minDate   = -719162
	maxDate   = 2932896
	minMicros = minDate * dayMicros
	maxMicros = (maxDate+1)*dayMicros - 1
)

func inRange(v, lo, hi int64, kind string) (int64, error) {
	if v < lo || v > hi {
		return 0, &Error{Type: Builtin, Message: kind + " value is out of range: the years are 1 to 9999"}
	}
	return v, nil
}

// fill copies the values that are not NULL, one by one.
func fill[T any](src *source, rows []int, out *Vector, dst *[]T, want mapping.Type, get func(int) (T, error)) error {
	if src.typ != want {
		return fmt.Errorf("DuckDB gives its type %d for %s", src.typ, out.Type.Kind)
	}
	*dst = make([]T, len(rows))
	for i, r := range rows {
		if out.Null(i) {
			continue
		}
		v, err := get(r)
		if err != nil {
			return err
		}
		(*dst)[i] = v
	}
	return nil
}

// reserve allocates the slices of a vector of NULLs.
func (v *Vector) reserve() {
	switch v.Type.Kind {
	case googlesql.Int64, googlesql.Date, googlesql.Time, googlesql.Datetime, googlesql.Timestamp:
		v.Ints = make([]int64, v.Len)
	case googlesql.Float64:
		v.Floats = make([]float64, v.Len)
	case googlesql.Bool:
		v.Bools = make([]bool, v.Len)
	case googlesql.Numeric, googlesql.TimestampPicos:
		v.Decimals = make([]Int128, v.Len)
	case googlesql.Interval:
		v.Intervals = make([]Interval, v.Len)
	case googlesql.Struct:
		for _, f := range v.Type.Fields {
			child := &Vector{Type: f.Type, Len: v.Len}
			for i := range v.Len {
				if f.Type.Kind != googlesql.Array {
					child.setNull(i)
				}
			}
			child.reserve()
			v.Fields = append(v.Fields, child)
		}
	case googlesql.Array:
		v.Offsets = make([]int32, v.Len+1)
		v.Elem = &Vector{Type: *v.Type.Elem}
		v.Elem.reserve()
	default:
		v.Offsets = make([]int32, v.Len+1)
	}
}

func fitsInt32(n int) error {
	if n > math.MaxInt32 {
		return ErrTooLarge
	}
	return nil
}
