package driver

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
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
	for _, tt := range []struct {
		in   any
		want string // the parameter as BigQuery gets it, type and value
	}{
		{true, `BOOL true`},
		{1, `INT64 1`}, {int8(-1), `INT64 -1`}, {int64(math.MinInt64), `INT64 -9223372036854775808`}, {uint8(255), `INT64 255`}, {uint64(math.MaxInt64), `INT64 9223372036854775807`},
		{&one, `INT64 1`}, {time.Second, `INT64 1000000000`},
		{1.5, `FLOAT64 1.5`}, {float32(0.1), `FLOAT64 0.1`}, {math.Inf(1), `FLOAT64 +Inf`}, {math.NaN(), `FLOAT64 NaN`}, {1e300, `FLOAT64 1e+300`},
		{"", `STRING `}, {"naïve", `STRING naïve`}, {named("x"), `STRING x`}, {&text, `STRING a`}, {shout("x"), `STRING X`}, {&pointer{"p"}, `STRING p`},
		{[]byte{0, 255}, `BYTES AP8=`}, {[]byte{}, `BYTES `}, {[]byte(nil), `BYTES NULL`},
		{json.RawMessage(`{"a":1}`), `JSON {"a":1}`}, {json.RawMessage(nil), `JSON NULL`},
		{date, `DATE 2024-02-29`}, {&date, `DATE 2024-02-29`},
		{civil.DateTime{Date: date, Time: civil.Time{Hour: 1, Nanosecond: 1000}}, `DATETIME 2024-02-29 01:00:00.000001`},
		{civil.Time{Hour: 23, Minute: 59, Second: 59}, `TIME 23:59:59`},
		{bigRat("1.5"), `NUMERIC 1.5`}, {bigRat("-0.000000001"), `NUMERIC -0.000000001`}, {bigRat("100"), `NUMERIC 100`},
		{bigRat("0.0000000001"), `BIGNUMERIC 0.0000000001`}, {bigRat("100000000000000000000000000000"), `BIGNUMERIC 100000000000000000000000000000`},
		{bigInt("5"), `INT64 5`}, {bigInt("9223372036854775808"), `NUMERIC 9223372036854775808`}, {noRat, `NUMERIC NULL`},
		{&bigquery.IntervalValue{Years: 1, Hours: 2}, `INTERVAL 1-0 0 2:0:0`}, {bigquery.IntervalValue{Months: -3}, `INTERVAL -0-3 0 0:0:0`},
		{bigquery.IntervalValue{Minutes: -5}, `INTERVAL 0-0 0 -0:5:0`}, {bigquery.IntervalValue{Hours: 1, Minutes: -30}, `INTERVAL 0-0 0 0:30:0`},
		{bigquery.IntervalValue{Years: 10000, Days: -3660000, Hours: 87840000}, `INTERVAL 10000-0 -3660000 87840000:0:0`}, {bigquery.IntervalValue{Hours: -1, SubSecondNanos: 1000}, `INTERVAL 0-0 0 -0:59:59.999999`},
		{bigquery.IntervalValue{Seconds: 1, SubSecondNanos: -1000}, `INTERVAL 0-0 0 0:0:0.999999`}, {bigquery.IntervalValue{Seconds: -2, SubSecondNanos: 2e9}, `INTERVAL 0-0 0 0:0:0`},
		{bigquery.IntervalValue{Years: -1, Months: 14, Days: -2, SubSecondNanos: -5e8}, `INTERVAL 0-2 -2 -0:0:0.500000`}, {bigquery.IntervalValue{Seconds: 90, SubSecondNanos: 1999}, `INTERVAL 0-0 0 0:1:30.000001`},
		{civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999600}, `TIME 23:59:59.999999`},
		{bigquery.NullString{}, `STRING NULL`}, {bigquery.NullString{StringVal: "a", Valid: true}, `STRING a`}, {bigquery.NullInt64{}, `INT64 NULL`},
		{bigquery.NullFloat64{Float64: 1, Valid: true}, `FLOAT64 1`}, {bigquery.NullBool{}, `BOOL NULL`}, {bigquery.NullDate{}, `DATE NULL`}, {bigquery.NullTime{}, `TIME NULL`},
		{bigquery.NullDateTime{}, `DATETIME NULL`}, {bigquery.NullTimestamp{}, `TIMESTAMP NULL`}, {bigquery.NullGeography{GeographyVal: "POINT(0 0)", Valid: true}, `GEOGRAPHY POINT(0 0)`}, {bigquery.NullJSON{}, `JSON NULL`},
		{bigquery.NullTimestamp{Timestamp: utc(2024, 1, 2, 3, 4, 5, 6), Valid: true}, `TIMESTAMP 2024-01-02 03:04:05.000006+00:00`},
		{bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "DATE"}, Value: "2024-01-01"}, `DATE 2024-01-01`},
		{&bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "NUMERIC"}}, `NUMERIC NULL`},
		{bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "DATE"}, Value: utc(2024, 1, 2, 3, 0, 0, 0)}, `DATE 2024-01-02`},
		{Range{Start: date}, `RANGE<DATE> [2024-02-29, nil)`},
		{Range{Start: utc(2024, 1, 1, 0, 0, 0, 0), End: utc(2024, 1, 2, 0, 0, 0, 0)}, `RANGE<TIMESTAMP> [2024-01-01 00:00:00+00:00, 2024-01-02 00:00:00+00:00)`},
		{bigRat("-578960446186580977117854925043439539266.34992332820282019728792003956564819968"), `BIGNUMERIC -578960446186580977117854925043439539266.34992332820282019728792003956564819968`},
		{bigRat("-99999999999999999999999999999.999999999"), `NUMERIC -99999999999999999999999999999.999999999`}, {bigRat("99999999999999999999999999999.9999999991"), `BIGNUMERIC 99999999999999999999999999999.9999999991`},
		{bigquery.NullGeography{}, `GEOGRAPHY NULL`}, {bigquery.NullJSON{JSONVal: "null", Valid: true}, `JSON null`}, {bigquery.NullInt64{Int64: 1, Valid: true}, `INT64 1`}, {bigquery.NullBool{Bool: true, Valid: true}, `BOOL true`},
		{bigquery.NullDate{Date: date, Valid: true}, `DATE 2024-02-29`}, {bigquery.NullTime{Time: civil.Time{Hour: 1}, Valid: true}, `TIME 01:00:00`}, {bigquery.NullDateTime{DateTime: civil.DateTime{Date: date}, Valid: true}, `DATETIME 2024-02-29 00:00:00`},
		{sql.NullBool{Bool: true, Valid: true}, `BOOL true`}, {sql.NullFloat64{Float64: 1.5, Valid: true}, `FLOAT64 1.5`}, {sql.NullByte{Byte: 1, Valid: true}, `INT64 1`}, {sql.NullInt16{Int16: 1, Valid: true}, `INT64 1`}, {sql.NullInt32{Int32: 1, Valid: true}, `INT64 1`},
		{sql.NullString{String: "a", Valid: true}, `STRING a`}, {sql.Null[[]byte]{V: []byte{0}, Valid: true}, `BYTES AA==`}, {sql.Null[*big.Rat]{V: bigRat("1.5"), Valid: true}, `NUMERIC 1.5`}, {noInterval, `INTERVAL NULL`}, {*bigRat("1.5"), `NUMERIC 1.5`}, {*bigInt("5"), `INT64 5`},
		{bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "NUMERIC"}, Value: 1.5}, `NUMERIC 1.5`}, {bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "BIGNUMERIC"}, Value: "1e3"}, `BIGNUMERIC 1e3`},
		{bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "INT64"}, Value: bigInt("5")}, `INT64 5`}, {bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "NUMERIC"}, Value: bigquery.NullFloat64{}}, `NUMERIC NULL`},
		{bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "GEOGRAPHY"}, Value: "POINT(1 2)"}, `GEOGRAPHY POINT(1 2)`}, {bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: "TIME"}, Value: utc(2024, 1, 2, 3, 0, 0, 0)}, `TIME 03:00:00`},
		{sql.Null[civil.Date]{V: date, Valid: true}, `DATE 2024-02-29`}, {sql.NullInt64{Int64: 1, Valid: true}, `INT64 1`},
		{nil, `? NULL`}, {noInt, `? NULL`}, {noShout, `? NULL`}, {sql.NullString{}, `? NULL`}, {sql.Null[int64]{}, `? NULL`}, {sql.NullTime{}, `? NULL`},
		{time.Now(), `? time`}, {sql.NullTime{Time: time.Now(), Valid: true}, `? time`},
	} {
		a, err := encode(tt.in)
		if err != nil {
			t.Errorf("%T %v: %v", tt.in, tt.in, err)
		} else if got := describe(t, a); got != tt.want {
			t.Errorf("%T %v: got %s; want %s", tt.in, tt.in, got, tt.want)
		}
	}
}

