package googlesql

import (
	"fmt"
	"strconv"
	"strings"
)

// function is one row of the table of functions. A function has either signatures or
// code of its own.
type function struct {
	sigs []signature
	// code writes what signatures can't say.
	code func(a *analyzer, c *callExpr, s *scope) val
	// aggregate functions may take DISTINCT, ORDER BY and so on; window ones need OVER.
	aggregate, window bool
}

// signature types the arguments and gives DuckDB's text, in which {1} is the first
// argument and {*} all of them.
type signature struct {
	args     []Kind
	variadic bool // the last argument may repeat
	result   Kind
	sql      string
}

// functions is the table of all functions, filled by the files of its topics.
var functions = map[string]*function{}

// def adds one signature, written as "STRING, INT64 -> STRING"; "STRING..." repeats.
func def(name, sig, sql string) {
	args, result, _ := strings.Cut(sig, "->")
	s := signature{result: Kind(strings.TrimSpace(result)), sql: sql}
	for _, p := range strings.Split(args, ",") {
		p = strings.TrimSpace(p)
		if p == "" {
			continue
		}
		if strings.HasSuffix(p, "...") {
			s.variadic = true
			p = strings.TrimSuffix(p, "...")
		}
		s.args = append(s.args, Kind(p))
	}
	for _, n := range strings.Fields(name) {
		f := functions[n]
		if f == nil {
			f = &function{}
			functions[n] = f
		}
		f.sigs = append(f.sigs, s)
	}
}

// code adds functions that write themselves.
func code(names string, f func(a *analyzer, c *callExpr, s *scope) val) {
	for _, n := range strings.Fields(names) {
		functions[n] = &function{code: f}
	}
}

func (a *analyzer) call(c *callExpr, s *scope) val {
	f := functions[c.name]
	if f == nil {
		if knownFunctions[c.name] || strings.ContainsRune(c.name, '.') {
			a.fail(c, "Function not supported by the sandbox: %s", c.name)
		}
		a.fail(c, "Function not found: %s", strings.ToLower(c.name))
	}
	if c.over != nil && !f.aggregate && !f.window {
		a.fail(c, "Function %s does not support an OVER clause", c.name)
	}
	if c.over == nil && f.window {
		a.fail(c, "Analytic function %s cannot be called without an OVER clause", c.name)
	}
	if f.aggregate || f.window {
		if c.safe {
			a.refuse(c, "SAFE. before an aggregate function")
		}
		return a.aggregate(f, c, s)
	}
	if c.distinct || len(c.order) > 0 || c.limit != nil || c.nulls != "" || c.having != "" || c.star {
		a.fail(c, "Function %s does not support DISTINCT, ORDER BY, LIMIT, NULLS or *", c.name)
	}
	var v val
	if f.code != nil {
		v = f.code(a, c, s)
	} else {
		v = a.match(f, c, a.args(c, s))
	}
	if c.safe {
		return a.safe(c, v)
	}
	return v
}

// safe turns errors into NULL, where DuckDB's TRY can.
func (a *analyzer) safe(c *callExpr, v val) val {
	if strings.Contains(v.sql, "error(") || strings.Contains(v.sql, "SELECT") || v.agg {
		a.refuse(c, "SAFE."+c.name)
	}
	v.sql = "TRY(" + v.sql + ")"
	return v
}

func (a *analyzer) args(c *callExpr, s *scope) []val {
	vs := make([]val, len(c.args))
	for i, x := range c.args {
		vs[i] = a.expr(x, s)
	}
	return vs
}

// match picks the signature that needs the fewest conversions.
func (a *analyzer) match(f *function, c *callExpr, vs []val) val {
	var best *signature
	cost := 1 << 30
	for i := range f.sigs {
		sig := &f.sigs[i]
		if n, ok := a.cost(sig, vs); ok && n < cost {
			best, cost = sig, n
		}
	}
	if best == nil {
		a.noSignature(c, vs)
	}
	if best.sql == "" {
		a.refuse(c, c.name+" of "+typeList(vs))
	}
	conv := make([]val, len(vs))
	for i, v := range vs {
		conv[i], _ = a.coerce(v, kind(best.arg(i)))
	}
	return merge(expand(best.sql, conv), kind(best.result), vs...)
}

func (a *analyzer) noSignature(c *callExpr, vs []val) {
	a.fail(c, "No matching signature for function %s for argument types: %s", c.name, typeList(vs))
}

func (s *signature) arg(i int) Kind { return s.args[min(i, len(s.args)-1)] }

func (a *analyzer) cost(sig *signature, vs []val) (int, bool) {
	if len(vs) != len(sig.args) && !(sig.variadic && len(vs) >= len(sig.args)) {
		return 0, false
	}
	n := 0
	for i, v := range vs {
		want := kind(sig.arg(i))
		switch {
		case v.untyped():
			continue
		case v.t.equal(want):
			continue
		case !a.coercible(v, want):
			return 0, false
		case v.lit != nil:
			n += 2
			if want.Kind == Numeric {
				n++
			}
		default:
			n += 10
			if want.Kind == Numeric { // an INT64 prefers FLOAT64 among a function's signatures
				n++
			}
		}
	}
	return n, true
}

// expand fills a signature's text.
func expand(sql string, vs []val) string {
	var all []string
	pairs := []string{}
	for i, v := range vs {
		all = append(all, v.sql)
		pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", v.sql)
	}
	pairs = append(pairs, "{*}", strings.Join(all, ", "))
	return strings.NewReplacer(pairs...).Replace(sql)
}

// countArgs fails unless the call has between lo and hi arguments.
func (a *analyzer) countArgs(c *callExpr, lo, hi int) {
	if n := len(c.args); n < lo || n > hi {
		want := fmt.Sprint(lo)
		if hi != lo {
			want = fmt.Sprintf("%d to %d", lo, hi)
		}
		a.fail(c, "Number of arguments does not match for function %s: it takes %s, but has %d", c.name, want, n)
	}
}

// word is an argument that is a bare word, such as a date part; "" where it is none.
func word(x expr) string {
	if p, ok := x.(*pathExpr); ok && len(p.parts) == 1 {
		return strings.ToUpper(p.parts[0].text)
	}
	return ""
}
