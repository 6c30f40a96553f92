package googlesql

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// cast analyzes CAST and SAFE_CAST.
func (a *analyzer) cast(x *castExpr, s *scope) val {
	v := a.expr(x.x, s)
	if x.format != nil {
		return a.castFormat(x, v, s)
	}
	to := x.to.bare()
	if v.untyped() || to.Kind == Array && v.open() {
		w, _ := a.coerce(v, to)
		return merge(w.sql, to, v)
	}
	if sql, ok := a.literalCast(v, x); ok {
		return fit(val{sql: sql, t: to}, x.to)
	}
	if !x.safe {
		return merge(a.castValue(v, x.to, x).sql, to, v)
	}
	out := a.bind([]val{v}, func(names []string) string {
		return "TRY(" + a.castValue(val{sql: names[0], t: v.t}, x.to, x).sql + ")"
	})
	return merge(out, to, v)
}

// literalCast converts a STRING literal at once, so that its errors have a position, and reads a
// FLOAT64 literal as the decimal in its text. ok is false if the engine does the conversion.
func (a *analyzer) literalCast(v val, x *castExpr) (string, bool) {
	if v.lit != nil && v.lit.kind == Float64 && v.t.Kind == Float64 {
		switch x.to.Kind {
		case Numeric:
			return numericLiteral(v.lit.text)
		case BigNumeric:
			return bigNumericLiteral(v.lit.text)
		}
	}
	if v.lit == nil || v.lit.kind != String || v.t.Kind != String {
		return "", false
	}
	to := x.to.bare()
	sql, ok := "", false
	switch to.Kind {
	case Date, Time, Datetime, Timestamp, TimestampPicos:
		sql, ok = a.temporalLiteral(to.Kind, v.lit.text)
	case Numeric:
		sql, ok = numericLiteral(v.lit.text)
	case BigNumeric:
		sql, ok = bigNumericLiteral(v.lit.text)
	case Int64:
		n, err := builtin.ParseInt(v.lit.text)
		sql, ok = fmt.Sprintf("(%d)::BIGINT", n), err == nil
		if n == -1<<63 {
			sql = "(-9223372036854775807-1)::BIGINT"
		}
	case Float64:
		f, err := builtin.ParseFloat(v.lit.text)
		sql, ok = floatSQL(f), err == nil
	case Bool:
		l := strings.ToLower(v.lit.text)
		sql, ok = strings.ToUpper(l), l == "true" || l == "false"
	default:
		return "", false
	}
	switch {
	case ok:
		return sql, true
	case x.safe:
		return "CAST(NULL AS " + to.DuckDB() + ")", true
	case to.Kind == Float64 || to.Kind == Int64 || to.Kind == Bool:
		a.fail(x.x, "Could not cast literal %s to type %s", quoteLit(v.lit.text), to)
	}
	a.fail(x.x, "Could not cast literal %s to type %s", quoteLit(v.lit.text), to)
	return "", false
}

// castValue converts v to a type with its parameters, or fails if GoogleSQL has no such cast.
func (a *analyzer) castValue(v val, to Type, x *castExpr) val {
	bare := to.bare()
	from := v.t
	switch {
	case from.Kind == Array && bare.Kind == Array:
		if from.Elem.equal(*bare.Elem) && !parametric(*to.Elem) {
			w, _ := a.coerce(v, bare)
			return w
		}
		e := a.id("q")
		each := a.castValue(val{sql: e, t: *from.Elem}, *to.Elem, x)
		return val{sql: "list_transform(" + v.sql + ", lambda " + e + ": " + each.sql + ")", t: bare}
	case from.Kind == Struct && bare.Kind == Struct && len(from.Fields) == len(bare.Fields):
		return a.castFields(v, to, x)
	case from.equal(bare):
		w, _ := a.coerce(v, bare)
		return fit(val{sql: w.sql, t: bare}, to)
	}
	if w, ok := a.castRange(v, bare); ok {
		return fit(w, to)
	}
	if sql := a.castSQL(from.Kind, bare.Kind, v.sql); sql != "" {
		return fit(val{sql: sql, t: bare}, to)
	}
	if known := castKinds[[2]Kind{from.Kind, bare.Kind}]; known != "" {
		a.refuse(x, known)
	}
	a.fail(x, "Invalid cast from %s to %s", from.name(), bare)
	return val{}
}

// open reports whether an ARRAY has no element with a type, so that it can get
// any.
func (v val) open() bool {
	typed := func(p val) bool { return !p.untyped() || p.param > 0 }
	return v.t.Kind == Array && v.parts != nil && !slices.ContainsFunc(v.parts, typed) ||
		v.lit != nil && v.lit.kind == Array && v.lit.text == "empty"
}

// castKinds are casts that BigQuery has and the sandbox lacks.
var castKinds = map[[2]Kind]string{}

// parametric reports whether a type has parameters anywhere.
func parametric(t Type) bool { return t.String() != t.bare().String() }

