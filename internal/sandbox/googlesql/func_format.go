package googlesql

import (
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

func init() {
	code("FORMAT_DATE FORMAT_DATETIME FORMAT_TIMESTAMP FORMAT_TIME", formatTemporal)
	code("PARSE_DATE PARSE_DATETIME PARSE_TIMESTAMP PARSE_TIME", parseTemporalCall)
	code("FORMAT", formatCall)
}

// stringArg returns an argument that must be a STRING.
func (a *analyzer) stringArg(c *callExpr, i int, s *scope) val {
	v := a.expr(c.args[i], s)
	w, ok := a.coerce(v, kind(String))
	if !ok {
		a.fail(c, "No matching signature for function %s: argument %d has type %s", c.name, i+1, v.t.name())
	}
	return w
}

func formatTemporal(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	f := a.stringArg(c, 0, s)
	k := Kind(strings.TrimPrefix(c.name, "FORMAT_"))
	v := a.expr(c.args[1], s)
	if k != Time && (v.t.Kind == Datetime || v.t.Kind == Timestamp) &&
		(k == Date || k == Datetime && v.t.Kind == Timestamp) {
		k = v.t.Kind
	}
	w, ok := a.coerce(v, kind(k))
	if !ok {
		a.fail(c, "No matching signature for function %s for argument types: STRING, %s", c.name, v.t.name())
	}
	args := f.sql + ", " + w.sql
	switch {
	case k == Timestamp:
		var zone expr
		if len(c.args) == 3 {
			zone = c.args[2]
		}
		args += ", " + a.zone(zone, s)
	case len(c.args) == 3:
		a.countArgs(c, 2, 2)
	}
	return merge("bq_format_"+strings.ToLower(string(k))+"("+args+")", kind(String), f, w)
}

func parseTemporalCall(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	k := Kind(strings.TrimPrefix(c.name, "PARSE_"))
	f, v := a.stringArg(c, 0, s), a.stringArg(c, 1, s)
	args := f.sql + ", " + v.sql
	switch {
	case k == Timestamp:
		var zone expr
		if len(c.args) == 3 {
			zone = c.args[2]
		}
		args += ", " + a.zone(zone, s)
	case len(c.args) == 3:
		a.countArgs(c, 2, 2)
	}
	return merge("bq_strptime_"+strings.ToLower(string(k))+"("+args+")", kind(k), f, v)
}

// formatCall writes FORMAT.
func formatCall(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 1000)
	vs := a.args(c, s)
	l := vs[0].lit
	if l == nil || l.kind != String {
		if vs[0].t.Kind != String && !vs[0].untyped() {
			a.noSignature(c, vs)
		}
		return a.formatOf(c, vs)
	}
	specs, err := builtin.SplitFormat(l.text)
	if err != nil {
		a.fail(c.args[0], "%s", builtinText(err))
	}
	pieces := []string{"''"}
	next := 1
	arg := func() int {
		if next++; next > len(vs) {
			a.fail(c, "Too few arguments to FORMAT for pattern %s; Expected %d; Got %d", quoteLit(l.text), next,
				len(vs))
		}
		return next - 1
	}
	for _, sp := range specs {
		if sp.Verb == 0 {
			pieces = append(pieces, quoteString(sp.Text))
			continue
		}
		spec := "%" + sp.Flags + sp.Width
		var stars []string
		star := func() {
			i := arg()
			n, ok := a.coerce(vs[i], kind(Int64))
			if !ok {
				a.fail(c.args[i], "Invalid type for argument %d to FORMAT; Expected integer; Got %s", i+1,
					vs[i].t.name())
			}
			stars = append(stars, n.sql)
		}
		if sp.Width == "*" {
			star()
		}
		if sp.HasPrec {
			spec += "." + sp.Precision
			if sp.Precision == "*" {
				star()
			}
		}
		text := quoteString(spec + string(sp.Verb))
		if len(stars) > 0 {
			text = "bq_format_spec(" + text + ", " + strings.Join(stars, ", ") + ")"
		}
		i := arg()
		pieces = append(pieces, a.formatOne(c, i, vs[i], sp.Verb, text))
	}
	if next < len(vs) {
		a.fail(c, "Too many arguments to FORMAT for pattern %s; Expected %d; Got %d", quoteLit(l.text), next, len(vs))
	}
	return merge("("+strings.Join(pieces, " || ")+")", kind(String), vs...)
}

// formatOf writes FORMAT with a format that is known only at run time. It passes the type of each
// argument, its value, and its texts for %t and %T.
func (a *analyzer) formatOf(c *callExpr, vs []val) val {
	f, _ := a.coerce(vs[0], kind(String))
	args := []string{f.sql}
	for _, v := range vs[1:] {
		t, sql, name := resolved(v.t), v.sql, v.t.name()
		if v.untyped() {
			w, _ := a.coerce(v, kind(Int64))
			sql, name = w.sql, ""
		}
		raw := "CAST(NULL AS VARCHAR)"
		switch t.Kind {
		case Int64, Float64, Numeric, String, JSON:
			raw = "CAST(" + sql + " AS VARCHAR)"
		}
		args = append(args, quoteString(name), raw, a.shown(c, sql, t), a.literalText(c, sql, t))
	}
	return merge("bq_format("+strings.Join(args, ", ")+")", kind(String), vs...)
}

