package googlesql

import "strings"

// castFormat analyzes CAST with FORMAT.
func (a *analyzer) castFormat(x *castExpr, v val, s *scope) val {
	f := a.expr(x.format, s)
	f = a.must(f, kind(String), x.format, "FORMAT of CAST must be a STRING, but is %s", f.t.name())
	to := x.to.bare()
	if v.untyped() {
		v, _ = a.coerce(v, kind(String))
		if to.Kind == String {
			v, _ = a.coerce(v, kind(Bytes))
		}
	}
	from := v.t.Kind
	if x.zone != nil && from != Timestamp && to.Kind != Timestamp {
		a.fail(x.zone, "AT TIME ZONE is not allowed for cast from %s to %s", v.t.name(), to)
	}
	times := map[Kind]bool{Date: true, Time: true, Datetime: true, Timestamp: true}
	var text func(n []string) string
	switch {
	case from == Bytes && to.Kind == String:
		text = func(n []string) string { return "bq_cast_bytes_text(" + n[0] + ", " + n[1] + ")" }
	case from == String && to.Kind == Bytes:
		text = func(n []string) string { return "bq_cast_text_bytes(" + n[0] + ", " + n[1] + ")" }
	case times[from] && to.Kind == String:
		zone := a.zone(x.zone, s)
		text = func(n []string) string {
			return "bq_cast_format_" + strings.ToLower(string(from)) + "(" + n[0] + ", " + n[1] + ", " + zone + ")"
		}
	case from == String && times[to.Kind]:
		zone := a.zone(x.zone, s)
		text = func(n []string) string {
			return "bq_cast_parse_" + strings.ToLower(string(to.Kind)) + "(" + n[0] + ", " + n[1] + ", now(), " + zone +
				")"
		}
	case from == BigNumeric && to.Kind == String:
		a.refuse(x, "CAST of a BIGNUMERIC with FORMAT")
	case v.t.numeric() && to.Kind == String:
		text = func(n []string) string {
			return "bq_cast_number_" + strings.ToLower(string(from)) + "(" + n[0] + ", " + n[1] + ")"
		}
	default:
		a.fail(x, "FORMAT is not allowed for cast from %s to %s", v.t.name(), to)
	}
	if !x.safe {
		return merge(fit(val{sql: text([]string{v.sql, f.sql}), t: to}, x.to).sql, to, v, f)
	}
	return a.safe([]val{v, f}, to, func(n []string) string { return fit(val{sql: text(n), t: to}, x.to).sql })
}
