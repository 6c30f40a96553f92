package googlesql

import (
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// extractions has the functions that follow a JSONPath: DuckDB's function, whether they return
// an array, and whether their paths have the legacy form.
var extractions = map[string]struct {
	sql    string
	text   bool // they return STRINGs for any input
	array  bool
	legacy bool
}{
	"JSON_VALUE":                {"bq_json_value", true, false, false},
	"JSON_EXTRACT_SCALAR":       {"bq_json_value", true, false, true},
	"JSON_QUERY":                {"bq_json_query", false, false, false},
	"JSON_EXTRACT":              {"bq_json_query", false, false, true},
	"JSON_VALUE_ARRAY":          {"bq_json_value_array", true, true, false},
	"JSON_EXTRACT_STRING_ARRAY": {"bq_json_value_array", true, true, true},
	"JSON_QUERY_ARRAY":          {"bq_json_query_array", false, true, false},
	"JSON_EXTRACT_ARRAY":        {"bq_json_query_array", false, true, true},
}

func init() {
	for name := range extractions {
		code(name, extraction)
	}
	code("PARSE_JSON", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		a.onlyNamed(c, "wide_number_mode")
		v := a.stringArg(c, 0, s)
		mode := "'exact'"
		if x := c.namedArg("wide_number_mode"); x != nil {
			w := a.expr(x, s)
			mode = a.must(w, kind(String), x, "wide_number_mode must be a STRING, but is %s", w.t.name()).sql
		}
		return merge("bq_parse_json("+v.sql+", "+mode+")", kind(JSON), v)
	})
	for name, f := range map[string]string{"BOOL": "bool", "INT64": "int", "STRING": "text"} {
		if name != "STRING" {
			def(name, "JSON -> "+name, "bq_json_"+f+"({1})")
		}
		def(name+"_ARRAY", "JSON -> ARRAY<"+name+">", "bq_json_"+f+"_array({1})")
	}
	code("FLOAT64 DOUBLE FLOAT64_ARRAY DOUBLE_ARRAY", jsonFloat)
	for _, k := range []string{"BOOL", "INT64", "FLOAT64", "STRING"} {
		f := "bq_lax_" + strings.ToLower(k)
		def("LAX_"+k, "JSON -> "+k, f+"({1})")
		def("LAX_"+k+"_ARRAY", "JSON -> ARRAY<"+k+">", f+"_array({1})")
	}
	def("JSON_TYPE", "JSON -> STRING", "bq_json_type({1})")
	code("JSON_KEYS", jsonKeys)
	code("TO_JSON", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		a.onlyNamed(c, "stringify_wide_numbers")
		v := a.typed(a.expr(c.args[0], s))
		flag := c.namedArg("stringify_wide_numbers")
		if len(c.args) == 2 {
			flag = c.args[1]
		}
		wide := a.constantBool(flag, false, s)
		return merge(a.toJSON(c, v.sql, v.t, wide), kind(JSON), v)
	})
	code("TO_JSON_STRING", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		a.onlyNamed(c, "pretty_print")
		v := a.typed(a.expr(c.args[0], s))
		flag := c.namedArg("pretty_print")
		if len(c.args) == 2 {
			flag = c.args[1]
		}
		sql := a.jsonText(c, v.sql, v.t)
		if flag != nil {
			w := a.expr(flag, s)
			p := a.must(w, kind(Bool), flag, "No matching signature for function TO_JSON_STRING for argument types: "+
				"%s, %s",
				v.t.name(), w.t.name())
			text := sql
			sql = a.bind([]val{{sql: text, t: kind(String)}, {sql: p.sql, t: p.t, lit: w.lit}},
				func(n []string) string {
					return "(CASE WHEN " + n[1] + " THEN bq_json_pretty(" + n[0] + ") WHEN NOT " + n[1] + " THEN " +
						n[0] +
						" END)"
				})
		}
		return merge(sql, kind(String), v)
	})
	code("JSON_OBJECT", jsonObject)
	code("JSON_ARRAY", func(a *analyzer, c *callExpr, s *scope) val {
		vs := a.args(c, s)
		var parts []string
		for _, v := range vs {
			v = a.typed(v)
			parts = append(parts, a.toJSON(c, v.sql, v.t, false))
		}
		return merge("CAST(('[' || "+joinOr(parts, " || ',' || ")+" || ']') AS JSON)", kind(JSON), vs...)
	})
	code("JSON_SET JSON_ARRAY_APPEND JSON_ARRAY_INSERT JSON_REMOVE", changeJSON)
	code("JSON_STRIP_NULLS", stripNulls)
}

