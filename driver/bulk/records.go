package bulk

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"cloud.google.com/go/civil"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// recordSource reads the rows of record batches.
func recordSource(columns []*column, records array.RecordReader) (source, error) {
	s := source{present: make([]bool, len(columns))}
	fields := records.Schema().Fields()
	to := make([]*column, len(fields))
	for j, f := range fields {
		i := columnNamed(columns, f.Name)
		if i < 0 {
			return s, fmt.Errorf("the table has no column for the field %q of the records", f.Name)
		}
		if s.present[i] {
			return s, fmt.Errorf("the records have two fields for column %q", columns[i].name)
		}
		s.present[i], to[j] = true, columns[i]
		if err := fits(columns[i], f.Type); err != nil {
			return s, &columnError{columns[i].name, err}
		}
	}
	s.each = func(w sink) error {
		var batch arrow.RecordBatch
		i := 0
		row := encoder(func(b []byte, _ unsafe.Pointer) (_ []byte, _ bool, err error) {
			for j, c := range to {
				if b, err = c.putArrow(b, batch.Column(j), i); err != nil {
					return b, false, &columnError{c.name, err}
				}
			}
			return b, false, nil
		})
		for records.Next() {
			batch = records.RecordBatch()
			for i = range int(batch.NumRows()) {
				if err := w.row(row, nil); err != nil {
					return err
				}
			}
		}
		return records.Err()
	}
	return s, nil
}

// fits returns an error for a list or a struct that the column never accepts, before anything is
// sent.
func fits(c *column, typ arrow.DataType) error {
	if list, ok := typ.(*arrow.ListType); ok && c.repeated() {
		return fits(c.element(), list.Elem())
	}
	record, isStruct := typ.(*arrow.StructType)
	switch {
	case c.repeated() || c.typ == "STRUCT" && !isStruct || c.typ == "RANGE" && (!isStruct || record.NumFields() != 2):
		return fmt.Errorf("a %s can't be put into an %s", typ, c.fullType())
	case c.typ == "RANGE":
		return nil
	case c.typ == "STRUCT":
		for _, f := range record.Fields() {
			i := columnNamed(c.fields, f.Name)
			if i < 0 {
				return fmt.Errorf("the STRUCT has no field %q", f.Name)
			}
			if err := fits(c.fields[i], f.Type); err != nil {
				return &columnError{f.Name, err}
			}
		}
	}
	return nil
}

func (c *column) fullType() string {
	if c.repeated() {
		return "ARRAY<" + c.typ + ">"
	}
	return c.typ
}

// putArrow appends element i of an array.
func (c *column) putArrow(b []byte, a arrow.Array, i int) (_ []byte, err error) {
	if a.IsNull(i) {
		if c.required() {
			err = errNull
		}
		return b, err
	}
	if !c.repeated() {
		return c.putArrowValue(b, a, i)
	}
	list, ok := a.(*array.List)
	if !ok {
		return b, fmt.Errorf("a %s can't be put into an %s", a.DataType(), c.fullType())
	}
	elem := c.element()
	values := list.ListValues()
	from, to := list.ValueOffsets(i)
	for j := int(from); j < int(to); j++ {
		if values.IsNull(j) {
			return b, fmt.Errorf("[%d]: %w", j-int(from), errNullElement)
		}
		if b, err = elem.putArrowValue(b, values, j); err != nil {
			return b, fmt.Errorf("[%d]: %w", j-int(from), err)
		}
	}
	return b, nil
}

// putArrowValue appends a value that is not NULL.
func (c *column) putArrowValue(b []byte, a arrow.Array, i int) ([]byte, error) {
	switch a := a.(type) {
	case *array.Int64:
		return c.putInt(b, a.Value(i))
	case *array.Int32:
		return c.putInt(b, int64(a.Value(i)))
	case *array.Float64:
		return c.putFloat(b, a.Value(i))
	case *array.Float32:
		return c.putFloat(b, float64(a.Value(i)))
	case *array.Boolean:
		return c.putBool(b, a.Value(i))
	case *array.String:
		return c.putString(b, a.Value(i))
	case *array.Binary:
		return c.putBytes(b, a.Value(i))
	case *array.Decimal128:
		return c.putDecimalOf(b, a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale))
	case *array.Decimal256:
		return c.putDecimalOf(b, a.Value(i).ToString(a.DataType().(*arrow.Decimal256Type).Scale))
	case *array.Timestamp:
		return c.putTime(b, a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit))
	case *array.Date32:
		return c.putDate(b, civil.DateOf(a.Value(i).ToTime()))
	case *array.Time64:
		unit := a.DataType().(*arrow.Time64Type).Unit
		return c.putTimeOfDay(b, civil.TimeOf(a.Value(i).ToTime(unit)))
	case *array.MonthDayNanoInterval:
		if c.typ == "INTERVAL" {
			return c.putString(b, intervalText(a.Value(i)))
		}
	case *array.Struct:
		return c.putArrowStruct(b, a, i)
	}
	return b, fmt.Errorf("a %s can't be put into a column of type %s", a.DataType(), c.typ)
}

func (c *column) putDecimalOf(b []byte, text string) ([]byte, error) {
	if decimals[c.typ] == [2]int{} {
		return b, c.wrong("decimal")
	}
	return c.putDecimal(b, text)
}

// intervalText returns BigQuery's text of an INTERVAL, each part with its own sign.
func intervalText(v arrow.MonthDayNanoInterval) string {
	sign := func(n int64) (string, uint64) {
		if n < 0 {
			return "-", -uint64(n)
		}
		return "", uint64(n)
	}
	ms, months := sign(int64(v.Months))
	ts, nanos := sign(v.Nanoseconds)
	seconds, micros := nanos/uint64(time.Second), nanos%uint64(time.Second)/1000
	text := fmt.Sprintf("%s%d-%d %d %s%d:%d:%d",
		ms, months/12, months%12, v.Days, ts, seconds/3600, seconds/60%60, seconds%60)
	if micros > 0 {
		digits := strconv.FormatUint(1_000_000+micros, 10)[1:]
		text += "." + strings.TrimRight(digits, "0")
	}
	return text
}

// putArrowStruct appends a STRUCT, or a RANGE, which is a struct of two ends.
func (c *column) putArrowStruct(b []byte, a *array.Struct, i int) (_ []byte, err error) {
	fields := c.fields
	if c.typ == "RANGE" {
		fields = c.ends()
	} else if c.typ != "STRUCT" {
		return b, c.wrong("STRUCT")
	}
	b, start := c.open(b)
	seen := make([]bool, len(fields))
	for j, f := range a.DataType().(*arrow.StructType).Fields() {
		at := columnNamed(fields, f.Name)
		if at < 0 {
			return b, fmt.Errorf("no field %q", f.Name)
		}
		seen[at] = true
		if b, err = fields[at].putArrow(b, a.Field(j), i); err != nil {
			return b, &columnError{f.Name, err}
		}
	}
	for j, f := range fields {
		if f.required() && !seen[j] {
			return b, &columnError{f.name, errNull}
		}
	}
	return closeMessage(b, start), nil
}
