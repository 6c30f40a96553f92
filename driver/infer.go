package driver

import (
	"context"
	"crypto/sha256"
	"strconv"
	"strings"

	bq "google.golang.org/api/bigquery/v2"
)

// askFor asks BigQuery in a dry run for the types of the statement's parameters, unless the cache
// has them. The answer is in the order of the slots: of the `?` placeholders, or of the names. It
// is nil for a slot whose type BigQuery does not report, as in a script. declared are
// parameters with a known type; the request can contain only named ones.
func (r *runner) askFor(
	ctx context.Context,
	st *statement,
	declared []*bq.QueryParameter,
) (finding, typeSource, error) {
	// Prepare asks without declared parameters.
	keys := []cacheKey{r.typeKey(st, declared), r.typeKey(st, nil)}
	f, cached, err := r.types.ask(ctx, false, keys, func() (finding, error) {
		return r.check(ctx, st, st.sql.declarable(declared))
	})
	if cached {
		return f, typesCached, err
	}
	return f, typesAsked, err
}

// declarable returns the parameters that a request can declare while others are undeclared.
func (t *sqlText) declarable(declared []*bq.QueryParameter) []*bq.QueryParameter {
	if t.positional > 0 {
		return nil
	}
	return declared
}

// plan returns what a dry run says about a statement, from the cache or from BigQuery.
func (r *runner) plan(ctx context.Context, st *statement) (*plan, error) {
	f, _, err := r.types.ask(ctx, true, []cacheKey{r.typeKey(st, nil)}, func() (finding, error) {
		return r.check(ctx, st, nil)
	})
	return f.plan, err
}

// check has BigQuery check a statement in a dry run.
func (r *runner) check(ctx context.Context, st *statement, declared []*bq.QueryParameter) (finding, error) {
	stats, err := r.dryRun(ctx, st, declared)
	if err != nil {
		return finding{}, err
	}
	q := stats.Query
	f := finding{
		types: slotTypes(&st.sql, q.UndeclaredQueryParameters),
		plan:  &plan{statementType: q.StatementType, bytes: stats.TotalBytesProcessed},
	}
	if q.StatementType == "SELECT" {
		f.plan.columns, err = newColumns(q.Schema)
	}
	return f, err
}

func slotTypes(sql *sqlText, undeclared []*bq.QueryParameter) []*bq.QueryParameterType {
	types := make([]*bq.QueryParameterType, sql.count())
	for i, u := range undeclared {
		slot := i
		if sql.positional == 0 {
			slot = sql.slot(u.Name)
		}
		if slot >= 0 && slot < len(types) {
			types[slot] = u.ParameterType
		}
	}
	return types
}

// typeKey returns the cache key of a statement. It includes everything that names depend on: the
// default dataset, the location, and the session with its temporary tables.
func (r *runner) typeKey(st *statement, declared []*bq.QueryParameter) cacheKey {
	var types strings.Builder
	types.WriteString(st.config.Dataset + "\x00" + st.config.Location)
	types.WriteString("\x00" + r.session.current())
	for _, d := range st.sql.declarable(declared) {
		types.WriteString("\x00" + d.Name + " ")
		writeType(&types, d.ParameterType)
	}
	return cacheKey{sha256.Sum256([]byte(st.meaning())), sha256.Sum256([]byte(types.String()))}
}

func writeType(b *strings.Builder, t *bq.QueryParameterType) {
	b.WriteString(t.Type)
	if t.TimestampPrecision != nil {
		b.WriteString("(" + strconv.FormatInt(*t.TimestampPrecision, 10) + ")")
	}
	for _, inner := range []*bq.QueryParameterType{t.ArrayType, t.RangeElementType} {
		if inner != nil {
			b.WriteByte('<')
			writeType(b, inner)
			b.WriteByte('>')
		}
	}
	for _, f := range t.StructTypes {
		b.WriteString("," + strconv.Quote(f.Name) + " ")
		writeType(b, f.Type)
	}
	if t.StructTypes != nil {
		b.WriteByte(';')
	}
}
