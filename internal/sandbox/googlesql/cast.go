package googlesql

import "strings"

// cast analyzes CAST and SAFE_CAST.
func (a *analyzer) cast(x *castExpr, s *scope) val {
	v := a.expr(x.x, s)
	to := x.to.bare()
	if x.safe && !v.untyped() && !v.t.equal(to) {
		return a.safeCast(v, x)
	}
	out := a.castValue(v, to, x)
	return fit(merge(out.sql, to, v), x.to)
}

// safeCast gives NULL where the conversion fails; errors of the operand stay errors.
func (a *analyzer) safeCast(v val, x *castExpr) val {
	to := x.to.bare()
	if x.to.Precision > 0 || x.to.MaxLength > 0 {
		a.refuse(x, "SAFE_CAST to "+x.to.String())
	}
	if v.lit != nil && v.t.Kind == String {
		w, ok := a.literalCast(v, to)
		switch {
		case !ok:
			return val{sql: "CAST(NULL AS " + to.DuckDB() + ")", t: to}
		case w != "":
			return val{sql: w, t: to}
		}
	}
	pair := [2]Kind{v.t.Kind, to.Kind}
	switch text := a.castText(v.t.Kind, to.Kind); {
	case text == "" && (v.t.Kind == Array || v.t.Kind == Struct):
		a.refuse(x, "SAFE_CAST of "+v.t.name())
	case text == "":
		a.fail(x, "Invalid cast from %s to %s", v.t.name(), to)
	case pair == [2]Kind{Bytes, String}:
		return a.safe(&callExpr{node: x.node, name: "CAST"}, merge(castSQL(Bytes, String, v.sql), to, v))
	default:
		text = strings.ReplaceAll(text, "CAST(", "TRY_CAST(")
		return merge(strings.ReplaceAll(text, "{1}", v.sql), to, v)
	}
	return val{}
}

// castValue converts v, or fails where GoogleSQL has no such cast.
func (a *analyzer) castValue(v val, to Type, x *castExpr) val {
	if v.param > 0 && v.untyped() { // the cast gives the parameter its type
		w, _ := a.coerce(v, to)
		return w
	}
	if v.untyped() || v.t.equal(to) {
		w, _ := a.coerce(v, to)
		return w
	}
	from := v.t.Kind
	if v.lit != nil && from == String {
		w, ok := a.literalCast(v, to)
		switch {
		case ok && w != "":
			return val{sql: w, t: to}
		case !ok:
			a.fail(x.x, "Could not cast literal %s to type %s", quoteLit(v.lit.text), to)
		}
	}
	if sql := a.castSQL(from, to.Kind, v.sql); sql != "" {
		return val{sql: sql, t: to}
	}
	switch {
	case from == Array && to.Kind == Array:
		if sql := a.castSQL(v.t.Elem.Kind, to.Elem.Kind, "x"); sql != "" && v.t.Elem.Kind != to.Elem.Kind {
			return val{sql: "list_transform(" + v.sql + ", lambda x: " + sql + ")", t: to}
		}
	case from == Struct && to.Kind == Struct:
		if w, ok := a.coerce(v, to); ok {
			return w
		}
		a.refuse(x, "CAST from "+v.t.name()+" to "+to.String())
	}
	a.fail(x, "Invalid cast from %s to %s", v.t.name(), to)
	return val{}
}

// literalCast converts a STRING literal at once, so that its errors have a position. The
// text is "" where the conversion is left to DuckDB.
func (a *analyzer) literalCast(v val, to Type) (string, bool) {
	switch to.Kind {
	case Date, Time, Datetime, Timestamp:
		return a.temporalLiteral(to.Kind, v.lit.text)
	case Numeric:
		s, ok := numericText(v.lit.text)
		return "'" + s + "'::DECIMAL(38,9)", ok
	case Int64:
		return "", integerForm.MatchString(v.lit.text)
	case Bool:
		l := strings.ToLower(v.lit.text)
		return strings.ToUpper(l), l == "true" || l == "false"
	}
	return "", true
}