// castFields converts a STRUCT field by field, by position.
func (a *analyzer) castFields(v val, to Type, x *castExpr) val {
	bare := to.bare()
	sql := a.bind([]val{v}, func(names []string) string {
		var parts []string
		for i, n := range v.t.FieldNames() {
			f := val{sql: "struct_extract(" + names[0] + ", " + quoteString(n) + ")", t: v.t.Fields[i].Type}
			parts = append(parts, a.castValue(f, to.Fields[i].Type, x).sql)
		}
		return "CASE WHEN " + names[0] + " IS NOT NULL THEN " + structSQL(bare, parts) + " END"
	})
	return val{sql: sql, t: bare}
}

// casts are GoogleSQL's casts between scalar types in DuckDB's text; {1} is the value, {zone}
// the default time zone.
var casts = map[[2]Kind]string{
	{Int64, Float64}:            "CAST({1} AS DOUBLE)",
	{Int64, Numeric}:            "CAST({1} AS DECIMAL(38,9))",
	{Int64, String}:             "CAST({1} AS VARCHAR)",
	{Int64, Bool}:               "({1} <> 0)",
	{Bool, Int64}:               "CAST({1} AS BIGINT)",
	{Bool, String}:              "CAST({1} AS VARCHAR)",
	{Float64, Int64}:            "bq_float_int({1})",
	{Float64, Numeric}:          "bq_float_numeric({1})",
	{Float64, String}:           "bq_float_text({1})",
	{Numeric, Int64}:            "bq_numeric_int({1})",
	{Numeric, Float64}:          "bq_numeric_float({1})",
	{Numeric, String}:           "bq_numeric_text({1})",
	{Int64, BigNumeric}:         "bq_int_bignumeric({1})",
	{Numeric, BigNumeric}:       "bq_numeric_bignumeric({1})",
	{Float64, BigNumeric}:       "bq_float_bignumeric({1})",
	{String, BigNumeric}:        "bq_parse_bignumeric({1})",
	{BigNumeric, Int64}:         "bq_bignumeric_int({1})",
	{BigNumeric, Numeric}:       "bq_bignumeric_numeric({1})",
	{BigNumeric, Float64}:       "bq_bignumeric_float({1})",
	{BigNumeric, String}:        "bq_bignumeric_text({1})",
	{String, TimestampPicos}:    "bq_parse_picos({1}, {zone})",
	{TimestampPicos, String}:    "bq_picos_text({1}, {zone})",
	{Timestamp, TimestampPicos}: "bq_micros_picos({1})",
	{TimestampPicos, Timestamp}: "bq_picos_micros({1})",
	{String, Int64}:             "bq_parse_int({1})",
	{String, Float64}:           "bq_parse_float({1})",
	{String, Numeric}:           "bq_parse_numeric({1})",
	{String, Bool}:              "bq_parse_bool({1})",
	{String, Bytes}:             "encode({1})",
	{Bytes, String}:             "bq_bytes_text({1})",
	{String, Date}:              "bq_parse_date({1})",
	{String, Time}:              "bq_parse_time({1})",
	{String, Datetime}:          "bq_parse_datetime({1})",
	{String, Timestamp}:         "bq_parse_timestamp({1}, {zone})",
	{String, Interval}:          "bq_parse_interval({1})",
	{Interval, String}:          "bq_interval_text({1})",
	{Date, String}:              "bq_date_text({1})",
	{Date, Datetime}:            "CAST({1} AS TIMESTAMP)",
	{Date, Timestamp}:           "{instant CAST({1} AS TIMESTAMP)}",
	{Datetime, Date}:            "CAST({1} AS DATE)",
	{Datetime, Time}:            "CAST({1} AS TIME)",
	{Datetime, String}:          "bq_datetime_text({1}, ' ')",
	{Datetime, Timestamp}:       "{instant {1}}",
	{Timestamp, Date}:           "CAST({local} AS DATE)",
	{Timestamp, Datetime}:       "{local}",
	{Timestamp, Time}:           "CAST({local} AS TIME)",
	{Timestamp, String}:         "bq_timestamp_text({1}, {zone})",
	{Time, String}:              "bq_time_text({1})",
}

// castSQL returns a cast's text in the default time zone, or "".
func (a *analyzer) castSQL(from, to Kind, sql string) string {
	text := casts[[2]Kind{from, to}]
	zone := quoteString(a.zoneName)
	switch {
	case text == "":
		return ""
	case strings.HasPrefix(text, "{instant "):
		inner := strings.ReplaceAll(text[len("{instant "):len(text)-1], "{1}", sql)
		return instantSQL(inner, zone)
	}
	return strings.NewReplacer("{1}", sql, "{zone}", zone, "{local}", localSQL(sql, zone)).Replace(text)
}

// localSQL returns the civil time of a TIMESTAMP in a zone, instantSQL the TIMESTAMP of a
// civil time; a zone is DuckDB's text of its name.
func localSQL(sql, zone string) string {
	if zone == "'"+defaultZone+"'" {
		return "timezone('UTC', " + sql + ")"
	}
	return "bq_local(" + sql + ", " + zone + ")"
}

func instantSQL(sql, zone string) string {
	if zone == "'"+defaultZone+"'" {
		return "timezone('UTC', " + sql + ")"
	}
	return "bq_instant(" + sql + ", " + zone + ")"
}
