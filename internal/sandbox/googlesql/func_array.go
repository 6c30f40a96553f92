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
		empty := raise("'"+c.name+" cannot get an element of an empty array'", v.t.Elem.DuckDB())
		sql := a.bind([]val{v}, func(n []string) string {
			return "(CASE WHEN len(" + n[0] + ") = 0 THEN " + empty + " ELSE (" + n[0] + ")[" + at + "] END)"
		})
		return merge(sql, *v.t.Elem, v)
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
		t := *v.t.Elem
		list := v.sql
		switch {
		case t.Kind == String || t.Kind == Bytes:
		case vs[0].lit != nil && vs[0].lit.text == "empty" || vs[0].untyped():
			t = kind(String)
			v, _ = a.coerce(vs[0], arrayOf(t))
			list = v.sql
		case concatCasts[t.Kind]:
			list = "list_transform(" + v.sql + ", lambda e: " + a.castSQL(t.Kind, String, "e") + ")"
			t = kind(String)
		default:
			a.noSignature(c, vs)
		}
		args := []string{list}
		for i := 1; i < len(vs); i++ {
			w, ok := a.coerce(vs[i], t)
			if !ok {
				a.noSignature(c, vs)
			}
			args = append(args, w.sql)
		}
		if len(vs) == 2 {
			args = append(args, "NULL", "FALSE")
		} else {
			args = append(args, "TRUE")
		}
		return merge("bq_array_text_"+strings.ToLower(string(t.Kind))+"("+strings.Join(args, ", ")+")", t, vs...)
	})
	code("ARRAY_SLICE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 3, 3)
		vs := a.args(c, s)
		v := a.arrayArg(c, vs)
		lo, ok1 := a.coerce(vs[1], kind(Int64))
		hi, ok2 := a.coerce(vs[2], kind(Int64))
		if !ok1 || !ok2 {
			a.noSignature(c, vs)
		}
		sql := a.bind([]val{v, lo, hi}, func(n []string) string {
			from := "greatest(CASE WHEN " + n[1] + " < 0 THEN len(" + n[0] + ") + " + n[1] + " ELSE " + n[1] +
				" END, 0)"
			to := "least(CASE WHEN " + n[2] + " < 0 THEN len(" + n[0] + ") + " + n[2] + " ELSE " + n[2] +
				" END, len(" + n[0] + "))"
			return "(CASE WHEN " + n[0] + " IS NULL OR " + n[1] + " IS NULL OR " + n[2] + " IS NULL THEN NULL WHEN (" +
				to + ") < 0 OR (" + from + ") > (" + to + ") THEN CAST([] AS " + v.t.DuckDB() + ") ELSE (" +
				n[0] + ")[(" + from + ") + 1 : (" + to + ") + 1] END)"
		})
		return merge(sql, v.t, vs...)
	})
	code("RANGE_BUCKET", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 2)
		vs := a.args(c, s)
		arr := a.arrayArg(c, []val{vs[1]})
		x := vs[0]
		if w, ok := a.coerce(x, *arr.t.Elem); ok {
			x = w
		} else if w, ok := a.coerce(arr, arrayOf(x.t)); ok && vs[1].untyped() {
			arr = w
		} else {
			a.noSignature(c, vs)
		}
		bad, lost := "e IS NULL", "" // conditions: on a bad element, and for a NULL result
		switch x.t.Kind {
		case Struct, JSON, Array:
			a.noSignature(c, vs)
		case Float64:
			bad, lost = "e IS NULL OR isnan(e)", " OR isnan("
		}
		sql := a.bind([]val{x, arr}, func(n []string) string {
			nulls := raise("'Elements in input array to RANGE_BUCKET must not be null or NaN'", "BIGINT")
			null := n[0] + " IS NULL OR " + n[1] + " IS NULL"
			if lost != "" {
				null += lost + n[0] + ")"
			}
			order := raise("'Elements in input array to RANGE_BUCKET must be in ascending order'", "BIGINT")
			return "(CASE WHEN " + null + " THEN NULL" +
				" WHEN len(list_filter(" + n[1] + ", lambda e: " + bad + ")) > 0 THEN " + nulls +
				" WHEN list_sort(" + n[1] + ") <> " + n[1] + " THEN " + order +
				" ELSE CAST(len(list_filter(" + n[1] + ", lambda e: e <= " + n[0] + ")) AS BIGINT) END)"
		})
		return merge(sql, kind(Int64), vs...)
	})
	code("GENERATE_ARRAY", generateArray)
	code("GENERATE_DATE_ARRAY GENERATE_TIMESTAMP_ARRAY GENERATE_DATETIME_ARRAY", generateDates)
	for _, name := range []string{"DATE", "DATETIME", "TIMESTAMP"} {
		f := "bq_bucket_" + strings.ToLower(name)
		origin := map[string]string{"DATE": "DATE '1950-01-01'", "DATETIME": "TIMESTAMP '1950-01-01'",
			"TIMESTAMP": "TIMESTAMPTZ '1950-01-01 00:00:00+00'"}[name]
		def(name+"_BUCKET", name+", INTERVAL -> "+name, f+"({1}, {2}, "+origin+")")
		def(name+"_BUCKET", name+", INTERVAL, "+name+" -> "+name, f+"({1}, {2}, {3})")
	}
	code("ERROR", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.stringArg(c, 0, s)
		return val{sql: "bq_error(" + v.sql + ")", agg: v.agg, win: v.win}
	})
}

