package googlesql

import (
	"regexp"
	"strings"
)

// whitespace is what TRIM removes: Unicode's white space.
var whitespace = quoteString(
	" " +
		"\t\n\v\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005" +
		"\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")

func init() {
	def("UPPER", "STRING -> STRING", "upper({1})")
	def("LOWER", "STRING -> STRING", "lower({1})")
	def("LENGTH", "STRING -> INT64", "length({1})")
	def("LENGTH", "BYTES -> INT64", "octet_length({1})")
	def("CHAR_LENGTH CHARACTER_LENGTH", "STRING -> INT64", "length({1})")
	def("BYTE_LENGTH OCTET_LENGTH", "STRING -> INT64", "strlen({1})")
	def("BYTE_LENGTH OCTET_LENGTH", "BYTES -> INT64", "octet_length({1})")
	def("REVERSE", "STRING -> STRING", "array_to_string(list_reverse(string_split({1}, '')), '')")
	def("TRIM", "STRING -> STRING", "trim({1}, "+whitespace+")")
	def("LTRIM", "STRING -> STRING", "ltrim({1}, "+whitespace+")")
	def("RTRIM", "STRING -> STRING", "rtrim({1}, "+whitespace+")")
	def("TRIM", "STRING, STRING -> STRING", "trim({1}, {2})")
	def("LTRIM", "STRING, STRING -> STRING", "ltrim({1}, {2})")
	def("RTRIM", "STRING, STRING -> STRING", "rtrim({1}, {2})")
	def("REPLACE", "STRING, STRING, STRING -> STRING", "(CASE WHEN {2} = '' THEN {1} ELSE replace({1}, {2}, {3}) END)")
	def("STARTS_WITH", "STRING, STRING -> BOOL", "starts_with({1}, {2})")
	def("ENDS_WITH", "STRING, STRING -> BOOL", "ends_with({1}, {2})")
	def("STRPOS INSTR", "STRING, STRING -> INT64", "CAST(strpos({1}, {2}) AS BIGINT)")
	def("ASCII UNICODE", "STRING -> INT64", "(CASE WHEN {1} = '' THEN 0 ELSE CAST(unicode({1}) AS BIGINT) END)")
	def("CHR", "INT64 -> STRING", "(CASE WHEN {1} = 0 THEN '' ELSE chr(CAST({1} AS INTEGER)) END)")
	def("REPEAT", "STRING, INT64 -> STRING", "(CASE WHEN {2} < 0 THEN error('Second argument in REPEAT cannot be "+
		"negative') ELSE repeat({1}, {2}) END)")
	for name, fn := range map[string]string{"LPAD": "lpad", "RPAD": "rpad"} {
		guard := "(CASE WHEN {2} < 0 THEN error('Second argument in " + name + " cannot be negative') ELSE " + fn +
			"({1}, CAST({2} AS INTEGER), "
		def(name, "STRING, INT64 -> STRING", guard+"' ') END)")
		def(name, "STRING, INT64, STRING -> STRING", guard+"{3}) END)")
	}
	for name, fn := range map[string]string{"LEFT": "left", "RIGHT": "right"} {
		def(name, "STRING, INT64 -> STRING", "(CASE WHEN {2} < 0 THEN error('Second argument in "+name+
			"() must not be negative') ELSE "+fn+"({1}, {2}) END)")
	}
	// Position 0 and those before the first character mean the first one.
	start := "(CASE WHEN {2} = 0 OR {2} < -length({1}) THEN 1 ELSE {2} END)"
	def("SUBSTR SUBSTRING", "STRING, INT64 -> STRING", "substr({1}, "+start+")")
	def("SUBSTR SUBSTRING", "STRING, INT64, INT64 -> STRING",
		"(CASE WHEN {3} < 0 THEN error('Third argument in SUBSTR() cannot be negative') ELSE substr({1}, "+start+
			", {3}) END)")
	def("TO_HEX", "BYTES -> STRING", "lower(hex({1}))")
	def("FROM_HEX", "STRING -> BYTES", "unhex({1})")
	def("TO_BASE64", "BYTES -> STRING", "to_base64({1})")
	def("FROM_BASE64", "STRING -> BYTES", "from_base64({1})")
	for _, k := range []string{"STRING", "BYTES"} {
		def("MD5", k+" -> BYTES", "unhex(md5({1}))")
		def("SHA1", k+" -> BYTES", "unhex(sha1({1}))")
		def("SHA256", k+" -> BYTES", "unhex(sha256({1}))")
	}
	def("SAFE_CONVERT_BYTES_TO_STRING", "BYTES -> STRING", "")
	def("GENERATE_UUID", "-> STRING", "CAST(uuid() AS VARCHAR)")
	code("SESSION_USER", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 0, 0)
		return val{sql: quoteString(a.opts.SessionUser) + "::VARCHAR", t: kind(String)}
	})
	code("CONCAT", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1000)
		vs := a.args(c, s)
		want := kind(String)
		for _, v := range vs {
			if v.t.Kind == Bytes {
				want = kind(Bytes)
			}
		}
		for i := range vs {
			w, ok := a.coerce(vs[i], want)
			if !ok {
				a.noSignature(c, vs)
			}
			vs[i] = w
		}
		return merge("("+joinWith(vs, " || ")+")", want, vs...)
	})
	code("SPLIT", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		vs := a.args(c, s)
		if len(vs) == 1 {
			vs = append(vs, val{sql: "','", t: kind(String)})
		}
		for i := range vs {
			if vs[i].t.Kind == Bytes {
				a.refuse(c, "SPLIT of BYTES")
			}
			vs[i] = a.must(vs[i], kind(String), c, "No matching signature for function SPLIT for argument types: %s",
				typeList(vs))
		}
		return merge("(CASE WHEN "+vs[0].sql+" = '' THEN [''] ELSE string_split("+joinSQL(vs)+") END)",
			arrayOf(kind(String)), vs...)
	})
	code("REGEXP_CONTAINS", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 2, 2)
		vs := a.regexpArgs(c, s)
		return merge("regexp_matches("+joinSQL(vs)+")", kind(Bool), vs...)
	})
	code("REGEXP_REPLACE", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 3, 3)
		vs := a.regexpArgs(c, s)
		return merge("regexp_replace("+joinSQL(vs)+", 'g')", kind(String), vs...)
	})
	code("REGEXP_EXTRACT REGEXP_SUBSTR REGEXP_EXTRACT_ALL", regexpExtract)
}

