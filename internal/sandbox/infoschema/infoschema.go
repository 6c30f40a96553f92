// Package infoschema implements INFORMATION_SCHEMA, and the older __TABLES__, on a catalog. Each
// view becomes a query over its current rows. views.go has the views with their columns. The
// package does not know the user, and knows jobs only by the messages that it is given.
package infoschema

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Views answers from a catalog, for one user.
type Views struct {
	Catalog *catalog.Catalog
	// Location is the location of queries that request none.
	Location string
	// Jobs are the jobs of a project in the query's location, oldest first: all, or the user's own.
	Jobs func(project string, own bool) ([]*wire.Job, *apierror.Error)
}

// View returns a view over the datasets of a name: one, or those of a project in a region. location
// is the query's location, which View sets if it is "". An error is a *googlesql.Error or a
// *apierror.Error.
func (s *Views) View(name googlesql.TableName, view string, location *string) (*googlesql.Table, error) {
	v, ok := views[view]
	if !ok {
		return nil, &googlesql.Error{Message: "The sandbox does not support INFORMATION_SCHEMA." + view}
	}
	if v.scope == ofDataset && (name.Dataset == "" || strings.HasPrefix(strings.ToLower(name.Dataset), "region-")) {
		return nil, &googlesql.Error{Message: "INFORMATION_SCHEMA." + view + " must be qualified with a dataset"}
	}
	datasets, at, err := s.datasets(name, v.scope, *location)
	if err != nil {
		return nil, err
	}
	if *location == "" {
		*location = at
	}
	if !strings.EqualFold(*location, at) {
		return nil, apierror.NotFound("Dataset", name.Project+":"+name.Dataset, *location)
	}
	var rows []map[string]any
	if v.scope == ofRegion {
		jobs, err := s.Jobs(name.Project, v.own)
		if err != nil {
			return nil, err
		}
		for _, j := range jobs {
			rows = append(rows, jobRow(j))
		}
		return v.table(name, rows)
	}
	for _, d := range datasets {
		more, err := v.rows(s.Catalog, d)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return v.table(name, rows)
}

// datasets returns the datasets of a name, and their location. location is that of the
// query.
func (s *Views) datasets(name googlesql.TableName, of scope, location string) (
	[]*catalog.Dataset, string, error) {
	region, isRegion := strings.CutPrefix(strings.ToLower(name.Dataset), "region-")
	if name.Dataset == "" { // the query's own region
		region, isRegion = cmp.Or(location, s.Location), true
	}
	if !isRegion {
		d := s.Catalog.Dataset(name.Project, name.Dataset)
		if d == nil || of == ofProject || of == ofRegion {
			return nil, "", apierror.NotFound("Dataset", name.Project+":"+name.Dataset, location)
		}
		return []*catalog.Dataset{d}, d.Location, nil
	}
	var list []*catalog.Dataset
	at := strings.ToUpper(region)
	for _, d := range s.Catalog.List(name.Project) {
		if strings.EqualFold(d.Location, region) {
			list = append(list, d)
			at = d.Location
		}
	}
	return list, at, nil
}

// table writes a view's rows as a query.
func (v view) table(name googlesql.TableName, rows []map[string]any) (*googlesql.Table, error) {
	columns, err := columnsOf(v.columns)
	if err != nil {
		return nil, err
	}
	out := &googlesql.Table{Name: name, Columns: columns, Refused: v.refused}
	var names, casts []string
	for _, c := range columns {
		names = append(names, engine.Quote(c.Name))
		casts = append(casts, "CAST("+engine.Quote(c.Name)+" AS "+c.Type.DuckDB()+") AS "+engine.Quote(c.Name))
	}
	where := ""
	if len(rows) == 0 { // VALUES needs a row
		rows, where = []map[string]any{{}}, " WHERE FALSE"
	}
	var values []string
	for _, row := range rows {
		cells := make([]string, len(columns))
		for i, c := range columns {
			cells[i] = literal(row[c.Name], c.Type)
		}
		values = append(values, "("+strings.Join(cells, ", ")+")")
	}
	out.SQL = "(SELECT " + strings.Join(casts, ", ") + " FROM (VALUES " + strings.Join(values, ", ") + ") AS v(" +
		strings.Join(names, ", ") + ")" + where + ")"
	return out, nil
}

// columnsOf parses columns in the syntax of CREATE TABLE.
func columnsOf(texts string) ([]googlesql.Column, error) {
	st, err := googlesql.Translate("CREATE TABLE p.d.t ("+texts+")", googlesql.Options{})
	if err != nil {
		return nil, err
	}
	return st.NewColumns, nil
}

// literal writes a value of a type: a string, bool, int64, time.Time, a map of a STRUCT's fields, a
// list, or nil.
func literal(v any, t googlesql.Type) string {
	switch v := v.(type) {
	case string:
		return engine.Literal(v)
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case time.Time:
		// BigQuery keeps milliseconds
		return fmt.Sprintf("timezone('UTC', make_timestamp(%d))", v.UnixMicro()/1000*1000)
	case map[string]any:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = engine.Literal(f.Name) + ": CAST(" + literal(v[f.Name], f.Type) + " AS " + f.Type.DuckDB() + ")"
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = literal(v[i], *t.Elem)
		}
		return "CAST([" + strings.Join(parts, ", ") + "] AS " + t.DuckDB() + ")"
	}
	if t.Kind == googlesql.Array {
		return "CAST([] AS " + t.DuckDB() + ")"
	}
	return "CAST(NULL AS " + t.DuckDB() + ")"
}
