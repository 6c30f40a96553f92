package driver

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

func utc(y int, m time.Month, d, h, min, s, micros int) time.Time {
	return time.Date(y, m, d, h, min, s, micros*1000, time.UTC)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	inf := math.Inf(1)
	for _, tt := range []struct {
		typ, text string
		want      any // nil: an error
	}{
		{"INTEGER", "0", int64(0)},
		{"INT64", "-9223372036854775808", int64(math.MinInt64)},
		{"INT64", "9223372036854775807", int64(math.MaxInt64)},
		{"INT64", "9223372036854775808", nil},
		{"INT64", "-9223372036854775809", nil},
		{"INT64", "99999999999999999999", nil},
		{"INT64", "", nil},
		{"INT64", "-", nil},
		{"INT64", "1.0", nil},
		{"INT64", "+1", nil},
		{"INT64", " 1", nil},
		{"FLOAT", "1.5", 1.5},
		{"FLOAT64", "1E10", 1e10},
		{"FLOAT64", "Infinity", inf},
		{"FLOAT64", "-Infinity", -inf},
		{"FLOAT64", "Inf", inf},
		{"FLOAT64", "+Inf", inf},
		{"FLOAT64", "-Inf", -inf},
		{"FLOAT64", "0x1p4", nil},
		{"FLOAT64", "1_0", nil},
		{"FLOAT64", "", nil},
		{"FLOAT64", "one", nil},
		{"FLOAT64", "1e999", nil},
		{"BOOLEAN", "true", true},
		{"BOOL", "false", false},
		{"BOOL", "TRUE", nil},
		{"BOOL", "1", nil},
		{"STRING", "", ""},
		{"STRING", "naïve ☃", "naïve ☃"},
		{"STRING", "\xff", nil},
		{"BYTES", "", []byte{}},
		{"BYTES", "AAH/", []byte{0, 1, 255}},
		{"BYTES", "AAH", nil},
		{"NUMERIC", "12.50", "12.5"},
		{"NUMERIC", "-0.000000001", "-0.000000001"},
		{"NUMERIC", "100", "100"},
		{"NUMERIC", "100.000", "100"},
		{"NUMERIC", "99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999"},
		{"NUMERIC", "1e3", nil},
		{"NUMERIC", "", nil},
		{"NUMERIC", "-", nil},
		{"NUMERIC", "1.2.3", nil},
		{"NUMERIC", ".5", nil},
		{"NUMERIC", "--1", nil},
		{
			"BIGNUMERIC",
			"-578960446186580977117854925043439539266.34992332820282019728792003956564819968",
			"-578960446186580977117854925043439539266.34992332820282019728792003956564819968",
		},
		{"TIMESTAMP", "0", utc(1970, 1, 1, 0, 0, 0, 0)},
		{"TIMESTAMP", "-62135596800000000", utc(1, 1, 1, 0, 0, 0, 0)},
		{"TIMESTAMP", "253402300799999999", utc(9999, 12, 31, 23, 59, 59, 999999)},
		{"TIMESTAMP", "253402300800000000", nil},
		{"TIMESTAMP", "-62135596800000001", nil},
		{"TIMESTAMP", "1.5E9", nil},
		{"DATE", "2024-02-29", utc(2024, 2, 29, 0, 0, 0, 0)},
		{"DATE", "0001-01-01", utc(1, 1, 1, 0, 0, 0, 0)},
		{"DATE", "9999-12-31", utc(9999, 12, 31, 0, 0, 0, 0)},
		{"DATE", "2023-02-29", nil},
		{"DATE", "1900-02-29", nil},
		{"DATE", "2000-02-29", utc(2000, 2, 29, 0, 0, 0, 0)},
		{"DATE", "2024-04-31", nil},
		{"DATE", "0000-01-01", nil},
		{"DATE", "2024-1-01", nil},
		{"DATE", "2024/01/01", nil},
		{"DATE", "+024-01-01", nil},
		{"DATETIME", "2024-01-02T03:04:05", utc(2024, 1, 2, 3, 4, 5, 0)},
		{"DATETIME", "2024-01-02T03:04:05.5", utc(2024, 1, 2, 3, 4, 5, 500000)},
		{"DATETIME", "0001-01-01T00:00:00", utc(1, 1, 1, 0, 0, 0, 0)},
		{"DATETIME", "9999-12-31T23:59:59.999999", utc(9999, 12, 31, 23, 59, 59, 999999)},
		{"DATETIME", "2024-01-02 03:04:05", nil},
		{"DATETIME", "2024-01-02T03:04", nil},
		{"DATETIME", "2024-01-02T03:04:05Z", nil},
		{"TIME", "00:00:00", "00:00:00"},
		{"TIME", "23:59:59.999999", "23:59:59.999999"},
		{"TIME", "24:00:00", nil},
		{"TIME", "12:00:00.", nil},
		{"TIME", "12:00:00.1234567", nil},
		{"TIME", "1:00:00", nil},
		{"INTERVAL", "1-2 3 4:5:6.789", "1-2 3 4:5:6.789"},
		{"GEOGRAPHY", "POINT(1 2)", "POINT(1 2)"},
		{"JSON", `{"a":1}`, `{"a":1}`},
		{
			"RANGE:DATE",
			"[2024-01-01, 2024-12-31)",
			Range{Start: civil.Date{Year: 2024, Month: 1, Day: 1}, End: civil.Date{Year: 2024, Month: 12, Day: 31}},
		},
		{"RANGE:DATE", "[UNBOUNDED, UNBOUNDED)", Range{}},
		{
			"RANGE:DATETIME",
			"[2024-01-01T00:00:00, UNBOUNDED)",
			Range{Start: civil.DateTime{Date: civil.Date{Year: 2024, Month: 1, Day: 1}}},
		},
		{"RANGE:TIMESTAMP", "[UNBOUNDED, 1000000)", Range{End: utc(1970, 1, 1, 0, 0, 1, 0)}},
		{"RANGE:DATE", "[2024-01-01, 2024-12-31]", nil},
		{"RANGE:DATE", "", nil},
		{"RANGE:DATE", "[2024-01-01,)", nil},
		{"RANGE:DATE", "[x, y)", nil},
	} {
		t.Run(fmt.Sprintf("%s %q", tt.typ, tt.text), func(t *testing.T) {
			field := &bq.TableFieldSchema{Name: "c", Type: tt.typ}
			if len(tt.typ) > 6 && tt.typ[:6] == "RANGE:" {
				field.Type, field.RangeElementType = "RANGE", &bq.TableFieldSchemaRangeElementType{Type: tt.typ[6:]}
			}
			col, err := newColumn(field)
			if err != nil {
				t.Fatalf("newColumn(%s): %v", tt.typ, err)
			}
			quoted := `"` + strings.ReplaceAll(tt.text, `"`, `\"`) + `"`
			got, err := col.kind.read(&cursor{buf: []byte(quoted), boxes: new(boxes)})
			switch {
			case tt.want == nil && err == nil:
				t.Errorf("got %v; want an error", got)
			case tt.want != nil && err != nil:
				t.Error(err)
			case tt.want != nil && !reflect.DeepEqual(got, tt.want):
				t.Errorf("got %#v; want %#v", got, tt.want)
			}
		})
	}
	if v, err := parseFloat([]byte("NaN")); err != nil || !math.IsNaN(v) {
		t.Errorf("NaN: got %v, %v", v, err)
	}
}

