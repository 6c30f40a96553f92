package googlesql

import (
	"regexp"
	"strings"
)

// formatCodes are the codes of FORMAT_DATE and its like in DuckDB's text; {1} is a
// civil TIMESTAMP. A text without {1} is a strftime format.
var formatCodes = map[string]string{
	"Y": "%Y", "y": "%y", "m": "%m", "d": "%d", "H": "%H", "I": "%I", "M": "%M", "S": "%S", "p": "%p", "j": "%j",
	"A": "%A", "a": "%a", "B": "%B", "b": "%b", "h": "%b", "U": "%U", "W": "%W", "V": "%V", "G": "%G", "u": "%u",
	"w": "%w",
	"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "x": "%m/%d/%y", "X": "%H:%M:%S", "%": "%%",
	"n": "\n", "t": "\t",
	"E4Y": "%Y",
	"e":   "lpad(strftime({1}, '%-d'), 2, ' ')",
	"k":   "lpad(strftime({1}, '%-H'), 2, ' ')",
	"l":   "lpad(strftime({1}, '%-I'), 2, ' ')",
	"P":   "lower(strftime({1}, '%p'))",
	"Q":   "CAST(extract(quarter FROM {1}) AS VARCHAR)",
	"s":   "CAST(epoch_us({1}) // 1000000 AS VARCHAR)",
	"c":   "(strftime({1}, '%a %b ') || lpad(strftime({1}, '%-d'), 2, ' ') || strftime({1}, ' %H:%M:%S %Y'))",
	"E1S": "left(strftime({1}, '%S.%f'), 4)", "E2S": "left(strftime({1}, '%S.%f'), 5)",
	"E3S": "left(strftime({1}, '%S.%f'), 6)",
	"E4S": "left(strftime({1}, '%S.%f'), 7)", "E5S": "left(strftime({1}, '%S.%f'), 8)", "E6S": "strftime({1}, '%S.%f')",
	"E*S": "regexp_replace(strftime({1}, '%S.%f'), '\\.?0+$', '')",
}

// parseCodes are the codes of PARSE_DATE and its like that DuckDB's strptime reads alike.
var parseCodes = map[string]string{
	"Y": "%Y", "m": "%m", "d": "%d", "e": "%d", "H": "%H", "I": "%I", "M": "%M", "S": "%S", "p": "%p", "y": "%y",
	"b": "%b", "B": "%B", "h": "%b",
	"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "%": "%%", "E4Y": "%Y",
}

var timeCodes = regexp.MustCompile(`[HIMSpPTRXklsc]`)

func init() {
	code("FORMAT_DATE FORMAT_DATETIME FORMAT_TIMESTAMP FORMAT_TIME", formatTemporal)
	code("PARSE_DATE PARSE_DATETIME PARSE_TIMESTAMP PARSE_TIME", parseTemporalCall)
	code("FORMAT", formatCall)
}

// splitCodes cuts a format into literal text and codes; a code has its % in front.
func splitCodes(f string) []string {
	var out []string
	for i := 0; i < len(f); {
		if f[i] != '%' || i+1 == len(f) {
			j := i + 1
			for j < len(f) && f[j] != '%' {
				j++
			}
			out = append(out, f[i:j])
			i = j
			continue
		}
		n := 2
		if f[i+1] == 'E' && i+2 < len(f) {
			n = 3
			if (f[i+2] == '*' || isDigit(f[i+2])) && i+3 < len(f) {
				n = 4
			}
		}
		out = append(out, f[i:i+n])
		i += n
	}
	return out
}

// formatArg is the format, which must be a literal.
func (a *analyzer) formatArg(c *callExpr) string {
	l, ok := c.args[0].(*literal)
	if !ok || l.kind != String {
		a.refuse(c.args[0], "A format that is no literal")
	}
	return l.text
}

func formatTemporal(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	f := a.formatArg(c)
	k := Kind(strings.TrimPrefix(c.name, "FORMAT_"))
	v := a.expr(c.args[1], s)
	if k == Date && (v.t.Kind == Datetime || v.t.Kind == Timestamp) {
		k = v.t.Kind
	}
	v = a.must(v, kind(k), c, "No matching signature for function %s for argument types: STRING, %s", c.name,
		v.t.name())
	var x, zone string
	switch k {
	case Timestamp:
		zone = a.zone(nil, s)
		if len(c.args) == 3 {
			zone = a.zone(c.args[2], s)
		}
		x = "timezone(" + zone + ", " + v.sql + ")"
	case Time:
		x = "(DATE '1970-01-01' + " + v.sql + ")"
	default:
		x = "CAST(" + v.sql + " AS TIMESTAMP)"
	}
	parts := []string{"''"}
	for _, p := range splitCodes(f) {
		if p[0] != '%' || len(p) == 1 {
			parts = append(parts, quoteString(p))
			continue
		}
		sql, ok := formatCodes[p[1:]]
		switch {
		case k == Timestamp && p == "%Z" && zone == quoteString(defaultZone):
			sql = zone
		case k == Timestamp && (p == "%z" || p == "%Ez"):
			sql = offsetText(v.sql, zone, map[string]string{"%Ez": ":"}[p], false)
		case !ok, k == Date && timeCodes.MatchString(p[1:]), k == Time && !timeCodes.MatchString(p[1:]) && p != "%%":
			a.refuse(c.args[0], c.name+" with "+p)
		case strings.Contains(sql, "{1}"):
			sql = strings.ReplaceAll(sql, "{1}", x)
		default:
			sql = "strftime(" + x + ", " + quoteString(sql) + ")"
		}
		parts = append(parts, sql)
	}
	return merge("(CASE WHEN "+v.sql+" IS NOT NULL THEN "+strings.Join(parts, " || ")+" END)", kind(String), v)
}