func joinOr(parts []string, sep string) string {
	if len(parts) == 0 {
		return "''"
	}
	return strings.Join(parts, sep)
}

// constantBool returns an argument that must be TRUE or FALSE.
func (a *analyzer) constantBool(x expr, def bool, s *scope) bool {
	if x == nil {
		return def
	}
	v := a.expr(x, s)
	if v.lit == nil || v.lit.kind != Bool {
		a.refuse(x, "A flag that is no literal")
	}
	return strings.EqualFold(v.lit.text, "TRUE")
}

// extraction writes a function that follows a JSONPath.
func extraction(a *analyzer, c *callExpr, s *scope) val {
	f := extractions[c.name]
	a.countArgs(c, 1, 2)
	v := a.expr(c.args[0], s)
	if v.t.Kind != JSON {
		w, ok := a.coerce(v, kind(String))
		if !ok {
			a.fail(c, "No matching signature for function %s for argument types: %s", c.name, v.t.name())
		}
		v = w
	}
	path, legacy := "'$'", f.legacy
	if len(c.args) == 2 {
		p := a.stringArg(c, 1, s)
		path = p.sql
		if p.lit != nil && p.lit.kind == String {
			if lax, ok := a.laxPath(c, p.lit.text); ok && c.name == "JSON_QUERY" && v.t.Kind == JSON {
				return merge("bq_json_query_lax("+v.sql+", "+lax+")", kind(JSON), v)
			}
			if err := builtin.JSONPath(p.lit.text, legacy); err != nil {
				a.fail(c.args[1], "%s", builtinText(err))
			}
		}
	}
	sql := f.sql + "_" + strings.ToLower(string(v.t.Kind))
	if legacy {
		sql += "_legacy"
	}
	t := kind(String)
	if !f.text {
		t = kind(v.t.Kind)
	}
	if f.array {
		t = arrayOf(t)
	}
	return merge(sql+"("+v.sql+", "+path+")", t, v)
}

// laxPath reports whether a path begins with lax.
func (a *analyzer) laxPath(c *callExpr, path string) (string, bool) {
	return quoteString(path), strings.Contains(" "+strings.ToLower(strings.SplitN(path, "$", 2)[0]), " lax ")
}

func jsonFloat(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 1)
	a.onlyNamed(c, "wide_number_mode")
	v := a.expr(c.args[0], s)
	w, ok := a.coerce(v, kind(JSON))
	if !ok {
		a.noSignature(c, []val{v})
	}
	mode := "round"
	if x := c.namedArg("wide_number_mode"); x != nil {
		l, ok := x.(*literal)
		if !ok || l.kind != String || l.text != "round" && l.text != "exact" {
			a.fail(x, "Invalid `wide_number_mode` specified: it must be 'round' or 'exact'")
		}
		mode = l.text
	}
	if strings.HasSuffix(c.name, "_ARRAY") {
		return merge("bq_json_float_"+mode+"_array("+w.sql+")", arrayOf(kind(Float64)), v)
	}
	return merge("bq_json_float_"+mode+"("+w.sql+")", kind(Float64), v)
}

func jsonKeys(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 2)
	a.onlyNamed(c, "mode", "max_depth")
	v := a.expr(c.args[0], s)
	w, ok := a.coerce(v, kind(JSON))
	if !ok {
		a.noSignature(c, []val{v})
	}
	depth, mode := "9223372036854775807", "'strict'"
	x := c.namedArg("max_depth")
	if len(c.args) == 2 {
		x = c.args[1]
	}
	if x != nil {
		d := a.expr(x, s)
		depth = a.must(d, kind(Int64), x, "The depth of JSON_KEYS must be an INT64, but is %s", d.t.name()).sql
	}
	if x := c.namedArg("mode"); x != nil {
		m := a.expr(x, s)
		mode = a.must(m, kind(String), x, "The mode of JSON_KEYS must be a STRING, but is %s", m.t.name()).sql
	}
	return merge("bq_json_keys("+w.sql+", "+depth+", "+mode+")", arrayOf(kind(String)), v)
}

