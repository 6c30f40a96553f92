package googlesql

import "strings"

// coerce converts v to the type if GoogleSQL does so implicitly.
func (a *analyzer) coerce(v val, to Type) (val, bool) {
	to = to.bare()
	switch {
	case v.param > 0 && v.untyped():
		i := v.param - 1
		if !a.known[i] {
			a.params[i].Type, a.known[i] = to, true
		}
		v.t = a.params[i].Type
		return a.coerce(v, to)
	case v.untyped():
		return val{sql: "CAST(" + v.plainNull() + " AS " + to.DuckDB() + ")", t: to, agg: v.agg, win: v.win}, true
	case v.t.equal(to):
		return a.renameFields(v, to), true
	case v.parts != nil && v.t.Kind == to.Kind:
		return a.coerceParts(v, to)
	}
	if v.lit != nil {
		if w, ok := a.coerceLiteral(v, to); ok {
			return w, true
		}
	}
	from := v.t.Kind
	switch {
	case from == Int64 && (to.Kind == Float64 || to.Kind == Numeric || to.Kind == BigNumeric),
		from == Numeric && (to.Kind == Float64 || to.Kind == BigNumeric),
		from == BigNumeric && to.Kind == Float64,
		from == Date && to.Kind == Datetime,
		from == Timestamp && to.Kind == TimestampPicos,
		v.param > 0 && from == String && (to.Kind == Date || to.Kind == Datetime || to.Kind == Time ||
			to.Kind == Timestamp || to.Kind == TimestampPicos):
		return val{sql: a.castSQL(from, to.Kind, v.sql), t: to, agg: v.agg, win: v.win}, true
	case from == Struct && to.Kind == Struct && len(v.t.Fields) == len(to.Fields):
		for i := range to.Fields {
			if _, ok := a.coerce(val{sql: "x", t: v.t.Fields[i].Type}, to.Fields[i].Type); !ok {
				return v, false
			}
		}
		return a.castStruct(v, to), true
	}
	return v, false
}

// coerceParts converts the parts of a STRUCT or ARRAY constructor.
func (a *analyzer) coerceParts(v val, to Type) (val, bool) {
	if to.Kind == Struct && len(to.Fields) != len(v.parts) {
		return v, false
	}
	parts := make([]val, len(v.parts))
	for i, p := range v.parts {
		var t Type
		if to.Kind == Struct {
			t = to.Fields[i].Type
		} else {
			t = *to.Elem
		}
		w, ok := a.coerce(p, t)
		if !ok {
			return v, false
		}
		parts[i] = w
	}
	out := merge("", to, parts...)
	out.parts = parts
	out.sql = constructed(to, parts)
	return out, true
}

// constructed writes a STRUCT or ARRAY of parts with the right types.
func constructed(t Type, parts []val) string {
	if t.Kind == Array {
		return "CAST([" + joinSQL(parts) + "] AS " + t.DuckDB() + ")"
	}
	sqls := make([]string, len(parts))
	for i, p := range parts {
		sqls[i] = p.sql
	}
	return structSQL(t, sqls)
}

// castTo writes a cast, and keeps the other properties of the value.
func (a *analyzer) castTo(v val, to Type) val {
	return val{sql: "CAST(" + v.sql + " AS " + to.DuckDB() + ")", t: to, agg: v.agg, win: v.win}
}

// renameFields gives a STRUCT (or an array of them) the field names of its new type.
func (a *analyzer) renameFields(v val, to Type) val {
	if v.t.DuckDB() == to.DuckDB() {
		v.t = to
		return v
	}
	if to.Kind == Struct {
		return a.castStruct(v, to)
	}
	if to.Kind == Array && to.Elem.Kind == Struct {
		e := a.castStruct(val{sql: "x", t: *v.t.Elem}, *to.Elem)
		return val{sql: "list_transform(" + v.sql + ", lambda x: " + e.sql + ")", t: to, agg: v.agg, win: v.win}
	}
	v.t = to
	return v
}

