package fakebq

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Raw is the JSON of a cell. It is put into {"v":...} unchanged, for values that the service never
// sends, or sends in another form.
type Raw string

// Range is a value of a RANGE column. Its ends are values of the element type; nil is UNBOUNDED.
type Range struct{ Start, End any }

// cells writes values in a format of TIMESTAMP.
type cells struct {
	format timestampFormat
}

// appendRow writes {"f":[{"v":...},...]}.
func (c cells) appendRow(b []byte, fields []Field, row []any) ([]byte, error) {
	if len(row) != len(fields) {
		return nil, fmt.Errorf("got %d values; want %d", len(row), len(fields))
	}
	b = append(b, `{"f":[`...)
	for i := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"v":`...)
		var err error
		if b, err = c.appendField(b, &fields[i], row[i]); err != nil {
			return nil, fmt.Errorf("column %q: %w", fields[i].Name, err)
		}
		b = append(b, '}')
	}
	return append(b, `]}`...), nil
}

// appendField writes the value of "v" for a column of any mode.
func (c cells) appendField(b []byte, f *Field, v any) ([]byte, error) {
	if raw, ok := v.(Raw); ok {
		return append(b, raw...), nil
	}
	if f.Mode != "REPEATED" {
		if v == nil && f.Mode == "REQUIRED" {
			return nil, fmt.Errorf("is REQUIRED and has a NULL")
		}
		return c.appendValue(b, f, v)
	}
	if v == nil {
		return append(b, "[]"...), nil // a NULL ARRAY is an empty one
	}
	list := reflect.ValueOf(v)
	if list.Kind() != reflect.Slice {
		return nil, fmt.Errorf("is REPEATED and has a %T", v)
	}
	b = append(b, '[')
	for i := range list.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, `{"v":`...)
		e := list.Index(i).Interface()
		if e == nil {
			return nil, fmt.Errorf("has a NULL in an array, which no result may have")
		}
		var err error
		if b, err = c.appendValue(b, f, e); err != nil {
			return nil, err
		}
		b = append(b, '}')
	}
	return append(b, ']'), nil
}

// appendValue writes one value.
func (c cells) appendValue(b []byte, f *Field, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case Raw:
		return append(b, v...), nil
	case []any:
		if f.Type != "RECORD" {
			return nil, fmt.Errorf("is a %s and has a %T", f.Type, v)
		}
		return c.appendRow(b, f.Fields, v)
	}
	if p, ok := v.(Picos); ok && f.Type == "TIMESTAMP" && f.TimestampPrecision == 12 {
		text, err := c.picos(p)
		return strconv.AppendQuote(b, text), err
	}
	text, err := c.text(f.Type, f.Element, v)
	if err != nil {
		return nil, err
	}
	quoted, err := json.Marshal(text)
	return append(b, quoted...), err
}

// text returns a scalar as the service writes it.
func (c cells) text(typ, element string, v any) (string, error) {
	wrong := fmt.Errorf("is a %s and has a %T", typ, v)
	s, isText := textOf(v)
	t, isTime := v.(time.Time)
	switch typ {
	case "INTEGER":
		rv := reflect.ValueOf(v)
		switch {
		case rv.CanInt():
			return strconv.FormatInt(rv.Int(), 10), nil
		case rv.CanUint():
			return strconv.FormatUint(rv.Uint(), 10), nil
		}
	case "FLOAT":
		if rv := reflect.ValueOf(v); rv.CanFloat() {
			return floatText(rv.Float()), nil
		}
	case "BOOLEAN":
		if v, ok := v.(bool); ok {
			return strconv.FormatBool(v), nil
		}
		return "", wrong
	case "BYTES":
		if v, ok := v.([]byte); ok {
			return base64.StdEncoding.EncodeToString(v), nil
		}
		return "", wrong
	case "TIMESTAMP":
		if isTime {
			return c.timestamp(t), nil
		}
		return "", wrong
	case "DATE":
		if isTime {
			return t.Format("2006-01-02"), nil
		}
	case "DATETIME":
		if isTime {
			return sixDigits(t.Format("2006-01-02T15:04:05.999999")), nil
		}
		return sixDigits(s), whenNot(isText, wrong)
	case "TIME":
		if isTime {
			return sixDigits(t.Format("15:04:05.999999")), nil
		}
		return sixDigits(s), whenNot(isText, wrong)
	case "RANGE":
		if r, ok := v.(Range); ok {
			return c.rangeText(element, r)
		}
	case "STRING", "NUMERIC", "BIGNUMERIC", "GEOGRAPHY", "JSON", "INTERVAL":
	default:
		return "", fmt.Errorf("has the type %q, which has no scalar values", typ)
	}
	if !isText {
		return "", wrong
	}
	return s, nil
}

// sixDigits pads the fraction of a TIME or DATETIME: the service writes six digits or none.
func sixDigits(s string) string {
	if i := strings.IndexByte(s, '.'); i >= 0 && len(s)-i-1 < 6 {
		s += strings.Repeat("0", 6-(len(s)-i-1))
	}
	return s
}

func whenNot(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

func textOf(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.RawMessage:
		return string(v), true
	case time.Time:
		return "", false
	case fmt.Stringer:
		return v.String(), true
	}
	return "", false
}

func (c cells) rangeText(element string, r Range) (string, error) {
	ends := [2]string{"UNBOUNDED", "UNBOUNDED"}
	for i, v := range []any{r.Start, r.End} {
		if v == nil {
			continue
		}
		text, err := c.text(element, "", v)
		if err != nil {
			return "", err
		}
		ends[i] = text
	}
	return "[" + ends[0] + ", " + ends[1] + ")", nil
}

// floatText writes 1.5, 2.0, 1.0E10, NaN, Infinity.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-3 || a >= 1e7) {
		return eNotation(strconv.FormatFloat(f, 'E', -1, 64))
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// eNotation turns Go's 1.5E+09 into the service's 1.5E9.
func eNotation(s string) string {
	mantissa, exp, _ := strings.Cut(s, "E")
	sign := ""
	if exp[0] == '-' {
		sign = "-"
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	exp = strings.TrimLeft(exp[1:], "0")
	if exp == "" {
		exp = "0"
	}
	return mantissa + "E" + sign + exp
}
