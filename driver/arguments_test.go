package driver_test

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// Valuers that do not do what Valuers should, and types that hold themselves.
type (
	failing   struct{}
	panicking struct{}
	again     struct{}
	ping      struct{}
	pong      struct{}
	odd       struct{}
	node      struct{ Next *node }
	tree      struct{ Left, Right []tree }
	deepTree  struct{ Trees []*struct{ Tree *tree } }
	lists     []lists
)

func (failing) Value() (sqldriver.Value, error)   { return nil, errors.New("no value today") }
func (panicking) Value() (sqldriver.Value, error) { panic("no value ever") }
func (v again) Value() (sqldriver.Value, error)   { return v, nil }
func (ping) Value() (sqldriver.Value, error)      { return pong{}, nil }
func (pong) Value() (sqldriver.Value, error)      { return ping{}, nil }
func (odd) Value() (sqldriver.Value, error)       { return map[string]int{}, nil }

// cycle is a slice that holds itself, twice at each depth.
func cycle() []any {
	s := []any{nil, nil}
	s[0], s[1] = &s, &s
	return s
}

func declared(kind string, v any) bigquery.QueryParameterValue {
	return bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: kind}, Value: v}
}

// TestRefusedArguments: what BigQuery has no value for is an error before anything is sent, with the reason and, in what is
// nested, the place.
func TestRefusedArguments(t *testing.T) {
	t.Parallel()
	date := civil.Date{Year: 2024, Month: 2, Day: 29}
	type any2 struct{ A, B any }
	type one struct{ A any }
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{})
	db := open(t, server)
	for _, tt := range []struct {
		in   any
		want string
	}{
		{uint64(math.MaxInt64) + 1, "above 9223372036854775807"}, {uint(math.MaxUint64), "above"}, {[]uint64{1, math.MaxUint64}, "[1]: the number is above"}, {struct{ N uint64 }{math.MaxUint64}, ".N: the number is above"},
		{"\xff", "not valid UTF-8"}, {json.RawMessage("\xff"), "not valid UTF-8"}, {[]string{"a", "\xc3("}, "[1]: the STRING is not valid UTF-8"}, {bigquery.NullGeography{GeographyVal: "\xff", Valid: true}, "not valid UTF-8"},
		{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year 10000"}, {time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "year 0"}, {[]time.Time{time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}, "[0]: the year -5"},
		{bigquery.NullTimestamp{Timestamp: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), Valid: true}, "year 0"}, {driver.Range{Start: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "Start of the Range: the year 10000"},
		{civil.Date{Year: 2023, Month: 2, Day: 29}, "not a valid DATE"}, {civil.Date{}, "not a valid DATE"}, {civil.Date{Year: 10000, Month: 1, Day: 1}, "year 10000"}, {civil.Date{Year: 0, Month: 1, Day: 1}, "year 0"}, {&civil.Date{Year: 2024, Month: 13, Day: 1}, "not a valid DATE"},
		{civil.Time{Hour: 24}, "not a valid TIME"}, {civil.Time{Second: 60}, "not a valid TIME"}, {civil.Time{Nanosecond: -1}, "not a valid TIME"}, {civil.DateTime{Date: date, Time: civil.Time{Minute: 60}}, "not a valid DATETIME"},
		{civil.DateTime{Date: civil.Date{Year: 10000, Month: 1, Day: 1}}, "year 10000"}, {bigquery.NullDate{Valid: true}, "not a valid DATE"}, {sql.Null[civil.Date]{Valid: true}, "not a valid DATE"},
		{bigquery.IntervalValue{Years: 10001}, "beyond BigQuery's 10000 years"},
		{bigRat("1/3"), "round it"}, {bigRat("0.000000000000000000000000000000000000001"), "round it"}, {bigInt("1" + strings.Repeat("0", 40)), "beyond the range"}, {bigRat("578960446186580977117854925043439539266.34992332820282019728792003956564819968"), "beyond the range"}, {bigRat("-578960446186580977117854925043439539266.34992332820282019728792003956564819969"), "beyond the range"},
		{declared("NUMERIC", math.NaN()), "no number that a NUMERIC holds"}, {declared("BIGNUMERIC", math.Inf(1)), "no number that a BIGNUMERIC holds"}, {declared("INT64", math.NaN()), "no number that a INT64 holds"}, {declared("NUMERIC", "NaN"), "no number"},
		{declared("NUMERIC", bigRat("0.0000000001")), "no number that a NUMERIC holds exactly"}, {declared("NUMERIC", 1e300), "no number"}, {declared("INT64", 1.5), "no number"}, {declared("INT64", bigInt("9223372036854775808")), "no number"}, {declared("NUMERIC", true), "no number"}, {declared("BIGNUMERIC", "1/3"), "no number"},
		{declared("", 1), "TypeKind"}, {declared("ARRAY", nil), "pass a slice"}, {declared("STRUCT", 1), "pass a slice, a Go struct"}, {declared("INT64", []int64{1}), "no value of a INT64"}, {declared("DATE", make(chan int)), "chan int"},
		{sql.Out{Dest: new(int)}, "output parameters"}, {sql.Out{Dest: new(string), In: true}, "output parameters"},
		{map[string]int{}, "map[string]int"}, {map[string]any(nil), "map[string]interface"}, {make(chan int), "chan int"}, {(chan int)(nil), "chan int"}, {func() {}, "func()"}, {complex(1, 1), "complex128"}, {[3]int{}, "[3]int"}, {&[]any{map[int]int{}}[0], "map[int]int"},
		{[][]int{{1}}, "ARRAY of ARRAYs"}, {[][]int{}, "ARRAY of ARRAYs"}, {[]*[]string{}, "ARRAY of ARRAYs"}, {[]any{[]int{1}}, "[0]: BigQuery has no ARRAY of ARRAYs"}, {[]any{1, "a"}, "[1]: a STRING after a INT64"}, {[]any{1, make(chan int)}, "[1]: chan int"}, {[]any{one{1}, one{"x"}}, "its field A differs"}, {[]any{one{1}, any2{1, 2}}, "a STRUCT after a STRUCT"},
		{struct{ a int }{1}, "no exported fields"}, {struct{}{}, "no exported fields"}, {any2{1, map[int]int{}}, ".B: map[int]int"}, {[]any2{{1, []any2{{1, make(chan int)}}}}, "[0]: .B: [0]: .B: chan int"},
		{driver.Struct{}, "needs a field"}, {driver.Struct{Fields: []driver.StructField{{Value: 1}}}, "missing or there twice"}, {driver.Struct{Fields: []driver.StructField{{Name: "a", Value: 1}, {Name: "A", Value: 1}}}, "missing or there twice"},
		{cycle(), "too deep"}, {node{}, "a driver_test.node can hold another one"}, {&node{}, "can hold another one"}, {[]node{}, "can hold another one"}, {tree{}, "can hold another one"}, {[]tree{}, "can hold another one"}, {deepTree{Trees: []*struct{ Tree *tree }{{Tree: &tree{}}}}, "can hold another one"}, {lists{}, "ARRAY of ARRAYs"},
		{failing{}, "no value today"}, {panicking{}, "the Value method of driver_test.panicking panicked: no value ever"}, {again{}, "again"}, {ping{}, "too deep"}, {odd{}, "map[string]int"}, {[]sqldriver.Valuer{failing{}}, "[0]: no value today"},
		{driver.Range{}, "has no type"}, {driver.Range{Start: 1}, "Start of the Range"}, {driver.Range{End: "2024-01-01"}, "End of the Range"}, {driver.Range{Start: date, End: time.Now()}, "two types"}, {driver.Range{Start: civil.Time{}}, "Start of the Range is a civil.Time"},
	} {
		for _, arg := range []any{tt.in, sql.Named("p", tt.in)} {
			text := "SELECT ?"
			if _, named := arg.(sql.NamedArg); named {
				text = "SELECT @p"
			}
			err := run(t.Context(), db, text, arg)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "bigqueryuser: ") && !strings.Contains(err.Error(), "sql: ") {
				t.Errorf("%s with a %T: got %v; want an error with %q", text, tt.in, err, tt.want)
			}
			if _, err := db.ExecContext(t.Context(), text, arg); err == nil {
				t.Errorf("Exec of %s with a %T: got no error", text, tt.in)
			}
		}
	}
	if got := server.Counts(); len(got) != 0 {
		t.Errorf("got requests %v; want none", got)
	}
}

