package fakebq

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"

	"github.com/bigqueryuser/bigqueryuser/internal/storagewire"
)

// wireRow is a row as REST sends it. Arrow's values are made from the same text.
type wireRow struct {
	F []struct {
		V json.RawMessage `json:"v"`
	} `json:"f"`
}

// appendArrowRow appends a row to the builders of its columns.
func appendArrowRow(builders []array.Builder, fields []Field, text []byte) error {
	var row wireRow
	if err := json.Unmarshal(text, &row); err != nil {
		return err
	}
	for i := range fields {
		if err := appendArrowCell(builders[i], &fields[i], row.F[i].V); err != nil {
			return fmt.Errorf("column %q: %w", fields[i].Name, err)
		}
	}
	return nil
}

func appendArrowCell(b array.Builder, f *Field, v json.RawMessage) error {
	if f.Mode != "REPEATED" {
		return appendArrowValue(b, f, v)
	}
	list := b.(*array.ListBuilder)
	list.Append(true)
	var elements []struct {
		V json.RawMessage `json:"v"`
	}
	if err := json.Unmarshal(v, &elements); err != nil {
		return err
	}
	for _, e := range elements {
		if err := appendArrowValue(list.ValueBuilder(), f, e.V); err != nil {
			return err
		}
	}
	return nil
}

func appendArrowValue(b array.Builder, f *Field, v json.RawMessage) error {
	if bytes.Equal(v, []byte("null")) {
		b.AppendNull()
		return nil
	}
	if f.Type == "RECORD" {
		record := b.(*array.StructBuilder)
		record.Append(true)
		builders := make([]array.Builder, record.NumField())
		for i := range builders {
			builders[i] = record.FieldBuilder(i)
		}
		return appendArrowRow(builders, f.Fields, v)
	}
	var text string
	if err := json.Unmarshal(v, &text); err != nil {
		return err
	}
	if f.Type == "RANGE" {
		return appendArrowRange(b.(*array.StructBuilder), f.Element, text)
	}
	if f.Type == "TIMESTAMP" {
		return appendArrowTimestamp(b, text)
	}
	return appendArrowText(b, text)
}

// appendArrowTimestamp appends a TIMESTAMP from its text in REST: microseconds or twelve digits of
// a second.
func appendArrowTimestamp(b array.Builder, text string) error {
	if b, ok := b.(*array.StringBuilder); ok {
		b.Append(text)
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		b.(*array.TimestampBuilder).Append(arrow.Timestamp(n))
		return nil
	}
	t, err := Picos(text).time()
	if err != nil {
		return err
	}
	n := t.UnixMicro()
	if b.Type().(*arrow.TimestampType).Unit == arrow.Nanosecond {
		n = t.UnixNano()
	}
	b.(*array.TimestampBuilder).Append(arrow.Timestamp(n))
	return nil
}

func appendArrowRange(b *array.StructBuilder, element, text string) error {
	b.Append(true)
	start, end, ok := strings.Cut(strings.Trim(text, "[)"), ", ")
	if !ok {
		return fmt.Errorf("not a range: %s", text)
	}
	for i, bound := range []string{start, end} {
		if bound == "UNBOUNDED" {
			b.FieldBuilder(i).AppendNull()
		} else if element == "TIMESTAMP" {
			if err := appendArrowTimestamp(b.FieldBuilder(i), bound); err != nil {
				return err
			}
		} else if err := appendArrowText(b.FieldBuilder(i), bound); err != nil {
			return err
		}
	}
	return nil
}

// appendArrowText appends a scalar other than a TIMESTAMP from its text in REST.
func appendArrowText(b array.Builder, text string) (err error) {
	switch b := b.(type) {
	case *array.Int64Builder:
		var n int64
		n, err = strconv.ParseInt(text, 10, 64)
		b.Append(n)
	case *array.Float64Builder:
		var n float64
		n, err = strconv.ParseFloat(text, 64)
		b.Append(n)
	case *array.BooleanBuilder:
		b.Append(text == "true")
	case *array.StringBuilder:
		b.Append(text)
	case *array.BinaryBuilder:
		var raw []byte
		raw, err = base64.StdEncoding.DecodeString(text)
		b.Append(raw)
	case *array.Decimal128Builder:
		var n *big.Int
		n, err = scaled(text, b.Type().(arrow.DecimalType).GetScale())
		b.Append(decimal128.FromBigInt(n))
	case *array.Decimal256Builder:
		var n *big.Int
		n, err = scaled(text, b.Type().(arrow.DecimalType).GetScale())
		var d decimal256.Num
		if err == nil {
			d, err = storagewire.Decimal256(n)
		}
		b.Append(d)
	case *array.TimestampBuilder:
		var t time.Time
		t, err = time.Parse("2006-01-02T15:04:05.999999", text)
		micros := t.UnixMicro()
		b.Append(arrow.Timestamp(micros))
	case *array.Date32Builder:
		var t time.Time
		t, err = time.Parse(time.DateOnly, text)
		b.Append(arrow.Date32(t.Unix() / 86400))
	case *array.Time64Builder:
		var t time.Time
		t, err = time.Parse("15:04:05.999999", text)
		b.Append(arrow.Time64(t.Sub(t.Truncate(24 * time.Hour)).Microseconds()))
	case *array.MonthDayNanoIntervalBuilder:
		var v arrow.MonthDayNanoInterval
		v, err = arrowInterval(text)
		b.Append(v)
	default:
		err = fmt.Errorf("no Arrow %s", b.Type())
	}
	return err
}

// scaled parses a decimal as a multiple of 10^-scale.
func scaled(text string, scale int32) (*big.Int, error) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return new(big.Int), fmt.Errorf("not a number: %s", text)
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	if !r.IsInt() {
		return new(big.Int), fmt.Errorf("%s has more than %d digits after the point", text, scale)
	}
	return r.Num(), nil
}

// arrowInterval parses Y-M D H:M:S[.F], each part with its own sign.
func arrowInterval(text string) (v arrow.MonthDayNanoInterval, err error) {
	parts := strings.Fields(text)
	if len(parts) != 3 {
		return v, fmt.Errorf("not an interval: %s", text)
	}
	months, negative := strings.CutPrefix(parts[0], "-")
	var y, m int32
	if _, err = fmt.Sscanf(months, "%d-%d", &y, &m); err != nil {
		return v, err
	}
	if v.Months = 12*y + m; negative {
		v.Months = -v.Months
	}
	if _, err = fmt.Sscan(parts[1], &v.Days); err != nil {
		return v, err
	}
	clock, negative := strings.CutPrefix(parts[2], "-")
	hms := strings.Split(clock, ":")
	if len(hms) != 3 {
		return v, fmt.Errorf("not an interval: %s", text)
	}
	nanos, err := scaled(hms[2], 9)
	if err != nil {
		return v, err
	}
	var h, min int64
	if _, err = fmt.Sscan(hms[0], &h); err == nil {
		_, err = fmt.Sscan(hms[1], &min)
	}
	nanos.Add(nanos, new(big.Int).Mul(big.NewInt(h*3600+min*60), big.NewInt(1e9)))
	if !nanos.IsInt64() {
		return v, fmt.Errorf("%s is more than Arrow's nanoseconds hold", text)
	}
	if v.Nanoseconds = nanos.Int64(); negative {
		v.Nanoseconds = -v.Nanoseconds
	}
	return v, err
}
