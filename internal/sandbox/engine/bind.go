package engine

import (
	"fmt"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Value is a parameter of a statement: a value of a GoogleSQL type. Only the
// field that its type uses is set, in the units of Vector.
type Value struct {
	Type     googlesql.Type
	Null     bool
	Int      int64
	Float    float64
	Bool     bool
	Text     string // STRING, BYTES, JSON; the bytes of a BIGNUMERIC or RANGE, as package builtin encodes it
	Decimal  Int128
	Interval Interval
	Elems    []Value // of an ARRAY; of a STRUCT, one for each field
}

// bind sets the parameters of a statement, $1 first.
func bind(stmt mapping.PreparedStatement, params []Value) error {
	if want := int(mapping.NParams(stmt)); want > len(params) {
		return fmt.Errorf("duckdb: the statement has %d parameters and %d values are given", want, len(params))
	}
	for i := range mapping.NParams(stmt) {
		if err := bindOne(stmt, i+1, params[i]); err != nil {
			return err
		}
	}
	return nil
}

func bindOne(stmt mapping.PreparedStatement, n mapping.IdxT, p Value) error {
	v, err := p.duck()
	if err != nil {
		return err
	}
	defer mapping.DestroyValue(&v)
	if mapping.BindValue(stmt, n, v) == mapping.StateError {
		return fmt.Errorf("duckdb: parameter %d of type %s could not be bound", n, p.Type.Kind)
	}
	return nil
}

// duck returns DuckDB's value, which the caller destroys.
func (p Value) duck() (mapping.Value, error) {
	if p.Null {
		return mapping.CreateNullValue(), nil
	}
	switch p.Type.Kind {
	case googlesql.Int64:
		return mapping.CreateInt64(p.Int), nil
	case googlesql.Float64:
		return mapping.CreateDouble(p.Float), nil
	case googlesql.Bool:
		return mapping.CreateBool(p.Bool), nil
	case googlesql.String, googlesql.JSON:
		return mapping.CreateVarcharLength(p.Text, mapping.IdxT(len(p.Text))), nil
	case googlesql.Bytes, googlesql.BigNumeric, googlesql.Range:
		return mapping.CreateBlob([]byte(p.Text)), nil
	case googlesql.Numeric:
		return mapping.CreateDecimal(mapping.NewDecimal(38, numericScale,
			mapping.NewHugeInt(p.Decimal.Lo, p.Decimal.Hi))), nil
	case googlesql.TimestampPicos:
		return mapping.CreateHugeInt(mapping.NewHugeInt(p.Decimal.Lo, p.Decimal.Hi)), nil
	case googlesql.Date:
		return mapping.CreateDate(mapping.NewDate(int32(p.Int))), nil
	case googlesql.Time:
		return mapping.CreateTime(mapping.NewTime(p.Int)), nil
	case googlesql.Datetime:
		return mapping.CreateTimestamp(mapping.NewTimestamp(p.Int)), nil
	case googlesql.Timestamp:
		return mapping.CreateTimestampTZ(mapping.NewTimestamp(p.Int)), nil
	case googlesql.Interval:
		return mapping.CreateInterval(mapping.NewInterval(p.Interval.Months, p.Interval.Days, p.Interval.Micros)), nil
	case googlesql.Array, googlesql.Struct:
		return p.nested()
	default:
		return mapping.Value{}, fmt.Errorf("duckdb: a parameter of type %s can't be bound", p.Type.Kind)
	}
}

func (p Value) nested() (mapping.Value, error) {
	lt, err := logicalType(p.Type)
	if err != nil {
		return mapping.Value{}, err
	}
	defer mapping.DestroyLogicalType(&lt)
	var elems []mapping.Value
	defer func() {
		for i := range elems {
			mapping.DestroyValue(&elems[i])
		}
	}()
	for _, e := range p.Elems {
		v, err := e.duck()
		if err != nil {
			return mapping.Value{}, err
		}
		elems = append(elems, v)
	}
	if p.Type.Kind == googlesql.Struct {
		return mapping.CreateStructValue(lt, elems), nil
	}
	elem := mapping.ListTypeChildType(lt)
	defer mapping.DestroyLogicalType(&elem)
	return mapping.CreateListValue(elem, elems), nil
}

var scalarTypes = map[googlesql.Kind]mapping.Type{
	googlesql.Int64: mapping.TypeBigInt, googlesql.Float64: mapping.TypeDouble, googlesql.Bool: mapping.TypeBoolean,
	googlesql.String: mapping.TypeVarchar, googlesql.JSON: mapping.TypeVarchar, googlesql.Bytes: mapping.TypeBlob,
	googlesql.BigNumeric: mapping.TypeBlob, googlesql.Range: mapping.TypeBlob,
	googlesql.TimestampPicos: mapping.TypeHugeInt,
	googlesql.Date:           mapping.TypeDate, googlesql.Time: mapping.TypeTime,
	googlesql.Datetime:  mapping.TypeTimestamp,
	googlesql.Timestamp: mapping.TypeTimestampTZ, googlesql.Interval: mapping.TypeInterval,
}

// logicalType returns DuckDB's type for t, which the caller destroys.
func logicalType(t googlesql.Type) (mapping.LogicalType, error) {
	switch t.Kind {
	case googlesql.Numeric:
		return mapping.CreateDecimalType(38, numericScale), nil
	case googlesql.Array:
		elem, err := logicalType(*t.Elem)
		if err != nil {
			return mapping.LogicalType{}, err
		}
		defer mapping.DestroyLogicalType(&elem)
		return mapping.CreateListType(elem), nil
	case googlesql.Struct:
		return structType(t)
	}
	id, ok := scalarTypes[t.Kind]
	if !ok {
		return mapping.LogicalType{}, fmt.Errorf("duckdb: a parameter of type %s can't be bound", t.Kind)
	}
	return mapping.CreateLogicalType(id), nil
}

func structType(t googlesql.Type) (mapping.LogicalType, error) {
	var types []mapping.LogicalType
	var names []string
	defer func() {
		for i := range types {
			mapping.DestroyLogicalType(&types[i])
		}
	}()
	for _, f := range t.Fields {
		lt, err := logicalType(f.Type)
		if err != nil {
			return mapping.LogicalType{}, err
		}
		types = append(types, lt)
		names = append(names, f.Name)
	}
	return mapping.CreateStructType(types, names), nil
}