// asText returns a JSON value as its VARCHAR.
func asText(sql string) string { return "CAST(" + sql + " AS VARCHAR)" }

func jsonObject(a *analyzer, c *callExpr, s *scope) val {
	vs := a.args(c, s)
	if len(vs) == 2 && (vs[0].t.Kind == Array || vs[1].t.Kind == Array && vs[0].t.Kind != String) {
		keys, ok := a.coerce(vs[0], arrayOf(kind(String)))
		if !ok || vs[1].t.Kind != Array {
			a.noSignature(c, vs)
		}
		list := "CASE WHEN " + vs[1].sql + " IS NOT NULL THEN " + a.toJSON(c, vs[1].sql, vs[1].t, false) + " END"
		return merge("bq_json_object_of("+keys.sql+", CAST("+list+" AS JSON))", kind(JSON), vs...)
	}
	if len(vs)%2 == 1 {
		a.noSignature(c, vs)
	}
	args := []string{"TRUE"}
	for i := 0; i < len(vs); i += 2 {
		k, ok := a.coerce(vs[i], kind(String))
		if !ok {
			a.noSignature(c, vs)
		}
		v := a.typed(vs[i+1])
		args = append(args, k.sql, asText(a.toJSON(c, v.sql, v.t, false)))
	}
	return merge("bq_json_object("+strings.Join(args, ", ")+")", kind(JSON), vs...)
}

// changeFlags are the named arguments of the functions that change a JSON.
var changeFlags = map[string]string{"JSON_SET": "create_if_missing", "JSON_ARRAY_APPEND": "append_each_element",
	"JSON_ARRAY_INSERT": "insert_each_element"}

// changeJSON writes JSON_SET and its like: paths and values in turn, or paths alone.
func changeJSON(a *analyzer, c *callExpr, s *scope) val {
	flag := changeFlags[c.name]
	a.onlyNamed(c, flag)
	vs := a.args(c, s)
	if len(vs) < 2 || c.name != "JSON_REMOVE" && len(vs)%2 == 0 {
		a.noSignature(c, vs)
	}
	j, ok := a.coerce(vs[0], kind(JSON))
	if !ok {
		a.noSignature(c, vs)
	}
	args := []string{j.sql, "TRUE"}
	if x := c.namedArg(flag); x != nil {
		w := a.expr(x, s)
		args[1] = a.must(w, kind(Bool), x, "%s must be a BOOL, but is %s", flag, w.t.name()).sql
	}
	step := 2
	if c.name == "JSON_REMOVE" {
		step = 1
	}
	for i := 1; i < len(vs); i += step {
		p, ok := a.coerce(vs[i], kind(String))
		if !ok {
			a.noSignature(c, vs)
		}
		args = append(args, p.sql)
		if step == 1 {
			args = append(args, "NULL")
			continue
		}
		v := a.typed(vs[i+1])
		text := asText(a.toJSON(c, v.sql, v.t, false))
		if v.t.Kind == Array && c.name != "JSON_SET" {
			text = quoteString(`{"\u0001array":`) + " || CASE WHEN " + v.sql + " IS NULL THEN 'null' ELSE " + text +
				" END || '}'"
		}
		args = append(args, text)
	}
	return merge("bq_"+strings.ToLower(c.name)+"("+strings.Join(args, ", ")+")", kind(JSON), vs...)
}

func stripNulls(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 2)
	a.onlyNamed(c, "include_arrays", "remove_empty")
	vs := a.args(c, s)
	j, ok := a.coerce(vs[0], kind(JSON))
	if !ok {
		a.noSignature(c, vs)
	}
	path := "'$'"
	if len(vs) == 2 {
		path = a.must(vs[1], kind(String), c.args[1], "The path of JSON_STRIP_NULLS must be a STRING").sql
	}
	flags := []string{"TRUE", "FALSE"}
	for i, n := range []string{"include_arrays", "remove_empty"} {
		if x := c.namedArg(n); x != nil {
			w := a.expr(x, s)
			flags[i] = a.must(w, kind(Bool), x, "%s must be a BOOL, but is %s", n, w.t.name()).sql
		}
	}
	return merge("bq_json_strip_nulls("+j.sql+", "+path+", "+strings.Join(flags, ", ")+")", kind(JSON), vs...)
}

