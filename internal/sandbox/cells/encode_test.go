package cells

import (
	"encoding/json"
	"math"
	"math/big"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func kind(k googlesql.Kind) googlesql.Type { return googlesql.Type{Kind: k} }

func decimal(unscaled string) engine.Int128 {
	b, _ := new(big.Int).SetString(unscaled, 10)
	v, _ := engine.Int128FromBig(b)
	return v
}

func TestCells(t *testing.T) {
	t.Parallel()
	ints := func(k googlesql.Kind, n int64) *engine.Vector {
		return &engine.Vector{Type: kind(k), Len: 1, Ints: []int64{n}}
	}
	float := func(f float64) *engine.Vector {
		return &engine.Vector{Type: kind(googlesql.Float64), Len: 1, Floats: []float64{f}}
	}
	text := func(k googlesql.Kind, s string) *engine.Vector {
		return &engine.Vector{Type: kind(k), Len: 1, Offsets: []int32{0, int32(len(s))}, Data: []byte(s)}
	}
	numeric := func(s string) *engine.Vector {
		return &engine.Vector{Type: kind(googlesql.Numeric), Len: 1, Decimals: []engine.Int128{decimal(s)}}
	}
	interval := func(months, days int32, micros int64) *engine.Vector {
		return &engine.Vector{Type: kind(googlesql.Interval), Len: 1,
			Intervals: []engine.Interval{{Months: months, Days: days, Micros: micros}}}
	}
	const year1, year9999 = -62135596800000000, 253402300799999999
	for _, tt := range []struct {
		v    *engine.Vector
		ints bool
		want string
	}{
		{ints(googlesql.Int64, math.MinInt64), false, `"-9223372036854775808"`},
		{float(1.5), false, `"1.5"`},
		{float(2), false, `"2.0"`},
		{float(math.Copysign(0, -1)), false, `"-0.0"`},
		{float(1e10), false, `"1.0E10"`},
		{float(1.25e-7), false, `"1.25E-7"`},
		{float(math.MaxFloat64), false, `"1.7976931348623157E308"`},
		{float(math.NaN()), false, `"NaN"`},
		{float(math.Inf(1)), false, `"Infinity"`},
		{float(math.Inf(-1)), false, `"-Infinity"`},
		{&engine.Vector{Type: kind(googlesql.Bool), Len: 1, Bools: []bool{true}}, false, `"true"`},
		{text(googlesql.String, "a\"\\\n\x01\u2028é😀"), false, "\"a\\\"\\\\\\n\\u0001\u2028é😀\""},
		{text(googlesql.JSON, `{"a":1}`), false, `"{\"a\":1}"`},
		{text(googlesql.Bytes, "\x00\xff"), false, `"AP8="`},
		{text(googlesql.Bytes, ""), false, `""`},
		{text(googlesql.BigNumeric, builtin.EncodeBigNumeric(big.NewInt(-15))), false,
			`"-0.00000000000000000000000000000000000015"`},
		{numeric("0"), false, `"0"`},
		{numeric("1500000000"), false, `"1.5"`},
		{numeric("-1"), false, `"-0.000000001"`},
		{numeric("100000000000"), false, `"100"`},
		{numeric("99999999999999999999999999999999999999"), false, `"99999999999999999999999999999.999999999"`},
		{numeric("-99999999999999999999999999999999999999"), false, `"-99999999999999999999999999999.999999999"`},
		{ints(googlesql.Date, -719162), false, `"0001-01-01"`},
		{ints(googlesql.Date, 2932896), false, `"9999-12-31"`},
		{ints(googlesql.Time, 3661000001), false, `"01:01:01.000001"`},
		{ints(googlesql.Time, 3661000000), false, `"01:01:01"`},
		{ints(googlesql.Datetime, year1), false, `"0001-01-01T00:00:00"`},
		{ints(googlesql.Datetime, year9999), false, `"9999-12-31T23:59:59.999999"`},
		{ints(googlesql.Timestamp, 1408452095220000), false, `"1.40845209522E9"`},
		{ints(googlesql.Timestamp, 0), false, `"0.0"`},
		{ints(googlesql.Timestamp, year1), false, `"-6.21355968E10"`},
		{ints(googlesql.Timestamp, year9999), true, `"253402300799999999"`},
		{interval(14, -3, 4*3600e6+5*60e6+6500000), false, `"1-2 -3 4:5:6.500"`},
		{interval(-14, 3, -1), false, `"-1-2 3 -0:0:0.000001"`},
		{interval(0, 0, 0), false, `"0-0 0 0:0:0"`},
		{&engine.Vector{Type: kind(googlesql.String), Len: 1, Nulls: []uint64{1}, Offsets: []int32{0, 0}}, false,
			`null`},
	} {
		got := string(Encoder{Int64Timestamps: tt.ints}.cell(nil, tt.v, 0))
		if got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.v.Type.Kind, got, tt.want)
		}
		if !json.Valid([]byte(got)) {
			t.Errorf("%s is not JSON", got)
		}
	}
}

func TestNestedCells(t *testing.T) {
	t.Parallel()
	whole := kind(googlesql.Int64)
	arr := googlesql.Type{Kind: googlesql.Array, Elem: &whole}
	rec := googlesql.Type{Kind: googlesql.Struct,
		Fields: []googlesql.Field{{Name: "a", Type: whole}, {Name: "a", Type: arr}}}
	v := &engine.Vector{Type: rec, Len: 2, Nulls: []uint64{2}, Fields: []*engine.Vector{
		{Type: whole, Len: 2, Ints: []int64{7, 0}},
		{Type: arr, Len: 2, Offsets: []int32{0, 2, 2}, Elem: &engine.Vector{Type: whole, Len: 2, Ints: []int64{1, 2}}},
	}}
	want := `{"f":[{"v":"7"},{"v":[{"v":"1"},{"v":"2"}]}]}`
	if got := string(Encoder{}.cell(nil, v, 0)); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if got := string(Encoder{}.cell(nil, v, 1)); got != "null" {
		t.Errorf("a NULL struct: got %s; want null", got)
	}
	if got := string(Encoder{}.cell(nil, v.Fields[1], 1)); got != "[]" {
		t.Errorf("an empty array: got %s; want []", got)
	}
}

func FuzzStringsAreJSON(f *testing.F) {
	for _, s := range []string{"", "a\"b", "\x00\x7f", "é😀\u2028", "\\"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, []byte(s)), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := string([]rune(s)); got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	})
}
