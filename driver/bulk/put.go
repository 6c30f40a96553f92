package bulk

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/civil"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/bigqueryuser/bigqueryuser/driver/internal/bridge"
)

// The put methods append a value of a column, with its tag. They check that the column can hold it.

func (c *column) wrong(what string) error {
	return fmt.Errorf("a %s can't be put into a column of type %s", what, c.typ)
}

func (c *column) putVarint(b []byte, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, c.number, protowire.VarintType), v)
}

func (c *column) putText(b []byte, text string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, c.number, protowire.BytesType), text)
}

func (c *column) putInt(b []byte, n int64) ([]byte, error) {
	switch c.typ {
	case "INT64":
		return c.putVarint(b, uint64(n)), nil
	case "FLOAT64":
		return c.putFloat(b, float64(n))
	case "NUMERIC", "BIGNUMERIC":
		return c.putDecimal(b, strconv.FormatInt(n, 10))
	}
	return b, c.wrong("whole number")
}

func (c *column) putFloat(b []byte, f float64) ([]byte, error) {
	switch c.typ {
	case "FLOAT64":
		return protowire.AppendFixed64(
			protowire.AppendTag(b, c.number, protowire.Fixed64Type),
			math.Float64bits(f),
		), nil
	case "NUMERIC", "BIGNUMERIC":
		if !math.IsInf(f, 0) && !math.IsNaN(f) {
			return c.putDecimal(b, strconv.FormatFloat(f, 'f', -1, 64))
		}
		return b, fmt.Errorf("%s has no %v", c.typ, f)
	}
	return b, c.wrong("float")
}

func (c *column) putBool(b []byte, v bool) ([]byte, error) {
	if c.typ != "BOOL" {
		return b, c.wrong("bool")
	}
	return c.putVarint(b, protowire.EncodeBool(v)), nil
}

func (c *column) putBytes(b, v []byte) ([]byte, error) {
	switch c.typ {
	case "BYTES":
		if c.length > 0 && int64(len(v)) > c.length {
			return b, fmt.Errorf("the value has %d bytes, but the column is BYTES(%d)", len(v), c.length)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, c.number, protowire.BytesType), v), nil
	case "JSON":
		return c.putString(b, string(v))
	}
	return b, c.wrong("[]byte")
}

// putString appends a text to any column whose values BigQuery parses from text.
func (c *column) putString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return b, errors.New("the text is not valid UTF-8: use a BYTES column")
	}
	switch c.typ {
	case "STRING":
		if c.length > 0 && int64(len(s)) > c.length && int64(utf8.RuneCountInString(s)) > c.length {
			return b, fmt.Errorf("the text has %d characters, but the column is STRING(%d)",
				utf8.RuneCountInString(s), c.length)
		}
		return c.putText(b, s), nil
	case "GEOGRAPHY":
		return c.putText(b, s), nil
	case "JSON":
		if !json.Valid([]byte(s)) {
			return b, errors.New("the text is not JSON")
		}
		return c.putText(b, s), nil
	case "NUMERIC", "BIGNUMERIC":
		return c.putDecimal(b, s)
	case "INTERVAL":
		if err := bridge.CheckInterval(s); err != nil {
			return b, err
		}
		return c.putText(b, s), nil
	case "DATE":
		d, err := civil.ParseDate(s)
		if err != nil {
			return b, fmt.Errorf("%q is not a DATE, such as 2006-01-02", s)
		}
		return c.putDate(b, d)
	case "DATETIME":
		d, err := civil.ParseDateTime(strings.Replace(s, " ", "T", 1))
		if err != nil {
			return b, fmt.Errorf("%q is not a DATETIME, such as 2006-01-02T15:04:05.999999", s)
		}
		return c.putDateTime(b, d)
	case "TIME":
		t, err := civil.ParseTime(s)
		if err != nil {
			return b, fmt.Errorf("%q is not a TIME, such as 15:04:05.999999", s)
		}
		return c.putTimeOfDay(b, t)
	case "TIMESTAMP":
		return c.putTimestampText(b, s)
	}
	return b, c.wrong("text")
}

// decimals has the digits of the decimal types, before and after the point.
var decimals = map[string][2]int{"NUMERIC": {29, 9}, "BIGNUMERIC": {39, 38}}

// The largest and the least BIGNUMERIC.
const (
	maxBigNumeric = "578960446186580977117854925043439539266.34992332820282019728792003956564819967"
	minBigNumeric = "-578960446186580977117854925043439539266.34992332820282019728792003956564819968"
)

// putDecimal appends a decimal number exactly. It does not round: a number with more digits than
// the column holds is an error.
func (c *column) putDecimal(b []byte, s string) ([]byte, error) {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || point && fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return b, fmt.Errorf("%q is not a decimal number", s)
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	limit := decimals[c.typ]
	if c.precision > 0 {
		limit = [2]int{int(c.precision - c.scale), int(c.scale)}
	}
	if len(fraction) > limit[1] {
		return b, fmt.Errorf("%s has %d digits after the point, but the column holds %d: round it",
			s, len(fraction), limit[1])
	}
	beyond := len(whole) > limit[0]
	if c.typ == "BIGNUMERIC" && len(whole) == 39 {
		least := s[0] == '-' && "-"+whole+"."+fraction == minBigNumeric
		beyond = beyond || decimalLess(maxBigNumeric, whole+"."+fraction) && !least
	}
	if beyond {
		return b, fmt.Errorf("%s is out of the range of the column", s)
	}
	return c.putText(b, s), nil
}

