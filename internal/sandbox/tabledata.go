package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// tableDataList is the answer of tabledata.list.
type tableDataList struct {
	Kind      string          `json:"kind"`
	ETag      string          `json:"etag,omitempty"`
	TotalRows int64           `json:"totalRows,string"`
	PageToken string          `json:"pageToken,omitempty"`
	Rows      json.RawMessage `json:"rows,omitempty"`
}

// maxListed is the most rows that one page of tabledata.list has.
const maxListed = 100_000

// tabledataList reads a table's rows in the order of their insertion.
func (s *Server) tabledataList(r *http.Request, who caller) (any, *apiError) {
	_, t, err := s.tableOf(r, who)
	if err != nil {
		return nil, err
	}
	if t.view != nil {
		return nil, errorf("invalid", "Cannot list a table of type %s.", t.viewKind())
	}
	params := r.URL.Query()
	page, err := pageOf(params, "table "+t.name.String())
	if err != nil {
		return nil, err
	}
	columns, err := selected(t, params.Get("selectedFields"))
	if err != nil {
		return nil, err
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = engine.Quote(c.Name)
	}
	total, _, sizeErr := s.tableSize(r.Context(), t)
	if sizeErr != nil {
		return nil, runError(sizeErr)
	}
	limit := int64(maxListed)
	if page.max >= 0 {
		limit = min(limit, page.max)
	}
	conn, connErr := s.db.Conn()
	if connErr != nil {
		return nil, runError(connErr)
	}
	defer conn.Release()
	sql := fmt.Sprintf("SELECT %s FROM %s LIMIT %d OFFSET %d", strings.Join(names, ", "), tableSQL(t.name), limit,
		page.start)
	res, runErr := conn.Query(r.Context(), sql, nil, columns, s.cfg.ResultBytes)
	if runErr != nil {
		return nil, runError(runErr)
	}
	start := page.start
	page.start, page.max = 0, -1
	rows, sent := encodePage(res, page, s.cfg.PageBytes)
	out := &tableDataList{Kind: "bigquery#tableDataList", TotalRows: total, Rows: rows}
	if next := start + sent; next < total {
		out.PageToken = pageToken("table "+t.name.String(), next)
	}
	return out, nil
}

// selected are the columns that selectedFields names; all if it is empty.
func selected(t *table, names string) ([]googlesql.Column, *apiError) {
	if names == "" {
		return t.columns, nil
	}
	var out []googlesql.Column
	for _, c := range t.columns {
		for _, n := range strings.Split(names, ",") {
			if strings.EqualFold(strings.TrimSpace(n), c.Name) {
				out = append(out, c)
				break
			}
		}
	}
	if len(out) < len(strings.Split(names, ",")) {
		return nil, errorf("invalid", "Invalid selectedFields %q: the table has no such columns; the sandbox "+
			"selects whole columns only.", names)
	}
	return out, nil
}
