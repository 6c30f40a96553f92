// Package builtin has the functions of GoogleSQL that DuckDB lacks or computes
// differently. The engine registers them with DuckDB. The translator calls them
// by name in DuckDB's text.
//
// A function is a row of the table: its name, its types and Go code for one
// row. It knows nothing of DuckDB.
package builtin

import (
	"fmt"
	"math/big"
	"strings"
)

// Value is an argument or a result. Only the fields that its type uses are set.
type Value struct {
	Null  bool
	Int   int64 // INT64; DATE in days, DATETIME, TIMESTAMP and TIME in microseconds; an INTERVAL's microseconds
	Float float64
	Bool  bool
	Text  string   // STRING, BYTES, JSON; the bytes of a RANGE
	Dec   *big.Int // NUMERIC in units of 1e-9, BIGNUMERIC in those of 1e-38
	// Months and Days are those of an INTERVAL.
	Months, Days int32
	List         []Value // ARRAY
}

// Function is one function.
type Function struct {
	Name     string
	Args     []string // GoogleSQL's names of types; "[]T" is an ARRAY
	Variadic string   // the type of any number of further arguments, "" for none
	Result   string
	// Nulls reports whether the function is called with NULL arguments. Otherwise the
	// result is NULL if an argument is.
	Nulls bool
	Call  func(args []Value) (Value, error)
}

// Functions are all functions.
var Functions []Function

// Mark begins the text of BigQuery's own errors, to distinguish them from DuckDB's.
const Mark = "\x02"

// Error is an error of evaluation, with BigQuery's text.
type Error string

func (e Error) Error() string { return Mark + string(e) }

// Message returns BigQuery's text of an error that DuckDB has passed on, and whether it is
// one.
func Message(text string) (string, bool) {
	_, msg, ok := strings.Cut(text, Mark)
	return msg, ok
}

func failf(format string, args ...any) error { return Error(fmt.Sprintf(format, args...)) }

// def adds a function, whose signature is written as "STRING, INT64 -> STRING"; a last
// "STRING..." stands for any number of them. A name that ends in ? sees NULLs.
func def(name, sig string, call func(a []Value) (Value, error)) {
	f := Function{Name: strings.TrimSuffix(name, "?"), Nulls: strings.HasSuffix(name, "?"), Call: call}
	args, result, _ := strings.Cut(sig, "->")
	f.Result = strings.TrimSpace(result)
	for _, t := range strings.Split(args, ",") {
		t = strings.TrimSpace(t)
		switch {
		case t == "":
		case strings.HasSuffix(t, "..."):
			f.Variadic = strings.TrimSuffix(t, "...")
		default:
			f.Args = append(f.Args, t)
		}
	}
	Functions = append(Functions, f)
}

var null = Value{Null: true}

func text(s string) Value      { return Value{Text: s} }
func integer(n int64) Value    { return Value{Int: n} }
func boolean(b bool) Value     { return Value{Bool: b} }
func float(f float64) Value    { return Value{Float: f} }
func decimal(b *big.Int) Value { return Value{Dec: b} }

// texts returns the values of a list of STRING or BYTES.
func texts(list []string) Value {
	v := Value{List: make([]Value, len(list))}
	for i, s := range list {
		v.List[i] = text(s)
	}
	return v
}

// either converts a result and an error to the results of a function.
func either(v Value, err error) (Value, error) {
	if err != nil {
		return null, err
	}
	return v, nil
}

func init() {
	raise := func(a []Value) (Value, error) {
		if a[0].Null {
			return null, failf("ERROR function called with a NULL message")
		}
		return null, Error(a[0].Text)
	}
	// The result is never used; the translator casts it to the type beside it.
	def("bq_error?", "STRING -> STRING", raise)
}
