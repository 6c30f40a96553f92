package googlesql

import (
	"regexp"
	"strings"
)

// jsonPath is the part of JSONPath that GoogleSQL and DuckDB read alike.
var jsonPath = regexp.MustCompile(`^\$(\.[A-Za-z_][A-Za-z0-9_]*|\."[^"\\]*"|\[[0-9]+\])*$`)

func init() {
	code("JSON_VALUE JSON_EXTRACT_SCALAR", func(a *analyzer, c *callExpr, s *scope) val {
		v, at := a.jsonArgs(c, s)
		sql := "(CASE WHEN json_type(" + v.sql + at + ") NOT IN ('OBJECT', 'ARRAY') THEN json_extract_string(" + v.sql +
			orRoot(at) + ") END)"
		return merge(whenValid(v, sql), kind(String), v)
	})
	code("JSON_QUERY JSON_EXTRACT", func(a *analyzer, c *callExpr, s *scope) val {
		v, at := a.jsonArgs(c, s)
		sql := "json_extract(" + v.sql + orRoot(at) + ")"
		if v.t.Kind == String {
			return merge(whenValid(v, "CAST("+sql+" AS VARCHAR)"), kind(String), v)
		}
		return merge(sql, kind(JSON), v)
	})
	code("JSON_VALUE_ARRAY JSON_EXTRACT_STRING_ARRAY JSON_QUERY_ARRAY JSON_EXTRACT_ARRAY",
		func(a *analyzer, c *callExpr, s *scope) val {
			v, at := a.jsonArgs(c, s)
			list := "CAST(json_extract(" + v.sql + orRoot(at) + ") AS JSON[])"
			elem := kind(v.t.Kind)
			each := "x"
			switch {
			case strings.HasPrefix(c.name, "JSON_VALUE") || c.name == "JSON_EXTRACT_STRING_ARRAY":
				elem, each = kind(String), "json_extract_string(x, '$')"
			case v.t.Kind == String:
				each = "CAST(x AS VARCHAR)"
			}
			sql := "(CASE WHEN json_type(" + v.sql + at + ") = 'ARRAY' THEN list_transform(" + list + ", lambda x: " +
				each + ") END)"
			return merge(whenValid(v, sql), arrayOf(elem), v)
		})
	def("PARSE_JSON", "STRING -> JSON", "json({1})")
	jsonAs := func(types, sql string) string {
		return "(CASE WHEN json_type({1}) IN (" + types + ") THEN " + sql +
			" WHEN {1} IS NOT NULL THEN error('The provided JSON input is not of the expected type') END)"
	}
	def("STRING", "JSON -> STRING", jsonAs("'VARCHAR'", "json_extract_string({1}, '$')"))
	def("BOOL", "JSON -> BOOL", jsonAs("'BOOLEAN'", "CAST({1} AS BOOLEAN)"))
	def("INT64", "JSON -> INT64", jsonAs("'BIGINT', 'UBIGINT'", "CAST({1} AS BIGINT)"))
	def("FLOAT64", "JSON -> FLOAT64", jsonAs("'BIGINT', 'UBIGINT', 'DOUBLE'", "CAST({1} AS DOUBLE)"))
	code("TO_JSON_STRING", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.expr(c.args[0], s)
		return merge(a.jsonText(c, v.sql, resolved(v.t)), kind(String), v)
	})
}

// jsonArgs reads a JSON or STRING and an optional literal path, which it gives as DuckDB's argument.
func (a *analyzer) jsonArgs(c *callExpr, s *scope) (val, string) {
	a.countArgs(c, 1, 2)
	v := a.expr(c.args[0], s)
	if v.t.Kind != JSON {
		v = a.must(v, kind(String), c, "No matching signature for function %s for argument types: %s", c.name,
			v.t.name())
	}
	if len(c.args) == 1 {
		return v, ""
	}
	l, ok := c.args[1].(*literal)
	if !ok || l.kind != String {
		a.refuse(c.args[1], "A JSONPath that is no literal")
	}
	if !jsonPath.MatchString(l.text) {
		a.refuse(c.args[1], "JSONPath "+l.text)
	}
	return v, ", " + quoteString(l.text)
}

func orRoot(at string) string {
	if at == "" {
		return ", '$'"
	}
	return at
}

// whenValid gives NULL for a STRING that is not JSON.
func whenValid(v val, sql string) string {
	if v.t.Kind != String {
		return sql
	}
	return "(CASE WHEN json_valid(" + v.sql + ") THEN " + sql + " END)"
}

// jsonText writes a value's JSON as TO_JSON_STRING does.
func (a *analyzer) jsonText(c *callExpr, x string, t Type) string {
	var sql string
	quoted := func(s string) string { return `'"' || ` + s + ` || '"'` }
	switch t.Kind {
	case Int64: // beyond the integers that a FLOAT64 holds it is a string
		sql = "CASE WHEN " + x + " BETWEEN -9007199254740992 AND 9007199254740992 THEN CAST(" + x +
			" AS VARCHAR) ELSE " + quoted("CAST("+x+" AS VARCHAR)") + " END"
	case Bool:
		sql = "CAST(" + x + " AS VARCHAR)"
	case Float64:
		text := strings.ReplaceAll(floatText, "{1}", x)
		sql = "CASE WHEN isnan(" + x + ") THEN '\"NaN\"' WHEN isinf(" + x + ") THEN CASE WHEN " + x +
			" > 0 THEN '\"Infinity\"' ELSE '\"-Infinity\"' END ELSE " + text + " END"
	case Numeric:
		sql = castSQL(Numeric, String, x)
	case String:
		sql = "CAST(to_json(" + x + ") AS VARCHAR)"
	case JSON:
		sql = "CAST(" + x + " AS VARCHAR)"
	case Bytes:
		sql = quoted("to_base64(" + x + ")")
	case Date, Time:
		sql = quoted(castSQL(t.Kind, String, x))
	case Datetime:
		sql = quoted("replace(" + castSQL(Datetime, String, x) + ", ' ', 'T')")
	case Timestamp:
		sql = quoted("replace(" + castSQL(Datetime, String, "timezone('UTC', "+x+")") + ", ' ', 'T') || 'Z'")
	case Array:
		sql = "'[' || array_to_string(list_transform(" + x + ", lambda e: " + a.jsonText(c, "e", *t.Elem) +
			"), ',') || ']'"
	case Struct:
		var parts []string
		for i, n := range t.FieldNames() {
			f := a.jsonText(c, "struct_extract("+x+", "+quoteString(n)+")", t.Fields[i].Type)
			parts = append(parts, "CAST(to_json("+quoteString(t.Fields[i].Name)+") AS VARCHAR) || ':' || "+f)
		}
		sql = "CASE WHEN " + x + " IS NOT NULL THEN '{' || " + strings.Join(parts, " || ',' || ") + " || '}' END"
	default:
		a.refuse(c, "TO_JSON_STRING of "+t.name())
	}
	return "coalesce(" + sql + ", 'null')"
}
