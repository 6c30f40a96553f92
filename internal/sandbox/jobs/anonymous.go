package jobs

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// reportResult gives a job without a destination the anonymous table in which BigQuery would keep
// its rows. Its dataset is hidden because of its first letter. It can be read by tables.get,
// tabledata.list and the Storage Read API.
func (j *Job) reportResult() {
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

// Result is what the anonymous table of a job holds.
type Result struct {
	Table    wire.TableReference
	Columns  []googlesql.Column
	Rows     *engine.Result
	Location string
	Made     time.Time
}

// ResultNamed returns the result behind the anonymous table of a job, or nil if no job has that table.
// Only the user who asked for the result may read it.
func (s *Runner) ResultNamed(who Caller, name googlesql.TableName) (*Result, *apierror.Error) {
	j := s.jobs.resultNamed(name)
	if j == nil {
		return nil, nil
	}
	return j.resultOf(who)
}

func (j *Job) resultOf(who Caller) (*Result, *apierror.Error) {
	name := *j.config.Query.DestinationTable
	text := fmt.Sprintf("%s:%s.%s", name.ProjectID, name.DatasetID, name.TableID)
	if j.user != who.Email {
		return nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.getData "+
			"denied on table %[1]s (or it may not exist).", text)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.result == nil {
		return nil, apierror.NotFound("Table", text, "")
	}
	return &Result{Table: name, Columns: j.plan.stmt.Columns, Rows: j.result, Location: j.ref.Location, Made: j.ended},
		nil
}