// regexpArgs types the arguments and checks a literal pattern: both sides use RE2.
func (a *analyzer) regexpArgs(c *callExpr, s *scope) []val {
	vs := a.args(c, s)
	for i := range vs {
		if vs[i].t.Kind == Bytes {
			a.refuse(c, c.name+" of BYTES")
		}
		vs[i] = a.must(vs[i], kind(String), c, "No matching signature for function %s for argument types: %s", c.name,
			typeList(vs))
	}
	if l, ok := c.args[1].(*literal); ok && l.kind == String {
		if _, err := regexp.Compile(l.text); err != nil {
			a.fail(c.args[1], "Cannot parse regular expression: %s",
				strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	return vs
}

func regexpExtract(a *analyzer, c *callExpr, s *scope) val {
	if len(c.args) > 2 {
		a.refuse(c, c.name+" with a position")
	}
	a.countArgs(c, 2, 2)
	vs := a.regexpArgs(c, s)
	l, ok := c.args[1].(*literal)
	if !ok || l.kind != String {
		a.refuse(c.args[1], c.name+" with a pattern that is no literal")
	}
	group := "0"
	switch n := regexp.MustCompile(l.text).NumSubexp(); {
	case n == 1:
		group = "1"
	case n > 1:
		a.fail(c.args[1], "Regular expression has more than 1 capturing group")
	}
	if c.name == "REGEXP_EXTRACT_ALL" {
		return merge("regexp_extract_all("+joinSQL(vs)+", "+group+")", arrayOf(kind(String)), vs...)
	}
	return merge("(CASE WHEN regexp_matches("+joinSQL(vs)+") THEN regexp_extract("+joinSQL(vs)+", "+group+") END)",
		kind(String), vs...)
}
