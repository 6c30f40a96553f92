package sandbox

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/storageapi"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// anonymousLife is how long BigQuery keeps the anonymous table of a result.
const anonymousLife = 24 * time.Hour

// reportResult gives a job whose rows go nowhere else the anonymous table that BigQuery would keep them in. Its dataset
// is hidden because of its first letter; it can be read by tables.get, tabledata.list and the Storage Read API.
func (j *job) reportResult() {
	c := j.config.Query
	if j.plan == nil || j.plan.script != nil || c.DestinationTable != nil || len(j.plan.stmt.Columns) == 0 {
		return
	}
	hash := func(text string) string {
		sum := sha1.Sum([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	c.DestinationTable = &wire.TableReference{ProjectID: j.ref.ProjectID, DatasetID: "_" + hash(j.user+j.ref.Location),
		TableID: "anon" + hash(j.ref.String())}
}

// resultNamed finds the finished job whose anonymous table has the name; nil if there is none.
func (js *jobs) resultNamed(name googlesql.TableName) *job {
	if len(name.Dataset) != 41 || name.Dataset[0] != '_' {
		return nil
	}
	ref := wire.ReferenceTo(name)
	js.mu.Lock()
	defer js.mu.Unlock()
	for _, j := range slices.Backward(js.list) {
		if c := j.config.Query; c != nil && c.DestinationTable != nil && *c.DestinationTable == ref {
			return j
		}
	}
	return nil
}

// resultOf returns the result behind a job's anonymous table, for the user who has asked
// for it.
func (j *job) resultOf(who caller) (*engine.Result, *apierror.Error) {
	name := *j.config.Query.DestinationTable
	text := fmt.Sprintf("%s:%s.%s", name.ProjectID, name.DatasetID, name.TableID)
	if j.user != who.email {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.getData "+
			"denied on table %[1]s (or it may not exist).", text)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.result == nil {
		return nil, apierror.NotFound("Table", text, "")
	}
	return j.result, nil
}

// readResult reads the rows of a job for the Storage Read API.
func (s *Server) readResult(who caller, j *job, names []string, where string) (storageapi.Rows, *apierror.Error) {
	result, err := j.resultOf(who)
	if err != nil {
		return storageapi.Rows{}, err
	}
	if where != "" {
		return storageapi.Rows{}, apierror.Unsupported("a row_restriction for the result of a query")
	}
	out := storageapi.Rows{Result: result, Location: j.ref.Location, Bytes: result.Bytes}
	// The names are those that the schema has: f0_ for a column without one.
	for i, f := range wire.SchemaOf(j.plan.stmt.Columns) {
		c := j.plan.stmt.Columns[i]
		c.Name, c.Required = f.Name, false
		out.Columns = append(out.Columns, c)
	}
	if len(names) == 0 {
		return out, nil
	}
	return pick(out, names)
}

// pick takes some columns of a result.
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
func (s *Server) describeResult(j *job, result *engine.Result) *wire.Table {
	ref := *j.config.Query.DestinationTable
	expires := j.ended.Add(anonymousLife)
	return &wire.Table{
		Kind: "bigquery#table", ID: ref.ProjectID + ":" + ref.DatasetID + "." + ref.TableID, TableReference: ref,
		SelfLink: s.Endpoint() + "/bigquery/v2/projects/" + ref.ProjectID + "/datasets/" + ref.DatasetID + "/tables/" +
			ref.TableID,
		Type: "TABLE", Location: j.ref.Location, Schema: &wire.Schema{Fields: wire.SchemaOf(j.plan.stmt.Columns)},
		NumRows: &result.Rows, NumBytes: &result.Bytes, CreationTime: wire.Int64(j.ended.UnixMilli()),
		LastModifiedTime: wire.Int64(j.ended.UnixMilli()), ExpirationTime: wire.Int64(expires.UnixMilli()),
		ETag: etag(ref.TableID, j.ended),
	}
}
