package sandbox

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// maxListed is the most rows that one page of tabledata.list has.
const maxListed = 100_000

// listResult reads the rows of a job by its anonymous table.
func (s *Server) listResult(r *http.Request, result *jobs.Result) (any, *apierror.Error) {
	owner := "table " + result.Table.TableID
	page, err := pageOf(r.URL.Query(), owner)
	if err != nil {
		return nil, err
	}
	from, err := readResult(result, nil, "")
	if names := r.URL.Query().Get("selectedFields"); err == nil && names != "" {
		from, err = pick(from, strings.Split(names, ","))
	}
	if err != nil {
		return nil, err
	}
	rows, next := jobs.EncodePage(from.Result, page, s.cfg.PageBytes)
	out := &wire.TableDataList{Kind: "bigquery#tableDataList", TotalRows: from.Result.Rows, Rows: rows}
	if next < from.Result.Rows {
		out.PageToken = jobs.PageToken(owner, next)
	}
	return out, nil
}

// tabledataList reads a table's rows in the order of their insertion.
func (s *Server) tabledataList(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	switch result, err := s.jobs.ResultNamed(who, pathTable(r)); {
	case err != nil:
		return nil, err
	case result != nil:
		return s.listResult(r, result)
	}
	_, t, err := s.tableOf(r, who)
	if err != nil {
		return nil, err
	}
	if t.View != nil {
		return nil, apierror.Errorf("invalid", "Cannot list a table of type %s.", t.ViewKind())
	}
	params := r.URL.Query()
	page, err := pageOf(params, "table "+t.Name.String())
	if err != nil {
		return nil, err
	}
	columns, err := selected(t.Columns, params.Get("selectedFields"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = engine.Quote(c.Name)
	}
	total, _, sizeErr := s.catalog.TableSize(r.Context(), t)
	if sizeErr != nil {
		return nil, apierror.From(sizeErr)
	}
	limit := int64(maxListed)
	if page.Max >= 0 {
		limit = min(limit, page.Max)
	}
	conn, connErr := s.db.Conn()
	if connErr != nil {
		return nil, apierror.From(connErr)
	}
	defer conn.Release()
	sql := fmt.Sprintf("SELECT %s FROM %s LIMIT %d OFFSET %d", strings.Join(names, ", "), catalog.TableSQL(t.Name),
		limit, page.Start)
	res, runErr := conn.Query(r.Context(), sql, nil, columns, s.cfg.ResultBytes)
	if runErr != nil {
		return nil, apierror.From(runErr)
	}
	start := page.Start
	page.Start, page.Max = 0, -1
	rows, sent := jobs.EncodePage(res, page, s.cfg.PageBytes)
	out := &wire.TableDataList{Kind: "bigquery#tableDataList", TotalRows: total, Rows: rows}
	if next := start + sent; next < total {
		out.PageToken = jobs.PageToken("table "+t.Name.String(), next)
	}
	return out, nil
}

// selected returns the columns that selectedFields names; all if it is empty.
func selected(columns []googlesql.Column, names string) ([]googlesql.Column, *apierror.Error) {
	if names == "" {
		return columns, nil
	}
	return selectedNames(columns, strings.Split(names, ","))
}

func selectedNames(columns []googlesql.Column, names []string) ([]googlesql.Column, *apierror.Error) {
	var out []googlesql.Column
	for _, c := range columns {
		for _, n := range names {
			if strings.EqualFold(strings.TrimSpace(n), c.Name) {
				out = append(out, c)
				break
			}
		}
	}
	if len(out) < len(names) {
		return nil, apierror.Errorf("invalid", "Invalid selectedFields %q: the table has no such columns; the sandbox "+
			"selects whole columns only.", strings.Join(names, ","))
	}
	return out, nil
}
