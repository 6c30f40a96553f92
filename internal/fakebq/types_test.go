package fakebq

import (
	"context"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	client "cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2024, 2, 29, 12, 30, 15, 123456000, time.UTC)

// typeCases has a value for each type: as it goes into a script, as it travels,
// and as the official client reads it.
var typeCases = []struct {
	name   string
	field  Field
	value  any
	wire   string
	client any
}{
	{"string", Field{Type: "STRING"}, "a\"<é>\u2028", `"a\"\u003cé\u003e\u2028"`, "a\"<é>\u2028"},
	{"empty string", Field{Type: "STRING"}, "", `""`, ""},
	{"bytes", Field{Type: "BYTES"}, []byte{0, 255, 1}, `"AP8B"`, []byte{0, 255, 1}},
	{"integer", Field{Type: "INTEGER"}, int64(math.MinInt64), `"-9223372036854775808"`, int64(math.MinInt64)},
	{"small integer", Field{Type: "INTEGER"}, uint8(7), `"7"`, int64(7)},
	{"float", Field{Type: "FLOAT"}, 1.5, `"1.5"`, 1.5},
	{"whole float", Field{Type: "FLOAT"}, 2.0, `"2.0"`, 2.0},
	{"large float", Field{Type: "FLOAT"}, 1e10, `"1.0E10"`, 1e10},
	{"small float", Field{Type: "FLOAT"}, -2.5e-300, `"-2.5E-300"`, -2.5e-300},
	{"NaN", Field{Type: "FLOAT"}, math.NaN(), `"NaN"`, math.NaN()},
	{"infinity", Field{Type: "FLOAT"}, math.Inf(1), `"Infinity"`, math.Inf(1)},
	{"minus infinity", Field{Type: "FLOAT"}, math.Inf(-1), `"-Infinity"`, math.Inf(-1)},
	{"boolean", Field{Type: "BOOLEAN"}, true, `"true"`, true},
	{"timestamp", Field{Type: "TIMESTAMP"}, noon, `"1709209815123456"`, noon},
	{"first timestamp", Field{Type: "TIMESTAMP"}, time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), `"-62135596800000000"`,
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
	{"date", Field{Type: "DATE"}, noon, `"2024-02-29"`, civil.Date{Year: 2024, Month: 2, Day: 29}},
	{"date text", Field{Type: "DATE"}, "0001-01-01", `"0001-01-01"`, civil.Date{Year: 1, Month: 1, Day: 1}},
	{"datetime", Field{Type: "DATETIME"}, noon, `"2024-02-29T12:30:15.123456"`, civil.DateTimeOf(noon)},
	{"whole datetime", Field{Type: "DATETIME"}, noon.Truncate(time.Second), `"2024-02-29T12:30:15"`,
		civil.DateTimeOf(noon.Truncate(time.Second))},
	{"time", Field{Type: "TIME"}, "12:30:15.5", `"12:30:15.500000"`, civil.Time{Hour: 12, Minute: 30, Second: 15,
		Nanosecond: 5e8}},
	{"numeric", Field{Type: "NUMERIC", Precision: 10, Scale: 2}, "12.34", `"12.34"`, big.NewRat(1234, 100)},
	{"bignumeric", Field{Type: "BIGNUMERIC"}, "-0.5", `"-0.5"`, big.NewRat(-1, 2)},
	{"geography", Field{Type: "GEOGRAPHY"}, "POINT(1 2)", `"POINT(1 2)"`, "POINT(1 2)"},
	{"json", Field{Type: "JSON"}, `{"a":1}`, `"{\"a\":1}"`, `{"a":1}`},
	{"interval", Field{Type: "INTERVAL"}, "1-2 3 4:5:6.5", `"1-2 3 4:5:6.5"`, &client.IntervalValue{Years: 1, Months: 2,
		Days: 3, Hours: 4, Minutes: 5, Seconds: 6, SubSecondNanos: 5e8}},
	{"range of dates", Field{Type: "RANGE", Element: "DATE"}, Range{"2024-01-01", nil}, `"[2024-01-01, UNBOUNDED)"`,
		&client.RangeValue{Start: civil.Date{Year: 2024, Month: 1, Day: 1}}},
	{"range of timestamps", Field{Type: "RANGE", Element: "TIMESTAMP"}, Range{nil, noon},
		`"[UNBOUNDED, 1709209815123456)"`, &client.RangeValue{End: noon}},
	{"null", Field{Type: "STRING", Mode: "NULLABLE"}, nil, `null`, nil},
	{"required", Field{Type: "INTEGER", Mode: "REQUIRED"}, 1, `"1"`, int64(1)},
	{"array", Field{Type: "INTEGER", Mode: "REPEATED"}, []int{1, 2}, `[{"v":"1"},{"v":"2"}]`, []client.Value{int64(1),
		int64(2)}},
	{"empty array", Field{Type: "INTEGER", Mode: "REPEATED"}, nil, `[]`, []client.Value(nil)},
	{"array of ranges", Field{Type: "RANGE", Element: "DATE", Mode: "REPEATED"}, []Range{{"2024-01-01", "2024-01-02"}},
		`[{"v":"[2024-01-01, 2024-01-02)"}]`, []client.Value{&client.RangeValue{Start: civil.Date{Year: 2024, Month: 1,
			Day: 1}, End: civil.Date{Year: 2024, Month: 1, Day: 2}}}},
	{
		"struct", Field{Type: "RECORD", Fields: []Field{{Name: "a", Type: "INTEGER"}, {Name: "b", Type: "STRING",
			Mode: "REPEATED"}}},
		[]any{1, []string{"x"}}, `{"f":[{"v":"1"},{"v":[{"v":"x"}]}]}`, []client.Value{int64(1), []client.Value{"x"}},
	},
	{
		"array of structs", Field{Type: "RECORD", Mode: "REPEATED", Fields: []Field{{Name: "a", Type: "INTEGER"}}},
		[][]any{{1}, {nil}}, `[{"v":{"f":[{"v":"1"}]}},{"v":{"f":[{"v":null}]}}]`,
		[]client.Value{[]client.Value{int64(1)}, []client.Value{nil}},
	},
	{"null struct", Field{Type: "RECORD", Fields: []Field{{Name: "a", Type: "INTEGER"}}}, nil, `null`, nil},
	{"raw", Field{Type: "FLOAT"}, Raw(`"+Inf"`), `"+Inf"`, math.Inf(1)},
}

func TestTypesOnTheWire(t *testing.T) {
	t.Parallel()
	for _, tc := range typeCases {
		got, err := cells{format: int64Micros}.appendField(nil, &tc.field, tc.value)
		if err != nil || string(got) != tc.wire {
			t.Errorf("%s: got %s, %v; want %s", tc.name, got, err, tc.wire)
		}
	}
}

func TestTypesThroughOfficialClient(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	c := official(t, s)
	for _, tc := range typeCases {
		field := tc.field
		field.Name = "x"
		s.On("SELECT "+tc.name, Answer{Fields: []Field{field}, Rows: [][]any{{tc.value}}})
		it, err := c.Query("SELECT " + tc.name).Read(context.Background())
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		var row []client.Value
		if err := it.Next(&row); err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		equal := cmp.Options{cmpopts.EquateNaNs(), cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })}
		if diff := cmp.Diff([]client.Value{tc.client}, row, equal); diff != "" {
			t.Errorf("%s: -want +got\n%s", tc.name, diff)
		}
		f := it.Schema[0]
		if string(f.Type) != field.Type || f.Repeated != (field.Mode == "REPEATED") ||
			f.Required != (field.Mode == "REQUIRED") ||
			f.Precision != field.Precision || f.Scale != field.Scale || len(f.Schema) != len(field.Fields) {
			t.Errorf("%s: got schema %+v; want %+v", tc.name, f, field)
		}
	}
}

