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
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

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
func (js *registry) resultNamed(name googlesql.TableName) *job {
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

// result is what the anonymous table of a job holds.
type result struct {
	table    wire.TableReference
	columns  []googlesql.Column
	rows     *engine.Result
	location string
	made     time.Time
}

// resultNamed returns the result behind the anonymous table of a job; nil if the name is that of none. Only the user who
// has asked for the result may have it.
func (s *runner) resultNamed(who caller, name googlesql.TableName) (*result, *apierror.Error) {
	j := s.jobs.resultNamed(name)
	if j == nil {
		return nil, nil
	}
	return j.resultOf(who)
}

func (j *job) resultOf(who caller) (*result, *apierror.Error) {
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
	return &result{table: name, columns: j.plan.stmt.Columns, rows: j.result, location: j.ref.Location, made: j.ended},
		nil
}
