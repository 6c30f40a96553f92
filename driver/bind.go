package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// typeSource says where the types of a statement's parameters come from.
type typeSource int

const (
	typesDeclared typeSource = iota // from the Go values
	typesAsked                      // from BigQuery, just now
	typesCached                     // from BigQuery, some time ago
	typesGuessed                    // from the Go values, since BigQuery could not say
)

// bind makes the query parameters of a statement from its arguments, after it has checked
// that they are as many, of one style and of the names that the statement asks for. Text may be of another
// type than STRING where the types are known; anyText asks for them if nothing else does.
func (c *Conn) bind(ctx context.Context, j *job, text string, p parameters, args []driver.NamedValue, anyText bool) (params []*bq.QueryParameter, source typeSource, err error) {
	if err := checkArguments(p, args); err != nil {
		return nil, 0, err
	}
	params = make([]*bq.QueryParameter, len(args))
	encoded := make([]argument, len(args))
	var declared, sure []*bq.QueryParameter // sure are those that are not text
	for i, nv := range args {
		a, err := encode(nv.Value)
		if err != nil {
			return nil, 0, fmt.Errorf("bigqueryuser: %s: %w", argumentName(nv), err)
		}
		params[i], encoded[i] = &bq.QueryParameter{Name: nv.Name, ParameterType: a.typ, ParameterValue: a.value}, a
		if a.typ != nil {
			declared = append(declared, params[i])
			if a.typ.Type != "STRING" {
				sure = append(sure, params[i])
			}
		}
	}
	hasText := len(sure) < len(declared)
	key := c.typeKey(j, text, p.declarable(declared)) // before the types found are put into params
	var (
		types  []*bq.QueryParameterType
		cached bool
		asked  error
	)
	switch known, ok := c.textTypes(j, text, p, sure, hasText); {
	case ok:
		types, cached = known, true
	case anyText && hasText:
		types, cached, asked = c.inferTypes(ctx, j, text, p, sure)
	case len(declared) == len(params):
		return params, typesDeclared, nil
	default:
		types, cached, asked = c.inferTypes(ctx, j, text, p, declared)
		if errors.Is(asked, ErrInvalidQuery) && hasText && p.positional == 0 {
			// Perhaps it was told that something is a STRING that is not.
			if again, known, err := c.inferTypes(ctx, j, text, p, sure); err == nil {
				types, cached, asked = again, known, nil
			}
		}
	}
	switch {
	case errors.Is(asked, ErrInvalidQuery):
		// BigQuery may be at a loss only because it was not told the types: take Go's word.
		types, source = make([]*bq.QueryParameterType, p.count()), typesGuessed
	case asked != nil:
		return nil, 0, asked
	case cached:
		source = typesCached
	default:
		source = typesAsked
	}
	for i, nv := range args {
		slot := i
		if nv.Name != "" {
			slot = p.slot(nv.Name)
		}
		if typ := encoded[i].typ; typ != nil {
			if typ.Type == "STRING" && types[slot] != nil && writtenAsText[types[slot].Type] {
				params[i].ParameterType = types[slot]
			}
			continue
		}
		a, err := encoded[i].as(types[slot])
		if err != nil && asked != nil {
			return nil, 0, asked
		}
		if err != nil {
			return nil, 0, fmt.Errorf("bigqueryuser: %s: %w", argumentName(nv), err)
		}
		params[i].ParameterType, params[i].ParameterValue = a.typ, a.value
	}
	if source == typesGuessed && !anyText {
		c.connector.types.guessed(key, types)
	}
	return params, source, nil
}

// writtenAsText has the types whose values are text in Go, and that BigQuery does not make of a STRING by itself.
var writtenAsText = map[string]bool{"NUMERIC": true, "BIGNUMERIC": true, "INTERVAL": true, "GEOGRAPHY": true, "JSON": true}

// textTypes returns the types of a statement with text among its arguments, if they have been asked for before.
func (c *Conn) textTypes(j *job, text string, p parameters, sure []*bq.QueryParameter, hasText bool) ([]*bq.QueryParameterType, bool) {
	if !hasText {
		return nil, false
	}
	return c.connector.types.known(c.typeKey(j, text, p.declarable(sure)), c.typeKey(j, text, nil))
}

func argumentName(nv driver.NamedValue) string {
	if nv.Name != "" {
		return "argument @" + nv.Name
	}
	return fmt.Sprintf("argument %d", nv.Ordinal)
}

func checkArguments(p parameters, args []driver.NamedValue) error {
	named := 0
	seen := make(map[string]bool)
	for _, nv := range args {
		if nv.Name == "" {
			continue
		}
		named++
		name := strings.ToLower(nv.Name)
		if seen[name] {
			return fmt.Errorf("bigqueryuser: argument @%s is given twice", nv.Name)
		}
		seen[name] = true
	}
	switch {
	case named > 0 && named < len(args):
		return errors.New("bigqueryuser: some arguments are named and some are not: use sql.Named for all of them or for none")
	case named > 0 && p.positional > 0:
		return errors.New("bigqueryuser: the statement has ? placeholders, but its arguments are named: write @name in the statement")
	case named == 0 && len(args) > 0 && len(p.names) > 0:
		return fmt.Errorf("bigqueryuser: the statement has @%s, but its arguments have no names: use sql.Named(%q, value)", p.names[0], p.names[0])
	case named == 0 && len(args) != p.count():
		return fmt.Errorf("bigqueryuser: the statement has %d placeholders and %d arguments", p.count(), len(args))
	}
	for _, nv := range args {
		if nv.Name != "" && p.slot(nv.Name) < 0 {
			return fmt.Errorf("bigqueryuser: the statement has no @%s", nv.Name)
		}
	}
	for _, name := range p.names {
		if !seen[name] {
			return fmt.Errorf("bigqueryuser: the statement has @%s, and no argument of this name", name)
		}
	}
	return nil
}