func TestFloatTimestamps(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		t    time.Time
		want string
	}{
		{noon, `"1.709209815123456E9"`},
		{time.Unix(0, 0), `"0.0E0"`},
		{time.Date(2001, 9, 9, 1, 46, 40, 0, time.UTC), `"1.0E9"`},
		{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), `"-6.21355968E10"`},
		{time.UnixMicro(1), `"1.0E-6"`},
	} {
		got, err := cells{}.appendField(nil, &Field{Type: "TIMESTAMP"}, tc.t)
		if err != nil || string(got) != tc.want {
			t.Errorf("%v: got %s, %v; want %s", tc.t, got, err, tc.want)
		}
	}
	s := Run(t, Options{})
	s.On("SELECT t", Answer{Fields: []Field{{Name: "t", Type: "TIMESTAMP"}}, Rows: [][]any{{noon}}})
	q := googleSQL("SELECT t")
	q.FormatOptions = nil
	r, err := rest(t, s).Jobs.Query("p", q).Do()
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Rows[0].F[0].V; got != "1.709209815123456E9" {
		t.Errorf("without useInt64Timestamp: got %v", got)
	}
	pageOf := rest(t, s).Jobs.GetQueryResults("p", r.JobReference.JobId)
	page, err := pageOf.FormatOptionsUseInt64Timestamp(true).Do()
	if err != nil {
		t.Fatal(err)
	}
	if got := page.Rows[0].F[0].V; got != "1709209815123456" {
		t.Errorf("with useInt64Timestamp: got %v", got)
	}
}

func TestValuesThatDoNotFit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		field Field
		value any
		want  string
	}{
		{"type", Field{Name: "x", Type: "INTEGER"}, true, "is a INTEGER and has a bool"},
		{"bool text", Field{Name: "x", Type: "BOOLEAN"}, "true", "is a BOOLEAN and has a string"},
		{"timestamp text", Field{Name: "x", Type: "TIMESTAMP"}, "2024-01-01", "is a TIMESTAMP and has a string"},
		{"required null", Field{Name: "x", Type: "INTEGER", Mode: "REQUIRED"}, nil, "REQUIRED"},
		{"null element", Field{Name: "x", Type: "INTEGER", Mode: "REPEATED"}, []any{nil}, "NULL in an array"},
		{"no slice", Field{Name: "x", Type: "INTEGER", Mode: "REPEATED"}, 1, "is REPEATED and has a int"},
		{"struct size", Field{Name: "x", Type: "RECORD", Fields: []Field{{Name: "a", Type: "INTEGER"}}}, []any{1, 2},
			"got 2 values; want 1"},
		{"unknown type", Field{Name: "x", Type: "INT64"}, 1, `type "INT64"`},
	} {
		_, err := NewTable([]Field{tc.field}, 1, func(int) []any { return []any{tc.value} })
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(),
			`row 0: column "x"`) {
			t.Errorf("%s: got %v; want an error with %q", tc.name, err, tc.want)
		}
	}
}