// TestRefusedPlaceholders: arguments that are not those of the statement are an error before anything is sent.
func TestRefusedPlaceholders(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{})
	db := open(t, server)
	for _, tt := range []struct {
		sql  string
		args []any
		want string
	}{
		{"SELECT 1", []any{1}, "0 placeholders and 1 arguments"}, {"SELECT ?, ?", []any{1}, "2 placeholders and 1 arguments"}, {"SELECT ?", []any{1, 2}, "1 placeholders and 2 arguments"}, {"SELECT ?", nil, "1 placeholders and 0 arguments"}, {"SELECT '?', 1", []any{1}, "0 placeholders"},
		{"SELECT @a", nil, "1 placeholders and 0 arguments"}, {"SELECT @a", []any{1}, `use sql.Named("a", value)`}, {"SELECT ?", []any{sql.Named("a", 1)}, "write @name"},
		{"SELECT @a, @b", []any{sql.Named("a", 1)}, "has @b, and no argument of this name"}, {"SELECT @a", []any{sql.Named("a", 1), sql.Named("b", 1)}, "has no @b"}, {"SELECT @@a", []any{sql.Named("a", 1)}, "has no @a"}, {"SELECT @a", []any{sql.Named("a", 1), sql.Named("A", 1)}, "given twice"},
		{"SELECT @a, @b", []any{sql.Named("a", 1), 2}, "some arguments are named"}, {"SELECT ?, @a", []any{1, sql.Named("a", 1)}, "mixes ? and @a"}, {"SELECT ?, @a", nil, "mixes ? and @a"}, {"SELECT ?\xff", []any{1}, "not valid UTF-8"},
		{"SELECT @a", []any{sql.Named("a", nil), sql.Named("b", time.Now())}, "has no @b"}, {"SELECT ?", []any{nil, time.Now()}, "1 placeholders and 2 arguments"},
	} {
		if err := run(t.Context(), db, tt.sql, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s with %d arguments: got %v; want %q", tt.sql, len(tt.args), err, tt.want)
		}
		if _, err := db.ExecContext(t.Context(), tt.sql, tt.args...); err == nil {
			t.Errorf("Exec of %s: got no error", tt.sql)
		}
	}
	if _, err := db.PrepareContext(t.Context(), "SELECT ?, @a"); err == nil {
		t.Error("Prepare with mixed styles: got no error")
	}
	if got := server.Counts(); len(got) != 0 {
		t.Errorf("got requests %v; want none", got)
	}
}

