package driver

import (
	"context"
	"errors"

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

// mayBeWrong reports whether other types can be had by asking again.
func (s typeSource) mayBeWrong() bool { return s == typesCached || s == typesDeclared }

// bind makes the query parameters of a statement from its arguments. Text may be of another type than STRING where the
// types are known; anyText asks for them if nothing else does.
func (r *runner) bind(ctx context.Context, st *statement, anyText bool) (params []*bq.QueryParameter, source typeSource, err error) {
	if err := checkArguments(&st.sql, st.args); err != nil {
		return nil, 0, err
	}
	p := newParameters(st.args)
	key := r.typeKey(st, p.declared) // before the types found are put into p
	types, source, asked := r.typesFor(ctx, st, &p, anyText)
	switch {
	case errors.Is(asked, ErrInvalidQuery):
		// BigQuery may be at a loss only because it was not told the types: take Go's word.
		types, source = make([]*bq.QueryParameterType, st.sql.count()), typesGuessed
	case asked != nil:
		return nil, 0, asked
	case source == typesDeclared:
		return p.all, source, nil
	}
	if err := p.resolve(&st.sql, st.args, types); err != nil {
		if asked != nil {
			err = asked
		}
		return nil, 0, err
	}
	if source == typesGuessed && !anyText {
		r.types.guessed(key, types)
	}
	return p.all, source, nil
}

// typesFor finds the types of a statement's slots: those that were asked for before, else those of the Go values if all
// have one, else BigQuery's.
func (r *runner) typesFor(
	ctx context.Context, st *statement, p *parameters, anyText bool,
) (types []*bq.QueryParameterType, source typeSource, err error) {
	if p.hasText() {
		if known, ok := r.types.known(r.typeKey(st, p.sure), r.typeKey(st, nil)); ok {
			return known, typesCached, nil
		}
	}
	declared := p.declared
	switch {
	case anyText && p.hasText():
		declared = p.sure
	case p.complete():
		return nil, typesDeclared, nil
	}
	types, source, err = r.askTypes(ctx, st, declared)
	if errors.Is(err, ErrInvalidQuery) && p.hasText() && len(declared) > len(p.sure) && st.sql.positional == 0 {
		// Perhaps it was told that something is a STRING that is not.
		if again, from, failed := r.askTypes(ctx, st, p.sure); failed == nil {
			return again, from, nil
		}
	}
	return types, source, err
}
