package sandbox

import (
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// nested has every kind of field; none of its ARRAYs may be NULL.
type nested struct {
	Int    int64
	Float  float64
	Bool   bool
	Text   string
	Bytes  []byte
	Moment time.Time
	Date   civil.Date
	Civil  civil.DateTime
	Clock  civil.Time
	Number *int64
	Ints   []int64
	Times  []time.Time
	Inner  struct {
		Floats []float64
		Texts  []string
		Deep   []deep
	}
}

type deep struct {
	N    *int64
	Days []civil.Date
}

// fuzzMoment makes an instant of the years 1 to 9999 of a number.
func fuzzMoment(n int64) time.Time {
	const first, last = int64(-62135596800000000), int64(253402300799999999)
	return time.UnixMicro(first + int64(uint64(n)%uint64(last-first+1))).UTC()
}

// fuzzNumeric makes a number that NUMERIC holds: of up to 29 digits before the point and 9 after it.
func fuzzNumeric(n int64) *big.Rat {
	power := func(k uint64) *big.Int { return new(big.Int).Exp(big.NewInt(10), new(big.Int).SetUint64(k), nil) }
	r := new(big.Rat).SetFrac(big.NewInt(n), power(uint64(n)/7%10))
	return r.Mul(r, new(big.Rat).SetInt(power(uint64(n)/3%11)))
}

// fuzzArgument is an argument and what must come back; text tells whether the text is in it.
type fuzzArgument struct {
	arg, want any
	text      bool
}

// fuzzArguments makes an argument of every kind of a number, a text and bytes.
func fuzzArguments(n int64, text string, raw []byte) []fuzzArgument {
	at, later, float := fuzzMoment(n), fuzzMoment(n*31), math.Float64frombits(uint64(n))
	raw = append([]byte{}, raw...) // a nil one is a NULL
	ints := []int64{}
	for _, b := range raw {
		ints = append(ints, n^int64(b))
	}
	all := nested{
		Int: n, Float: float, Bool: n%2 == 0, Text: text, Bytes: raw, Moment: at, Date: civil.DateOf(at),
		Civil: civil.DateTimeOf(at),
		Clock: civil.TimeOf(at), Number: &n, Ints: ints, Times: []time.Time{at, later},
	}
	all.Inner.Floats, all.Inner.Texts = []float64{float, -float}, []string{text, "", text}
	all.Inner.Deep = []deep{{N: &n}, {&n, []civil.Date{all.Date}}}
	var out []fuzzArgument
	for _, v := range []any{
		n, float, n%2 == 0, raw, at, civil.DateOf(at), civil.DateTimeOf(at), civil.TimeOf(at), fuzzNumeric(n),
		ints, []float64{float}, []bool{true, n < 0}, [][]byte{raw, {}}, []time.Time{at, later},
		[]civil.Date{civil.DateOf(at)}, []civil.DateTime{civil.DateTimeOf(later)}, []civil.Time{civil.TimeOf(at)},
		[]*big.Rat{fuzzNumeric(n)},
	} {
		out = append(out, fuzzArgument{v, v, false})
	}
	for _, v := range []any{text, []string{text, ""}, all, []nested{all, all}} {
		out = append(out, fuzzArgument{v, v, true})
	}
	for kind, v := range map[string]any{"INT64": n, "FLOAT64": float, "TIMESTAMP": at, "DATE": civil.DateOf(at),
		"NUMERIC": fuzzNumeric(n)} {
		out = append(out, fuzzArgument{bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: kind},
			Value: v}, v, false})
	}
	return append(out, []fuzzArgument{
		{bigquery.NullInt64{}, (*int64)(nil), false}, {bigquery.NullString{}, (*string)(nil), false},
		{bigquery.NullTimestamp{}, (*time.Time)(nil), false},
		{(*big.Rat)(nil), (*big.Rat)(nil), false}, {bigquery.NullDate{}, (*civil.Date)(nil), false},
		{[]int64(nil), []int64{}, false},
	}...)
}

// FuzzArguments holds that a value that goes to BigQuery as an argument comes back as it was. What a server
// does is never the same twice, so run it with -fuzzminimizetime=5x.
func FuzzArguments(f *testing.F) {
	db := openWith(f, start(f, Config{NoData: true}), func(c *dsn.Config) { c.Dataset = "" })
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1e18 + 7, 253402300799999999,
		int64(math.Float64bits(0.1)),
		int64(math.Float64bits(math.NaN())), int64(math.Float64bits(math.Inf(1))), math.MinInt64 + 0x7ff0000000000000,
		int64(math.Float64bits(math.MaxFloat64)), 1} {
		f.Add(n, "naïve '\"\\\n\x00? @x `", []byte{0, 255})
	}
	f.Add(int64(5), "", []byte(nil))
	f.Add(int64(5), "\xff", []byte("x"))
	f.Fuzz(func(t *testing.T, n int64, text string, raw []byte) {
		text, raw = text[:min(len(text), 1<<10)], raw[:min(len(raw), 1<<8)] // more say nothing new
		for _, tt := range fuzzArguments(n, text, raw) {
			into := reflect.New(reflect.TypeOf(tt.want))
			err := db.QueryRowContext(t.Context(), "SELECT ?", tt.arg).Scan(driver.As(into.Interface()))
			switch got := into.Elem(); {
			case tt.text && !utf8.ValidString(text):
				if err == nil {
					t.Errorf("%#v: got no error for text that is not UTF-8", tt.arg)
				}
			case err != nil:
				t.Errorf("%T: %v, of %#v", tt.arg, err, tt.arg)
			case !same(reflect.ValueOf(tt.want), got):
				t.Errorf("got %#v; want %#v", got, tt.want)
			}
		}
	})
}

// same compares values by what they mean: any NaN is NaN, no elements are no elements.
func same(a, b reflect.Value) bool {
	switch x := a.Interface().(type) {
	case time.Time:
		return x.Equal(b.Interface().(time.Time))
	case big.Rat:
		y := b.Interface().(big.Rat)
		return x.Cmp(&y) == 0
	case float64:
		y := b.Float()
		return math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y)
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() && b.IsNil()
		}
		return same(a.Elem(), b.Elem())
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