// castStruct converts field by field: DuckDB casts STRUCTs by name, GoogleSQL by position.
func (a *analyzer) castStruct(v val, to Type) val {
	var parts []string
	for i, n := range v.t.FieldNames() {
		f := val{sql: "struct_extract(" + v.sql + ", " + quoteString(n) + ")", t: v.t.Fields[i].Type}
		w, _ := a.coerce(f, to.Fields[i].Type)
		parts = append(parts, w.sql)
	}
	return val{sql: "CASE WHEN " + v.sql + " IS NOT NULL THEN " + structSQL(to, parts) + " END", t: to, agg: v.agg,
		win: v.win}
}

// coerceLiteral converts a literal, which can be coerced to more types.
func (a *analyzer) coerceLiteral(v val, to Type) (val, bool) {
	switch {
	case v.lit.kind == String:
		switch to.Kind {
		case Date, Time, Datetime, Timestamp, TimestampPicos:
			w, ok := a.temporalLiteral(to.Kind, v.lit.text)
			if !ok {
				a.fail(v.lit, "Could not cast literal %s to type %s", quoteLit(v.lit.text), to.Kind)
			}
			return val{sql: w, t: to}, true
		}
	case v.lit.kind == Float64 && to.Kind == Numeric:
		s, ok := numericLiteral(v.lit.text)
		if !ok {
			return v, false
		}
		return val{sql: s, t: to}, true
	case (v.lit.kind == Float64 || v.lit.kind == Int64) && to.Kind == BigNumeric:
		s, ok := bigNumericLiteral(v.lit.text)
		return val{sql: s, t: to}, ok
	case v.lit.kind == Int64 && to.Kind == Numeric:
		return val{sql: "'" + v.lit.text + "'::DECIMAL(38,9)", t: to}, true
	case v.lit.kind == Int64 && to.Kind == Float64:
		return val{sql: "'" + v.lit.text + "'::DOUBLE", t: to, lit: &literal{v.lit.node, Float64, v.lit.text}}, true
	case v.lit.kind == Array && to.Kind == Array && v.t.Elem != nil:
		return a.coerceArrayLiteral(v, to)
	}
	return v, false
}

// coerceArrayLiteral lets [1, 2] and [] become arrays of another type.
func (a *analyzer) coerceArrayLiteral(v val, to Type) (val, bool) {
	if v.lit.text == "empty" {
		return val{sql: "CAST([] AS " + to.DuckDB() + ")", t: to}, true
	}
	return v, false
}

