package driver

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	bq "google.golang.org/api/bigquery/v2"
)

// arrowCell appends the cells of a column to an Arrow builder.
type arrowCell struct {
	required, repeated bool
	// value appends a value that is not NULL.
	value func(c *cursor, b array.Builder) error
}

// read reads {"v": value}.
func (a *arrowCell) read(c *cursor, b array.Builder) error {
	if !openCell(c) {
		return errCell
	}
	var err error
	switch {
	case !c.null():
		err = a.value(c, b)
	case a.required:
		err = errNull
	case a.repeated:
		b.(*array.ListBuilder).Append(true)
	default:
		b.AppendNull()
	}
	if err == nil && !c.accept('}') {
		err = errCell
	}
	return err
}

// arrowCellOf returns the arrowCell of a field that [arrowTypeOf] accepts.
func arrowCellOf(f *bq.TableFieldSchema) arrowCell {
	a := arrowCell{required: f.Mode == "REQUIRED", repeated: f.Mode == "REPEATED"}
	switch {
	case f.Type == "RECORD" || f.Type == "STRUCT":
		a.value = structBuilder(f.Fields)
	case f.Type == "RANGE":
		a.value = rangeBuilder(f.RangeElementType)
	default:
		scalar := scalarOf(f)
		a.value = func(c *cursor, b array.Builder) error {
			text, err := c.str()
			if err != nil {
				return errCell
			}
			if err := scalar.build(text, b); err != nil {
				return fmt.Errorf("not a %s: %w", scalar.name, err)
			}
			return nil
		}
	}
	if a.repeated {
		a.value = listBuilder(a.value)
	}
	return a
}

func listBuilder(value func(*cursor, array.Builder) error) func(*cursor, array.Builder) error {
	return func(c *cursor, b array.Builder) error {
		list := b.(*array.ListBuilder)
		list.Append(true)
		if !c.accept('[') {
			return errCell
		}
		elem := arrowCell{value: value, required: true}
		for i := 0; !c.accept(']'); i++ {
			if !comma(c, i) {
				return errCell
			}
			if err := elem.read(c, list.ValueBuilder()); err == errNull {
				return errNullElement
			} else if err != nil {
				return err
			}
		}
		return nil
	}
}

func structBuilder(fields []*bq.TableFieldSchema) func(*cursor, array.Builder) error {
	parts := make([]arrowCell, len(fields))
	for i, f := range fields {
		parts[i] = arrowCellOf(f)
	}
	return func(c *cursor, b array.Builder) error {
		record := b.(*array.StructBuilder)
		record.Append(true)
		if openCells(c) != nil {
			return errCell
		}
		for i := range parts {
			if !comma(c, i) {
				return errTooFewCells
			}
			if err := parts[i].read(c, record.FieldBuilder(i)); err != nil {
				return at("."+fields[i].Name, err)
			}
		}
		if !c.accept(']') || !c.accept('}') {
			return errTooManyCells
		}
		return nil
	}
}

// arrowBuild appends the text of a JSON cell to an Arrow builder.
type arrowBuild func(text []byte, b array.Builder) error

func buildArrow[T any, B array.Builder](parse func([]byte) (T, error), put func(B, T)) arrowBuild {
	return func(text []byte, b array.Builder) error {
		v, err := parse(text)
		if err == nil {
			put(b.(B), v)
		}
		return err
	}
}

func buildText(text []byte, b array.Builder) error {
	text, err := checkString(text)
	if err == nil {
		b.(*array.StringBuilder).BinaryBuilder.Append(text)
	}
	return err
}

func appendDay(b *array.Date32Builder, t time.Time) { b.Append(arrow.Date32(t.Unix() / secondsOfDay)) }

func appendMicros(b *array.TimestampBuilder, t time.Time) { b.Append(arrow.Timestamp(t.UnixMicro())) }

func appendClock(b *array.Time64Builder, d time.Duration) { b.Append(arrow.Time64(d.Microseconds())) }

// buildPicos appends a TIMESTAMP(12) as text, because Arrow has no unit below the nanosecond.
func buildPicos(text []byte, b array.Builder) error {
	_, _, err := parsePicos(text)
	if err == nil {
		b.(*array.StringBuilder).BinaryBuilder.Append(text)
	}
	return err
}

