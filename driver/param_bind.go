package driver

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// namedArgument is an argument of a statement.
type namedArgument struct {
	name     string // "" if it is positional
	position int    // counted from 1
	argument
}

func (a *namedArgument) String() string {
	if a.name != "" {
		return "argument @" + a.name
	}
	return fmt.Sprintf("argument %d", a.position)
}

// encodeArguments converts the arguments that database/sql passes.
func encodeArguments(args []driver.NamedValue) ([]namedArgument, error) {
	out := make([]namedArgument, len(args))
	for i, nv := range args {
		out[i] = namedArgument{name: nv.Name, position: nv.Ordinal}
		a, err := encode(nv.Value)
		if err != nil {
			return nil, fmt.Errorf("bigqueryuser: %v: %w", &out[i], err)
		}
		out[i].argument = a
	}
	return out, nil
}

// checkArguments checks that the arguments match the statement's placeholders in number, style and
// names.
func checkArguments(sql *sqlText, args []namedArgument) error {
	if err := checkSize(args); err != nil {
		return err
	}
	named := 0
	seen := make(map[string]bool)
	for i := range args {
		if args[i].name == "" {
			continue
		}
		named++
		name := strings.ToLower(args[i].name)
		if seen[name] {
			return fmt.Errorf("bigqueryuser: argument @%s is passed twice", args[i].name)
		}
		seen[name] = true
	}
	switch {
	case named > 0 && named < len(args):
		return errors.New(
			"bigqueryuser: some arguments are named and some are not: use sql.Named for all of them or for none",
		)
	case named > 0 && sql.positional > 0:
		return errors.New(
			"bigqueryuser: the statement has ? placeholders, but its arguments are named: write @name in the statement",
		)
	case named == 0 && len(args) > 0 && len(sql.names) > 0:
		return fmt.Errorf(
			"bigqueryuser: the statement has @%s, but its arguments have no names: use sql.Named(%q, value)",
			sql.names[0],
			sql.names[0],
		)
	case named == 0 && len(args) != sql.count():
		return fmt.Errorf("bigqueryuser: placeholders: %d, arguments: %d", sql.count(), len(args))
	}
	for i := range args {
		if args[i].name != "" && sql.slot(args[i].name) < 0 {
			return fmt.Errorf("bigqueryuser: the statement has no @%s", args[i].name)
		}
	}
	for _, name := range sql.names {
		if !seen[name] {
			return fmt.Errorf("bigqueryuser: the statement has @%s, but no argument has this name: use sql.Named", name)
		}
	}
	return nil
}

// parameters are the arguments of a statement as query parameters, with the types known so far.
type parameters struct {
	all      []*bq.QueryParameter
	declared []*bq.QueryParameter // those whose type the Go value determines
	sure     []*bq.QueryParameter // those of declared that can't have another type, as a string can
	text     bool                 // some of them are strings
}

func newParameters(args []namedArgument) parameters {
	p := parameters{all: make([]*bq.QueryParameter, len(args))}
	for i := range args {
		a := &args[i]
		p.all[i] = &bq.QueryParameter{Name: a.name, ParameterType: a.typ, ParameterValue: a.value}
		if a.typ == nil {
			continue
		}
		p.declared = append(p.declared, p.all[i])
		p.text = p.text || a.typ.Type == "STRING"
		if !isConvertible(a.typ) && !a.isNull() {
			p.sure = append(p.sure, p.all[i])
		}
	}
	return p
}

// convertible reports whether some of the parameters can have another type than their Go type.
func (p *parameters) convertible() bool { return len(p.sure) < len(p.declared) }
func (p *parameters) complete() bool    { return len(p.declared) == len(p.all) }

// resolve sets the types that BigQuery found for the statement's slots. doubt reports whether an
// INT64 that BigQuery found may be only a guess.
func (p *parameters) resolve(
	sql *sqlText,
	args []namedArgument,
	types []*bq.QueryParameterType,
	refused bool,
) (doubt bool, err error) {
	for i := range args {
		a := &args[i]
		slot := i
		if a.name != "" {
			slot = sql.slot(a.name)
		}
		typ, value, unsure, err := a.resolve(types[slot], reliance{refused: refused, use: sql.useOf(slot)})
		if err != nil {
			return false, fmt.Errorf("bigqueryuser: %v: %w", a, err)
		}
		p.all[i].ParameterType, p.all[i].ParameterValue = typ, value
		doubt = doubt || unsure
	}
	return doubt, nil
}
