package googlesql

import (
	"regexp"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// both adds a function that STRING and BYTES share. T in the signature is either type, and {t} in
// the text is its name in lower case.
func both(names, sig, sql string) {
	for _, k := range []string{"STRING", "BYTES"} {
		def(names, eitherType.ReplaceAllString(sig, k), strings.ReplaceAll(sql, "{t}", strings.ToLower(k)))
	}
}

var eitherType = regexp.MustCompile(`\bT\b`)

func init() {
	def("NET.IP_FROM_STRING", "STRING -> BYTES", "bq_net_ip_from_string({1})")
	def("NET.SAFE_IP_FROM_STRING", "STRING -> BYTES", "bq_net_safe_ip_from_string({1})")
	def("NET.IP_TO_STRING", "BYTES -> STRING", "bq_net_ip_to_string({1})")
	def("NET.IP_NET_MASK", "INT64, INT64 -> BYTES", "bq_net_ip_net_mask({1}, {2})")
	def("NET.IP_TRUNC", "BYTES, INT64 -> BYTES", "bq_net_ip_trunc({1}, {2})")
	def("NET.IPV4_FROM_INT64", "INT64 -> BYTES", "bq_net_ipv4_from_int64({1})")
	def("NET.IPV4_TO_INT64", "BYTES -> INT64", "bq_net_ipv4_to_int64({1})")
	def("NET.HOST", "STRING -> STRING", "bq_net_host({1})")
	def("NET.PUBLIC_SUFFIX", "STRING -> STRING", "bq_net_public_suffix({1})")
	def("NET.REG_DOMAIN", "STRING -> STRING", "bq_net_reg_domain({1})")
	def("UPPER", "STRING -> STRING", "bq_upper({1})")
	def("LOWER", "STRING -> STRING", "bq_lower({1})")
	def("UPPER", "BYTES -> BYTES", "bq_upper_bytes({1})")
	def("LOWER", "BYTES -> BYTES", "bq_lower_bytes({1})")
	def("LENGTH", "STRING -> INT64", "length({1})")
	def("LENGTH", "BYTES -> INT64", "octet_length({1})")
	def("CHAR_LENGTH CHARACTER_LENGTH", "STRING -> INT64", "length({1})")
	def("BYTE_LENGTH OCTET_LENGTH", "STRING -> INT64", "strlen({1})")
	def("BYTE_LENGTH OCTET_LENGTH", "BYTES -> INT64", "octet_length({1})")
	both("REVERSE", "T -> T", "bq_reverse_{t}({1})")
	for _, name := range []string{"TRIM", "LTRIM", "RTRIM"} {
		f := "bq_" + strings.ToLower(name)
		def(name, "STRING -> STRING", f+"({1})")
		both(name, "T, T -> T", f+"_of_{t}({1}, {2})")
	}
	both("REPLACE", "T, T, T -> T", "bq_replace_{t}({1}, {2}, {3})")
	both("STARTS_WITH", "T, T -> BOOL", "bq_starts_with_{t}({1}, {2})")
	both("ENDS_WITH", "T, T -> BOOL", "bq_ends_with_{t}({1}, {2})")
	both("STRPOS INSTR", "T, T -> INT64", "bq_strpos_{t}({1}, {2}, 1, 1)")
	both("INSTR", "T, T, INT64 -> INT64", "bq_strpos_{t}({1}, {2}, {3}, 1)")
	both("INSTR", "T, T, INT64, INT64 -> INT64", "bq_strpos_{t}({1}, {2}, {3}, {4})")
	def("ASCII", "STRING -> INT64", "bq_ascii({1})")
	def("UNICODE", "STRING -> INT64", "bq_unicode({1})")
	def("CHR", "INT64 -> STRING", "bq_chr({1})")
	both("REPEAT", "T, INT64 -> T", "bq_repeat_{t}({1}, {2})")
	for _, name := range []string{"LPAD", "RPAD"} {
		f := "bq_" + strings.ToLower(name) + "_"
		def(name, "STRING, INT64 -> STRING", f+"string({1}, {2}, ' ')")
		def(name, "BYTES, INT64 -> BYTES", f+"bytes({1}, {2}, '\\x20'::BLOB)")
		both(name, "T, INT64, T -> T", f+"{t}({1}, {2}, {3})")
	}
	both("LEFT", "T, INT64 -> T", "bq_left_{t}({1}, {2})")
	both("RIGHT", "T, INT64 -> T", "bq_right_{t}({1}, {2})")
	both("SUBSTR SUBSTRING", "T, INT64 -> T", "bq_substr_{t}({1}, {2}, 9223372036854775807)")
	both("SUBSTR SUBSTRING", "T, INT64, INT64 -> T", "bq_substr_{t}({1}, {2}, {3})")
	both("TRANSLATE", "T, T, T -> T", "bq_translate_{t}({1}, {2}, {3})")
	def("INITCAP", "STRING -> STRING", "bq_initcap({1})")
	def("INITCAP", "STRING, STRING -> STRING", "bq_initcap_by({1}, {2})")
	def("SOUNDEX", "STRING -> STRING", "bq_soundex({1})")
	def("TO_CODE_POINTS", "STRING -> ARRAY<INT64>", "bq_code_points({1})")
	def("TO_CODE_POINTS", "BYTES -> ARRAY<INT64>", "bq_code_points_bytes({1})")
	def("CODE_POINTS_TO_STRING", "ARRAY<INT64> -> STRING", "bq_from_code_points({1})")
	def("CODE_POINTS_TO_BYTES", "ARRAY<INT64> -> BYTES", "bq_from_code_points_bytes({1})")
	def("TO_HEX", "BYTES -> STRING", "lower(hex({1}))")
	def("FROM_HEX", "STRING -> BYTES", "bq_from_hex({1})")
	def("TO_BASE64", "BYTES -> STRING", "to_base64({1})")
	def("FROM_BASE64", "STRING -> BYTES", "bq_from_base64({1})")
	def("TO_BASE32", "BYTES -> STRING", "bq_to_base32({1})")
	def("FROM_BASE32", "STRING -> BYTES", "bq_from_base32({1})")
	for _, name := range []string{"MD5", "SHA1", "SHA256", "SHA512"} {
		both(name, "T -> BYTES", "bq_"+strings.ToLower(name)+"_{t}({1})")
	}
	both("FARM_FINGERPRINT", "T -> INT64", "bq_farm_fingerprint_{t}({1})")
	code("EDIT_DISTANCE", editDistance)
	def("SAFE_CONVERT_BYTES_TO_STRING", "BYTES -> STRING", "bq_safe_text({1})")
	def("GENERATE_UUID", "-> STRING", "CAST(uuid() AS VARCHAR)")
	code("SESSION_USER", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 0, 0)
		return val{sql: quoteString(a.opts.SessionUser) + "::VARCHAR", t: kind(String)}
	})
	code("NORMALIZE NORMALIZE_AND_CASEFOLD", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		mode := "NFC"
		if len(c.args) == 2 {
			mode = word(c.args[1])
			if !strings.Contains(" NFC NFD NFKC NFKD ", " "+mode+" ") || mode == "" {
				a.fail(c.args[1], "The mode of %s must be NFC, NFD, NFKC or NFKD", c.name)
			}
		}
		v := a.expr(c.args[0], s)
		w, ok := a.coerce(v, kind(String))
		if !ok {
			a.noSignature(c, []val{v})
		}
		fold := "FALSE"
		if c.name == "NORMALIZE_AND_CASEFOLD" {
			fold = "TRUE"
		}
		return merge("bq_normalize("+w.sql+", '"+mode+"', "+fold+")", kind(String), v)
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
		parts := make([]val, len(vs))
		for i, v := range vs {
			w, ok := a.coerce(v, want)
			if !ok && want.Kind == String && concatCasts[v.t.Kind] {
				w, ok = val{sql: a.castSQL(v.t.Kind, String, v.sql), t: want}, true
			}
			if !ok {
				a.noSignature(c, vs)
			}
			parts[i] = w
		}
		return merge("("+joinWith(parts, " || ")+")", want, vs...)
	})
	code("SPLIT", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 2)
		vs := a.args(c, s)
		t := kind(String)
		if vs[0].t.Kind == Bytes {
			t = kind(Bytes)
		}
		if len(vs) == 1 {
			if t.Kind == Bytes {
				a.noSignature(c, vs)
			}
			vs = append(vs, val{sql: "','", t: t})
		}
		for i := range vs {
			vs[i] = a.must(vs[i], t, c, "No matching signature for function SPLIT for argument types: %s", typeList(vs))
		}
		return merge("bq_split_"+strings.ToLower(string(t.Kind))+"("+joinSQL(vs)+")", arrayOf(t), vs...)
	})
	code("CONTAINS_SUBSTR", containsSubstr)
	code("REGEXP_CONTAINS REGEXP_REPLACE REGEXP_EXTRACT REGEXP_SUBSTR REGEXP_EXTRACT_ALL REGEXP_INSTR", regexpCall)
}