// TestSentArguments sends each kind of argument, by position and by name: the fake takes no text that is not one of the type.
// The statement's text stays as it is.
func TestSentArguments(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 23, 30, 0, 1999, time.FixedZone("", -3*3600))
	date := civil.DateOf(at)
	var noInt *int64
	var noDate *civil.Date
	type point struct {
		X int `bigquery:"x"`
		Y *float64
	}
	server := fakebq.Run(t, fakebq.Options{})
	int64s := &bq.QueryParameterType{Type: "INT64"} // what BigQuery says where nothing else does
	server.On("SELECT ?", fakebq.Answer{Parameters: []fakebq.Parameter{{Type: int64s}}})
	server.On("SELECT @p", fakebq.Answer{Parameters: []fakebq.Parameter{{Name: "p", Type: int64s}}})
	db := open(t, server)
	for _, tt := range []struct {
		in   any
		want string
	}{
		{true, "BOOL true"}, {int8(-1), "INT64 -1"}, {uint64(math.MaxInt64), "INT64 9223372036854775807"}, {int64(math.MinInt64), "INT64 -9223372036854775808"}, {math.NaN(), "FLOAT64 NaN"}, {math.Inf(-1), "FLOAT64 -Inf"}, {math.SmallestNonzeroFloat64, "FLOAT64 5e-324"}, {float32(0.1), "FLOAT64 0.1"},
		{"'; DROP TABLE t; -- ? @p", "STRING '; DROP TABLE t; -- ? @p"}, {"", "STRING "}, {"a\x00\"\\\u2028😀", "STRING a\x00\"\\\u2028😀"}, {[]byte{0, 255}, "BYTES AP8="}, {[]byte{}, "BYTES "}, {[]byte(nil), "BYTES NULL"}, {json.RawMessage("null"), "JSON null"}, {json.RawMessage(nil), "JSON NULL"},
		{at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"}, {&at, "TIMESTAMP 2024-03-01 02:30:00.000001+00:00"}, {utc(1, 1, 1, 0, 0, 0, 0), "TIMESTAMP 0001-01-01 00:00:00+00:00"}, {utc(9999, 12, 31, 23, 59, 59, 999999), "TIMESTAMP 9999-12-31 23:59:59.999999+00:00"},
		{date, "DATE 2024-02-29"}, {&date, "DATE 2024-02-29"}, {civil.DateTimeOf(at), "DATETIME 2024-02-29 23:30:00.000001"}, {civil.TimeOf(at), "TIME 23:30:00.000001"}, {bigquery.IntervalValue{Months: -1}, "INTERVAL -0-1 0 0:0:0"},
		{bigRat("-1.5"), "NUMERIC -1.5"}, {bigRat("0.0000000001"), "BIGNUMERIC 0.0000000001"}, {bigInt("9223372036854775808"), "NUMERIC 9223372036854775808"}, {bigquery.NullInt64{}, "INT64 NULL"}, {bigquery.NullGeography{GeographyVal: "POINT(1 2)", Valid: true}, "GEOGRAPHY POINT(1 2)"},
		{sql.Null[civil.Date]{V: date, Valid: true}, "DATE 2024-02-29"}, {sql.NullInt32{Int32: 5, Valid: true}, "INT64 5"}, {declared("NUMERIC", "1.5"), "NUMERIC 1.5"}, {driver.Range{Start: date}, "RANGE<DATE> [2024-02-29, UNBOUNDED)"},
		{nil, "INT64 NULL"}, {noInt, "INT64 NULL"}, {noDate, "INT64 NULL"}, {sql.NullString{}, "INT64 NULL"}, {sql.Null[time.Time]{}, "INT64 NULL"}, {new(any), "INT64 NULL"},
		{[]int64{1, 2}, "ARRAY<INT64> [1, 2]"}, {[]string{}, "ARRAY<STRING> []"}, {[]any{nil, 1.5}, "ARRAY<FLOAT64> [NULL, 1.5]"}, {[]time.Time{at}, "ARRAY<TIMESTAMP> [2024-03-01 02:30:00.000001+00:00]"}, {[]*civil.Date{&date}, "ARRAY<DATE> [2024-02-29]"},
		{point{X: 1, Y: new(float64)}, "STRUCT<x INT64, Y FLOAT64> {x 1, Y 0}"}, {[]point{{Y: new(float64)}, {X: 1}}, "ARRAY<STRUCT<x INT64, Y FLOAT64>> [{x 0, Y 0}, {x 1, Y NULL}]"}, {driver.Struct{Fields: []driver.StructField{{Name: "a", Value: []string{"x"}}}}, "STRUCT<a ARRAY<STRING>> {a [x]}"},
		{struct{ A, B []int }{A: []int{1}}, "STRUCT<A ARRAY<INT64>, B ARRAY<INT64>> {A [1], B []}"},
	} {
		for _, arg := range []any{tt.in, sql.Named("P", tt.in)} {
			text, name := "SELECT ?", ""
			if n, named := arg.(sql.NamedArg); named {
				text, name = "SELECT @p", n.Name
			}
			server.ResetLog()
			if err := run(t.Context(), db, text, arg); err != nil {
				t.Errorf("%s with %T: %v", text, tt.in, err)
				continue
			}
			req := sent(t, server)
			if got := sentArguments(t, server); !reflect.DeepEqual(got, []string{tt.want}) || req.QueryParameters[0].Name != name || req.Query != text {
				t.Errorf("%s with %T: got %q %q; want %s", req.Query, tt.in, req.QueryParameters[0].Name, got, tt.want)
			}
		}
	}
}

