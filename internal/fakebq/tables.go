package fakebq

import (
	"strconv"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

// getTable is tables.get, for the tables that hold results.
func (s *Server) getTable(rec *Request) (*message, *Error) {
	_, name, _ := strings.Cut(rec.Path, "/projects/")
	j := s.resultNamed("projects/" + name)
	if j == nil {
		return nil, &Error{Reason: "notFound", Message: "Not found: Table " + name}
	}
	ref := j.configuration().Query.DestinationTable
	m := new(message)
	m.before.set("kind", "bigquery#table")
	m.before.set("tableReference", ref)
	m.before.set("schema", &bigquery.TableSchema{Fields: googleFields(j.table.fields)})
	m.before.set("numRows", strconv.Itoa(j.total()))
	m.before.set("location", j.location)
	m.before.set("type", "TABLE")
	return m, nil
}