func quoteLit(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

// must coerces a value, or fails with the message.
func (a *analyzer) must(v val, to Type, x interface{ pos() int }, format string, args ...any) val {
	w, ok := a.coerce(v, to)
	if !ok {
		a.fail(x, format, args...)
	}
	return w
}

// supertype returns the type that all of vs convert to. Other values take
// precedence over literals, NULLs and parameters of open type. It returns the
// zero Type if all are open.
func (a *analyzer) supertype(vs []val) (Type, bool) {
	if t, ok := a.nestedSupertype(vs); ok {
		return t, true
	}
	var strong, all []Type
	for _, v := range vs {
		if v.untyped() {
			continue
		}
		all = append(all, v.t)
		if v.lit == nil && (v.param == 0 || v.t.Kind != String) {
			strong = append(strong, v.t)
		}
	}
	for _, ts := range [][]Type{strong, all} {
		if len(ts) == 0 {
			continue
		}
		t, ok := commonType(ts)
		if !ok {
			continue
		}
		fits := true
		for _, v := range vs {
			if v.untyped() {
				continue
			}
			if !a.coercible(v, t) {
				fits = false
			}
		}
		if fits {
			return t, true
		}
	}
	return Type{}, len(all) == 0
}

// nestedSupertype finds the type of STRUCTs field by field, and that of ARRAYs by their
// elements, if one of them is a constructor. ok is false for anything else.
func (a *analyzer) nestedSupertype(vs []val) (t Type, ok bool) {
	constructed := false
	for _, v := range vs {
		if v.untyped() {
			continue
		}
		constructed = constructed || v.parts != nil || v.lit != nil && v.lit.kind == Array
		if t.Kind == "" {
			t = v.t
		}
		if v.t.Kind != t.Kind || t.Kind != Struct && t.Kind != Array || len(v.t.Fields) != len(t.Fields) {
			return t, false
		}
	}
	if !constructed {
		return t, false
	}
	if t.Kind == Array {
		var elems []val
		for _, v := range vs {
			switch {
			case v.untyped() || v.lit != nil && v.lit.text == "empty":
			case v.parts != nil:
				elems = append(elems, v.parts...)
			default:
				elems = append(elems, val{sql: "x", t: *v.t.Elem})
			}
		}
		e, ok := a.supertype(elems)
		return arrayOf(resolved(e)), ok
	}
	out := Type{Kind: Struct}
	for i := range t.Fields {
		var fields []val
		for _, v := range vs {
			switch {
			case v.untyped():
			case v.parts != nil:
				fields = append(fields, v.parts[i])
			default:
				fields = append(fields, val{sql: "x", t: v.t.Fields[i].Type})
			}
		}
		f, ok := a.supertype(fields)
		if !ok {
			return t, false
		}
		out.Fields = append(out.Fields, Field{Name: t.Fields[i].Name, Type: resolved(f)})
	}
	return out, true
}

// coercible reports whether coerce would succeed. Any string literal counts as a date.
func (a *analyzer) coercible(v val, t Type) bool {
	if v.parts != nil && v.t.Kind == t.Kind && !v.t.equal(t) {
		for i, p := range v.parts {
			var want Type
			switch {
			case t.Kind == Array:
				want = *t.Elem
			case len(t.Fields) != len(v.parts):
				return false
			default:
				want = t.Fields[i].Type
			}
			if !p.untyped() && !a.coercible(p, want) {
				return false
			}
		}
		return true
	}
	if v.lit != nil && v.lit.kind == String {
		switch t.Kind {
		case Date, Time, Datetime, Timestamp, TimestampPicos:
			return true
		}
	}
	_, ok := a.coerce(v, t)
	return ok
}

var numericRank = map[Kind]int{Int64: 1, Numeric: 2, BigNumeric: 3, Float64: 4}

func commonType(ts []Type) (Type, bool) {
	t := ts[0]
	for _, u := range ts[1:] {
		switch {
		case t.equal(u):
		case t.number() && u.number():
			if numericRank[u.Kind] > numericRank[t.Kind] {
				t = u
			}
		case t.Kind == Timestamp && u.Kind == TimestampPicos, t.Kind == TimestampPicos && u.Kind == Timestamp:
			t = kind(TimestampPicos)
		case t.Kind == Date && u.Kind == Datetime, t.Kind == Datetime && u.Kind == Date:
			t = kind(Datetime)
		case t.Kind == Struct && u.Kind == Struct && len(t.Fields) == len(u.Fields):
			w := Type{Kind: Struct}
			for i := range t.Fields {
				f, ok := commonType([]Type{t.Fields[i].Type, u.Fields[i].Type})
				if !ok {
					return t, false
				}
				w.Fields = append(w.Fields, Field{Name: t.Fields[i].Name, Type: f})
			}
			t = w
		default:
			return t, false
		}
	}
	return t, true
}

// unify converts all of vs to their common type.
func (a *analyzer) unify(vs []val, x interface{ pos() int }, what string) ([]val, Type) {
	t, ok := a.supertype(vs)
	if !ok {
		a.fail(x, "No matching signature for %s for argument types: %s", what, typeList(vs))
	}
	if t.Kind == "" {
		open := false
		for _, v := range vs {
			open = open || v.param > 0
		}
		if !open {
			return vs, t
		}
		t = kind(Int64)
	}
	out := make([]val, len(vs))
	for i, v := range vs {
		out[i], _ = a.coerce(v, t)
	}
	return out, t
}

func typeList(vs []val) string {
	var names []string
	for _, v := range vs {
		if v.untyped() && v.param == 0 {
			names = append(names, "NULL")
			continue
		}
		names = append(names, v.t.name())
	}
	return strings.Join(names, ", ")
}