func parseTemporalCall(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 2, 3)
	f := a.formatArg(c)
	k := Kind(strings.TrimPrefix(c.name, "PARSE_"))
	v := a.expr(c.args[1], s)
	v = a.must(v, kind(String), c, "No matching signature for function %s for argument types: STRING, %s", c.name,
		v.t.name())
	var b strings.Builder
	hasYear := k == Time
	for _, p := range splitCodes(f) {
		if p[0] != '%' || len(p) == 1 {
			b.WriteString(p)
			continue
		}
		code, ok := parseCodes[p[1:]]
		if !ok || k == Date && timeCodes.MatchString(p[1:]) {
			a.refuse(c.args[0], c.name+" with "+p)
		}
		hasYear = hasYear || strings.Contains(strings.ToLower(code), "%y")
		b.WriteString(code)
	}
	if !hasYear { // GoogleSQL's year would be 1970, DuckDB's is 1900
		a.refuse(c.args[0], c.name+" without a year")
	}
	sql := "strptime(" + v.sql + ", " + quoteString(b.String()) + ")"
	if k == Timestamp {
		var zone expr
		if len(c.args) == 3 {
			zone = c.args[2]
		}
		return merge("timezone("+a.zone(zone, s)+", "+sql+")", kind(k), v)
	}
	return merge("CAST("+sql+" AS "+duckKinds[k]+")", kind(k), v)
}

var formatSpec = regexp.MustCompile(`%(['0-9.\-+]*)([a-zA-Z%])`)

// formatCall writes FORMAT with a literal format and plain specifiers.
func formatCall(a *analyzer, c *callExpr, s *scope) val {
	a.countArgs(c, 1, 1000)
	f := a.formatArg(c)
	vs := a.args(c, s)
	parts := []string{"''"}
	next, last := 1, 0
	for _, m := range formatSpec.FindAllStringSubmatchIndex(f, -1) {
		parts = append(parts, quoteString(f[last:m[0]]))
		last = m[1]
		flags, verb := f[m[2]:m[3]], f[m[4]:m[5]]
		if verb == "%" {
			parts = append(parts, "'%'")
			continue
		}
		if next >= len(vs) {
			a.fail(c, "Too few arguments to FORMAT for pattern %s", quoteLit(f))
		}
		parts = append(parts, a.formatOne(c, c.args[next], vs[next], flags, verb))
		next++
	}
	if next != len(vs) {
		a.fail(c, "Too many arguments to FORMAT for pattern %s", quoteLit(f))
	}
	parts = append(parts, quoteString(f[last:]))
	return merge("("+strings.Join(parts, " || ")+")", kind(String), vs...)
}

var plainFlags = regexp.MustCompile(`^0?[1-9]?[0-9]*(\.[0-9]+)?$`)

func (a *analyzer) formatOne(c *callExpr, x expr, v val, flags, verb string) string {
	grouped := strings.HasPrefix(flags, "'")
	rest := strings.TrimPrefix(flags, "'")
	if !plainFlags.MatchString(rest) || grouped && strings.Trim(rest, ".0123456789") != "" {
		a.refuse(c.args[0], "FORMAT with %"+flags+verb)
	}
	switch {
	case verb == "s" && rest == "" && !grouped:
		return a.must(v, kind(String), x, "Invalid type for argument of FORMAT; Expected STRING; Got %s",
			v.t.name()).sql
	case (verb == "d" || verb == "i") && !strings.Contains(rest, "."):
		n := a.must(v, kind(Int64), x, "Invalid type for argument of FORMAT; Expected INT64; Got %s", v.t.name())
		if grouped && rest == "" {
			return "format('{:,}', " + n.sql + ")"
		}
		if !grouped {
			return "printf('%" + rest + "d', " + n.sql + ")"
		}
	case verb == "f" && v.t.Kind != Numeric:
		n := a.must(v, kind(Float64), x, "Invalid type for argument of FORMAT; Expected FLOAT64; Got %s", v.t.name())
		if rest == "" {
			rest = ".6"
		}
		if grouped {
			return "format('{:," + rest + "f}', " + n.sql + ")"
		}
		return "printf('%" + rest + "f', " + n.sql + ")"
	case verb == "f" && len(rest) == 2 && rest[0] == '.' && rest[1] != '0':
		out := "CAST(CAST(" + v.sql + " AS DECIMAL(38," + rest[1:] + ")) AS VARCHAR)"
		if grouped {
			a.refuse(c.args[0], "FORMAT of a NUMERIC with %"+flags+verb)
		}
		return out
	case verb == "t" && flags == "" && a.castSQL(v.t.Kind, String, v.sql) != "":
		return "coalesce(" + a.castSQL(v.t.Kind, String, v.sql) + ", 'NULL')"
	case verb == "t" && flags == "" && v.t.Kind == String:
		return "coalesce(" + v.sql + ", 'NULL')"
	}
	a.refuse(c.args[0], "FORMAT with %"+flags+verb)
	return ""
}