func TestRangeString(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		r    Range
		want string
	}{
		{"no ends", Range{}, "[UNBOUNDED, UNBOUNDED)"},
		{"start of DATE", Range{Start: civil.Date{Year: 2024, Month: 1, Day: 2}}, "[2024-01-02, UNBOUNDED)"},
		{
			"end of DATETIME",
			Range{End: civil.DateTime{Date: civil.Date{Year: 2024, Month: 1, Day: 2}, Time: civil.Time{Hour: 3}}},
			"[UNBOUNDED, 2024-01-02T03:00:00)",
		},
		{
			"start of DATETIME with microseconds",
			Range{Start: civil.DateTime{Date: civil.Date{Year: 2024, Month: 1, Day: 2}, Time: civil.Time{Nanosecond: 6000}}},
			"[2024-01-02T00:00:00.000006, UNBOUNDED)",
		},
		{
			"both ends of TIMESTAMP",
			Range{Start: utc(2024, 1, 2, 3, 4, 5, 6), End: utc(2024, 1, 3, 0, 0, 0, 0)},
			"[2024-01-02 03:04:05.000006+00, 2024-01-03 00:00:00+00)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.r.String(); got != tt.want {
				t.Errorf("got %s; want %s", got, tt.want)
			}
		})
	}
}
