package driver

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// typeSource says where the types of a statement's parameters come from.
type typeSource int

const (
	typesDeclared typeSource = iota // from the Go values
	typesAsked                      // from BigQuery, just now
	typesCached                     // from BigQuery, some time ago
	typesGuessed                    // from the Go types, because BigQuery could not find any
)

// binding holds a statement's arguments as query parameters.
type binding struct {
	params []*bq.QueryParameter
	source typeSource
	types  []*bq.QueryParameterType // found by BigQuery
	doubt  bool                     // a NULL has its Go type although BigQuery found INT64, which it may have guessed
	other  bool                     // a value could be sent as another type than its Go type
	key    cacheKey                 // of the cache entry that records a refusal
}

// bind makes the query parameters of a statement from its arguments.
func (r *runner) bind(ctx context.Context, st *statement) (*binding, error) {
	if err := checkArguments(&st.sql, st.args); err != nil {
		return nil, err
	}
	p := newParameters(st.args)
	b := &binding{params: p.all, other: p.convertible()}
	key := r.typeKey(st, p.declared) // without the types that BigQuery finds
	found, source, err := r.typesFor(ctx, st, &p)
	b.source = source
	switch {
	case err != nil && saysNothing(err):
		// BigQuery may fail only because it does not know the types: use the Go types.
		found, b.source = finding{types: make([]*bq.QueryParameterType, st.sql.count())}, typesGuessed
	case err != nil:
		return nil, err
	case source == typesDeclared:
		return b, nil
	}
	asked := err
	b.types = found.types
	if b.doubt, err = p.resolve(&st.sql, st.args, b.types, found.refused); err != nil {
		if asked != nil {
			err = asked
		}
		return nil, err
	}
	switch {
	case b.source == typesGuessed:
		r.types.note(key, finding{types: b.types})
	case b.doubt && r.session.used() && !found.agreed:
		// A refusal would end the transaction, so ask before.
		if b.other {
			key = r.typeKey(st, p.sure)
		}
		return b, r.makeSure(ctx, st, &p, b, key)
	}
	return b, nil
}

// saysNothing reports whether the error of a dry run says nothing about the statement: BigQuery
// can't find the types of its parameters, or the server has no dry runs.
func saysNothing(err error) bool {
	if _, ok := errors.AsType[protocolError](err); ok {
		return true
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest:
		return !sessionLost(e) && (e.Is(ErrInvalidQuery) || e.Reason == "invalid" || e.Reason == "")
	case http.StatusNotFound:
		return !e.Is(ErrNotFound)
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	}
	return false
}

// contradicted reports whether BigQuery finds several types for one parameter, as in @p IS NULL OR
// name = @p.
func contradicted(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Is(ErrInvalidQuery) && strings.Contains(e.Message, "assuming different types")
}

// makeSure asks BigQuery whether it accepts the Go types where it found INT64. If it does not,
// makeSure uses INT64.
func (r *runner) makeSure(ctx context.Context, st *statement, p *parameters, b *binding, key cacheKey) error {
	found := finding{types: b.types, agreed: true}
	_, err := r.dryRun(ctx, st, p.all)
	if errors.Is(err, ErrInvalidQuery) {
		found.refused = true
		_, err = p.resolve(&st.sql, st.args, b.types, true)
	}
	if err == nil {
		r.types.note(key, found)
	}
	return err
}

// rebind binds again after BigQuery has refused the parameters of b. It returns nil if there are no
// others to try.
func (r *runner) rebind(ctx context.Context, st *statement, b *binding) *binding {
	p := newParameters(st.args)
	declared := p.declared
	if b.other {
		declared = p.sure
	}
	again := &binding{params: p.all, types: b.types, key: r.typeKey(st, declared)}
	// BigQuery was told the types of named parameters, and did not find them.
	told := st.sql.positional == 0 && len(declared) < len(p.declared)
	switch {
	case b.source == typesDeclared && !b.other, b.source == typesGuessed && !told:
		return nil // the answer would be the same
	case b.source != typesAsked || told:
		found, _, err := r.askFor(ctx, st, declared)
		if err != nil {
			return nil
		}
		again.types = found.types
	}
	if _, err := p.resolve(&st.sql, st.args, again.types, true); err != nil || reflect.DeepEqual(p.all, b.params) {
		return nil
	}
	return again
}

// learnt records that a statement was refused with the Go types and runs with those that BigQuery
// found.
func (r *runner) learnt(b *binding) {
	r.types.note(b.key, finding{types: b.types, refused: true})
}

// typesFor returns the types of a statement's slots: from the cache, else from the Go values if
// each has a type, else from BigQuery.
func (r *runner) typesFor(
	ctx context.Context,
	st *statement,
	p *parameters,
) (found finding, source typeSource, err error) {
	if p.convertible() {
		if known, ok := r.types.known(r.typeKey(st, p.sure), r.typeKey(st, nil)); ok {
			return known, typesCached, nil
		}
	}
	if p.complete() {
		return found, typesDeclared, nil
	}
	found, source, err = r.askFor(ctx, st, p.declared)
	if errors.Is(err, ErrInvalidQuery) && p.text && len(p.declared) > len(p.sure) && st.sql.positional == 0 {
		// BigQuery may have been told STRING for a value of another type.
		if again, from, failed := r.askFor(ctx, st, p.sure); failed == nil {
			return again, from, nil
		}
	}
	return found, source, err
}
