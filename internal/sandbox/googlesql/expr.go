package googlesql

import (
	"cmp"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// maxWork and maxSQL limit the cost of one statement, because some translations repeat
// their operands, and nested ones grow.
const (
	maxWork = 200_000
	maxSQL  = 8 << 20
)

// expr analyzes an expression. In a grouped query, an expression that equals a
// grouping key stands for the key.
func (a *analyzer) expr(x expr, s *scope) val {
	marks := map[*scope]int{}
	for sc := s; sc != nil; sc = sc.parent {
		if sc.group != nil {
			marks[sc] = len(sc.group.loose)
		}
	}
	ids := a.ids
	v := a.dispatch(x, s)
	if a.work++; a.work > maxWork || len(v.sql) > maxSQL {
		a.fail(x, "The statement is too complex for the sandbox")
	}
	v.norm = v.sql
	if a.ids > ids && len(marks) > 0 {
		v.norm = normalized(v.sql, ids)
	}
	for sc, n := range marks {
		key := sc.group.keys[v.norm]
		if key == "" {
			continue
		}
		v.sql = key
		if len(sc.group.loose) > n {
			sc.group.loose = sc.group.loose[:n]
		}
	}
	return v
}

// madeNames are the names that the analyzer makes.
var madeNames = regexp.MustCompile(`\b[tcwq][0-9]+\b`)

// normalized counts the names that were made after a number of others from one.
func normalized(sql string, after int) string {
	return madeNames.ReplaceAllStringFunc(sql, func(name string) string {
		n, err := strconv.Atoi(name[1:])
		if err != nil || n <= after {
			return name
		}
		return name[:1] + "_" + strconv.Itoa(n-after)
	})
}

func (a *analyzer) dispatch(x expr, s *scope) val {
	switch x := x.(type) {
	case *valExpr:
		return x.v
	case *literal:
		return a.literal(x)
	case *paramExpr:
		return a.param(x)
	case *pathExpr:
		return a.path(x, s)
	case *parenExpr:
		return a.expr(x.x, s)
	case *dotExpr:
		return a.field(a.expr(x.x, s), x.field)
	case *indexExpr:
		return a.index(x, s)
	case *typedLit:
		return a.typedLiteral(x)
	case *rangeLit:
		return a.rangeLiteral(x)
	case *sysVarExpr:
		return a.sysVar(x)
	case *callExpr:
		return a.call(x, s)
	case *castExpr:
		return a.cast(x, s)
	case *extractExpr:
		return a.extract(x, s)
	case *caseExpr:
		return a.caseOf(x, s)
	case *binaryExpr:
		return a.binary(x, s)
	case *unaryExpr:
		return a.unary(x, s)
	case *isExpr:
		return a.is(x, s)
	case *distinctExpr:
		return a.isDistinct(x, s)
	case *betweenExpr:
		return a.between(x, s)
	case *likeExpr:
		return a.likeAny(x, s)
	case *inExpr:
		return a.in(x, s)
	case *subqueryExpr:
		return a.subquery(x, s)
	case *arrayExpr:
		return a.array(x, s)
	case *structExpr:
		return a.structOf(x, s)
	case *intervalExpr:
		return a.interval(x, s)
	case *withExpr:
		return a.with(x, s)
	case *defaultExpr:
		a.fail(x, "Syntax error: Unexpected keyword DEFAULT")
	}
	a.refuse(x, "This expression")
	return val{}
}

// merge joins the properties of the parts of an expression.
func merge(sql string, t Type, parts ...val) val {
	v := val{sql: sql, t: t}
	for _, p := range parts {
		v.agg = v.agg || p.agg
		v.win = v.win || p.win
	}
	return v
}

func (a *analyzer) literal(x *literal) val {
	switch x.kind {
	case "":
		return val{sql: "NULL"}
	case Int64:
		n, ok := integer(x.text)
		if !ok || !n.IsInt64() {
			a.fail(x, "Invalid integer literal: %s", x.text)
		}
		return val{sql: n.String() + "::BIGINT", t: kind(Int64), lit: &literal{x.node, Int64, n.String()}}
	case Float64:
		f, err := strconv.ParseFloat(x.text, 64)
		if err != nil {
			a.fail(x, "Invalid floating point literal: %s", x.text)
		}
		return val{sql: floatSQL(f), t: kind(Float64), lit: x}
	case Bool:
		return val{sql: x.text, t: kind(Bool), lit: x}
	case String:
		return val{sql: quoteString(x.text) + "::VARCHAR", t: kind(String), lit: x}
	case Bytes:
		return val{sql: bytesSQL(x.text), t: kind(Bytes), lit: x}
	}
	a.refuse(x, "This literal")
	return val{}
}

// integer reads a decimal or hexadecimal number.
func integer(text string) (*big.Int, bool) {
	if digits, hex := strings.CutPrefix(strings.ToLower(text), "0x"); hex {
		return new(big.Int).SetString(digits, 16)
	}
	return new(big.Int).SetString(text, 10)
}

// bytesSQL writes a BLOB.
func bytesSQL(s string) string {
	var b strings.Builder
	b.WriteString("'")
	for i := 0; i < len(s); i++ {
		b.WriteString(`\x`)
		b.WriteByte("0123456789ABCDEF"[s[i]>>4])
		b.WriteByte("0123456789ABCDEF"[s[i]&15])
	}
	b.WriteString("'::BLOB")
	return b.String()
}

func (a *analyzer) typedLiteral(x *typedLit) val {
	switch x.kind {
	case Numeric:
		s, ok := numericLiteral(x.text)
		if !ok {
			a.fail(x, "Invalid NUMERIC literal: %s", quoteLit(x.text))
		}
		return val{sql: s, t: kind(Numeric)}
	case BigNumeric:
		s, ok := bigNumericLiteral(x.text)
		if !ok {
			a.fail(x, "Invalid BIGNUMERIC literal: %s", quoteLit(x.text))
		}
		return val{sql: s, t: kind(BigNumeric)}
	case JSON:
		s, err := builtin.ParseJSON(x.text, "exact")
		if err != nil {
			a.fail(x, "Invalid JSON literal: %s", builtinText(err))
		}
		return val{sql: quoteString(s) + "::JSON", t: kind(JSON)}
	}
	s, ok := a.temporalLiteral(x.kind, x.text)
	if !ok {
		a.fail(x, "Invalid %s literal: %s", x.kind, quoteLit(x.text))
	}
	return val{sql: s, t: kind(x.kind)}
}

func (a *analyzer) sysVar(x *sysVarExpr) val {
	if v, ok := a.opts.System[x.name]; ok {
		return val{sql: quoteString(v) + "::VARCHAR", t: kind(String)}
	}
	if v, ok := a.variable("@@" + x.name); ok {
		return v
	}
	switch x.name {
	case "session_id":
		return val{sql: "CAST(NULL AS VARCHAR)", t: kind(String)}
	case "project_id", "dataset_project_id":
		return val{sql: quoteString(a.opts.DefaultProject) + "::VARCHAR", t: kind(String)}
	case "dataset_id":
		if a.opts.DefaultDataset == "" {
			return val{sql: "CAST(NULL AS VARCHAR)", t: kind(String)}
		}
		return val{sql: quoteString(a.opts.DefaultDataset) + "::VARCHAR", t: kind(String)}
	case "time_zone":
		return val{sql: quoteString(cmp.Or(a.opts.TimeZone, defaultZone)) + "::VARCHAR", t: kind(String)}
	}
	a.refuse(x, "System variable @@"+x.name)
	return val{}
}

func (a *analyzer) index(x *indexExpr, s *scope) val {
	arr, ix := a.expr(x.x, s), a.expr(x.index, s)
	if arr.t.Kind == JSON {
		return a.jsonIndex(x, arr, ix)
	}
	if arr.t.Kind == Struct {
		return a.structIndex(x, arr, ix)
	}
	if arr.t.Kind != Array {
		a.fail(x, "Element access using [] is not supported on values of type %s", arr.t.name())
	}
	i := a.must(ix, kind(Int64), x.index, "Array position must be coercible to INT64 type, but has type %s",
		ix.t.name())
	base := "0"
	if strings.HasSuffix(x.how, "ORDINAL") {
		base = "1"
	}
	// DuckDB counts from 1, and negative positions from the end. GoogleSQL refuses those.
	sql := a.bind([]val{arr, i}, func(n []string) string {
		bad := "NULL"
		if !strings.HasPrefix(x.how, "SAFE") {
			bad = raise("'Array index ' || CAST("+n[1]+" AS VARCHAR) || ' is out of bounds'", arr.t.Elem.DuckDB())
		}
		return "(CASE WHEN " + n[0] + " IS NULL THEN NULL WHEN " + n[1] + " < " + base + " OR " + n[1] + " - " + base +
			" >= len(" + n[0] + ") THEN " + bad + " ELSE (" + n[0] + ")[" + n[1] + " - " + base + " + 1] END)"
	})
	return merge(sql, *arr.t.Elem, arr, i)
}

// structIndex returns a field by its index, which must be a literal.
func (a *analyzer) structIndex(x *indexExpr, v, ix val) val {
	n, ok := 0, ix.lit != nil && ix.lit.kind == Int64
	if ok {
		n, ok = smallInt(ix.lit.text)
	}
	if !ok || x.how != "OFFSET" && x.how != "ORDINAL" && x.how != "" {
		a.fail(x, "Field access of a STRUCT by its position needs OFFSET or ORDINAL of a literal")
	}
	if x.how == "ORDINAL" {
		n--
	}
	if n < 0 || n >= len(v.t.Fields) {
		a.fail(x.index, "Field ordinal %s is out of bounds in %s", ix.lit.text, v.t.name())
	}
	return merge("struct_extract("+v.sql+", "+quoteString(v.t.FieldNames()[n])+")", v.t.Fields[n].Type, v)
}

func (a *analyzer) jsonIndex(x *indexExpr, j, ix val) val {
	if x.how != "" {
		a.fail(x, "Subscript access using [%s(INT64)] is not supported on values of type JSON", x.how)
	}
	f := "bq_json_element"
	if ix.t.Kind == String {
		f = "bq_json_member"
	} else {
		w, ok := a.coerce(ix, kind(Int64))
		if !ok {
			a.fail(x.index, "Subscript access on values of type JSON needs an INT64 or a STRING, but has %s",
				ix.t.name())
		}
		ix = w
	}
	return merge(f+"("+j.sql+", "+ix.sql+")", kind(JSON), j, ix)
}

func (a *analyzer) caseOf(x *caseExpr, s *scope) val {
	var parts, results []val
	var conds []string
	var operand val
	if x.operand != nil {
		operand = a.expr(x.operand, s)
		parts = append(parts, operand)
	}
	for _, w := range x.whens {
		c := a.expr(w.cond, s)
		if x.operand != nil {
			c = a.compare("=", operand, c, w.cond)
		} else {
			c = a.must(c, kind(Bool), w.cond, "CASE WHEN condition should return type BOOL, but returns type %s",
				c.t.name())
		}
		conds = append(conds, c.sql)
		parts = append(parts, c)
		results = append(results, a.expr(w.then, s))
	}
	if x.other != nil {
		results = append(results, a.expr(x.other, s))
	}
	results, t := a.unify(results, x, "operator CASE")
	sql := "CASE"
	for i, c := range conds {
		sql += " WHEN " + c + " THEN " + results[i].sql
	}
	if x.other != nil {
		sql += " ELSE " + results[len(results)-1].sql
	}
	return merge("("+sql+" END)", t, append(parts, results...)...)
}

func (a *analyzer) subquery(x *subqueryExpr, s *scope) val {
	x.q.keepOrder = x.kind == "ARRAY"
	r := a.query(x.q, s, s.ctes)
	if x.kind == "EXISTS" {
		return val{sql: "EXISTS(" + r.sql + ")", t: kind(Bool)}
	}
	if len(r.cols) != 1 {
		if x.kind == "ARRAY" {
			a.fail(x, "ARRAY subquery cannot have more than one column unless using SELECT AS STRUCT to build "+
				"STRUCT values")
		}
		a.fail(x, "Scalar subquery cannot have more than one column unless using SELECT AS STRUCT to build STRUCT "+
			"values")
	}
	t := resolved(r.cols[0].v.t)
	if x.kind == "ARRAY" {
		if t.Kind == Array {
			a.fail(x, "Cannot use array subquery with column of type %s because nested arrays are not supported",
				t.name())
		}
		return val{sql: "ARRAY(" + r.sql + ")", t: arrayOf(t)}
	}
	return val{sql: "(" + r.sql + ")", t: t}
}

func (a *analyzer) array(x *arrayExpr, s *scope) val {
	var vs []val
	for _, e := range x.elems {
		vs = append(vs, a.expr(e, s))
	}
	raw := append([]val(nil), vs...)
	var t Type
	if x.typ != nil {
		a.plainType(x, *x.typ)
		t = *x.typ.Elem
		for i, v := range vs {
			vs[i] = a.must(v, t, x.elems[i], "Array element type %s does not coerce to %s", v.t.name(), t)
		}
		t = t.bare()
	} else {
		vs, t = a.unify(vs, x, "array element types")
	}
	t = resolved(t)
	if t.Kind == Array {
		a.fail(x, "Cannot construct array with element type %s because nested arrays are not supported", t.name())
	}
	out := merge("", arrayOf(t), vs...)
	out.sql = constructed(out.t, vs)
	if x.typ == nil {
		out.parts = raw
		if len(vs) == 0 {
			out.lit = &literal{x.node, Array, "empty"}
		}
	}
	return out
}

// plainType refuses a constructor's type that has parameters: nothing checks the values against them.
func (a *analyzer) plainType(at interface{ pos() int }, t Type) {
	if t.parameterized() {
		a.refuse(at, "A type with parameters in a constructor")
	}
}

func (a *analyzer) structOf(x *structExpr, s *scope) val {
	t := Type{Kind: Struct}
	if x.typ != nil && len(x.typ.Fields) != len(x.values) {
		a.fail(x, "STRUCT type has %d fields but constructor call has %d fields", len(x.typ.Fields), len(x.values))
	}
	if x.typ != nil {
		a.plainType(x, *x.typ)
		for _, n := range x.names {
			if n != "" {
				a.fail(x, "STRUCT constructors cannot specify both an explicit type and field names with AS")
			}
		}
	}
	var parts []string
	var vs, raw []val
	for i, e := range x.values {
		v := a.expr(e, s)
		f := Field{Name: x.names[i]}
		if x.typ != nil {
			f = x.typ.Fields[i]
			v = a.must(v, f.Type, e, "Struct field %d has type %s which does not coerce to %s", i+1, v.t.name(), f.Type)
			f.Type = f.Type.bare()
		} else {
			if p, ok := e.(*pathExpr); ok && f.Name == "" && a.src[x.at] != '(' {
				f.Name = p.parts[len(p.parts)-1].text
			}
			raw = append(raw, v)
			if v.untyped() && v.param == 0 {
				v, _ = a.coerce(v, kind(Int64))
			}
			f.Type = resolved(v.t)
		}
		t.Fields = append(t.Fields, f)
		parts = append(parts, v.sql)
		vs = append(vs, v)
	}
	out := merge(structSQL(t, parts), t, vs...)
	out.parts = raw
	return out
}
