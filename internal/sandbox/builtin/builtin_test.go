package builtin_test

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// edges are values of each type at which functions tend to break.
var edges = map[string][]builtin.Value{
	"INT64": {{Int: 0}, {Int: 1}, {Int: -1}, {Int: 2}, {Int: 7}, {Int: 100}, {Int: math.MaxInt64}, {Int: math.MinInt64},
		{Int: 1 << 53}, {Int: 0x10ffff}},
	"FLOAT64": {{Float: 0}, {Float: math.Copysign(0, -1)}, {Float: 1.5}, {Float: -2.5}, {Float: 1e308}, {Float: 5e-324},
		{Float: math.NaN()}, {Float: math.Inf(1)}, {Float: math.Inf(-1)}},
	"BOOL": {{Bool: true}, {}},
	"STRING": texts("", "a", "Ab c", "é", "ß", "\x00", "日本語", "%d", "%Y-%m-%d", "2024-02-29", "12:34:56.789",
		"2024-02-29 12:00:00+00", "America/New_York", "+05:30", "UTC", `{"a": [1, null, {"b": "x"}]}`, "$.a[1]", "$",
		`[1, 2]`, "null", `"x"`, "(a", "a*(b|c)", `\1`, "inf", "nan", "-1.5e3", "99999999999999999999", "HOUR", "NFC",
		"exact", "round", "lax $.a", "1-2 3 4:5:6", "DAY", "WEEK(MONDAY)", "MONTH", "YEAR", "ISOYEAR"),
	"RANGE": texts(span(0, 5), span(-719162, 2932896), span(math.MinInt64, 0), span(7, math.MaxInt64),
		span(math.MinInt64, math.MaxInt64)),
	"TIMESTAMP(12)": {{Dec: builtin.MicrosPicos(0, 0)}, {Dec: builtin.MicrosPicos(-1, 999999)},
		{Dec: builtin.MicrosPicos(-62135596800000000, 0)}, {Dec: builtin.MicrosPicos(253402300799999999, 999999)}},
	"BYTES": texts("", "a", "\x00", "\xff\xfe", "é", "(a", "[0-9]"),
	"JSON":  texts("null", "1", "1.5", `"a"`, "true", "[]", "{}", `{"a":[1,{"b":null}]}`, "[[1],[2]]"),
	"NUMERIC": {{Dec: big.NewInt(0)}, {Dec: big.NewInt(1)}, {Dec: big.NewInt(-1500000000)}, {Dec: most(1)},
		{Dec: most(-1)}},
	"BIGNUMERIC": {{Dec: big.NewInt(0)}, {Dec: big.NewInt(1)}, {Dec: most(-1)}, {Dec: widest(0)}, {Dec: widest(1)},
		{Dec: builtin.DecodeBigNumeric([]byte(builtin.EncodeBigNumeric(big.NewInt(-15))))}},
	"DATE":      {{Int: 0}, {Int: -719162}, {Int: 2932896}, {Int: 19782}},
	"DATETIME":  moments,
	"TIMESTAMP": moments,
	"TIME":      {{Int: 0}, {Int: 86399999999}, {Int: 3661000001}},
	"INTERVAL": {{}, {Months: 14, Days: 3, Int: 14706700000}, {Months: -120000}, {Days: 3660000},
		{Int: -316224000000000000}},
}

var moments = []builtin.Value{{Int: 0}, {Int: -1}, {Int: -62135596800000000}, {Int: 253402300799999999},
	{Int: 1709208000123456}}

func texts(list ...string) []builtin.Value {
	var out []builtin.Value
	for _, s := range list {
		out = append(out, builtin.Value{Text: s})
	}
	return out
}

// span are the bytes of a RANGE; the ends beyond all dates are no bounds.
func span(start, end int64) string {
	var ends [2]*int64
	for i, n := range []int64{start, end} {
		if n != math.MinInt64 && n != math.MaxInt64 {
			ends[i] = &n
		}
	}
	r, err := builtin.MakeRange(ends[0], ends[1], "DATE")
	if err != nil {
		panic(err)
	}
	return r.Encode()
}