// casts are GoogleSQL's casts between scalar types in DuckDB's text; {1} is the value.
var casts = map[[2]Kind]string{
	{Int64, Float64}: "CAST({1} AS DOUBLE)",
	{Int64, Numeric}: "CAST({1} AS DECIMAL(38,9))",
	{Int64, String}:  "CAST({1} AS VARCHAR)",
	{Int64, Bool}:    "({1} <> 0)",
	{Bool, Int64}:    "CAST({1} AS BIGINT)",
	{Bool, String}:   "CAST({1} AS VARCHAR)",
	// DuckDB rounds half to even here, GoogleSQL away from zero.
	{Float64, Int64}:   "CAST(round({1}) AS BIGINT)",
	{Float64, Numeric}: "CAST({1} AS DECIMAL(38,9))",
	{Float64, String}:  floatText,
	{Numeric, Int64}:   "CAST(round({1}) AS BIGINT)",
	{Numeric, Float64}: "CAST({1} AS DOUBLE)",
	{Numeric, String}:  numericString,
	{String, Int64}:    guarded(`[+-]?([0-9]+|0[xX][0-9a-fA-F]+)`, "int64", "BIGINT"),
	{String, Float64}:  guarded(`(?i)[+-]?(`+decimalText+`|inf|infinity|nan)`, "double", "DOUBLE"),
	{String, Numeric}: "(CASE WHEN contains({1}, '_') THEN CAST('Invalid numeric: ' || {1} AS DECIMAL(38,9)) ELSE " +
		"CAST({1} AS DECIMAL(38,9)) END)",
	{String, Bool}: "(CASE WHEN lower({1}) = 'true' THEN TRUE WHEN lower({1}) = 'false' THEN FALSE WHEN {1} IS NOT " +
		"NULL" +
		" THEN CAST('Bad bool value: ' || {1} AS BOOLEAN) END)",
	{String, Bytes}:    "encode({1})",
	{Bytes, String}:    "decode({1})",
	{String, Date}:     guarded(dateText, "date", "DATE"),
	{String, Time}:     guarded(timeText, "time", "TIME"),
	{String, Datetime}: guarded(dateText+`([ Tt]`+timeText+`)?`, "datetime", "TIMESTAMP"),
	{String, Timestamp}: guarded(dateText+`([ Tt]`+timeText+` ?([Zz]|[+-][0-9:]+|[A-Za-z_]+(/[A-Za-z_]+)*)?)?`,
		"timestamp", "TIMESTAMPTZ"),
	{Date, String}:        "CAST({1} AS VARCHAR)",
	{Date, Datetime}:      "CAST({1} AS TIMESTAMP)",
	{Date, Timestamp}:     "timezone('UTC', CAST({1} AS TIMESTAMP))",
	{Datetime, Date}:      "CAST({1} AS DATE)",
	{Datetime, Time}:      "CAST({1} AS TIME)",
	{Datetime, String}:    fractionText("{1}", "%Y-%m-%d %H:%M:%S"),
	{Datetime, Timestamp}: "timezone('UTC', {1})",
	{Timestamp, Date}:     "CAST(timezone('UTC', {1}) AS DATE)",
	{Timestamp, Datetime}: "timezone('UTC', {1})",
	{Timestamp, Time}:     "CAST(timezone('UTC', {1}) AS TIME)",
	{Timestamp, String}:   "(" + fractionText("timezone('UTC', {1})", "%Y-%m-%d %H:%M:%S") + " || '+00')",
	{Time, String}:        fractionText("(DATE '1970-01-01' + {1})", "%H:%M:%S"),
}

// floatText writes a FLOAT64 as GoogleSQL's CAST does: with 15 digits if those are enough
// to read the same value back, else with 17.
const floatText = "(CASE WHEN isnan({1}) THEN 'NaN' WHEN isinf({1}) THEN CASE WHEN {1} > 0 THEN 'inf' ELSE '-inf' END" +
	" WHEN CAST(format('{:.15g}', {1}) AS DOUBLE) = {1} THEN format('{:.15g}', {1}) ELSE format('{:.17g}', {1}) END)"

const (
	decimalText = `([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?`
	dateText    = `[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}`
	timeText    = `[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,6})?`
)

// guarded casts a STRING that has the form; DuckDB takes more than GoogleSQL.
func guarded(form, what, to string) string {
	return "(CASE WHEN {1} IS NULL THEN NULL WHEN regexp_full_match({1}, '\\s*(" + form + ")\\s*') THEN CAST({1} AS " +
		to + ")" +
		" ELSE CAST('Invalid " + what + ": ' || {1} AS " + to + ") END)"
}

// numericString writes a NUMERIC without trailing zeros.
const numericString = "regexp_replace(CAST({1} AS VARCHAR), '\\.?0+$', '')"

// fractionText formats a TIMESTAMP with no fraction, or one of three or six digits.
func fractionText(x, format string) string {
	return "(CASE WHEN epoch_us(" + x + ") % 1000000 = 0 THEN strftime(" + x + ", '" + format + "')" +
		" WHEN epoch_us(" + x + ") % 1000 = 0 THEN strftime(" + x + ", '" + format + ".%g')" +
		" ELSE strftime(" + x + ", '" + format + ".%f') END)"
}

// castSQL is the cast's text in UTC.
func castSQL(from, to Kind, sql string) string {
	return strings.ReplaceAll(casts[[2]Kind{from, to}], "{1}", sql)
}