// decimalLess compares numbers with the same number of digits before the point.
func decimalLess(a, b string) bool { return a < strings.TrimSuffix(b, ".") }

func checkYear(year int) error {
	if year < 1 || year > 9999 {
		return fmt.Errorf("the year %d is outside BigQuery's 1 to 9999", year)
	}
	return nil
}

func (c *column) putDate(b []byte, d civil.Date) ([]byte, error) {
	if c.typ != "DATE" {
		return b, c.wrong("civil.Date")
	}
	if !d.IsValid() {
		return b, fmt.Errorf("%s is not a valid date", d)
	}
	if err := checkYear(d.Year); err != nil {
		return b, err
	}
	days := time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / (24 * 60 * 60)
	return c.putVarint(b, uint64(days)), nil
}

func (c *column) putDateTime(b []byte, d civil.DateTime) ([]byte, error) {
	if c.typ != "DATETIME" {
		return b, c.wrong("civil.DateTime")
	}
	if !d.IsValid() {
		return b, fmt.Errorf("%s is not a valid date and time", d)
	}
	if err := checkYear(d.Date.Year); err != nil {
		return b, err
	}
	var buf [32]byte
	text := d.In(time.UTC).AppendFormat(buf[:0], "2006-01-02 15:04:05.999999")
	return protowire.AppendBytes(protowire.AppendTag(b, c.number, protowire.BytesType), text), nil
}

func (c *column) putTimeOfDay(b []byte, t civil.Time) ([]byte, error) {
	if c.typ != "TIME" {
		return b, c.wrong("civil.Time")
	}
	if !t.IsValid() {
		return b, fmt.Errorf("%s is not a valid time of day", t)
	}
	var buf [16]byte
	text := time.Date(1, 1, 1, t.Hour, t.Minute, t.Second, t.Nanosecond, time.UTC).
		AppendFormat(buf[:0], "15:04:05.999999")
	return protowire.AppendBytes(protowire.AppendTag(b, c.number, protowire.BytesType), text), nil
}

// putTime appends an instant to a TIMESTAMP column, and its wall-clock time to others.
func (c *column) putTime(b []byte, t time.Time) ([]byte, error) {
	switch c.typ {
	case "DATE":
		return c.putDate(b, civil.DateOf(t))
	case "DATETIME":
		return c.putDateTime(b, civil.DateTimeOf(t))
	case "TIME":
		return c.putTimeOfDay(b, civil.TimeOf(t))
	case "TIMESTAMP":
		t = t.UTC()
		if err := checkYear(t.Year()); err != nil {
			return b, err
		}
		if c.picos {
			return c.putPicos(b, t, 0), nil
		}
		return c.putVarint(b, uint64(t.UnixMicro())), nil
	}
	return b, c.wrong("time.Time")
}

// putPicos appends a TIMESTAMP(12). It has picos picoseconds more than the time, which is in UTC.
func (c *column) putPicos(b []byte, t time.Time, picos uint16) []byte {
	return c.putText(b, t.Format("2006-01-02T15:04:05.000000000")+strconv.Itoa(1000 + int(picos))[1:]+"Z")
}

// timestampLayouts are the formats of a TIMESTAMP: with a zone, or in UTC without one.
var timestampLayouts = []string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999",
	"2006-01-02",
}

func (c *column) putTimestampText(b []byte, s string) ([]byte, error) {
	text := strings.TrimSuffix(strings.Replace(s, " ", "T", 1), " UTC")
	rest := "" // digits below nanoseconds
	if dot := strings.IndexByte(text, '.'); dot > 0 {
		end := dot + 1
		for end < len(text) && text[end] >= '0' && text[end] <= '9' {
			end++
		}
		if n := end - dot - 1; n > 9 && n <= 12 {
			rest = text[dot+10 : end]
			text = text[:dot+10] + text[end:]
		}
	}
	for _, layout := range timestampLayouts {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if rest == "" || !c.picos {
			return c.putTime(b, t)
		}
		if err := checkYear(t.UTC().Year()); err != nil {
			return b, err
		}
		return c.putText(b, t.UTC().Format("2006-01-02T15:04:05.000000000")+(rest + "000")[:3]+"Z"), nil
	}
	return b, fmt.Errorf("%q is not a TIMESTAMP, such as 2006-01-02T15:04:05.999999Z", s)
}

// putParameter appends a value that package driver has encoded as a query parameter.
func (c *column) putParameter(b []byte, typ, text string) ([]byte, error) {
	switch typ {
	case "INT64":
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return b, err
		}
		return c.putInt(b, n)
	case "FLOAT64":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return b, err
		}
		return c.putFloat(b, f)
	case "BOOL":
		return c.putBool(b, text == "true")
	case "BYTES":
		v, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return b, err
		}
		return c.putBytes(b, v)
	case "NUMERIC", "BIGNUMERIC":
		if c.typ == "NUMERIC" || c.typ == "BIGNUMERIC" {
			return c.putDecimal(b, text)
		}
	case "STRING", c.typ:
		return c.putString(b, text)
	}
	return b, c.wrong(typ)
}
