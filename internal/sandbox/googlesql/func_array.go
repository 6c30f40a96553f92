package googlesql

import (
	"fmt"
	"strings"
)

func init() {
	code("ARRAY_LENGTH", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		return merge("CAST(len("+v.sql+") AS BIGINT)", kind(Int64), v)
	})
	code("ARRAY_REVERSE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		return merge("list_reverse("+v.sql+")", v.t, v)
	})
	code("ARRAY_FIRST ARRAY_LAST", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		at := "1"
		if c.name == "ARRAY_LAST" {
			at = "-1"
		}
		return merge("(CASE WHEN len("+v.sql+") = 0 THEN error('"+c.name+
			" cannot get an element of an empty array') ELSE ("+v.sql+")["+at+"] END)", *v.t.Elem, v)
	})
	code("ARRAY_CONCAT", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1000)
		vs, t := a.unify(a.args(c, s), c, "function ARRAY_CONCAT")
		if t.Kind != Array {
			a.noSignature(c, vs)
		}
		var nulls []string
		sql := vs[0].sql
		for i, v := range vs {
			nulls = append(nulls, v.sql+" IS NULL")
			if i > 0 {
				sql = "list_concat(" + sql + ", " + v.sql + ")"
			}
		}
		return merge("(CASE WHEN "+strings.Join(nulls, " OR ")+" THEN NULL ELSE "+sql+" END)", t, vs...)
	})
	code("ARRAY_TO_STRING", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 3)
		vs := a.args(c, s)
		v := a.arrayArg(c, vs)
		if v.t.Elem.Kind != String {
			a.noSignature(c, vs)
		}
		list := v.sql
		if len(vs) == 3 {
			n := a.must(vs[2], kind(String), c, "No matching signature for function ARRAY_TO_STRING")
			list = "list_transform(" + list + ", lambda x: coalesce(x, " + n.sql + "))"
		}
		d := a.must(vs[1], kind(String), c, "No matching signature for function ARRAY_TO_STRING")
		return merge("array_to_string("+list+", "+d.sql+")", kind(String), vs...)
	})
	code("GENERATE_ARRAY", generateArray)
	code("GENERATE_DATE_ARRAY", generateDates)
	code("GENERATE_TIMESTAMP_ARRAY", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 3, 3)
		lo := a.must(a.expr(c.args[0], s), kind(Timestamp), c, "No matching signature for function "+
			"GENERATE_TIMESTAMP_ARRAY")
		hi := a.must(a.expr(c.args[1], s), kind(Timestamp), c, "No matching signature for function "+
			"GENERATE_TIMESTAMP_ARRAY")
		iv, ok := c.args[2].(*intervalExpr)
		if !ok || !parts[iv.part].time && iv.part != "DAY" {
			a.refuse(c.args[2], "GENERATE_TIMESTAMP_ARRAY with this step")
		}
		step := a.interval(iv, s)
		// The difference in seconds divided by the step's, both as BIGINT microseconds.
		count := "(epoch_us(q.hi) - epoch_us(q.lo)) // nullif(epoch_us(TIMESTAMP '1970-01-01' + q.step), 0)"
		return merge(let("{'lo': "+lo.sql+", 'hi': "+hi.sql+", 'step': "+step.sql+"}", tooMany(c.name, count,
			"CAST(generate_series(timezone('UTC', q.lo), timezone('UTC', q.hi), q.step) AS TIMESTAMPTZ[])")),
			arrayOf(kind(Timestamp)), lo, hi, step)
	})
}

// arrayArg is the first argument, which must be an array.
func (a *analyzer) arrayArg(c *callExpr, vs []val) val {
	v := vs[0]
	if v.untyped() {
		v, _ = a.coerce(v, arrayOf(kind(Int64)))
	}
	if v.t.Kind != Array {
		a.noSignature(c, vs)
	}
	return v
}

func generateArray(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	vs := a.args(c, s)
	for i, v := range vs {
		if v.t.Kind == Float64 || v.t.Kind == Numeric {
			a.refuse(c, "GENERATE_ARRAY of "+v.t.name())
		}
		vs[i] = a.must(v, kind(Int64), c, "No matching signature for function GENERATE_ARRAY for argument types: %s",
			typeList(vs))
	}
	step := "CAST(1 AS BIGINT)"
	if len(vs) == 3 {
		step = vs[2].sql
	}
	series := tooMany(c.name, "(CAST(q.hi AS HUGEINT) - q.lo) // nullif(q.step, 0)",
		"generate_series(q.lo, q.hi, q.step)")
	return merge(let("{'lo': "+vs[0].sql+", 'hi': "+vs[1].sql+", 'step': "+step+"}",
		"CASE WHEN q.step = 0 THEN error('Sequence step cannot be 0.') ELSE "+series+" END"), arrayOf(kind(Int64)),
		vs...)
}

// maxGenerated is the most elements that a generated array has. DuckDB makes such a list
// in one go, where nothing can interrupt it.
const maxGenerated = 1 << 20

// tooMany writes the error of a generated array that is too long in front of the array;
// steps is the number of its steps, one less than its elements.
func tooMany(name, steps, array string) string {
	return fmt.Sprintf("CASE WHEN %s >= %d THEN error('%s produced too many elements; the limit of the sandbox is "+
		"%[2]d') ELSE %[4]s END", steps, maxGenerated, name, array)
}

// let evaluates a value once, as q, for an expression that needs it several times: the
// one-element list is DuckDB's way to say let.
func let(value, body string) string {
	return "list_transform([" + value + "], lambda q: " + body + ")[1]"
}

// generateDates counts steps from the first date, as months have not all the same days.
func generateDates(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	var vs []val
	for _, x := range c.args[:2] {
		v := a.expr(x, s)
		vs = append(vs, a.must(v, kind(Date), x, "No matching signature for function GENERATE_DATE_ARRAY for "+
			"argument types: %s", v.t.name()))
	}
	part, n := "DAY", "1"
	if len(c.args) == 3 {
		iv, ok := c.args[2].(*intervalExpr)
		if !ok || !parts[iv.part].date || parts[iv.part].add == "" {
			a.refuse(c.args[2], "GENERATE_DATE_ARRAY with this step")
		}
		l, ok := iv.x.(*literal)
		if !ok || l.kind != Int64 || l.text == "0" {
			a.refuse(iv, "GENERATE_DATE_ARRAY with a step that is not a positive literal")
		}
		part, n = iv.part, l.text
	}
	step := parts[part].interval("i * " + n)
	count := "date_diff('" + parts[part].unit + "', q.lo, q.hi) // " + n
	dates := "list_filter(list_transform(generate_series(0, " + count + "), lambda i: CAST(q.lo + " + step +
		" AS DATE)), lambda d: d <= q.hi)"
	return merge(let("{'lo': "+vs[0].sql+", 'hi': "+vs[1].sql+"}", tooMany(c.name, count, dates)), arrayOf(kind(Date)),
		vs...)
}
