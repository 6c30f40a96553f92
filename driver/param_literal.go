package driver

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/bigquery"
	bq "google.golang.org/api/bigquery/v2"
)

// The texts of scalar parameters. The official client's functions are not used, because they round
// a civil time up to a sixtieth second.

// formatFloat returns the shortest text of a number. BigQuery accepts NaN, +Inf and -Inf.
func formatFloat(f float64, bits int) string { return strconv.FormatFloat(f, 'g', -1, bits) }

// encodeText returns an error for text that is not UTF-8, because JSON would change it silently.
func encodeText(typ, s string) (argument, error) {
	if !utf8.ValidString(s) {
		return argument{}, fmt.Errorf("the %s is not valid UTF-8: pass a []byte for BYTES", typ)
	}
	return scalar(typ, s), nil
}

func encodeBytes(b []byte) argument {
	if b == nil {
		return typedNull("BYTES")
	}
	return scalar("BYTES", base64.StdEncoding.EncodeToString(b))
}

func checkYear(y int) error {
	if y < 1 || y > 9999 {
		return fmt.Errorf("the year %d is outside BigQuery's 1 to 9999", y)
	}
	return nil
}

func encodeCivil(typ, text string, valid bool, year int) (argument, error) {
	if !valid {
		return argument{}, fmt.Errorf("not a valid %s: %s", typ, text)
	}
	if err := checkYear(year); err != nil {
		return argument{}, err
	}
	return scalar(typ, text), nil
}

// timestampLayout cuts a time to microseconds, which is BigQuery's precision.
const timestampLayout = "2006-01-02 15:04:05.999999+00:00"

func encodeTimestamp(t time.Time) (argument, error) {
	u := t.UTC()
	if err := checkYear(u.Year()); err != nil {
		return argument{}, err
	}
	return scalar("TIMESTAMP", u.Format(timestampLayout)), nil
}

// encodeRat encodes a decimal as the smaller type that holds it exactly. It does not round: that is
// up to the caller.
func encodeRat(r *big.Rat) (argument, error) {
	var scaled *big.Rat
	for _, t := range []struct {
		name  string
		scale int
		min   *big.Int
		max   *big.Int
	}{
		{"NUMERIC", numericScale, minNumeric, maxNumeric},
		{"BIGNUMERIC", bigNumericScale, minBigNumeric, maxBigNumeric},
	} {
		unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(t.scale)), nil)
		scaled = new(big.Rat).Mul(r, new(big.Rat).SetInt(unit))
		if scaled.IsInt() && scaled.Num().Cmp(t.min) >= 0 && scaled.Num().Cmp(t.max) <= 0 {
			text := r.FloatString(t.scale)
			return scalar(t.name, strings.TrimSuffix(strings.TrimRight(text, "0"), ".")), nil
		}
	}
	if whole := new(
		big.Int,
	).Quo(scaled.Num(), scaled.Denom()); whole.Cmp(minBigNumeric) < 0 ||
		whole.Cmp(maxBigNumeric) > 0 {
		return argument{}, errors.New("the number is outside the range of BIGNUMERIC, about 5.79e38 either way")
	}
	return argument{}, errors.New("the number has more digits than BIGNUMERIC holds (38 after the point): round it")
}

// encodeInt uses INT64 if it is large enough, because BigQuery accepts one for a NUMERIC parameter.
func encodeInt(i *big.Int) (argument, error) {
	if i.IsInt64() {
		return encode(i.Int64())
	}
	return encodeRat(new(big.Rat).SetInt(i))
}

func encodeInterval(v *bigquery.IntervalValue) (argument, error) {
	text, err := intervalText(v)
	if err != nil {
		return argument{}, err
	}
	return scalar("INTERVAL", text), nil
}

func encodeRange(r Range) (argument, error) {
	elem, value := "", &bq.RangeValue{}
	for _, side := range []struct {
		name string
		end  any
		to   **bq.QueryParameterValue
	}{{"Start", r.Start, &value.Start}, {"End", r.End, &value.End}} {
		if side.end == nil {
			continue
		}
		a, err := encode(side.end)
		if err == nil && a.time != nil {
			a, err = encodeTimestamp(*a.time)
		}
		if err != nil {
			return argument{}, fmt.Errorf("%s of the Range: %w", side.name, err)
		}
		typ := cmp.Or(a.typ, a.fallback, &bq.QueryParameterType{})
		switch t := typ.Type; {
		case t != "DATE" && t != "DATETIME" && t != "TIMESTAMP":
			return argument{}, fmt.Errorf(
				"%s of the Range is a %T: use civil.Date, civil.DateTime or time.Time",
				side.name,
				side.end,
			)
		case elem != "" && elem != t:
			return argument{}, fmt.Errorf("the Start of the Range is a %s and its End a %s: use one type", elem, t)
		default:
			elem = t
		}
		if !a.isNull() {
			*side.to = a.value
		}
	}
	if elem == "" {
		return argument{}, errors.New(
			"a Range with neither Start nor End has no type: " +
				"write it in the statement, as RANGE<DATE> '[UNBOUNDED, UNBOUNDED)'",
		)
	}
	return argument{
		typ:   &bq.QueryParameterType{Type: "RANGE", RangeElementType: &bq.QueryParameterType{Type: elem}},
		value: &bq.QueryParameterValue{RangeValue: value},
	}, nil
}
