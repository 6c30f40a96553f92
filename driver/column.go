package driver

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"

	bq "google.golang.org/api/bigquery/v2"
)

// column is one column of a result, or one field of a STRUCT.
type column struct {
	name     string
	typeName string
	kind     kind
	required bool  // never NULL
	repeated bool  // an ARRAY, which is never NULL
	length   int64 // of STRING(n) and BYTES(n); 0 means no limit
	decimal  bool
	prec     int64 // of NUMERIC, BIGNUMERIC and TIMESTAMP(12)
	scale    int64
}

func newColumns(schema *bq.TableSchema) ([]column, error) {
	if schema == nil {
		return nil, nil
	}
	columns := make([]column, len(schema.Fields))
	for i, f := range schema.Fields {
		c, err := newColumn(f)
		if err != nil {
			return nil, fmt.Errorf("bigqueryuser: column %d, %q: %w", i+1, f.Name, err)
		}
		columns[i] = c
	}
	return columns, nil
}

func newColumn(f *bq.TableFieldSchema) (column, error) {
	k, text, err := kindOfField(f)
	if err != nil {
		return column{}, err
	}
	c := column{name: f.Name, typeName: text, kind: k, required: f.Mode == "REQUIRED", repeated: f.Mode == "REPEATED"}
	scalar := scalarOf(f)
	if scalar == nil || c.repeated {
		return c, nil
	}
	c.typeName, c.length = scalar.name, f.MaxLength
	if scalar.size != nil {
		c.decimal, c.prec, c.scale = true, scalar.size.precision, scalar.size.scale
		if f.Precision > 0 {
			c.prec, c.scale = f.Precision, f.Scale
		}
	}
	return c, nil
}

func (col *column) scanType() reflect.Type {
	if col.required {
		return col.kind.plain
	}
	return col.kind.nullable
}

// nullable reports whether the column can be NULL. An ARRAY can't: BigQuery returns an empty one
// instead.
func (col *column) nullable() bool { return !col.required && !col.repeated }

var (
	errNull        = errors.New("NULL in a REQUIRED column")
	errNullElement = errors.New("NULL in an ARRAY")
	errCell        = errors.New("a cell is not of the form {\"v\": ...}")
	emptyList      = []byte("[]")
)

// openCell reads the start of a cell.
func openCell(c *cursor) bool {
	if c.literal(`{"v":`) {
		return true
	}
	if !c.accept('{') {
		return false
	}
	key, err := c.str()
	return err == nil && string(key) == "v" && c.accept(':')
}

// cell reads {"v": value} and decodes the value.
func (col *column) cell(c *cursor) (driver.Value, error) {
	if !openCell(c) {
		return nil, errCell
	}
	var v driver.Value
	var err error
	switch {
	case !c.null():
		v, err = col.kind.read(c)
	case col.required:
		err = errNull
	case col.repeated:
		v, err = col.kind.read(&cursor{buf: emptyList, boxes: c.boxes})
	}
	if err != nil {
		return nil, err
	}
	if !c.accept('}') {
		return nil, errCell
	}
	return v, nil
}
