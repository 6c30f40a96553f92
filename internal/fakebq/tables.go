package fakebq

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

// getTable serves tables.get for tables with results.
func (s *Server) getTable(rec *Request) (*message, *Error) {
	path, err := url.PathUnescape(rec.Path)
	if err != nil {
		return nil, &Error{Reason: "notFound", Message: err.Error()}
	}
	_, name, _ := strings.Cut(path, "/projects/")
	if j := s.createdNamed("projects/" + name); j != nil {
		return tableMessage(j.answer.Created.reference(), nil, j.answer.Created.Rows, j.location), nil
	}
	s.mu.Lock()
	t := s.stored["projects/"+name]
	s.mu.Unlock()
	if t != nil {
		path := strings.NewReplacer("/datasets/", ".", "/tables/", ".").Replace(name)
		return tableMessage(tableReference(path), t.fields, int64(len(t.rows)), s.opts.Location), nil
	}
	j := s.resultNamed("projects/" + name)
	if j == nil {
		return nil, &Error{Reason: "notFound", Message: "Not found: Table " + name}
	}
	return tableMessage(j.configuration().Query.DestinationTable, j.table.fields, int64(j.total()), j.location), nil
}

func tableMessage(ref *bigquery.TableReference, fields []Field, rows int64, location string) *message {
	m := new(message)
	m.before.set("kind", "bigquery#table")
	m.before.set("tableReference", ref)
	m.before.set("schema", &bigquery.TableSchema{Fields: googleFields(fields)})
	m.before.set("numRows", strconv.FormatInt(rows, 10))
	m.before.set("location", location)
	m.before.set("type", "TABLE")
	return m
}

// createdNamed returns the last job that created a table with this name.
func (s *Server) createdNamed(name string) *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.order) - 1; i >= 0; i-- {
		j := s.order[i]
		if c := j.answer.Created; c != nil && j.finished() && j.failure() == nil && name == tableName(c.reference()) {
			return j
		}
	}
	return nil
}

// reference splits the name, in which the project can contain dots.
func (c *Created) reference() *bigquery.TableReference {
	rest, table := cutLast(c.Table)
	project, dataset := cutLast(rest)
	return &bigquery.TableReference{ProjectId: project, DatasetId: dataset, TableId: table}
}

func cutLast(s string) (before, after string) {
	i := strings.LastIndexByte(s, '.')
	return s[:max(i, 0)], s[i+1:]
}

func (c *Created) operation() string {
	if c.Operation == "" {
		return "CREATE"
	}
	return c.Operation
}

// tableName returns the name of a table in the path of a request.
func tableName(ref *bigquery.TableReference) string {
	return fmt.Sprintf("projects/%s/datasets/%s/tables/%s", ref.ProjectId, ref.DatasetId, ref.TableId)
}
