package literal

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
)

// loud is a Valuer.
type loud string

func (l loud) Value() (driver.Value, error) { return strings.ToUpper(string(l)), nil }

func pointer[T any](v T) *T { return &v }

func TestAppend(t *testing.T) {
	t.Parallel()
	type name string
	number := 5
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"nil", nil, "NULL"},
		{"bool", true, "true"},
		{"int", int8(-3), "-3"},
		{"the least INT64", int64(math.MinInt64), "-9223372036854775808"},
		{"uint", uint64(math.MaxInt64), "9223372036854775807"},
		{"float", 1.5, "1.5"},
		{"a whole float", 2.0, "2.0"},
		{"a big float", 1e300, "1e+300"},
		{"float32", float32(0.1), "0.1"},
		{"NaN", math.NaN(), "CAST('NaN' AS FLOAT64)"},
		{"infinity", math.Inf(1), "CAST('+Inf' AS FLOAT64)"},
		{"minus infinity", math.Inf(-1), "CAST('-Inf' AS FLOAT64)"},
		{"string", "a", "'a'"},
		{"a quote", "it's", `'it\'s'`},
		{"a backslash before a quote", `\'`, `'\\\''`},
		{"a backslash at the end", `x\`, `'x\\'`},
		{"lines", "a\r\nb\tc\x00d", `'a\r\nb\x09c\x00d'`},
		{"other quotes", "\"`", "'\"`'"},
		{"Unicode", "żółw 🐢 \u2028", "'żółw 🐢 \u2028'"},
		{"a named string", name("it's"), `'it\'s'`},
		{"bytes", []byte("a'\\\x00\xff\n"), `b'a\x27\x5c\x00\xff\x0a'`},
		{"no bytes", []byte{}, "b''"},
		{"nil bytes", []byte(nil), "NULL"},
		{"time", time.Date(2026, 1, 2, 3, 4, 5, 6789, time.FixedZone("", 3600)),
			"TIMESTAMP '2026-01-02 02:04:05.000006+00:00'"},
		{"date", civil.Date{Year: 33, Month: 4, Day: 3}, "DATE '0033-04-03'"},
		{"datetime", civil.DateTime{Date: civil.Date{Year: 2026, Month: 1, Day: 2}, Time: civil.Time{Hour: 23,
			Minute: 59, Second: 59, Nanosecond: 999999999}},
			"DATETIME '2026-01-02 23:59:59.999999'"},
		{"clock", civil.Time{Hour: 1}, "TIME '01:00:00'"},
		{"JSON", json.RawMessage(`{"a":"it's"}`), `JSON '{"a":"it\'s"}'`},
		{"a big number", big.NewInt(5), "BIGNUMERIC '5'"},
		{"a fraction", big.NewRat(1, 8), "NUMERIC '0.125000000'"},
		{"a small fraction", big.NewRat(1, 1<<12), "BIGNUMERIC '0.00024414062500000000000000000000000000'"},
		{"an array", []string{"a", "b'"}, `ARRAY<STRING>['a', 'b\'']`},
		{"an empty array", []int{}, "ARRAY<INT64>[]"},
		{"a struct", struct {
			A int
			B *string `bigquery:"b2"`
		}{A: -1}, "STRUCT<A INT64, b2 STRING>(-1, NULL)"},
		{"an array of structs", []struct{ A sql.Null[bool] }{{sql.Null[bool]{V: true, Valid: true}}, {}},
			"ARRAY<STRUCT<A BOOL>>[STRUCT<A BOOL>(true), STRUCT<A BOOL>(NULL)]"},
		{"sql.NullInt64", sql.NullInt64{Int64: 5, Valid: true}, "5"},
		{"an invalid sql.NullTime", sql.NullTime{}, "NULL"},
		{"bigquery.NullDate", bigquery.NullDate{Date: civil.Date{Year: 33, Month: 4, Day: 3}, Valid: true},
			"DATE '0033-04-03'"},
		{"bigquery.NullJSON", bigquery.NullJSON{JSONVal: `"'"`, Valid: true}, `JSON '"\'"'`},
		{"an invalid bigquery.NullGeography", bigquery.NullGeography{}, "NULL"},
		{"an interval", bigquery.IntervalValue{Days: 1}, "CAST('0-0 1 0:0:0' AS INTERVAL)"},
		{"a fraction by value", *big.NewRat(1, 8), "NUMERIC '0.125000000'"},
		{"a Valuer", loud("it's"), `'IT\'S'`},
		{"a pointer to a Valuer", pointer(loud("a")), "'A'"},
		{"a nil pointer to a Valuer", (*loud)(nil), "NULL"},
		{"an array of Valuers", []loud{"a"}, "ARRAY<STRING>['A']"},
		{"a struct of Valuers", struct {
			A loud
			B sql.NullInt16
		}{"a", sql.NullInt16{}}, "STRUCT<A STRING, B INT64>('A', NULL)"},
		{"a pointer", &number, "5"},
		{"a nil pointer", (*int)(nil), "NULL"},
		{"a typed text", Typed{"INTERVAL", "0-0 1 0:0:0"}, "CAST('0-0 1 0:0:0' AS INTERVAL)"},
		{"a place", Typed{"GEOGRAPHY", "POINT(1 2)"}, "ST_GEOGFROMTEXT('POINT(1 2)')"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := Append(nil, c.v); err != nil || string(got) != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
	if got, _ := Append([]byte("1-"), -1); string(got) != "1- -1" {
		t.Errorf("after a minus: got %s, which is a comment", got)
	}
}

func TestAppendRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"text that is not UTF-8", "\xff", "UTF-8"},
		{"text in an array", []string{"a", "\xff"}, "element 1"},
		{"a big uint", uint64(math.MaxUint64), "largest INT64"},
		{"the year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "year 10000"},
		{"a fraction without an end", big.NewRat(1, 3), "more digits"},
		{"a struct without fields", struct{ a int }{1}, "no type"},
		{"a channel", make(chan int), "has no literal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := Append(nil, c.v); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %s, %v; want an error with %q", got, err, c.want)
			}
		})
	}
}

