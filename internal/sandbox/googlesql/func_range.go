package googlesql

import (
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// rangeLit is RANGE<T> '[start, end)'.
type rangeLit struct {
	node
	elem Type
	text string
}

// rangeType reads RANGE<T>.
func (p *parser) rangeType() Type {
	p.expect("RANGE")
	p.expect("<")
	at := p.tok()
	elem := p.parseType()
	p.closeAngle()
	switch elem.Kind {
	case Date, Datetime, Timestamp:
	default:
		fail(p.src, at.pos, "RANGE<%s> is not a valid type: a RANGE is of DATE, DATETIME or TIMESTAMP", elem)
	}
	elem = elem.bare()
	return Type{Kind: Range, Elem: &elem}
}

// rangePrimary reads RANGE(start, end) or a literal.
func (p *parser) rangePrimary() expr {
	t := p.tok()
	if p.ahead(1).is("(") {
		p.i++
		return p.call(t.pos, t.text, false)
	}
	typ := p.rangeType()
	s := p.tok()
	if s.kind != tokString {
		p.unexpected()
	}
	p.i++
	return &rangeLit{node{t.pos}, *typ.Elem, s.value}
}

func (a *analyzer) rangeLiteral(x *rangeLit) val {
	r, err := builtin.ParseRange(x.text, string(x.elem.Kind), a.location)
	if err != nil {
		a.fail(x, "%s", strings.Replace(builtinText(err), "Invalid RANGE", "Invalid range literal: RANGE", 1))
	}
	return val{sql: bytesSQL(r.Encode()), t: rangeOf(x.elem)}
}

func rangeOf(t Type) Type { return Type{Kind: Range, Elem: &t} }

// rangeFunc returns the name of a function for the ends of a RANGE.
func rangeFunc(name string, elem Type) string {
	return "bq_range" + name + "_" + strings.ToLower(string(elem.Kind))
}

// castRange converts between STRING and RANGE.
func (a *analyzer) castRange(v val, to Type) (val, bool) {
	zone := quoteString(a.zoneName)
	switch {
	case v.t.Kind == String && to.Kind == Range:
		return val{sql: rangeFunc("_parse", *to.Elem) + "(" + v.sql + ", " + zone + ")", t: to}, true
	case v.t.Kind == Range && to.Kind == String:
		return val{sql: rangeFunc("_text", *v.t.Elem) + "(" + v.sql + ", " + zone + ")", t: to}, true
	}
	return v, false
}

// ranges returns the arguments of a function, RANGEs of one type from the first
// on.
func (a *analyzer) ranges(c *callExpr, s *scope, n int) []val {
	a.countArgs(c, n, n)
	vs := a.args(c, s)
	t := Type{}
	for _, v := range vs {
		if v.t.Kind == Range {
			t = v.t
		}
	}
	if t.Kind == "" {
		a.noSignature(c, vs)
	}
	out := make([]val, n)
	for i, v := range vs {
		w, ok := a.coerce(v, t)
		if !ok {
			a.noSignature(c, vs)
		}
		out[i] = w
	}
	return out
}

func init() {
	code("RANGE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 2)
		raw := a.args(c, s)
		vs, t := a.unify(raw, c, "function RANGE")
		switch t.Kind {
		case Date, Datetime, Timestamp:
		default:
			a.noSignature(c, raw)
		}
		return merge(rangeFunc("", t)+"("+joinSQL(vs)+")", rangeOf(t), raw...)
	})
	for _, name := range []string{"RANGE_START", "RANGE_END"} {
		code(name, func(a *analyzer, c *callExpr, s *scope) val {
			v := a.ranges(c, s, 1)[0]
			return merge(rangeFunc(strings.ToLower(strings.TrimPrefix(name, "RANGE")), *v.t.Elem)+"("+v.sql+")",
				*v.t.Elem, v)
		})
	}
	code("RANGE_OVERLAPS", func(a *analyzer, c *callExpr, s *scope) val {
		vs := a.ranges(c, s, 2)
		return merge("bq_range_overlaps("+joinSQL(vs)+")", kind(Bool), vs...)
	})
	code("RANGE_INTERSECT", func(a *analyzer, c *callExpr, s *scope) val {
		vs := a.ranges(c, s, 2)
		return merge(rangeFunc("_intersect", *vs[0].t.Elem)+"("+joinSQL(vs)+")", vs[0].t, vs...)
	})
	code("RANGE_CONTAINS", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 2)
		vs := a.args(c, s)
		r := vs[0]
		if r.untyped() && vs[1].t.Kind == Range {
			r, _ = a.coerce(r, vs[1].t)
		} else if k := vs[1].t.Kind; r.untyped() && (k == Date || k == Datetime || k == Timestamp) {
			r, _ = a.coerce(r, rangeOf(vs[1].t))
		}
		if r.t.Kind != Range {
			a.noSignature(c, vs)
		}
		if vs[1].t.Kind == Range && vs[1].t.equal(r.t) {
			return merge("bq_range_contains("+r.sql+", "+vs[1].sql+")", kind(Bool), vs...)
		}
		w, ok := a.coerce(vs[1], *r.t.Elem)
		if !ok {
			a.noSignature(c, vs)
		}
		return merge(rangeFunc("_has", *r.t.Elem)+"("+r.sql+", "+w.sql+")", kind(Bool), vs...)
	})
	code("GENERATE_RANGE_ARRAY", generateRanges)
}

// generateRanges splits a RANGE in pieces of a step.
func generateRanges(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	r := a.expr(c.args[0], s)
	if r.t.Kind != Range {
		a.noSignature(c, []val{r})
	}
	iv, ok := c.args[1].(*intervalExpr)
	if !ok || iv.to != "" {
		a.refuse(c.args[1], c.name+" with a step that is not INTERVAL n PART")
	}
	elem := *r.t.Elem
	a.suits(c, iv, iv.part, elem.Kind, true)
	if parts[iv.part].add == "" {
		a.fail(iv, "%s does not support the %s date part", c.name, iv.part)
	}
	n := a.expr(iv.x, s)
	n = a.must(n, kind(Int64), iv.x, "The step of %s must be an INT64, but is %s", c.name, n.t.name())
	last := val{sql: "TRUE", t: kind(Bool)}
	if len(c.args) == 3 {
		last = a.expr(c.args[2], s)
		last = a.must(last, kind(Bool), c.args[2], "The last argument of %s must be a BOOL, but is %s", c.name,
			last.t.name())
	}
	sql := a.bind([]val{r, n}, func(names []string) string {
		ends := rangeFunc("_start", elem) + "(" + names[0] + "), " + rangeFunc("_end", elem) + "(" + names[0] + ")"
		list := "bq_generate_" + strings.ToLower(string(elem.Kind)) + "(" + ends + ", greatest(" + names[1] +
			", 1), '" + iv.part + "')"
		return rangeFunc("_split", elem) + "(" + names[0] + ", " + list + ", " + names[1] + ", " + last.sql + ")"
	})
	return merge(sql, arrayOf(r.t), r, n, last)
}
