package driver_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// typeCase is one BigQuery type with its values, ordinary and extreme. NULL and the modes are
// added by the tests.
type typeCase struct {
	field  fakebq.Field
	name   string // DatabaseTypeName
	values []valueCase
}

type valueCase struct {
	in   any    // as the fake takes it
	want any    // in an any; its type is the type's own
	text string // in a string
	as   any    // by driver.As, in a destination of this type
}

// bothPaths is the one table of types, for results by REST and by the Storage Read API.
var bothPaths = []typeCase{
	{fakebq.Field{Type: "INTEGER"}, "INT64", []valueCase{
		{0, int64(0), "0", false},
		{7, int64(7), "7", int8(7)},
		{math.MinInt64, int64(math.MinInt64), "-9223372036854775808", bigInt("-9223372036854775808")},
		{math.MaxInt64, int64(math.MaxInt64), "9223372036854775807", uint64(math.MaxInt64)},
	}},
	{fakebq.Field{Type: "FLOAT"}, "FLOAT64", []valueCase{
		{0.0, 0.0, "0", 0.0},
		{1.5, 1.5, "1.5", float32(1.5)},
		{0.1, 0.1, "0.1", 0.1},
		{1e7, 1e7, "1e+07", 1e7},
		{math.Copysign(0, -1), math.Copysign(0, -1), "-0", math.Copysign(0, -1)},
		{math.NaN(), math.NaN(), "NaN", math.NaN()},
		{math.Inf(1), math.Inf(1), "+Inf", float32(math.Inf(1))},
		{math.Inf(-1), math.Inf(-1), "-Inf", math.Inf(-1)},
		{math.SmallestNonzeroFloat64, math.SmallestNonzeroFloat64, "5e-324", 5e-324},
		{-math.MaxFloat64, -math.MaxFloat64, "-1.7976931348623157e+308", -math.MaxFloat64},
		{fakebq.Raw(`"-Infinity"`), math.Inf(-1), "-Inf", math.Inf(-1)},
	}},
	{fakebq.Field{Type: "BOOLEAN"}, "BOOL", []valueCase{
		{true, true, "true", true},
		{false, false, "false", "false"},
	}},
	{
		fakebq.Field{Type: "STRING"},
		"STRING",
		textCases("", "a", "null", "naïve \"\\\n<>&\u2028", "a\x00b", "\ufeff😀𝄞", strings.Repeat("é😀", 1<<20/6)),
	},
	{fakebq.Field{Type: "STRING", MaxLength: 10}, "STRING", textCases("", "0123456789")},
	{fakebq.Field{Type: "BYTES"}, "BYTES", []valueCase{
		{[]byte{}, []byte{}, "", json.RawMessage{}},
		{[]byte{0}, []byte{0}, "\x00", "\x00"},
		{allBytes(), allBytes(), string(allBytes()), json.RawMessage(allBytes())},
	}},
	{
		fakebq.Field{Type: "NUMERIC"},
		"NUMERIC",
		decimalCases("0", "1.5", "-0.000000001", "100", "9223372036854775807", "-9223372036854775808.000000001",
			"99999999999999999999999999999.999999999", "-99999999999999999999999999999.999999999"),
	},
	{
		fakebq.Field{Type: "NUMERIC", Precision: 10, Scale: 2},
		"NUMERIC",
		[]valueCase{
			{"12.50", "12.5", "12.5", 12.5},
			{"-99999999.99", "-99999999.99", "-99999999.99", bigRat("-99999999.99")},
		},
	},
	{fakebq.Field{Type: "BIGNUMERIC"}, "BIGNUMERIC", decimalCases("0", "-1.5", "0.00000000000000000000000000000000000001",
		"578960446186580977117854925043439539266.34992332820282019728792003956564819967",
		"-578960446186580977117854925043439539266.34992332820282019728792003956564819967",
		"-578960446186580977117854925043439539266.34992332820282019728792003956564819968")},
	{
		fakebq.Field{Type: "TIMESTAMP"},
		"TIMESTAMP",
		momentCases(func(t time.Time) any { return t }, func(t time.Time) any { return &t }),
	},
	{fakebq.Field{Type: "TIMESTAMP", TimestampPrecision: 12}, "TIMESTAMP(12)", []valueCase{
		{fakebq.Picos("0001-01-01T00:00:00.000000000001Z"), utc(1, 1, 1, 0, 0, 0, 0), "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000000001Z"},
		{
			fakebq.Picos("2024-02-29T01:02:03.123456789012Z"),
			time.Date(2024, 2, 29, 1, 2, 3, 123456789, time.UTC),
			"2024-02-29T01:02:03.123456789Z",
			"2024-02-29T01:02:03.123456789012Z",
		},
		{
			fakebq.Picos("9999-12-31T23:59:59.999999999999Z"),
			time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
			"9999-12-31T23:59:59.999999999Z",
			"9999-12-31T23:59:59.999999999999Z",
		},
		{fakebq.Picos("1970-01-01T00:00:00.000000000000Z"), utc(1970, 1, 1, 0, 0, 0, 0), "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000000000Z"},
	}},
	{
		fakebq.Field{Type: "DATETIME"},
		"DATETIME",
		momentCases(func(t time.Time) any { return t.Format("2006-01-02T15:04:05.999999") },
			func(t time.Time) any { return civil.DateTimeOf(t) }),
	},
	{fakebq.Field{Type: "DATE"}, "DATE", []valueCase{
		{"0001-01-01", utc(1, 1, 1, 0, 0, 0, 0), "0001-01-01T00:00:00Z", civil.Date{Year: 1, Month: 1, Day: 1}},
		{"1969-12-31", utc(1969, 12, 31, 0, 0, 0, 0), "1969-12-31T00:00:00Z", "1969-12-31"},
		{"2024-02-29", utc(2024, 2, 29, 0, 0, 0, 0), "2024-02-29T00:00:00Z", civil.Date{Year: 2024, Month: 2, Day: 29}},
		{"9999-12-31", utc(9999, 12, 31, 0, 0, 0, 0), "9999-12-31T00:00:00Z", civil.Date{Year: 9999, Month: 12, Day: 31}},
	}},
	{fakebq.Field{Type: "TIME"}, "TIME", []valueCase{
		{"00:00:00", "00:00:00", "00:00:00", civil.Time{}},
		{"12:34:56.5", "12:34:56.5", "12:34:56.5", civil.Time{Hour: 12, Minute: 34, Second: 56, Nanosecond: 500000000}},
		{"12:00:00.120000", "12:00:00.12", "12:00:00.12", "12:00:00.12"},
		{
			"23:59:59.999999",
			"23:59:59.999999",
			"23:59:59.999999",
			civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999000},
		},
	}},
	// Arrow's nanoseconds end at 2562047 hours; TestLongIntervals has those beyond.
	{fakebq.Field{Type: "INTERVAL"}, "INTERVAL", []valueCase{
		{"0-0 0 0:0:0", "0-0 0 0:0:0", "0-0 0 0:0:0", bigquery.IntervalValue{}},
		{
			"1-2 -3 4:5:6.789",
			"1-2 -3 4:5:6.789",
			"1-2 -3 4:5:6.789",
			bigquery.IntervalValue{Years: 1, Months: 2, Days: -3, Hours: 4, Minutes: 5, Seconds: 6, SubSecondNanos: 789000000},
		},
		{
			"-0-1 0 -0:0:0.000001",
			"-0-1 0 -0:0:0.000001",
			"-0-1 0 -0:0:0.000001",
			bigquery.IntervalValue{Months: -1, SubSecondNanos: -1000},
		},
		{"0-0 0 0:0:1.500000", "0-0 0 0:0:1.5", "0-0 0 0:0:1.5", "0-0 0 0:0:1.5"},
		{
			"10000-0 3660000 2562047:47:16.854775",
			"10000-0 3660000 2562047:47:16.854775",
			"10000-0 3660000 2562047:47:16.854775",
			bigquery.IntervalValue{
				Years:          10000,
				Days:           3660000,
				Hours:          2562047,
				Minutes:        47,
				Seconds:        16,
				SubSecondNanos: 854775000,
			},
		},
		{
			"-10000-0 -3660000 -2562047:47:16.854775",
			"-10000-0 -3660000 -2562047:47:16.854775",
			"-10000-0 -3660000 -2562047:47:16.854775",
			bigquery.IntervalValue{
				Years:          -10000,
				Days:           -3660000,
				Hours:          -2562047,
				Minutes:        -47,
				Seconds:        -16,
				SubSecondNanos: -854775000,
			},
		},
	}},
	{
		fakebq.Field{Type: "GEOGRAPHY"},
		"GEOGRAPHY",
		textCases("POINT(1 2)", "GEOMETRYCOLLECTION EMPTY", "POLYGON((0 0, 0 1, 1 1, 0 0))"),
	},
	{fakebq.Field{Type: "JSON"}, "JSON", []valueCase{
		{"null", "null", "null", json.RawMessage("null")},
		{`""`, `""`, `""`, []byte(`""`)},
		{
			`{"a":[1,"\u0000é😀"]}`,
			`{"a":[1,"\u0000é😀"]}`,
			`{"a":[1,"\u0000é😀"]}`,
			json.RawMessage(`{"a":[1,"\u0000é😀"]}`),
		},
	}},
	{
		fakebq.Field{Type: "RANGE", Element: "DATE"},
		"RANGE<DATE>",
		rangeCases(func(t time.Time) any { return t.Format(time.DateOnly) }, func(t time.Time) any { return civil.DateOf(t) },
			"0001-01-01", "9999-12-31"),
	},
	{
		fakebq.Field{Type: "RANGE", Element: "DATETIME"},
		"RANGE<DATETIME>",
		rangeCases(func(t time.Time) any { return t.Format("2006-01-02T15:04:05.999999") },
			func(t time.Time) any { return civil.DateTimeOf(t) },
			"0001-01-01T00:00:00.000001", "9999-12-31T23:59:59.999999"),
	},
	{
		fakebq.Field{Type: "RANGE", Element: "TIMESTAMP"},
		"RANGE<TIMESTAMP>",
		rangeCases(func(t time.Time) any { return t }, func(t time.Time) any { return t },
			"0001-01-01 00:00:00.000001+00", "9999-12-31 23:59:59.999999+00"),
	},
}

