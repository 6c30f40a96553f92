package sandbox

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// informationSchema makes a view of the datasets that a name means: one, or those of a project in a
// region.
func (r *resolver) informationSchema(name googlesql.TableName, view string) (*googlesql.Table, error) {
	s := r.server
	v, ok := infoViews[view]
	if !ok {
		return nil, &googlesql.Error{Message: "The sandbox does not support INFORMATION_SCHEMA." + view}
	}
	if v.scope == ofDataset && (name.Dataset == "" || strings.HasPrefix(strings.ToLower(name.Dataset), "region-")) {
		return nil, &googlesql.Error{Message: "INFORMATION_SCHEMA." + view + " must be qualified with a dataset"}
	}
	region, isRegion := strings.CutPrefix(strings.ToLower(name.Dataset), "region-")
	if name.Dataset == "" { // the query's own region
		region, isRegion = r.query.location, true
		if region == "" {
			region = s.cfg.Location
		}
	}
	var datasets []*catalog.Dataset
	location := strings.ToUpper(region)
	if isRegion {
		for _, d := range s.catalog.List(name.Project) {
			if strings.EqualFold(d.Location, region) {
				datasets = append(datasets, d)
				location = d.Location
			}
		}
	} else {
		d := s.catalog.Dataset(name.Project, name.Dataset)
		if d == nil || v.scope == ofProject || v.scope == ofRegion {
			return nil, r.refuse(apierror.NotFound("Dataset", name.Project+":"+name.Dataset, r.query.location))
		}
		datasets, location = []*catalog.Dataset{d}, d.Location
	}
	if r.query.location == "" {
		r.query.location = location
	}
	if !strings.EqualFold(r.query.location, location) {
		return nil, r.refuse(apierror.NotFound("Dataset", name.Project+":"+name.Dataset, r.query.location))
	}
	if v.scope == ofRegion {
		rows, err := v.jobs(r, name.Project)
		if err != nil {
			return nil, r.refuse(err)
		}
		return v.table(name, rows)
	}
	var rows []map[string]any
	for _, d := range datasets {
		more, err := v.rows(s, d)
		if err != nil {
			return nil, r.refuse(err)
		}
		rows = append(rows, more...)
	}
	return v.table(name, rows)
}

// table writes a view's rows as a query.
func (v infoView) table(name googlesql.TableName, rows []map[string]any) (*googlesql.Table, error) {
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
			cells[i] = infoLiteral(row[c.Name], c.Type)
		}
		values = append(values, "("+strings.Join(cells, ", ")+")")
	}
	out.SQL = "(SELECT " + strings.Join(casts, ", ") + " FROM (VALUES " + strings.Join(values, ", ") + ") AS v(" +
		strings.Join(names, ", ") + ")" + where + ")"
	return out, nil
}

// columnsOf reads columns that are written as those of CREATE TABLE.
func columnsOf(texts string) ([]googlesql.Column, error) {
	st, err := googlesql.Translate("CREATE TABLE p.d.t ("+texts+")", googlesql.Options{})
	if err != nil {
		return nil, err
	}
	return st.NewColumns, nil
}

// infoLiteral writes a value of a type: a string, bool, int64, time.Time, a map of a STRUCT's fields, a
// list, or nil.
func infoLiteral(v any, t googlesql.Type) string {
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
			parts[i] = engine.Literal(f.Name) + ": CAST(" + infoLiteral(v[f.Name], f.Type) + " AS " + f.Type.DuckDB() + ")"
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = infoLiteral(v[i], *t.Elem)
		}
		return "CAST([" + strings.Join(parts, ", ") + "] AS " + t.DuckDB() + ")"
	}
	if t.Kind == googlesql.Array {
		return "CAST([] AS " + t.DuckDB() + ")"
	}
	return "CAST(NULL AS " + t.DuckDB() + ")"
}
