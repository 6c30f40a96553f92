package driver_test

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

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

// TestRefusedArguments: what BigQuery has no value for is an error before anything is sent,
// with the reason and, in what is nested, the place.
func TestRefusedArguments(t *testing.T) {
	t.Parallel()
	date := civil.Date{Year: 2024, Month: 2, Day: 29}
	type any2 struct{ A, B any }
	type one struct{ A any }
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{})
	db := open(t, server)
	for _, tt := range []struct {
		name string
		in   any
		want string
	}{
		{"uint64 above INT64", uint64(math.MaxInt64) + 1, "above 9223372036854775807"},
		{"uint above INT64", uint(math.MaxUint64), "above"},
		{"uint64 above INT64 in a slice", []uint64{1, math.MaxUint64}, "[1]: the number is above"},
		{"uint64 above INT64 in a struct", struct{ N uint64 }{math.MaxUint64}, ".N: the number is above"},
		{"string that is not UTF-8", "\xff", "not valid UTF-8"},
		{"JSON that is not UTF-8", json.RawMessage("\xff"), "not valid UTF-8"},
		{"string that is not UTF-8 in a slice", []string{"a", "\xc3("}, "[1]: the STRING is not valid UTF-8"},
		{"GEOGRAPHY that is not UTF-8", bigquery.NullGeography{GeographyVal: "\xff", Valid: true}, "not valid UTF-8"},
		{"time in year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year 10000"},
		{"time in year 0", time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), "year 0"},
		{"time in year -5 in a slice", []time.Time{time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}, "[0]: the year -5"},
		{
			"NullTimestamp in year 0",
			bigquery.NullTimestamp{Timestamp: time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), Valid: true},
			"year 0",
		},
		{
			"Range that starts in year 10000",
			driver.Range{Start: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
			"Start of the Range: the year 10000",
		},
		{"29 February of no leap year", civil.Date{Year: 2023, Month: 2, Day: 29}, "not a valid DATE"},
		{"zero Date", civil.Date{}, "not a valid DATE"},
		{"Date in year 10000", civil.Date{Year: 10000, Month: 1, Day: 1}, "year 10000"},
		{"Date in year 0", civil.Date{Year: 0, Month: 1, Day: 1}, "year 0"},
		{"pointer to a Date in month 13", &civil.Date{Year: 2024, Month: 13, Day: 1}, "not a valid DATE"},
		{"Time at 24 hours", civil.Time{Hour: 24}, "not a valid TIME"},
		{"Time at 60 seconds", civil.Time{Second: 60}, "not a valid TIME"},
		{"Time at -1 nanoseconds", civil.Time{Nanosecond: -1}, "not a valid TIME"},
		{"DateTime at 60 minutes", civil.DateTime{Date: date, Time: civil.Time{Minute: 60}}, "not a valid DATETIME"},
		{"DateTime in year 10000", civil.DateTime{Date: civil.Date{Year: 10000, Month: 1, Day: 1}}, "year 10000"},
		{"NullDate of the zero Date", bigquery.NullDate{Valid: true}, "not a valid DATE"},
		{"sql.Null of the zero Date", sql.Null[civil.Date]{Valid: true}, "not a valid DATE"},
		{"interval of 10001 years", bigquery.IntervalValue{Years: 10001}, "outside BigQuery's range of 10000 years"},
		{"a third", bigRat("1/3"), "round it"},
		{"39 digits after the point", bigRat("0.000000000000000000000000000000000000001"), "round it"},
		{"41 digits before the point", bigInt("1" + strings.Repeat("0", 40)), "outside the range"},
		{
			"above the greatest BIGNUMERIC",
			bigRat("578960446186580977117854925043439539266.34992332820282019728792003956564819968"),
			"outside the range",
		},
		{
			"below the least BIGNUMERIC",
			bigRat("-578960446186580977117854925043439539266.34992332820282019728792003956564819969"),
			"outside the range",
		},
		{"NUMERIC of NaN", declared("NUMERIC", math.NaN()), "type NUMERIC can't hold"},
		{"BIGNUMERIC of infinity", declared("BIGNUMERIC", math.Inf(1)), "type BIGNUMERIC can't hold"},
		{"INT64 of NaN", declared("INT64", math.NaN()), "type INT64 can't hold"},
		{"NUMERIC of the text NaN", declared("NUMERIC", "NaN"), "can't hold the value"},
		{
			"NUMERIC of ten digits after the point",
			declared("NUMERIC", bigRat("0.0000000001")),
			"type NUMERIC can't hold",
		},
		{"NUMERIC of 1e300", declared("NUMERIC", 1e300), "can't hold the value"},
		{"INT64 of 1.5", declared("INT64", 1.5), "can't hold the value"},
		{"INT64 of 2^63", declared("INT64", bigInt("9223372036854775808")), "can't hold the value"},
		{"NUMERIC of a bool", declared("NUMERIC", true), "can't hold the value"},
		{"BIGNUMERIC of the text 1/3", declared("BIGNUMERIC", "1/3"), "can't hold the value"},
		{"no TypeKind", declared("", 1), "TypeKind"},
		{"TypeKind ARRAY", declared("ARRAY", nil), "pass a slice"},
		{"TypeKind STRUCT", declared("STRUCT", 1), "pass a slice, a Go struct"},
		{"INT64 of a slice", declared("INT64", []int64{1}), "type INT64 can't hold a"},
		{"DATE of a channel", declared("DATE", make(chan int)), "BigQuery has no type for a chan int"},
		{"output parameter", sql.Out{Dest: new(int)}, "output parameters"},
		{"input and output parameter", sql.Out{Dest: new(string), In: true}, "output parameters"},
		{"map", map[string]int{}, "map[string]int"},
		{"nil map of any", map[string]any(nil), "map[string]interface"},
		{"channel", make(chan int), "BigQuery has no type for a chan int"},
		{"nil channel", (chan int)(nil), "BigQuery has no type for a chan int"},
		{"function", func() {}, "func()"},
		{"complex number", complex(1, 1), "complex128"},
		{"Go array", [3]int{}, "[3]int"},
		{"pointer to an any with a map", &[]any{map[int]int{}}[0], "map[int]int"},
		{"slice of slices", [][]int{{1}}, "ARRAY of ARRAYs"},
		{"empty slice of slices", [][]int{}, "ARRAY of ARRAYs"},
		{"empty slice of pointers to slices", []*[]string{}, "ARRAY of ARRAYs"},
		{"slice in a slice of any", []any{[]int{1}}, "[0]: BigQuery has no ARRAY of ARRAYs"},
		{"string after an int", []any{1, "a"}, "[1]: a STRING after a INT64"},
		{"channel after an int", []any{1, make(chan int)}, "[1]: BigQuery has no type for a chan int"},
		{"structs whose field differs", []any{one{1}, one{"x"}}, ": [1].A: a STRING after a INT64"},
		{"structs of two types", []any{one{1}, any2{1, 2}}, "a STRUCT with the fields A, B after one with A"},
		{"struct without exported fields", struct{ a int }{1}, "no exported fields"},
		{"empty struct", struct{}{}, "no exported fields"},
		{"empty slice of structs without exported fields", []struct{ a int }{}, "no exported fields"},
		{"empty slice of pointers to them", []*struct{ a int }{}, "no exported fields"},
		{"field that differs three rows on", []any{one{1}, one{2}, one{3}, one{"x"}}, ": [3].A: a STRING after a INT64"},
		{"map in a field", any2{1, map[int]int{}}, ".B: BigQuery has no type for a map[int]int"},
		{"channel three deep", []any2{{1, []any2{{1, make(chan int)}}}}, "[0].B[0].B: BigQuery has no type for a chan int"},
		{"Struct without fields", driver.Struct{}, "has no fields"},
		{
			"Struct with a field without a name",
			driver.Struct{Fields: []driver.StructField{{Value: 1}}},
			"empty or occurs twice",
		},
		{
			"Struct with one name in two cases",
			driver.Struct{Fields: []driver.StructField{{Name: "a", Value: 1}, {Name: "A", Value: 1}}},
			"empty or occurs twice",
		},
		{"slice that holds itself", cycle(), "deeper than 64 levels"},
		{"struct with a pointer to its type", node{}, "a driver_test.node can contain another one"},
		{"pointer to such a struct", &node{}, "can contain another one"},
		{"empty slice of such structs", []node{}, "can contain another one"},
		{"struct with slices of its type", tree{}, "can contain another one"},
		{"empty slice of structs with slices of their type", []tree{}, "can contain another one"},
		{
			"struct that holds its type two levels down",
			deepTree{Trees: []*struct{ Tree *tree }{{Tree: &tree{}}}},
			"can contain another one",
		},
		{"slice type of itself", lists{}, "ARRAY of ARRAYs"},
		{"Valuer that fails", failing{}, "no value today"},
		{"Valuer that panics", panicking{}, "the Value method of driver_test.panicking panicked: no value ever"},
		{"Valuer that returns itself", again{}, "again"},
		{"Valuers that return each other", ping{}, "deeper than 64 levels"},
		{"Valuer that returns a map", odd{}, "map[string]int"},
		{"Valuer that fails in a slice", []sqldriver.Valuer{failing{}}, "[0]: no value today"},
		{"Range without ends", driver.Range{}, "has no type"},
		{"Range that starts at an int", driver.Range{Start: 1}, "Start of the Range"},
		{"Range that ends at a string", driver.Range{End: "2024-01-01"}, "End of the Range"},
		{"Range of two types", driver.Range{Start: date, End: time.Now()}, "use one type"},
		{"Range that starts at times", driver.Range{Start: []time.Time{{}}}, "Start of the Range is a []time.Time"},
		{"Range that starts at a nil int", driver.Range{Start: (*int)(nil)}, "Start of the Range is a *int"},
		{"Range that ends at a nil", driver.Range{End: (*any)(nil)}, "End of the Range is a *interface {}"},
		{"Range that starts at a Time", driver.Range{Start: civil.Time{}}, "Start of the Range is a civil.Time"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, arg := range []any{tt.in, sql.Named("p", tt.in)} {
				text := "SELECT ?"
				if _, named := arg.(sql.NamedArg); named {
					text = "SELECT @p"
				}
				err := run(t.Context(), db, text, arg)
				if err == nil || !strings.Contains(err.Error(), tt.want) ||
					!strings.Contains(err.Error(), "bigqueryuser: ") && !strings.Contains(err.Error(), "sql: ") {
					t.Errorf("%s with a %T: got %v; want an error with %q", text, tt.in, err, tt.want)
				}
				if _, err := db.ExecContext(t.Context(), text, arg); err == nil {
					t.Errorf("Exec of %s with a %T: got no error", text, tt.in)
				}
			}
		})
	}
	if got := server.Counts(); len(got) != 0 {
		t.Errorf("got requests %v; want none", got)
	}
}