// most is the largest NUMERIC, or the smallest.
func most(sign int64) *big.Int {
	n := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	return n.Mul(n.Sub(n, big.NewInt(1)), big.NewInt(sign))
}

// widest is the smallest BIGNUMERIC, or the largest with less being 1.
func widest(less int64) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), 255)
	if less == 0 {
		return n.Neg(n)
	}
	return n.Sub(n, big.NewInt(less))
}

// pick is a value of a type.
func pick(t *testing.T, r *rand.Rand, typ string, nulls bool) builtin.Value {
	if nulls && r.IntN(6) == 0 {
		return builtin.Value{Null: true}
	}
	if elem, ok := strings.CutPrefix(typ, "[]"); ok {
		var v builtin.Value
		for range r.IntN(4) {
			v.List = append(v.List, pick(t, r, elem, true))
		}
		return v
	}
	list := edges[typ]
	if list == nil {
		t.Fatalf("there is no value of type %s", typ)
	}
	return list[r.IntN(len(list))]
}

// sound reports what is wrong with a value of a type.
func sound(v builtin.Value, typ string) string {
	if v.Null {
		return ""
	}
	if elem, ok := strings.CutPrefix(typ, "[]"); ok {
		for _, e := range v.List {
			if bad := sound(e, elem); bad != "" {
				return bad
			}
		}
		return ""
	}
	const day = 86400 * 1e6
	switch {
	case typ == "STRING" && !utf8.ValidString(v.Text):
		return "a text that is no UTF-8"
	case typ == "JSON" && !json.Valid([]byte(v.Text)):
		return "JSON that is none"
	case typ == "NUMERIC" && (v.Dec == nil || v.Dec.CmpAbs(most(1)) > 0):
		return "a NUMERIC out of its range"
	case typ == "BIGNUMERIC" && (v.Dec == nil || !builtin.InBigNumericRange(v.Dec)):
		return "a BIGNUMERIC out of its range"
	case typ == "DATE" && (v.Int < -719162 || v.Int > 2932896):
		return "a DATE out of its range"
	case typ == "TIME" && (v.Int < 0 || v.Int >= day):
		return "a TIME out of its range"
	case (typ == "DATETIME" || typ == "TIMESTAMP") && (v.Int < -62135596800000000 || v.Int > 253402300799999999):
		return "a moment out of its range"
	}
	return ""
}

// ofConstants are functions that get a part of a date, digits or a format of the translator's own.
var ofConstants = regexp.MustCompile(`^bq_(trunc|diff|add|generate)_(date|datetime|time|timestamp)$|` +
	`^bq_((big)?numeric_fit|last_day|format_(int|float|numeric|text))$`)

// TestNoFunctionBreaks calls every function with odd values: it neither panics nor gives what its
// type does not have, nor takes long, and its errors are BigQuery's.
func TestNoFunctionBreaks(t *testing.T) {
	if len(builtin.Functions) < 200 {
		t.Fatalf("there are %d functions", len(builtin.Functions))
	}
	tries := 400
	if testing.Short() {
		tries = 60
	}
	for _, f := range builtin.Functions {
		tries := tries
		if ofConstants.MatchString(f.Name) {
			continue
		}
		if strings.Contains(f.Name, "generate_") {
			tries = 10 // arrays of up to 1,048,576 elements
		}
		t.Run(f.Name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(len(f.Name))))
			begin := time.Now()
			for range tries {
				var args []builtin.Value
				for _, typ := range f.Args {
					args = append(args, pick(t, r, typ, f.Nulls))
				}
				if f.Variadic != "" {
					for range r.IntN(4) {
						args = append(args, pick(t, r, f.Variadic, f.Nulls))
					}
				}
				check(t, f, args)
			}
			if took := time.Since(begin); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func check(t *testing.T, f builtin.Function, args []builtin.Value) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s%+v panicked: %v", f.Name, args, p)
		}
	}()
	v, err := f.Call(args)
	if err != nil {
		if _, ok := builtin.Message(err.Error()); !ok {
			t.Errorf("%s%+v: got an error that is not marked: %v", f.Name, args, err)
		}
		return
	}
	if bad := sound(v, f.Result); bad != "" {
		t.Errorf("%s%+v gives %s: %+v", f.Name, args, bad, v)
	}
}