// wireValue tells a NULL from an empty text, which the official type does not.
type wireValue struct {
	Value        *string
	ArrayValues  []*wireValue
	StructValues map[string]*wireValue
	RangeValue   *struct{ Start, End *wireValue }
}

func typeText(t *bq.QueryParameterType) string {
	switch {
	case t.ArrayType != nil:
		return "ARRAY<" + typeText(t.ArrayType) + ">"
	case t.RangeElementType != nil:
		return "RANGE<" + typeText(t.RangeElementType) + ">"
	case t.StructTypes != nil:
		var fields []string
		for _, f := range t.StructTypes {
			fields = append(fields, f.Name+" "+typeText(f.Type))
		}
		return "STRUCT<" + strings.Join(fields, ", ") + ">"
	}
	return t.Type
}

func (v *wireValue) text(t *bq.QueryParameterType) string {
	var parts []string
	switch {
	case v == nil:
		return "UNBOUNDED"
	case v.Value == nil && v.ArrayValues == nil && v.StructValues == nil && v.RangeValue == nil:
		return "NULL"
	case t.ArrayType != nil:
		for _, e := range v.ArrayValues {
			parts = append(parts, e.text(t.ArrayType))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case v.RangeValue != nil:
		return fmt.Sprintf("[%s, %s)", v.RangeValue.Start.text(t.RangeElementType), v.RangeValue.End.text(t.RangeElementType))
	case t.StructTypes != nil:
		for _, f := range t.StructTypes {
			parts = append(parts, f.Name+" "+v.StructValues[f.Name].text(f.Type))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return *v.Value
}
