package engine

/*
#include <stdlib.h>
#include <stdint.h>

void sandbox_call(void *, void *, void *);
typedef void (*sandbox_call_t)(void *, void *, void *);
*/
import "C"

import (
	"context"
	"fmt"
	"math/big"
	"strings"
	"unsafe"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// kindTypes maps the types of package builtin to DuckDB's.
var kindTypes = map[string]mapping.Type{
	"INT64": mapping.TypeBigInt, "FLOAT64": mapping.TypeDouble, "BOOL": mapping.TypeBoolean,
	"STRING": mapping.TypeVarchar, "JSON": mapping.TypeVarchar, "BYTES": mapping.TypeBlob,
	"BIGNUMERIC": mapping.TypeBlob, "RANGE": mapping.TypeBlob, "TIMESTAMP(12)": mapping.TypeHugeInt,
	"DATE": mapping.TypeDate, "TIME": mapping.TypeTime, "DATETIME": mapping.TypeTimestamp,
	"TIMESTAMP": mapping.TypeTimestampTZ, "INTERVAL": mapping.TypeInterval,
}

// builtinType returns DuckDB's type for the name of a type. The caller destroys
// it.
func builtinType(name string) (mapping.LogicalType, error) {
	if elem, ok := strings.CutPrefix(name, "[]"); ok {
		lt, err := builtinType(elem)
		if err != nil {
			return lt, err
		}
		defer mapping.DestroyLogicalType(&lt)
		return mapping.CreateListType(lt), nil
	}
	if name == "NUMERIC" {
		return mapping.CreateDecimalType(38, numericScale), nil
	}
	id, ok := kindTypes[name]
	if !ok {
		return mapping.LogicalType{}, fmt.Errorf("duckdb: a function of type %q can't be made", name)
	}
	lt := mapping.CreateLogicalType(id)
	if name == "JSON" {
		mapping.LogicalTypeSetAlias(lt, "JSON")
	}
	return lt, nil
}

// register registers the functions of package builtin with DuckDB, in one transaction. With one for
// each, opening the database takes a quarter longer.
func (d *DB) register() error {
	c, err := d.Conn()
	if err != nil {
		return err
	}
	defer c.Release()
	if _, err := c.Exec(context.Background(), "BEGIN"); err != nil {
		return err
	}
	for i := range builtin.Functions {
		if err := registerOne(c.conn, i); err != nil {
			return err
		}
	}
	_, err = c.Exec(context.Background(), "COMMIT")
	return err
}

func registerOne(conn mapping.Connection, i int) error {
	f := &builtin.Functions[i]
	fn := mapping.CreateScalarFunction()
	defer mapping.DestroyScalarFunction(&fn)
	mapping.ScalarFunctionSetName(fn, f.Name)
	mapping.ScalarFunctionSetSpecialHandling(fn) // call decides about NULLs
	use := func(name string, set func(mapping.LogicalType)) error {
		lt, err := builtinType(name)
		if err != nil {
			return err
		}
		defer mapping.DestroyLogicalType(&lt)
		set(lt)
		return nil
	}
	for _, arg := range f.Args {
		if err := use(arg, func(lt mapping.LogicalType) { mapping.ScalarFunctionAddParameter(fn, lt) }); err != nil {
			return err
		}
	}
	if f.Variadic != "" {
		set := func(lt mapping.LogicalType) { mapping.ScalarFunctionSetVarargs(fn, lt) }
		if err := use(f.Variadic, set); err != nil {
			return err
		}
	}
	set := func(lt mapping.LogicalType) { mapping.ScalarFunctionSetReturnType(fn, lt) }
	if err := use(f.Result, set); err != nil {
		return err
	}
	// Calls are distinguished by the index of the function in the table.
	info := C.malloc(C.size_t(unsafe.Sizeof(int64(0))))
	*(*int64)(info) = int64(i)
	mapping.ScalarFunctionSetExtraInfo(fn, info, unsafe.Pointer(C.free))
	mapping.ScalarFunctionSetFunction(fn, unsafe.Pointer(C.sandbox_call_t(C.sandbox_call)))
	if mapping.RegisterScalarFunction(conn, fn) == mapping.StateError {
		return fmt.Errorf("duckdb: function %s could not be registered", f.Name)
	}
	return nil
}

// sandbox_call runs a function on a chunk of rows.
//
//export sandbox_call
func sandbox_call(infoPtr, inputPtr, outputPtr unsafe.Pointer) {
	info := mapping.FunctionInfo{Ptr: infoPtr}
	defer func() {
		if r := recover(); r != nil { // a panic must not cross DuckDB's frames
			mapping.ScalarFunctionSetError(info, fmt.Sprintf("%sthe sandbox failed: %v", builtin.Mark, r))
		}
	}()
	f := &builtin.Functions[*(*int64)(mapping.ScalarFunctionGetExtraInfo(info))]
	input := mapping.DataChunk{Ptr: inputPtr}
	if err := callRows(f, input, mapping.Vector{Ptr: outputPtr}); err != nil {
		noteRefusal(err.Error())
		mapping.ScalarFunctionSetError(info, err.Error())
	}
}

func callRows(f *builtin.Function, input mapping.DataChunk, output mapping.Vector) error {
	rows := int(mapping.DataChunkGetSize(input))
	columns := make([]reader, int(mapping.DataChunkGetColumnCount(input)))
	for i := range columns {
		kind := f.Variadic
		if i < len(f.Args) {
			kind = f.Args[i]
		}
		columns[i] = newReader(mapping.DataChunkGetVector(input, mapping.IdxT(i)), kind)
	}
	args := make([]builtin.Value, len(columns))
	results := make([]builtin.Value, rows)
	for r := range rows {
		known := true
		for i := range columns {
			args[i] = columns[i].value(r)
			known = known && !args[i].Null
		}
		if !known && !f.Nulls {
			results[r] = builtin.Value{Null: true}
			continue
		}
		v, err := f.Call(args)
		if err != nil {
			return err
		}
		results[r] = v
	}
	return write(output, results, 0, f.Result)
}

// reader reads the values of a vector, as long as its chunk is valid.
type reader struct {
	source
	kind  string
	child *reader
}

func newReader(vec mapping.Vector, kind string) reader {
	r := reader{source: open(vec), kind: kind}
	if elem, ok := strings.CutPrefix(kind, "[]"); ok {
		child := newReader(mapping.ListVectorGetChild(vec), elem)
		r.child = &child
	}
	return r
}

func (r *reader) value(i int) builtin.Value {
	if r.null(i) {
		return builtin.Value{Null: true}
	}
	switch r.kind {
	case "INT64", "TIME", "DATETIME", "TIMESTAMP":
		return builtin.Value{Int: at[int64](&r.source, i)}
	case "DATE":
		return builtin.Value{Int: int64(at[int32](&r.source, i))}
	case "FLOAT64":
		return builtin.Value{Float: at[float64](&r.source, i)}
	case "BOOL":
		return builtin.Value{Bool: at[bool](&r.source, i)}
	case "STRING", "BYTES", "JSON", "RANGE":
		return builtin.Value{Text: string(r.bytes(i))}
	case "NUMERIC", "TIMESTAMP(12)":
		return builtin.Value{Dec: hugeInt(&r.source, i).Big()}
	case "BIGNUMERIC":
		return builtin.Value{Dec: builtin.DecodeBigNumeric(r.bytes(i))}
	case "INTERVAL":
		iv := at[Interval](&r.source, i)
		return builtin.Value{Months: iv.Months, Days: iv.Days, Int: iv.Micros}
	}
	entry := at[[2]uint64](&r.source, i) // offset and length of a list
	v := builtin.Value{List: make([]builtin.Value, entry[1])}
	for k := range v.List {
		v.List[k] = r.child.value(int(entry[0]) + k)
	}
	return v
}

func put[T any](data unsafe.Pointer, i int, v T) {
	*(*T)(unsafe.Add(data, uintptr(i)*unsafe.Sizeof(v))) = v
}

// write stores values in a vector, starting at an index.
func write(vec mapping.Vector, values []builtin.Value, from int, kind string) error {
	mapping.VectorEnsureValidityWritable(vec)
	validity := mapping.VectorGetValidity(vec)
	data := mapping.VectorGetData(vec)
	elem, isList := strings.CutPrefix(kind, "[]")
	var child []builtin.Value
	for k := range values {
		v, i := &values[k], from+k
		word := (*uint64)(unsafe.Add(validity, i/64*8))
		if v.Null {
			*word &^= 1 << (i % 64)
			if isList {
				put(data, i, [2]uint64{uint64(len(child)), 0})
			}
			continue
		}
		*word |= 1 << (i % 64)
		switch kind {
		case "INT64", "TIME", "DATETIME", "TIMESTAMP":
			put(data, i, v.Int)
		case "DATE":
			put(data, i, int32(v.Int))
		case "FLOAT64":
			put(data, i, v.Float)
		case "BOOL":
			put(data, i, v.Bool)
		case "STRING", "BYTES", "JSON", "RANGE":
			mapping.VectorAssignStringElementLen(vec, mapping.IdxT(i), []byte(v.Text))
		case "NUMERIC":
			if err := putDecimal(data, i, v.Dec); err != nil {
				return err
			}
		case "TIMESTAMP(12)":
			h, _ := Int128FromBig(v.Dec) // its years are those of a TIMESTAMP
			put(data, i, [2]uint64{h.Lo, uint64(h.Hi)})
		case "BIGNUMERIC":
			mapping.VectorAssignStringElementLen(vec, mapping.IdxT(i), []byte(builtin.EncodeBigNumeric(v.Dec)))
		case "INTERVAL":
			put(data, i, Interval{Months: v.Months, Days: v.Days, Micros: v.Int})
		default:
			put(data, i, [2]uint64{uint64(len(child)), uint64(len(v.List))})
			child = append(child, v.List...)
		}
	}
	if !isList {
		return nil
	}
	// DuckDB's vector may already hold elements, which precede the new ones.
	mapping.ListVectorReserve(vec, mapping.IdxT(len(child)))
	mapping.ListVectorSetSize(vec, mapping.IdxT(len(child)))
	return write(mapping.ListVectorGetChild(vec), child, 0, elem)
}

func putDecimal(data unsafe.Pointer, i int, d *big.Int) error {
	v, ok := Int128FromBig(d)
	if !ok || !builtin.InNumericRange(d) {
		return builtin.Error("numeric overflow")
	}
	put(data, i, [2]uint64{v.Lo, uint64(v.Hi)})
	return nil
}