// concatCasts are the types that CONCAT turns into STRING.
var concatCasts = map[Kind]bool{Int64: true, Float64: true, Numeric: true, Bool: true, Date: true, Time: true,
	Datetime:  true,
	Timestamp: true}

// regexps has the functions of regular expressions: their number of arguments, the type of
// the result ("" means that of the first argument), and the default values of arguments.
var regexps = map[string]struct {
	lo, hi   int
	result   string
	defaults []string
	sql      string
}{
	"REGEXP_CONTAINS":    {2, 2, "BOOL", nil, "bq_regexp_contains"},
	"REGEXP_REPLACE":     {3, 3, "", nil, "bq_regexp_replace"},
	"REGEXP_EXTRACT":     {2, 4, "", []string{"1", "1"}, "bq_regexp_extract"},
	"REGEXP_SUBSTR":      {2, 4, "", []string{"1", "1"}, "bq_regexp_extract"},
	"REGEXP_EXTRACT_ALL": {2, 2, "ARRAY", nil, "bq_regexp_extract_all"},
	"REGEXP_INSTR":       {2, 5, "INT64", []string{"1", "1", "0"}, "bq_regexp_instr"},
}

func regexpCall(a *analyzer, c *callExpr, s *scope) val {
	f := regexps[c.name]
	a.countArgs(c, f.lo, f.hi)
	vs := a.args(c, s)
	t := kind(String)
	if vs[0].t.Kind == Bytes || vs[1].t.Kind == Bytes {
		t = kind(Bytes)
	}
	texts := 2
	if c.name == "REGEXP_REPLACE" {
		texts = 3
	}
	for i := range vs {
		want := kind(Int64)
		if i < texts {
			want = t
		}
		w, ok := a.coerce(vs[i], want)
		if !ok {
			a.noSignature(c, vs)
		}
		vs[i] = w
	}
	if l, ok := c.args[1].(*literal); ok && l.kind == String {
		if msg := builtin.PatternError(l.text); msg != "" {
			a.fail(c.args[1], "Cannot parse regular expression: %s", msg)
		}
	}
	args := joinSQL(vs)
	if missing := f.hi - len(vs); missing > 0 {
		args += ", " + strings.Join(f.defaults[len(f.defaults)-missing:], ", ")
	}
	result := t
	switch f.result {
	case "ARRAY":
		result = arrayOf(t)
	case "":
	default:
		result = kind(Kind(f.result))
	}
	return merge(f.sql+"_"+strings.ToLower(string(t.Kind))+"("+args+")", result, vs...)
}