// describe writes an argument in one line, from its JSON: what is left out there does not reach BigQuery.
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

type base struct{ ID int64 }

type embeds struct {
	named
	time.Time
	base
	Note string
}

// timesAre is what BigQuery says of an embeds.
func timesAre(name string) *bq.QueryParameterType {
	t := &bq.QueryParameterType{Type: "STRUCT"}
	for _, f := range []struct{ name, typ string }{{"Time", name}, {"ID", "INT64"}, {"Note", "STRING"}} {
		t.StructTypes = append(t.StructTypes, &bq.QueryParameterTypeStructTypes{Name: f.name, Type: &bq.QueryParameterType{Type: f.typ}})
	}
	return t
}

func TestEncodeNested(t *testing.T) {
	t.Parallel()
	type line struct {
		ID    int64 `bigquery:"id"`
		Price *big.Rat
		Gone  string `bigquery:"-"`
	}
	day := utc(2024, 2, 29, 1, 2, 3, 0)
	array := func(elem string) *bq.QueryParameterType {
		return &bq.QueryParameterType{Type: "ARRAY", ArrayType: &bq.QueryParameterType{Type: elem}}
	}
	for _, tt := range []struct {
		in   any
		says *bq.QueryParameterType // what BigQuery says of it; nil: it is not asked
		typ  string
		want string // the value as JSON
	}{
		{[]int64{1, 2}, nil, "ARRAY<INT64>", `{"arrayValues":[{"value":"1"},{"value":"2"}]}`},
		{[]string{""}, nil, "ARRAY<STRING>", `{"arrayValues":[{"value":""}]}`},
		{[]string{}, nil, "ARRAY<STRING>", `{"arrayValues":[]}`}, {[]float64(nil), nil, "ARRAY<FLOAT64>", `{"arrayValues":[]}`},
		{[]*big.Rat{bigRat("1.5"), bigRat("0.0000000001")}, nil, "ARRAY<BIGNUMERIC>", `{"arrayValues":[{"value":"1.5"},{"value":"0.0000000001"}]}`},
		{[]*big.Int{bigInt("9223372036854775808"), bigInt("1")}, nil, "ARRAY<NUMERIC>", `{"arrayValues":[{"value":"9223372036854775808"},{"value":"1"}]}`},
		{[]struct{ N *big.Int }{{bigInt("1")}, {nil}, {bigInt("9223372036854775808")}}, nil, `ARRAY<STRUCT,"N" NUMERIC;>`,
			`{"arrayValues":[{"structValues":{"N":{"value":"1"}}},{"structValues":{"N":{"value":null}}},{"structValues":{"N":{"value":"9223372036854775808"}}}]}`},
		{[]civil.Date{}, nil, "ARRAY<DATE>", `{"arrayValues":[]}`},
		{embeds{Note: "n", named: "x", Time: day, base: base{1}}, timesAre("TIMESTAMP"), `STRUCT,"Time" TIMESTAMP,"ID" INT64,"Note" STRING;`, `{"structValues":{"ID":{"value":"1"},"Note":{"value":"n"},"Time":{"value":"2024-02-29 01:02:03+00:00"}}}`},
		{[]any{nil, 1.5}, nil, "ARRAY<FLOAT64>", `{"arrayValues":[{"value":null},{"value":"1.5"}]}`},
		{[]*int64{nil}, array("NUMERIC"), "ARRAY<NUMERIC>", `{"arrayValues":[{"value":null}]}`},
		{[]time.Time{day}, array("DATE"), "ARRAY<DATE>", `{"arrayValues":[{"value":"2024-02-29"}]}`},
		{[]time.Time{day}, array("INT64"), "ARRAY<TIMESTAMP>", `{"arrayValues":[{"value":"2024-02-29 01:02:03+00:00"}]}`},
		{[]any{}, array("STRING"), "ARRAY<STRING>", `{"arrayValues":[]}`},
		{line{ID: 1, Price: bigRat("1.5")}, nil, `STRUCT,"id" INT64,"Price" NUMERIC;`, `{"structValues":{"Price":{"value":"1.5"},"id":{"value":"1"}}}`},
		{[]line{{ID: 1}}, nil, `ARRAY<STRUCT,"id" INT64,"Price" NUMERIC;>`, `{"arrayValues":[{"structValues":{"Price":{"value":null},"id":{"value":"1"}}}]}`},
		{Struct{Fields: []StructField{{"d", day}, {"tags", []string{"x"}}}},
			&bq.QueryParameterType{Type: "STRUCT", StructTypes: []*bq.QueryParameterTypeStructTypes{{Name: "d", Type: &bq.QueryParameterType{Type: "DATETIME"}}, {Name: "tags", Type: array("STRING")}}},
			`STRUCT,"d" DATETIME,"tags" ARRAY<STRING>;`, `{"structValues":{"d":{"value":"2024-02-29 01:02:03"},"tags":{"arrayValues":[{"value":"x"}]}}}`},
	} {
		a, err := encode(tt.in)
		if err == nil && (a.typ == nil) != (tt.says != nil) {
			t.Errorf("%T %v: the type is known: %v; want %v", tt.in, tt.in, a.typ != nil, tt.says == nil)
		}
		if err == nil && a.typ == nil {
			a, err = a.as(tt.says)
		}
		if err != nil {
			t.Errorf("%T %v: %v", tt.in, tt.in, err)
			continue
		}
		value, err := json.Marshal(a.value)
		if err != nil {
			t.Fatal(err)
		}
		var typ strings.Builder
		writeType(&typ, a.typ)
		if typ.String() != tt.typ || string(value) != tt.want {
			t.Errorf("%T %v: got %s %s; want %s %s", tt.in, tt.in, &typ, value, tt.typ, tt.want)
		}
	}
	if a, err := encode([]any{}); err != nil {
		t.Error(err)
	} else if _, err := a.as(nil); err == nil {
		t.Error("an empty []any of which BigQuery says nothing: got no error")
	}
}
