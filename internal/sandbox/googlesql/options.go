package googlesql

import (
	"slices"
	"strings"
)

// Option is an option of OPTIONS(...). Its value is a column of the statement's OptionsSQL, as
// text: a FLOAT64 or a BOOL as CAST writes it, a TIMESTAMP as its microseconds, labels as a JSON
// array of objects with the fields _f1 and _f2. NULL removes the option.
type Option struct {
	Name string // in lower case
	Type Type
}

// The objects that OPTIONS can belong to.
const (
	optionsOfTable  = "table"
	optionsOfSchema = "schema"
	optionsOfView   = "view"
	// The options of a function are checked and not kept.
	optionsOfRoutine   = "routine"
	optionsOfProcedure = "procedure"
)

var labelsType = arrayOf(Type{Kind: Struct, Fields: []Field{{Type: kind(String)}, {Type: kind(String)}}})

// knownOptions has BigQuery's options by the kind of object. The zero Type marks an option that the
// sandbox refuses.
var knownOptions = map[string]map[string]Type{
	optionsOfTable: {
		"description": kind(String), "friendly_name": kind(String), "labels": labelsType,
		"expiration_timestamp": kind(Timestamp), "partition_expiration_days": kind(Float64),
		"require_partition_filter": kind(Bool),
		"kms_key_name":             {}, "default_rounding_mode": {}, "enable_change_history": {}, "max_staleness": {},
		"enable_fine_grained_mutations": {}, "storage_uri": {}, "file_format": {}, "table_format": {}, "tags": {},
	},
	optionsOfSchema: {
		"description": kind(String), "friendly_name": kind(String), "labels": labelsType, "location": kind(String),
		"default_kms_key_name": {}, "default_partition_expiration_days": kind(Float64), "default_rounding_mode": {},
		"default_table_expiration_days": kind(Float64), "is_case_insensitive": {}, "is_primary": {},
		"max_time_travel_hours": {}, "primary_replica": {}, "storage_billing_model": {}, "tags": {},
		"failover_reservation": {},
	},
	optionsOfView: {
		"description": kind(String), "friendly_name": kind(String), "labels": labelsType,
		"expiration_timestamp": kind(Timestamp), "privacy_policy": {}, "enable_refresh": {},
		"refresh_interval_minutes": {}, "max_staleness": {}, "allow_non_incremental_definition": {},
		"kms_key_name": {}, "tags": {}, "require_partition_filter": {}, "partition_expiration_days": {},
	},
	optionsOfRoutine:   {"description": kind(String)},
	optionsOfProcedure: {"description": kind(String), "strict_mode": kind(Bool)},
}

// option is a parsed option of OPTIONS.
type option struct {
	name name
	x    expr
}

// options reads OPTIONS(name = expression, ...) if it comes next.
func (p *parser) options() []option {
	if !p.accept("OPTIONS") {
		return nil
	}
	p.expect("(")
	var list []option
	for !p.tok().is(")") {
		o := option{name: p.ident()}
		p.expect("=")
		o.x = p.constant("OPTIONS")
		list = append(list, o)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	return list
}

// constant reads an expression that can't have a subquery or a parameter.
func (p *parser) constant(where string) expr {
	from, params := p.i, len(p.params)
	x := p.expr()
	if len(p.params) > params {
		p.refuse(p.params[params].pos, "A query parameter in "+where)
	}
	for _, t := range p.toks[from:p.i] {
		if t.is("SELECT") {
			fail(p.src, t.pos, "Subqueries are not allowed in %s", where)
		}
	}
	return x
}

// description reads the OPTIONS of a column or of a field. The sandbox supports only the
// description. It returns nil if there is none.
func (p *parser) description() *string {
	var out *string
	for _, o := range p.options() {
		switch strings.ToLower(o.name.text) {
		case "description":
		case "rounding_mode", "data_policies", "policy_tags":
			p.refuse(o.name.at, "The option "+o.name.text)
		default:
			fail(p.src, o.name.at, "Unknown option: %s", o.name.text)
		}
		lit, ok := o.x.(*literal)
		if !ok || lit.kind != String && lit.kind != "" {
			p.refuse(o.x.pos(), "A description of a column that is not a STRING literal")
		}
		out = &lit.text
	}
	return out
}

// setOptions checks the options and writes the query for their values.
func (a *analyzer) setOptions(st *Statement, on string, list []option) {
	var items []string
	for _, o := range list {
		low := strings.ToLower(o.name.text)
		t, ok := knownOptions[on][low]
		switch {
		case !ok:
			a.fail(o.name, "Unknown option: %s", o.name.text)
		case t.Kind == "":
			a.refuse(o.name, "The option "+o.name.text)
		case slices.ContainsFunc(st.Options, func(other Option) bool { return other.Name == low }):
			a.fail(o.name, "Duplicate option: %s", o.name.text)
		}
		v := a.expr(o.x, &scope{clause: "OPTIONS"})
		if len(a.params) > 0 && strings.Contains(v.sql, paramMark) {
			a.refuse(o.x, "A variable in OPTIONS")
		}
		v = a.must(v, t, o.x, "Option %s value has type %s which does not coerce to expected type %s", low,
			v.t.name(), t)
		st.Options = append(st.Options, Option{low, t})
		items = append(items, optionText(v.sql, t))
	}
	if items != nil {
		st.OptionsSQL = "SELECT " + strings.Join(items, ", ")
	}
}

func optionText(sql string, t Type) string {
	switch t.Kind {
	case String:
		return sql
	case Timestamp:
		sql = "epoch_us(" + sql + ")"
	case Array:
		sql = "to_json(" + sql + ")"
	}
	return "CAST(" + sql + " AS VARCHAR)"
}