// containsSubstr looks for a text in a value's scalars, without regard to case.
func containsSubstr(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 2)
	a.onlyNamed(c, "json_scope")
	v, part := a.expr(c.args[0], s), a.expr(c.args[1], s)
	w, ok := a.coerce(part, kind(String))
	if !ok {
		a.noSignature(c, []val{v, part})
	}
	if l := part.lit; l != nil && l.kind == String && l.text == "" {
		a.fail(c.args[1], "The second argument of CONTAINS_SUBSTR must not be empty")
	}
	scope := val{sql: "'JSON_VALUES'"}
	if x := c.namedArg("json_scope"); x != nil {
		scope = a.expr(x, s)
		scope = a.must(scope, kind(String), x, "json_scope must be a STRING, but is %s", scope.t.name())
	}
	if v.t.Kind == JSON {
		return merge("bq_contains_substr_json("+w.sql+", "+v.sql+", "+scope.sql+")", kind(Bool), v, part)
	}
	texts := a.searched(c, v.sql, resolved(v.t))
	return merge("bq_contains_substr("+w.sql+", "+texts+")", kind(Bool), v, part)
}

// searched returns the list of a value's texts that CONTAINS_SUBSTR looks
// through.
func (a *analyzer) searched(c *callExpr, x string, t Type) string {
	switch t.Kind {
	case String:
		return "[" + x + "]"
	case Array:
		return "flatten(list_transform(" + x + ", lambda e: " + a.searched(c, "e", *t.Elem) + "))"
	case Struct:
		var lists []string
		for i, n := range t.FieldNames() {
			lists = append(lists, a.searched(c, "struct_extract("+x+", "+quoteString(n)+")", t.Fields[i].Type))
		}
		return "flatten([" + strings.Join(lists, ", ") + "])"
	}
	sql := a.castSQL(t.Kind, String, x)
	if sql == "" || t.Kind == Bytes {
		a.refuse(c, "CONTAINS_SUBSTR of "+t.name())
	}
	return "[" + sql + "]"
}

func editDistance(a *analyzer, c *callExpr, s *scope) val {
	a.onlyNamed(c, "max_distance")
	a.countArgs(c, 2, 2)
	vs := a.args(c, s)
	t := kind(String)
	if vs[0].t.Kind == Bytes || vs[1].t.Kind == Bytes {
		t = kind(Bytes)
	}
	most := val{sql: "9223372036854775807", t: kind(Int64)}
	if x := c.namedArg("max_distance"); x != nil {
		most = a.expr(x, s)
	}
	vs = append(vs, most)
	for i, want := range []Type{t, t, kind(Int64)} {
		w, ok := a.coerce(vs[i], want)
		if !ok {
			a.noSignature(c, vs)
		}
		vs[i] = w
	}
	return merge("bq_edit_distance_"+strings.ToLower(string(t.Kind))+"("+joinSQL(vs)+")", kind(Int64), vs...)
}