// TestRefusedPlaceholders: arguments that are not those of the statement are an error before
// anything is sent.
func TestRefusedPlaceholders(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{})
	db := open(t, server)
	for _, tt := range []struct {
		name string
		sql  string
		args []any
		want string
	}{
		{"no placeholder", "SELECT 1", []any{1}, "placeholders: 0, arguments: 1"},
		{"too few arguments", "SELECT ?, ?", []any{1}, "placeholders: 2, arguments: 1"},
		{"too many arguments", "SELECT ?", []any{1, 2}, "placeholders: 1, arguments: 2"},
		{"no argument", "SELECT ?", nil, "placeholders: 1, arguments: 0"},
		{"? in a string", "SELECT '?', 1", []any{1}, "placeholders: 0"},
		{"no argument for a name", "SELECT @a", nil, "placeholders: 1, arguments: 0"},
		{"unnamed argument for a name", "SELECT @a", []any{1}, `use sql.Named("a", value)`},
		{"named argument for ?", "SELECT ?", []any{sql.Named("a", 1)}, "write @name"},
		{"a name without argument", "SELECT @a, @b", []any{sql.Named("a", 1)}, "has @b, but no argument has this name"},
		{"an argument too many by name", "SELECT @a", []any{sql.Named("a", 1), sql.Named("b", 1)}, "has no @b"},
		{"system variable", "SELECT @@a", []any{sql.Named("a", 1)}, "has no @a"},
		{"one name in two cases", "SELECT @a", []any{sql.Named("a", 1), sql.Named("A", 1)}, "passed twice"},
		{"named and unnamed arguments", "SELECT @a, @b", []any{sql.Named("a", 1), 2}, "some arguments are named"},
		{"? and @a", "SELECT ?, @a", []any{1, sql.Named("a", 1)}, "mixes ? and @a"},
		{"? and @a without arguments", "SELECT ?, @a", nil, "mixes ? and @a"},
		{"text that is not UTF-8", "SELECT ?\xff", []any{1}, "not valid UTF-8"},
		{
			"a NULL, and a time too many by name",
			"SELECT @a",
			[]any{sql.Named("a", nil), sql.Named("b", time.Now())},
			"has no @b",
		},
		{"a NULL, and a time too many", "SELECT ?", []any{nil, time.Now()}, "placeholders: 1, arguments: 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := run(t.Context(), db, tt.sql, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s with %d arguments: got %v; want %q", tt.sql, len(tt.args), err, tt.want)
			}
			if _, err := db.ExecContext(t.Context(), tt.sql, tt.args...); err == nil {
				t.Errorf("Exec of %s: got no error", tt.sql)
			}
		})
	}
	if _, err := db.PrepareContext(t.Context(), "SELECT ?, @a"); err == nil {
		t.Error("Prepare with mixed styles: got no error")
	}
	if got := server.Counts(); len(got) != 0 {
		t.Errorf("got requests %v; want none", got)
	}
}