func utc(y int, m time.Month, d, h, min, s, micros int) time.Time {
	return time.Date(y, m, d, h, min, s, micros*1000, time.UTC)
}

func textCases(texts ...string) (cases []valueCase) {
	type own string
	for _, s := range texts {
		cases = append(cases, valueCase{s, s, s, own(s)})
	}
	return cases
}

func decimalCases(texts ...string) (cases []valueCase) {
	for _, s := range texts {
		cases = append(cases, valueCase{s, s, s, bigRat(s)})
	}
	return cases
}

func momentCases(in, as func(time.Time) any) (cases []valueCase) {
	for _, t := range []time.Time{
		utc(1, 1, 1, 0, 0, 0, 0), utc(1, 1, 1, 0, 0, 0, 1), utc(1754, 8, 30, 22, 43, 41, 128654),
		utc(1969, 12, 31, 23, 59, 59, 999999), utc(1970, 1, 1, 0, 0, 0, 0),
		utc(2024, 2, 29, 1, 2, 3, 400000), utc(9999, 12, 31, 23, 59, 59, 999999),
	} {
		cases = append(cases, valueCase{in(t), t, t.Format(time.RFC3339Nano), as(t)})
	}
	return cases
}

func rangeCases(in, out func(time.Time) any, firstText, lastText string) []valueCase {
	first, last := utc(1, 1, 1, 0, 0, 0, 1), utc(9999, 12, 31, 23, 59, 59, 999999)
	both := driver.Range{Start: out(first), End: out(last)}
	return []valueCase{
		{fakebq.Range{Start: in(first), End: in(last)}, both, fmt.Sprintf("[%s, %s)", firstText, lastText), &both},
		{
			fakebq.Range{Start: in(first)},
			driver.Range{Start: out(first)},
			"[" + firstText + ", UNBOUNDED)",
			driver.Range{Start: out(first)},
		},
		{
			fakebq.Range{End: in(last)},
			driver.Range{End: out(last)},
			"[UNBOUNDED, " + lastText + ")",
			driver.Range{End: out(last)},
		},
		{fakebq.Range{}, driver.Range{}, "[UNBOUNDED, UNBOUNDED)", driver.Range{}},
	}
}

func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

func bigRat(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func bigInt(s string) *big.Int {
	i, _ := new(big.Int).SetString(s, 10)
	return i
}

// goType is the type of a value of the case in Go.
func (c typeCase) goType() reflect.Type { return reflect.TypeOf(c.values[0].want) }
