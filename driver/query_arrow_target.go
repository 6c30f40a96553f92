package driver

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowTarget decodes rows into record batches.
type arrowTarget struct {
	columns []column
	fields  []*bq.TableFieldSchema
	schema  *arrow.Schema
	cells   []arrowCell
}

func newArrowTarget(columns []column, fields []*bq.TableFieldSchema) (*arrowTarget, error) {
	out, err := arrowFields(fields)
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: %w", err)
	}
	t := &arrowTarget{columns: columns, fields: fields, schema: arrow.NewSchema(out, nil)}
	for _, f := range fields {
		t.cells = append(t.cells, arrowCellOf(f))
	}
	return t, nil
}

func (t *arrowTarget) room(_ spares, n int) *batch {
	build := array.NewRecordBuilder(arrowmemory.DefaultAllocator, t.schema)
	build.Reserve(n)
	return &batch{rows: n, made: made{build: build}}
}

func (t *arrowTarget) row(c *cursor, b *batch, _ int) error {
	build := b.made.build.(*array.RecordBuilder)
	for i := range t.cells {
		err := errTooFewCells
		if comma(c, i) {
			err = t.cells[i].read(c, build.Field(i))
		}
		if err != nil {
			return &columnError{t.columns[i].name, err}
		}
	}
	return nil
}

// done builds the record of the rows. After an error some columns have one value more than others.
func (t *arrowTarget) done(b *batch) {
	build := b.made.build.(*array.RecordBuilder)
	defer build.Release()
	columns := make([]arrow.Array, len(t.cells))
	for i := range columns {
		all := build.Field(i).NewArray()
		columns[i] = array.NewSlice(all, 0, int64(b.rows))
		all.Release()
	}
	b.made = made{record: array.NewRecordBatch(t.schema, columns, int64(b.rows))}
	for _, a := range columns {
		a.Release()
	}
}

func (t *arrowTarget) step(record arrow.RecordBatch) int { return max(int(record.NumRows()), 1) }

func (t *arrowTarget) keeps() bool { return true }

func (t *arrowTarget) record(_ spares, record arrow.RecordBatch, from, to int, _ *boxes) (*batch, error) {
	columns := make([]arrow.Array, len(t.fields))
	for i, f := range t.fields {
		data, err := checkedColumn(record.Column(i), f, t.schema.Field(i).Type, to)
		if err != nil {
			return nil, &badCell{0, f.Name, err}
		}
		columns[i] = data
	}
	out := array.NewRecordBatch(t.schema, columns, int64(to-from))
	for _, a := range columns {
		a.Release()
	}
	return &batch{rows: to - from, made: made{record: out}}, nil
}

// checkedColumn returns an array with the type of the schema. It returns an error for an array that
// a program could not read safely.
func checkedColumn(a arrow.Array, f *bq.TableFieldSchema, typ arrow.DataType, rows int) (out arrow.Array, err error) {
	defer recovered(&err)
	if a.Len() != rows {
		return nil, errShortColumn
	}
	if err := checkArray(a, f); err != nil {
		return nil, err
	}
	data, err := retyped(a.Data(), typ)
	if err != nil {
		return nil, err
	}
	defer data.Release()
	return array.MakeFromData(data), nil
}

// checkArray returns an error for an array with bounds outside of its values, with text that is not
// UTF-8, or with a NULL where the schema allows none.
func checkArray(a arrow.Array, f *bq.TableFieldSchema) error {
	if f.Mode == "REQUIRED" && a.NullN() > 0 {
		return errNull
	}
	switch a := a.(type) {
	case *array.List:
		if _, _, err := listBounds(a, 0, a.Len()); err != nil {
			return err
		}
		if a.ListValues().NullN() > 0 {
			return errNullElement
		}
		return checkArray(a.ListValues(), withMode(f, "NULLABLE"))
	case *array.Struct:
		for i := 0; i < a.NumField() && i < len(f.Fields); i++ {
			if err := checkArray(a.Field(i), notNull(f.Fields[i])); err != nil {
				return fmt.Errorf(".%s: %w", f.Fields[i].Name, err)
			}
		}
	case *array.String:
		text, err := boundedBy(a.ValueOffsets(), a.ValueBytes(), a.Len())
		if err == nil && !utf8.Valid(text) {
			err = errNotUTF8
		}
		return err
	case *array.Binary:
		_, err := boundedBy(a.ValueOffsets(), a.ValueBytes(), a.Len())
		return err
	}
	return nil
}

// boundedBy checks that the bounds of texts are inside their bytes, which start at the first bound.
func boundedBy(offsets []int32, text []byte, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	last := offsets[0]
	for _, end := range offsets[1:] {
		if end < last {
			return nil, errors.New("the bounds of a text are outside of its bytes")
		}
		last = end
	}
	if len(offsets) != n+1 || int(last-offsets[0]) > len(text) {
		return nil, errors.New("the bounds of a text are outside of its bytes")
	}
	return text, nil
}

// retyped returns data with another type of the same layout. The names of inner fields can differ.
func retyped(data arrow.ArrayData, typ arrow.DataType) (arrow.ArrayData, error) {
	have := data.DataType()
	if have.ID() != typ.ID() {
		return nil, errArrow
	}
	children := data.Children()
	var types []arrow.DataType
	switch typ := typ.(type) {
	case *arrow.ListType:
		types = []arrow.DataType{typ.Elem()}
	case *arrow.StructType:
		for _, f := range typ.Fields() {
			types = append(types, f.Type)
		}
	default:
		if !arrow.TypeEqual(have, typ) {
			return nil, fmt.Errorf("the Arrow type is %s, want %s", have, typ)
		}
		data.Retain()
		return data, nil
	}
	if len(children) != len(types) {
		return nil, errArrow
	}
	parts := make([]arrow.ArrayData, len(types))
	for i := range types {
		part, err := retyped(children[i], types[i])
		if err != nil {
			return nil, err
		}
		defer part.Release()
		parts[i] = part
	}
	buffers, nulls := data.Buffers(), data.NullN()
	if typ.ID() == arrow.LIST && nulls > 0 { // a NULL ARRAY is an empty one
		buffers = append([]*arrowmemory.Buffer{nil}, buffers[1:]...)
		nulls = 0
	}
	return array.NewData(typ, data.Len(), buffers, parts, nulls, data.Offset()), nil
}
