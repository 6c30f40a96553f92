package bulk

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"time"
	"unsafe"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/internal/bridge"
)

// scalarEncoder encodes a scalar value without an interface, if its type is one of Go's own.
func (c *column) scalarEncoder(t reflect.Type) (encoder, error) {
	if e := c.typeEncoder(t); e != nil {
		return c.tested(e, t)
	}
	if byValuer(t) || reflect.PointerTo(t).Implements(valuerType) || t.Kind() == reflect.Struct && bridge.IsValue(t) {
		return c.parameterEncoder(t), nil
	}
	e := c.kindEncoder(t)
	if e == nil {
		return nil, fmt.Errorf("a %s can't be put into a column of type %s", t, c.typ)
	}
	return c.tested(e, t)
}

// tested returns an error for a Go type that the column never accepts. It tries a zero value, which
// may be out of range.
func (c *column) tested(e encoder, t reflect.Type) (encoder, error) {
	v := reflect.New(t)
	if t.Kind() == reflect.Slice {
		v.Elem().Set(reflect.MakeSlice(t, 0, 0)) // nil would be NULL
	}
	_, _, err := e(nil, v.UnsafePointer())
	if err != nil && err.Error() == c.wrong(kindName(t)).Error() {
		return nil, fmt.Errorf("a %s can't be put into a column of type %s", t, c.typ)
	}
	return e, nil
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "bool"
	case reflect.Float32, reflect.Float64:
		return "float"
	case reflect.Slice:
		return "[]byte"
	case reflect.String:
		return "text"
	case reflect.Struct:
		return t.String()
	}
	return "whole number"
}

// typeEncoder encodes types that correspond to a BigQuery type.
func (c *column) typeEncoder(t reflect.Type) encoder {
	switch t {
	case reflect.TypeFor[time.Time]():
		if !c.picos {
			return putter(c.putTime)
		}
		return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
			t := (*time.Time)(p)
			picos := bridge.Picos(t)
			if picos == 0 {
				b, err := c.putTime(b, *t)
				return b, false, err
			}
			return c.putPicos(b, *t, picos), false, nil
		}
	case reflect.TypeFor[civil.Date]():
		return putter(c.putDate)
	case reflect.TypeFor[civil.DateTime]():
		return putter(c.putDateTime)
	case reflect.TypeFor[civil.Time]():
		return putter(c.putTimeOfDay)
	case reflect.TypeFor[json.Number]():
		return putter(c.putNumber)
	case reflect.TypeFor[json.RawMessage]():
		return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
			v := *(*json.RawMessage)(p)
			if v == nil {
				return b, true, nil
			}
			b, err := c.putBytes(b, v)
			return b, false, err
		}
	}
	return nil
}

// kindEncoder encodes types by their kind.
func (c *column) kindEncoder(t reflect.Type) encoder {
	switch t.Kind() {
	case reflect.Bool:
		return putter(c.putBool)
	case reflect.Int:
		return number[int](c)
	case reflect.Int8:
		return number[int8](c)
	case reflect.Int16:
		return number[int16](c)
	case reflect.Int32:
		return number[int32](c)
	case reflect.Int64:
		return number[int64](c)
	case reflect.Uint:
		return number[uint](c)
	case reflect.Uint8:
		return number[uint8](c)
	case reflect.Uint16:
		return number[uint16](c)
	case reflect.Uint32:
		return number[uint32](c)
	case reflect.Uint64:
		return number[uint64](c)
	case reflect.Float32:
		return putter(func(b []byte, v float32) ([]byte, error) { return c.putFloat(b, float64(v)) })
	case reflect.Float64:
		return putter(c.putFloat)
	case reflect.String:
		return putter(c.putString)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
				v := *(*[]byte)(p)
				if v == nil {
					return b, true, nil
				}
				b, err := c.putBytes(b, v)
				return b, false, err
			}
		}
	}
	return nil
}

func putter[T any](put func([]byte, T) ([]byte, error)) encoder {
	return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
		b, err := put(b, *(*T)(p))
		return b, false, err
	}
}

func number[T int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64](c *column) encoder {
	if c.typ == "INT64" {
		return putter(func(b []byte, v T) ([]byte, error) {
			if v > 0 && uint64(v) > math.MaxInt64 {
				return b, fmt.Errorf("%d is above 9223372036854775807, the largest INT64", v)
			}
			return c.putVarint(b, uint64(int64(v))), nil
		})
	}
	return putter(func(b []byte, v T) ([]byte, error) {
		switch large := v > 0 && uint64(v) > math.MaxInt64; {
		case large && c.typ == "FLOAT64":
			return c.putFloat(b, float64(v))
		case large && decimals[c.typ] != [2]int{}:
			return c.putDecimal(b, fmt.Sprint(v))
		}
		return c.putInt(b, int64(v))
	})
}

// putNumber appends a number of JSON with all its digits.
func (c *column) putNumber(b []byte, n json.Number) ([]byte, error) {
	switch c.typ {
	case "INT64":
		i, err := n.Int64()
		if err != nil {
			return b, fmt.Errorf("%s is not an INT64", n)
		}
		return c.putInt(b, i)
	case "FLOAT64":
		f, err := n.Float64()
		if err != nil {
			return b, fmt.Errorf("%s is not a FLOAT64", n)
		}
		return c.putFloat(b, f)
	}
	return c.putString(b, n.String())
}

// parameterEncoder encodes all other types that package driver accepts as arguments.
func (c *column) parameterEncoder(t reflect.Type) encoder {
	typ := c.parameterType()
	return func(b []byte, p unsafe.Pointer) ([]byte, bool, error) {
		if c.typ == "RANGE" && t == reflect.TypeFor[driver.Range]() && *(*driver.Range)(p) == (driver.Range{}) {
			b, err := c.putRange(b, typ, &bq.RangeValue{}) // a Range without ends has no type of its own
			return b, false, err
		}
		got, v, err := bridge.Encode(reflect.NewAt(t, p).Elem().Interface(), typ)
		if err != nil {
			return b, false, err
		}
		if v.RangeValue != nil {
			b, err = c.putRange(b, got, v.RangeValue)
			return b, false, err
		}
		if len(v.NullFields) > 0 || v.Value == "" && len(v.ForceSendFields) == 0 {
			return b, true, nil
		}
		b, err = c.putParameter(b, got.Type, v.Value)
		return b, false, err
	}
}
