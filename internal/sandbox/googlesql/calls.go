package googlesql

import (
	"fmt"
	"strconv"
	"strings"
)

// function is a row of the table of functions. A function has either signatures or
// its own code.
type function struct {
	sigs []signature
	// code writes a function that signatures can't describe.
	code func(a *analyzer, c *callExpr, s *scope) val
	// aggregate functions accept DISTINCT, ORDER BY and so on; window functions need
	// OVER.
	aggregate, window bool
}

// signature types the arguments and gives DuckDB's text, in which {1} is the first
// argument and {*} all of them.
type signature struct {
	args     []Type
	variadic bool // the last argument may repeat
	result   Type
	sql      string
}

// functions is the table of all functions, filled by the files of its topics.
var functions = map[string]*function{}

// typeOf reads the name of a type in a signature: a kind, or ARRAY<kind>.
func typeOf(s string) Type {
	if elem, ok := strings.CutPrefix(s, "ARRAY<"); ok {
		return arrayOf(kind(Kind(strings.TrimSuffix(elem, ">"))))
	}
	return kind(Kind(s))
}

// def adds one signature, written as "STRING, INT64 -> STRING"; "STRING..." repeats.
func def(name, sig, sql string) {
	args, result, _ := strings.Cut(sig, "->")
	s := signature{result: typeOf(strings.TrimSpace(result)), sql: sql}
	for _, p := range strings.Split(args, ",") {
		p = strings.TrimSpace(p)
		if p == "" {
			continue
		}
		if strings.HasSuffix(p, "...") {
			s.variadic = true
			p = strings.TrimSuffix(p, "...")
		}
		s.args = append(s.args, typeOf(p))
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

// code adds functions with their own code.
func code(names string, f func(a *analyzer, c *callExpr, s *scope) val) {
	for _, n := range strings.Fields(names) {
		functions[n] = &function{code: f}
	}
}

// takesNamed are the functions with named arguments; each looks at the names by itself.
var takesNamed = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(`MAKE_INTERVAL EDIT_DISTANCE CONTAINS_SUBSTR PARSE_JSON TO_JSON TO_JSON_STRING
		FLOAT64 DOUBLE FLOAT64_ARRAY DOUBLE_ARRAY JSON_KEYS JSON_SET JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_REMOVE
		JSON_STRIP_NULLS`) {
		m[n] = true
	}
	return m
}()

func (a *analyzer) call(c *callExpr, s *scope) val {
	f := functions[c.name]
	if u := a.userFunction(c.path); f == nil && u != nil {
		return a.inline(c, u, s)
	}
	if f == nil {
		a.unknownFunction(c)
	}
	if len(c.named) > 0 && !takesNamed[c.name] {
		a.fail(c.named[0].name, "Named argument %s not found in signature for call to function %s",
			c.named[0].name.text, c.name)
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
	if c.safe {
		return a.safeCall(f, c, s)
	}
	if f.code != nil {
		return f.code(a, c, s)
	}
	return a.match(f, c, a.args(c, s))
}

// safe makes an expression of vs NULL instead of failing. Errors in vs themselves stay
// errors.
func (a *analyzer) safe(vs []val, t Type, body func(names []string) string) val {
	return merge(a.bind(vs, func(names []string) string { return "TRY(" + body(names) + ")" }), t, vs...)
}

// valExpr is an expression that has been analyzed.
type valExpr struct {
	node
	v val
}

// safeCall writes SAFE.f(..), which evaluates the arguments outside of the part
// that may fail.
func (a *analyzer) safeCall(f *function, c *callExpr, s *scope) val {
	inner := *c
	inner.args = append([]expr(nil), c.args...)
	var vs []val
	var places []int
	for i, x := range c.args {
		switch x.(type) {
		case *pathExpr, *literal, *paramExpr, *typedLit, *intervalExpr:
			continue
		}
		if part, ok := x.(*callExpr); ok && part.name == "WEEK" {
			continue
		}
		vs, places = append(vs, a.expr(x, s)), append(places, i)
	}
	var out val
	sql := a.bind(vs, func(names []string) string {
		for k, i := range places {
			v := vs[k]
			v.sql = names[k]
			inner.args[i] = &valExpr{node{c.args[i].pos()}, v}
		}
		if f.code != nil {
			out = f.code(a, &inner, s)
		} else {
			out = a.match(f, &inner, a.args(&inner, s))
		}
		if strings.Contains(out.sql, "SELECT") || strings.Contains(out.sql, "random()") ||
			strings.Contains(out.sql, "uuid()") {
			a.refuse(c, "SAFE."+c.name)
		}
		return "TRY(" + out.sql + ")"
	})
	return merge(sql, out.t, append(vs, out)...)
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
		if v.t.Kind == BigNumeric && best.arg(i).Kind == Float64 {
			a.noSignature(c, vs)
		}
		conv[i], _ = a.coerce(v, best.arg(i))
	}
	return merge(expand(best.sql, conv), best.result, vs...)
}

func (a *analyzer) noSignature(c *callExpr, vs []val) {
	a.fail(c, "No matching signature for function %s for argument types: %s", c.name, typeList(vs))
}

func (s *signature) arg(i int) Type { return s.args[min(i, len(s.args)-1)] }

func (a *analyzer) cost(sig *signature, vs []val) (int, bool) {
	if len(vs) != len(sig.args) && !(sig.variadic && len(vs) >= len(sig.args)) {
		return 0, false
	}
	n := 0
	for i, v := range vs {
		want := sig.arg(i)
		switch {
		case v.untyped():
			continue
		case v.t.equal(want):
			continue
		case !a.coercible(v, want):
			return 0, false
		case v.lit != nil:
			n += 2 + preference[want.Kind]
		default:
			n += 10 + preference[want.Kind]
		}
	}
	return n, true
}

// preference is the additional cost of a conversion to a type. Among a function's signatures an
// INT64 prefers FLOAT64.
var preference = map[Kind]int{Numeric: 1, BigNumeric: 2}

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

// word returns an argument that is a bare word, such as a date part, or "".
func word(x expr) string {
	if p, ok := x.(*pathExpr); ok && len(p.parts) == 1 {
		return strings.ToUpper(p.parts[0].text)
	}
	return ""
}