func TestIdent(t *testing.T) {
	t.Parallel()
	if got := string(Ident(nil, "a`b\\c\nd")); got != "`a\\`b\\\\c\\x0ad`" {
		t.Errorf("got %s", got)
	}
}

func TestInterpolate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, statement string
		args            []any
		want            string
	}{
		{"none", "SELECT 1", nil, "SELECT 1"},
		{"two", "SELECT ?, ?", []any{1, "a"}, "SELECT 1, 'a'"},
		{"inside of strings", `SELECT '?', "it\"?", r'\'?', '''a'?''', """b"?""", ?`, []any{1},
			`SELECT '?', "it\"?", r'\'?', '''a'?''', """b"?""", 1`},
		{"inside of names", "SELECT `a?` FROM `b`", nil, "SELECT `a?` FROM `b`"},
		{"inside of comments", "SELECT 1 -- ?\n, 2 # ?\n, 3 /* ? */, ?", []any{4},
			"SELECT 1 -- ?\n, 2 # ?\n, 3 /* ? */, 4"},
		{"open to the end", "SELECT '?", nil, "SELECT '?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got, err := Interpolate(c.statement, c.args...); err != nil || got != c.want {
				t.Errorf("got %s, %v; want %s", got, err, c.want)
			}
		})
	}
	for _, args := range [][]any{{}, {1, 2}, {make(chan int)}} {
		if got, err := Interpolate("SELECT ?", args...); err == nil {
			t.Errorf("%v: got %s; want an error", args, got)
		}
	}
}

// FuzzString: whatever the text, its literal is one literal and nothing after it, in either kind of quotes around it.
func FuzzString(f *testing.F) {
	for _, s := range []string{"", "'", `\`, `\'`, "'''", "\n", "a'; DROP TABLE t; --", "\xff\x00", "`"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range [][]byte{String(nil, s), Bytes(nil, []byte(s))[1:], Ident(nil, s)} {
			if n := skip(string(text)); n != len(text) {
				t.Errorf("%q became %s, which ends after %d of %d bytes", s, text, n, len(text))
			}
			if strings.ContainsAny(string(text), "\n\r\x00") {
				t.Errorf("%q became %q, which is more than a line", s, text)
			}
		}
		if inner, err := Interpolate("SELECT ?", s); err == nil && inner != "SELECT "+string(String(nil, s)) {
			t.Errorf("%q: got %s", s, inner)
		}
	})
}

func TestBlank(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"": true, " \r\n\t;; ": true, "-- a; b": true, "# a\n/* b; */ ;": true, "/* open": true,
		"-- a\nSELECT 1": false, "'--'": false, "- -": false, "/": false, "-- a\r\n;x": false,
	} {
		if got := Blank(text); got != want {
			t.Errorf("%q: got %v; want %v", text, got, want)
		}
	}
}
