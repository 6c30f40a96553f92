package jobs

import (
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// wildcard returns the table that a name with a * at its end stands for: the rows of every table
// whose name begins so, with the columns of the newest.
func (r *resolver) wildcard(d *catalog.Dataset, name googlesql.TableName) (*googlesql.Table, error) {
	prefix := strings.TrimSuffix(name.Table, "*")
	var parts []*catalog.Table
	for _, t := range r.server.catalog.Tables(d) {
		if len(t.Name.Table) <= len(prefix) || !strings.HasPrefix(t.Name.Table, prefix) {
			continue
		}
		if t.View != nil {
			return nil, r.refuse(apierror.Errorf("invalidQuery", "Views cannot be queried through prefix. Matched "+
				"view is: %s", t.Name))
		}
		parts = append(parts, t)
	}
	if len(parts) == 0 {
		return nil, r.refuse(apierror.Errorf("invalidQuery", "%s does not match any table.", name))
	}
	newest := parts[0]
	for _, t := range parts[1:] {
		if !t.Created.Before(newest.Created) {
			newest = t
		}
	}
	out := &googlesql.Table{Name: name, Columns: slices.Clone(newest.Columns)}
	var queries []string
	for _, t := range parts {
		query, err := r.wildcardPart(t, newest, t.Name.Table[len(prefix):])
		if err != nil {
			return nil, err
		}
		queries = append(queries, query)
		out.Parts = append(out.Parts, t.Name)
		if r.hidden.table == t.Name {
			out.Columns = slices.DeleteFunc(out.Columns,
				func(c googlesql.Column) bool { return strings.EqualFold(c.Name, r.hidden.column) })
		}
	}
	for i := range out.Columns {
		out.Columns[i].Required = false
	}
	out.SQL = "(" + strings.Join(queries, " UNION ALL ") + ")"
	return out, nil
}

// wildcardPart returns the query of one table of a wildcard table.
func (r *resolver) wildcardPart(t, like *catalog.Table, suffix string) (string, error) {
	var items []string
	for _, want := range like.Columns {
		i := slices.IndexFunc(t.Columns,
			func(c googlesql.Column) bool { return strings.EqualFold(c.Name, want.Name) })
		id, duck := engine.Quote(want.Name), want.Type.DuckDB()
		switch {
		case i < 0 && want.Type.Kind == googlesql.Array:
			items = append(items, "CAST([] AS "+duck+") AS "+id)
		case i < 0:
			items = append(items, "CAST(NULL AS "+duck+") AS "+id)
		case t.Columns[i].Type.DuckDB() != duck:
			return "", r.refuse(apierror.Errorf("invalidQuery", "Cannot read field '%s' of type %s as %s in table %s",
				want.Name, t.Columns[i].Type, want.Type, t.Name))
		default:
			items = append(items, id)
		}
	}
	items = append(items, "'"+suffix+"' AS \"_TABLE_SUFFIX\"")
	return "SELECT " + strings.Join(items, ", ") + " FROM " + catalog.TableSQL(t.Name), nil
}