func buildInterval(text []byte, b array.Builder) error {
	v, err := parseInterval(string(text))
	if err != nil {
		return err
	}
	seconds := (int64(v.Hours)*60+int64(v.Minutes))*60 + int64(v.Seconds)
	if nanos := int64(v.SubSecondNanos); max(seconds, -seconds) > math.MaxInt64/int64(time.Second) ||
		max(seconds, -seconds) == math.MaxInt64/int64(time.Second) &&
			max(nanos, -nanos) > math.MaxInt64%int64(time.Second) {
		return errors.New("its time has more than 2562047 hours, which Arrow can't hold: CAST it to STRING")
	}
	b.(*array.MonthDayNanoIntervalBuilder).Append(arrow.MonthDayNanoInterval{
		Months: v.Years*12 + v.Months, Days: v.Days, Nanoseconds: seconds*1e9 + int64(v.SubSecondNanos),
	})
	return nil
}

// unscaled parses a decimal as a number of units of 10^-scale: n, or large if n may be too small
// for it.
func unscaled(text []byte, scale int) (n int64, large *big.Int, err error) {
	text, err = checkDecimal(text)
	if err != nil {
		return 0, nil, err
	}
	whole, fraction, _ := strings.Cut(string(text), ".")
	if len(fraction) > scale {
		return 0, nil, errors.New("more digits after the point than the type's scale")
	}
	digits := whole + fraction + strings.Repeat("0", scale-len(fraction))
	if len(digits) <= 18 {
		n, err = parseInt([]byte(digits))
		return n, nil, err
	}
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return 0, nil, errNumber
	}
	return 0, v, nil
}

func buildDecimal128(text []byte, builder array.Builder) error {
	b := builder.(*array.Decimal128Builder)
	n, large, err := unscaled(text, int(b.Type().(*arrow.Decimal128Type).Scale))
	switch {
	case err != nil:
		return err
	case large == nil:
		b.Append(decimal128.FromI64(n))
	case large.BitLen() > 127:
		return errors.New("out of range")
	default:
		b.Append(decimal128.FromBigInt(large))
	}
	return nil
}

func buildDecimal256(text []byte, builder array.Builder) error {
	b := builder.(*array.Decimal256Builder)
	n, large, err := unscaled(text, int(b.Type().(*arrow.Decimal256Type).Scale))
	switch {
	case err != nil:
		return err
	case large == nil:
		b.Append(decimal256.FromI64(n))
	case large.Cmp(minBigNumeric) < 0 || large.Cmp(maxBigNumeric) > 0:
		return errors.New("out of range")
	default:
		b.Append(decimal256Of(large))
	}
	return nil
}

// decimal256Of is decimal256.FromBigInt for all 256 bits. FromBigInt refuses the least number.
func decimal256Of(n *big.Int) decimal256.Num {
	var words [4]uint64
	for i, w := range new(big.Int).Abs(n).Bits() {
		words[i*bits.UintSize/64] |= uint64(w) << (i * bits.UintSize % 64)
	}
	v := decimal256.New(words[3], words[2], words[1], words[0])
	if n.Sign() < 0 {
		return v.Negate()
	}
	return v
}

// rangeBuilder appends a RANGE to a builder of structs with two fields.
func rangeBuilder(elem *bq.TableFieldSchemaRangeElementType) func(*cursor, array.Builder) error {
	scalar, err := rangeElement(elem)
	return func(c *cursor, b array.Builder) error {
		if err != nil {
			return err
		}
		text, err := c.str()
		if err != nil {
			return errCell
		}
		ends, err := splitRange(text)
		if err != nil {
			return fmt.Errorf("not a RANGE<%s>: %w", scalar.name, err)
		}
		record := b.(*array.StructBuilder)
		record.Append(true)
		for i, end := range ends {
			field := record.FieldBuilder(i)
			if end == nil {
				field.AppendNull()
			} else if err := scalar.build(end, field); err != nil {
				return fmt.Errorf("not a RANGE<%s>: %w", scalar.name, err)
			}
		}
		return nil
	}
}
