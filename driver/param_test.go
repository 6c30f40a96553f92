package driver

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
)

type (
	named   string
	shout   string
	pointer struct{ v string }
)

func (s shout) Value() (driver.Value, error)    { return strings.ToUpper(string(s)), nil }
func (p *pointer) Value() (driver.Value, error) { return p.v, nil }

func bigInt(s string) *big.Int {
	i, ok := new(big.Int).SetString(s, 10)
	if !ok {
		panic(s)
	}
	return i
}

func bigRat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic(s)
	}
	return r
}

func TestEncode(t *testing.T) {
	t.Parallel()
	one, text := int64(1), "a"
	var noInt *int64
	var noShout *shout
	var noRat *big.Rat
	var noInterval *bigquery.IntervalValue
	date := civil.Date{Year: 2024, Month: 2, Day: 29}
	declared := func(kind string, v any) bigquery.QueryParameterValue {
		return bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: kind}, Value: v}
	}
	for _, tt := range []struct {
		name string
		in   any
		want string // the parameter as BigQuery gets it, type and value
	}{
		{"bool", true, `BOOL true`},
		{"int", 1, `INT64 1`},
		{"int8", int8(-1), `INT64 -1`},
		{"least int64", int64(math.MinInt64), `INT64 -9223372036854775808`},
		{"uint8", uint8(255), `INT64 255`},
		{"greatest uint64 of INT64", uint64(math.MaxInt64), `INT64 9223372036854775807`},
		{"pointer to an int64", &one, `INT64 1`},
		{"time.Duration", time.Second, `INT64 1000000000`},
		{"float64", 1.5, `FLOAT64 1.5`},
		{"float32", float32(0.1), `FLOAT64 0.1`},
		{"+Inf", math.Inf(1), `FLOAT64 +Inf`},
		{"NaN", math.NaN(), `FLOAT64 NaN`},
		{"1e300", 1e300, `FLOAT64 1e+300`},
		{"empty string", "", `STRING `},
		{"string", "naïve", `STRING naïve`},
		{"own string type", named("x"), `STRING x`},
		{"pointer to a string", &text, `STRING a`},
		{"Valuer", shout("x"), `STRING X`},
		{"pointer to a Valuer", &pointer{"p"}, `STRING p`},
		{"bytes", []byte{0, 255}, `BYTES AP8=`},
		{"empty bytes", []byte{}, `BYTES `},
		{"nil bytes", []byte(nil), `BYTES NULL`},
		{"JSON", json.RawMessage(`{"a":1}`), `JSON {"a":1}`},
		{"nil JSON", json.RawMessage(nil), `JSON NULL`},
		{"Date", date, `DATE 2024-02-29`},
		{"pointer to a Date", &date, `DATE 2024-02-29`},
		{
			"DateTime",
			civil.DateTime{Date: date, Time: civil.Time{Hour: 1, Nanosecond: 1000}},
			`DATETIME 2024-02-29 01:00:00.000001`,
		},
		{"Time", civil.Time{Hour: 23, Minute: 59, Second: 59}, `TIME 23:59:59`},
		{"Rat of one digit after the point", bigRat("1.5"), `NUMERIC 1.5`},
		{"Rat of nine digits after the point", bigRat("-0.000000001"), `NUMERIC -0.000000001`},
		{"Rat that is whole", bigRat("100"), `NUMERIC 100`},
		{"Rat of ten digits after the point", bigRat("0.0000000001"), `BIGNUMERIC 0.0000000001`},
		{"Rat of thirty digits", bigRat("100000000000000000000000000000"), `BIGNUMERIC 100000000000000000000000000000`},
		{"big.Int", bigInt("5"), `INT64 5`},
		{"big.Int above INT64", bigInt("9223372036854775808"), `NUMERIC 9223372036854775808`},
		{"nil *big.Rat", noRat, `NUMERIC NULL`},
		{"pointer to an interval", &bigquery.IntervalValue{Years: 1, Hours: 2}, `INTERVAL 1-0 0 2:0:0`},
		{"interval of -3 months", bigquery.IntervalValue{Months: -3}, `INTERVAL -0-3 0 0:0:0`},
		{"interval of -5 minutes", bigquery.IntervalValue{Minutes: -5}, `INTERVAL 0-0 0 -0:5:0`},
		{"interval of an hour less 30 minutes", bigquery.IntervalValue{Hours: 1, Minutes: -30}, `INTERVAL 0-0 0 0:30:0`},
		{
			"longest interval",
			bigquery.IntervalValue{Years: 10000, Days: -3660000, Hours: 87840000},
			`INTERVAL 10000-0 -3660000 87840000:0:0`,
		},
		{
			"interval of -1 hour and a microsecond",
			bigquery.IntervalValue{Hours: -1, SubSecondNanos: 1000},
			`INTERVAL 0-0 0 -0:59:59.999999`,
		},
		{
			"interval of a second less a microsecond",
			bigquery.IntervalValue{Seconds: 1, SubSecondNanos: -1000},
			`INTERVAL 0-0 0 0:0:0.999999`,
		},
		{
			"interval of -2 seconds and 2e9 nanoseconds",
			bigquery.IntervalValue{Seconds: -2, SubSecondNanos: 2e9},
			`INTERVAL 0-0 0 0:0:0`,
		},
		{
			"interval of -1 year and 14 months",
			bigquery.IntervalValue{Years: -1, Months: 14, Days: -2, SubSecondNanos: -5e8},
			`INTERVAL 0-2 -2 -0:0:0.500000`,
		},
		{"interval of 90 seconds", bigquery.IntervalValue{Seconds: 90, SubSecondNanos: 1999}, `INTERVAL 0-0 0 0:1:30.000001`},
		{
			"Time with a part of a microsecond",
			civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999600},
			`TIME 23:59:59.999999`,
		},
		{"NULL NullString", bigquery.NullString{}, `STRING NULL`},
		{"NullString", bigquery.NullString{StringVal: "a", Valid: true}, `STRING a`},
		{"NULL NullInt64", bigquery.NullInt64{}, `INT64 NULL`},
		{"NullFloat64", bigquery.NullFloat64{Float64: 1, Valid: true}, `FLOAT64 1`},
		{"NULL NullBool", bigquery.NullBool{}, `BOOL NULL`},
		{"NULL NullDate", bigquery.NullDate{}, `DATE NULL`},
		{"NULL NullTime", bigquery.NullTime{}, `TIME NULL`},
		{"NULL NullDateTime", bigquery.NullDateTime{}, `DATETIME NULL`},
		{"NULL NullTimestamp", bigquery.NullTimestamp{}, `TIMESTAMP NULL`},
		{"NullGeography", bigquery.NullGeography{GeographyVal: "POINT(0 0)", Valid: true}, `GEOGRAPHY POINT(0 0)`},
		{"NULL NullJSON", bigquery.NullJSON{}, `JSON NULL`},
		{
			"NullTimestamp",
			bigquery.NullTimestamp{Timestamp: utc(2024, 1, 2, 3, 4, 5, 6), Valid: true},
			`TIMESTAMP 2024-01-02 03:04:05.000006+00:00`,
		},
		{"declared DATE of text", declared("DATE", "2024-01-01"), `DATE 2024-01-01`},
		{
			"pointer to a declared NUMERIC without a value",
			&bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "NUMERIC"}},
			`NUMERIC NULL`,
		},
		{"declared TIMESTAMP(12) of a time", declared("TIMESTAMP(12)", utc(2024, 1, 2, 3, 4, 5, 123456).Add(789)),
			`TIMESTAMP(12) 2024-01-02 03:04:05.123456789000+00:00`},
		{"declared TIMESTAMP(12) of text", declared("TIMESTAMP(12)", "2024-01-02 03:04:05.123456789012+00"),
			`TIMESTAMP(12) 2024-01-02 03:04:05.123456789012+00`},
		{"declared TIMESTAMP(12) of nothing", declared("TIMESTAMP(12)", nil), `TIMESTAMP(12) NULL`},
		{"declared DATE of a time", declared("DATE", utc(2024, 1, 2, 3, 0, 0, 0)), `DATE 2024-01-02`},
		{"Range of DATE", Range{Start: date}, `RANGE<DATE> [2024-02-29, nil)`},
		{"Range from a nil pointer", Range{Start: (*civil.Date)(nil), End: date}, `RANGE<DATE> [nil, 2024-02-29)`},
		{"Range of NULLs", Range{Start: sql.Null[civil.DateTime]{}}, `RANGE<DATETIME> [nil, nil)`},
		{"Range to a nil time", Range{End: (*time.Time)(nil)}, `RANGE<TIMESTAMP> [nil, nil)`},
		{
			"Range of TIMESTAMP",
			Range{Start: utc(2024, 1, 1, 0, 0, 0, 0), End: utc(2024, 1, 2, 0, 0, 0, 0)},
			`RANGE<TIMESTAMP> [2024-01-01 00:00:00+00:00, 2024-01-02 00:00:00+00:00)`,
		},
		{
			"least BIGNUMERIC",
			bigRat("-578960446186580977117854925043439539266.34992332820282019728792003956564819968"),
			`BIGNUMERIC -578960446186580977117854925043439539266.34992332820282019728792003956564819968`,
		},
		{
			"least NUMERIC",
			bigRat("-99999999999999999999999999999.999999999"),
			`NUMERIC -99999999999999999999999999999.999999999`,
		},
		{
			"BIGNUMERIC above the greatest NUMERIC",
			bigRat("99999999999999999999999999999.9999999991"),
			`BIGNUMERIC 99999999999999999999999999999.9999999991`,
		},
		{"NULL NullGeography", bigquery.NullGeography{}, `GEOGRAPHY NULL`},
		{"NullJSON of null", bigquery.NullJSON{JSONVal: "null", Valid: true}, `JSON null`},
		{"NullInt64", bigquery.NullInt64{Int64: 1, Valid: true}, `INT64 1`},
		{"NullBool", bigquery.NullBool{Bool: true, Valid: true}, `BOOL true`},
		{"NullDate", bigquery.NullDate{Date: date, Valid: true}, `DATE 2024-02-29`},
		{"NullTime", bigquery.NullTime{Time: civil.Time{Hour: 1}, Valid: true}, `TIME 01:00:00`},
		{
			"NullDateTime",
			bigquery.NullDateTime{DateTime: civil.DateTime{Date: date}, Valid: true},
			`DATETIME 2024-02-29 00:00:00`,
		},
		{"sql.NullBool", sql.NullBool{Bool: true, Valid: true}, `BOOL true`},
		{"sql.NullFloat64", sql.NullFloat64{Float64: 1.5, Valid: true}, `FLOAT64 1.5`},
		{"sql.NullByte", sql.NullByte{Byte: 1, Valid: true}, `INT64 1`},
		{"sql.NullInt16", sql.NullInt16{Int16: 1, Valid: true}, `INT64 1`},
		{"sql.NullInt32", sql.NullInt32{Int32: 1, Valid: true}, `INT64 1`},
		{"sql.NullString", sql.NullString{String: "a", Valid: true}, `STRING a`},
		{"sql.Null of bytes", sql.Null[[]byte]{V: []byte{0}, Valid: true}, `BYTES AA==`},
		{"sql.Null of a Rat", sql.Null[*big.Rat]{V: bigRat("1.5"), Valid: true}, `NUMERIC 1.5`},
		{"nil *IntervalValue", noInterval, `INTERVAL NULL`},
		{"Rat as a value", *bigRat("1.5"), `NUMERIC 1.5`},
		{"big.Int as a value", *bigInt("5"), `INT64 5`},
		{"declared NUMERIC of a float64", declared("NUMERIC", 1.5), `NUMERIC 1.5`},
		{"declared BIGNUMERIC of text", declared("BIGNUMERIC", "1e3"), `BIGNUMERIC 1e3`},
		{"declared INT64 of a big.Int", declared("INT64", bigInt("5")), `INT64 5`},
		{"declared NUMERIC of a NULL NullFloat64", declared("NUMERIC", bigquery.NullFloat64{}), `NUMERIC NULL`},
		{"declared GEOGRAPHY of text", declared("GEOGRAPHY", "POINT(1 2)"), `GEOGRAPHY POINT(1 2)`},
		{"declared TIME of a time", declared("TIME", utc(2024, 1, 2, 3, 0, 0, 0)), `TIME 03:00:00`},
		{"sql.Null of a Date", sql.Null[civil.Date]{V: date, Valid: true}, `DATE 2024-02-29`},
		{"sql.NullInt64", sql.NullInt64{Int64: 1, Valid: true}, `INT64 1`},
		{"nil", nil, `? NULL`},
		{"nil *int64", noInt, `? NULL`},
		{"nil Valuer", noShout, `? NULL`},
		{"NULL sql.NullString", sql.NullString{}, `? NULL`},
		{"NULL sql.Null", sql.Null[int64]{}, `? NULL`},
		{"NULL sql.NullTime", sql.NullTime{}, `? NULL`},
		{"time", time.Now(), `? time`},
		{"sql.NullTime", sql.NullTime{Time: time.Now(), Valid: true}, `? time`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := encode(tt.in)
			if err != nil {
				t.Errorf("%T %v: %v", tt.in, tt.in, err)
			} else if got := describe(t, a); got != tt.want {
				t.Errorf("%T %v: got %s; want %s", tt.in, tt.in, got, tt.want)
			}
		})
	}
}

// describe writes an argument in one line, from its JSON: what is left out there does not reach
// BigQuery.
func describe(t *testing.T, a argument) string {
	t.Helper()
	if a.time != nil {
		return "? time"
	}
	data, err := json.Marshal(a.value)
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Value      *string
		RangeValue *struct{ Start, End *struct{ Value *string } }
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	typ := "?"
	if a.typ != nil {
		typ = a.typ.Type
		if digits := a.typ.TimestampPrecision; digits != nil {
			typ += fmt.Sprintf("(%d)", *digits)
		}
		if a.typ.RangeElementType != nil {
			typ += "<" + a.typ.RangeElementType.Type + ">"
		}
	}
	if r := v.RangeValue; r != nil {
		ends := []string{"nil", "nil"}
		if r.Start != nil {
			ends[0] = *r.Start.Value
		}
		if r.End != nil {
			ends[1] = *r.End.Value
		}
		return typ + " [" + strings.Join(ends, ", ") + ")"
	}
	if v.Value == nil {
		if !strings.Contains(string(data), `"value":null`) {
			return typ + " nothing"
		}
		return typ + " NULL"
	}
	return typ + " " + *v.Value
}