// formatOne writes one argument by a specifier in DuckDB's text.
func (a *analyzer) formatOne(c *callExpr, i int, v val, verb byte, spec string) string {
	bad := func(want string) {
		a.fail(c.args[i], "Invalid type for argument %d to FORMAT; Expected %s; Got %s", i+1, want, v.t.name())
	}
	switch verb {
	case 'd', 'i', 'o', 'x', 'X':
		n, ok := a.coerce(v, kind(Int64))
		if !ok {
			bad("integer")
		}
		return "bq_format_int(" + spec + ", " + n.sql + ")"
	case 'f', 'F', 'e', 'E', 'g', 'G':
		if v.t.Kind == BigNumeric {
			a.refuse(c.args[i], "FORMAT of a BIGNUMERIC with %"+string(verb))
		}
		if v.t.Kind == Numeric {
			if verb != 'f' && verb != 'F' {
				a.refuse(c.args[i], "FORMAT of a NUMERIC with %"+string(verb))
			}
			return "bq_format_numeric(" + spec + ", " + v.sql + ")"
		}
		n, ok := a.coerce(v, kind(Float64))
		if !ok {
			bad("FLOAT64")
		}
		return "bq_format_float(" + spec + ", " + n.sql + ")"
	case 's':
		n, ok := a.coerce(v, kind(String))
		if !ok {
			bad("STRING")
		}
		return "bq_format_text(" + spec + ", " + n.sql + ")"
	case 'p', 'P':
		if v.t.Kind != JSON {
			bad("JSON")
		}
		sql := "CAST(" + v.sql + " AS VARCHAR)"
		if verb == 'P' {
			sql = "bq_json_pretty(" + sql + ")"
		}
		return "bq_format_text(replace(" + spec + ", '" + string(verb) + "', 's'), " + sql + ")"
	case 't':
		return "bq_format_text(replace(" + spec + ", 't', 's'), " + a.shown(c, v.sql, resolved(v.t)) + ")"
	case 'T':
		return "bq_format_text(replace(" + spec + ", 'T', 's'), " + a.literalText(c, v.sql, resolved(v.t)) + ")"
	}
	bad("UINT64")
	return ""
}

// shown writes a value as %t does: NULL is a text too.
func (a *analyzer) shown(c *callExpr, x string, t Type) string {
	return "coalesce(" + a.nested(c, x, t, false, a.shown, func() string {
		switch t.Kind {
		case String:
			return x
		case Float64:
			return "bq_float_literal(" + x + ")"
		case Bytes:
			return "bq_bytes_escaped(" + x + ")"
		case JSON:
			return "CAST(" + x + " AS VARCHAR)"
		}
		return a.castSQL(t.Kind, String, x)
	}) + ", 'NULL')"
}

// literalText writes a value as %T does: a literal of its type.
func (a *analyzer) literalText(c *callExpr, x string, t Type) string {
	return "coalesce(" + a.nested(c, x, t, true, a.literalText, func() string {
		switch t.Kind {
		case String:
			return "bq_string_literal(" + x + ")"
		case Float64:
			return "CASE WHEN isfinite(" + x + ") THEN bq_float_literal(" + x + ") ELSE 'CAST(\"' || bq_float_text(" +
				x +
				") || '\" AS FLOAT64)' END"
		case Bytes:
			return "bq_bytes_literal(" + x + ")"
		case Int64, Bool:
			return a.castSQL(t.Kind, String, x)
		case JSON:
			return "'JSON ' || bq_string_literal(CAST(" + x + " AS VARCHAR))"
		}
		sql := a.castSQL(t.Kind, String, x)
		if sql == "" || t.Kind == TimestampPicos {
			return ""
		}
		return "'" + string(t.Kind) + " ' || bq_string_literal(" + sql + ")"
	}) + ", 'NULL')"
}

// nested writes ARRAYs and STRUCTs, and their scalars with scalar.
func (a *analyzer) nested(c *callExpr, x string, t Type, literal bool, each func(*callExpr, string, Type) string,
	scalar func() string) string {
	switch t.Kind {
	case Array:
		e := "e" + strconv.Itoa(strings.Count(x, "("))
		return "'[' || array_to_string(list_transform(" + x + ", lambda " + e + ": " + each(c, e, *t.Elem) +
			"), ', ') || ']'"
	case Struct:
		var fields []string
		for i, n := range t.FieldNames() {
			fields = append(fields, each(c, "struct_extract("+x+", "+quoteString(n)+")", t.Fields[i].Type))
		}
		open := "'('"
		if literal && len(fields) < 2 {
			open = "'STRUCT('"
		}
		if len(fields) == 0 {
			fields = []string{"''"}
		}
		open += " || "
		return "CASE WHEN " + x + " IS NOT NULL THEN " + open + strings.Join(fields, " || ', ' || ") + " || ')' END"
	}
	sql := scalar()
	if sql == "" {
		a.refuse(c, "FORMAT of "+t.name())
	}
	return sql
}