// arrayArg returns the first argument, which must be an array.
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

// maxGenerated is the largest number of elements of a generated array.
const maxGenerated = 1 << 20

func generateArray(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	vs := a.args(c, s)
	if len(vs) == 2 {
		vs = append(vs, val{sql: "1::BIGINT", t: kind(Int64), lit: &literal{c.node, Int64, "1"}})
	}
	conv, t := a.unify(vs, c, "function GENERATE_ARRAY")
	if t.Kind == "" {
		t = kind(Int64)
		for i := range conv {
			conv[i], _ = a.coerce(vs[i], t)
		}
	}
	if !t.numeric() {
		a.noSignature(c, vs)
	}
	if t.Kind == Int64 { // DuckDB's own is faster
		return merge(a.bind(conv, func(n []string) string {
			zero := raise("'Sequence step cannot be 0.'", "BIGINT[]")
			long := raise(fmt.Sprintf("'GENERATE_ARRAY produced too many elements; the limit of the sandbox is %d'",
				maxGenerated), "BIGINT[]")
			return fmt.Sprintf("(CASE WHEN %s = 0 THEN %s WHEN (CAST(%s AS HUGEINT) - %s) // nullif(%s, 0) >= %d "+
				"THEN %s ELSE "+
				"generate_series(%s, %s, %s) END)", n[2], zero, n[1], n[0], n[2], maxGenerated, long, n[0], n[1], n[2])
		}), arrayOf(t), vs...)
	}
	return merge("bq_generate_array_"+strings.ToLower(string(t.Kind))+"("+joinSQL(conv)+")", arrayOf(t), vs...)
}

// generateDates counts steps from the first date, because months differ in length.
func generateDates(a *analyzer, c *callExpr, s *scope) val {
	k := Kind(strings.TrimSuffix(strings.TrimPrefix(c.name, "GENERATE_"), "_ARRAY"))
	least := 2
	if k != Date {
		least = 3
	}
	a.countArgs(c, least, 3)
	var vs []val
	for _, x := range c.args[:2] {
		v := a.expr(x, s)
		w, ok := a.coerce(v, kind(k))
		if !ok {
			a.noSignature(c, []val{v})
		}
		vs = append(vs, w)
	}
	part, n := "DAY", val{sql: "1", t: kind(Int64)}
	if len(c.args) == 3 {
		iv, ok := c.args[2].(*intervalExpr)
		if !ok || iv.to != "" {
			a.refuse(c.args[2], c.name+" with a step that is not INTERVAL n PART")
		}
		part = iv.part
		a.suits(c, iv, part, k, true)
		if parts[part].add == "" {
			a.fail(iv, "%s does not support the %s date part", c.name, part)
		}
		v := a.expr(iv.x, s)
		if n, ok = a.coerce(v, kind(Int64)); !ok {
			a.noSignature(c, []val{v})
		}
	}
	sql := "bq_generate_" + strings.ToLower(string(k)) + "(" + joinSQL(vs) + ", " + n.sql + ", '" + part + "')"
	return merge(sql, arrayOf(kind(k)), append(vs, n)...)
}
