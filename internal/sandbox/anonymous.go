package sandbox

import (
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/storageapi"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// anonymousLife is how long BigQuery keeps the anonymous table of a result.
const anonymousLife = 24 * time.Hour

// readResult reads the rows of a job for the Storage Read API.
func readResult(from *jobs.Result, names []string, where string) (storageapi.Rows, *apierror.Error) {
	if where != "" {
		return storageapi.Rows{}, apierror.Unsupported("a row_restriction for the result of a query")
	}
	out := storageapi.Rows{Result: from.Rows, Location: from.Location, Bytes: from.Rows.Bytes}
	// The names are those of the schema: f0_ for a column without one.
	for i, f := range wire.SchemaOf(from.Columns) {
		c := from.Columns[i]
		c.Name, c.Required = f.Name, false
		out.Columns = append(out.Columns, c)
	}
	if len(names) == 0 {
		return out, nil
	}
	return pick(out, names)
}

// pick returns some columns of a result.
func pick(from storageapi.Rows, names []string) (storageapi.Rows, *apierror.Error) {
	columns, err := selectedNames(from.Columns, names)
	if err != nil {
		return from, err
	}
	var places []int
	for i, c := range from.Columns {
		if slices.ContainsFunc(columns, func(o googlesql.Column) bool { return o.Name == c.Name }) {
			places = append(places, i)
		}
	}
	from.Columns, from.Result = columns, from.Result.Pick(places)
	return from, nil
}

// describeResult writes the metadata of a job's anonymous table.
func (s *Server) describeResult(r *jobs.Result) *wire.Table {
	ref, made := r.Table, wire.Int64(r.Made.UnixMilli())
	return &wire.Table{
		Kind: "bigquery#table", ID: ref.ProjectID + ":" + ref.DatasetID + "." + ref.TableID, TableReference: ref,
		SelfLink: s.Endpoint() + "/bigquery/v2/projects/" + ref.ProjectID + "/datasets/" + ref.DatasetID + "/tables/" +
			ref.TableID,
		Type: "TABLE", Location: r.Location, Schema: &wire.Schema{Fields: wire.SchemaOf(r.Columns)},
		NumRows: &r.Rows.Rows, NumBytes: &r.Rows.Bytes, CreationTime: made, LastModifiedTime: made,
		ExpirationTime: wire.Int64(r.Made.Add(anonymousLife).UnixMilli()), ETag: etag(ref.TableID, r.Made),
	}
}