// jsonText writes a value's JSON as TO_JSON_STRING does.
func (a *analyzer) jsonText(c *callExpr, x string, t Type) string {
	var sql string
	quoted := func(s string) string { return `'"' || ` + s + ` || '"'` }
	switch t.Kind {
	case Int64: // beyond the integers that a FLOAT64 holds it is a string
		sql = "CASE WHEN " + x + " BETWEEN -9007199254740992 AND 9007199254740992 THEN CAST(" + x +
			" AS VARCHAR) ELSE " +
			quoted("CAST("+x+" AS VARCHAR)") + " END"
	case Bool:
		sql = "CAST(" + x + " AS VARCHAR)"
	case Float64:
		sql = "bq_json_float(" + x + ", TRUE)"
	case Numeric:
		sql = "bq_json_numeric(" + x + ")"
	case BigNumeric:
		sql = "bq_json_bignumeric(" + x + ")"
	case String:
		sql = "bq_json_string(" + x + ")"
	case JSON:
		sql = asText(x)
	case Bytes:
		sql = quoted("to_base64(" + x + ")")
	case Interval:
		sql = quoted("bq_interval_iso(" + x + ")")
	case Date, Time:
		sql = quoted(a.castSQL(t.Kind, String, x))
	case Datetime:
		sql = quoted("bq_datetime_text(" + x + ", 'T')")
	case Timestamp:
		sql = quoted("bq_datetime_text(timezone('UTC', " + x + "), 'T') || 'Z'")
	case Array:
		e := "e" + strconv.Itoa(strings.Count(x, "("))
		sql = "'[' || array_to_string(list_transform(" + x + ", lambda " + e + ": " + a.jsonText(c, e, *t.Elem) +
			"), ',') || ']'"
	case Struct:
		var parts []string
		for i, n := range t.FieldNames() {
			f := a.jsonText(c, "struct_extract("+x+", "+quoteString(n)+")", t.Fields[i].Type)
			parts = append(parts, "bq_json_string("+quoteString(t.Fields[i].Name)+") || ':' || "+f)
		}
		sql = "CASE WHEN " + x + " IS NOT NULL THEN '{' || " + joinOr(parts, " || ',' || ") + " || '}' END"
	default:
		a.refuse(c, "TO_JSON_STRING of "+t.name())
	}
	return "coalesce(" + sql + ", 'null')"
}

// toJSON writes a value as JSON. With wide, numbers that a FLOAT64 can't hold become
// strings.
func (a *analyzer) toJSON(c *callExpr, x string, t Type, wide bool) string {
	var sql string
	switch t.Kind {
	case JSON:
		return "coalesce(" + x + ", 'null'::JSON)"
	case Int64:
		if wide {
			return "CAST(" + a.jsonText(c, x, t) + " AS JSON)"
		}
		sql = "CAST(" + x + " AS VARCHAR)"
	case Float64:
		sql = "bq_json_float(" + x + ", FALSE)"
	case BigNumeric:
		a.refuse(c, "TO_JSON of a BIGNUMERIC")
	case Numeric:
		sql = "bq_json_numeric_of(" + x + ", " + strings.ToUpper(strconv.FormatBool(wide)) + ")"
	case Array:
		e := "e" + strconv.Itoa(strings.Count(x, "("))
		sql = "'[' || array_to_string(list_transform(" + x + ", lambda " + e + ": " +
			asText(a.toJSON(c, e, *t.Elem, wide)) +
			"), ',') || ']'"
		return "coalesce(CAST(" + sql + " AS JSON), '[]'::JSON)"
	case Struct:
		args := []string{"TRUE"}
		for i, n := range t.FieldNames() {
			f := a.toJSON(c, "struct_extract("+x+", "+quoteString(n)+")", t.Fields[i].Type, wide)
			args = append(args, quoteString(t.Fields[i].Name), asText(f))
		}
		return "(CASE WHEN " + x + " IS NULL THEN 'null'::JSON ELSE bq_json_object(" + strings.Join(args, ", ") +
			") END)"
	default:
		return "CAST(" + a.jsonText(c, x, t) + " AS JSON)"
	}
	return "coalesce(CAST(" + sql + " AS JSON), 'null'::JSON)"
}
