package fakebq

import (
	"cmp"
	"fmt"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

// configuration returns the configuration of the request, with the destination table.
func (j *job) configuration() *bigquery.JobConfiguration {
	c := *j.st.config
	q := *c.Query
	if j.table != nil && !j.st.DryRun && q.DestinationTable == nil {
		name := cmp.Or(j.answer.Destination, j.project+"._fake_anonymous.anon_"+j.id)
		q.DestinationTable = tableReference(name)
	}
	c.Query = &q
	return &c
}

// tableReference parses PROJECT.DATASET.TABLE. A legacy project can contain dots.
func tableReference(name string) *bigquery.TableReference {
	ref := &bigquery.TableReference{TableId: name}
	if i := strings.LastIndex(name, "."); i >= 0 {
		ref.DatasetId, ref.TableId = name[:i], name[i+1:]
	}
	if i := strings.LastIndex(ref.DatasetId, "."); i >= 0 {
		ref.ProjectId, ref.DatasetId = ref.DatasetId[:i], ref.DatasetId[i+1:]
	}
	return ref
}

// statistics returns the statistics of a job, fewer while it runs.
func (j *job) statistics(done bool) *bigquery.JobStatistics {
	a := &j.answer
	stats := &bigquery.JobStatistics{CreationTime: j.created.UnixMilli(), StartTime: j.created.UnixMilli()}
	if j.session != nil {
		stats.SessionInfo = &bigquery.SessionInfo{SessionId: j.session.id}
	}
	if j.parent != nil {
		stats.ParentJobId = j.parent.id
	}
	if !done {
		stats.Query = &bigquery.JobStatistics2{}
		if a.Running != nil {
			*stats.Query = *a.Running
		}
		stats.Query.StatementType = a.statementType()
		return stats
	}
	stats.EndTime = j.created.UnixMilli()
	stats.NumChildJobs = int64(len(j.kids))
	stats.TotalBytesProcessed, stats.TotalSlotMs = a.Bytes, a.SlotMillis
	stats.Query = &bigquery.JobStatistics2{
		StatementType: a.statementType(), TotalBytesProcessed: a.Bytes, TotalBytesBilled: a.Billed,
		TotalSlotMs: a.SlotMillis, CacheHit: a.CacheHit,
	}
	if a.hasCounts() {
		stats.Query.DmlStats = &bigquery.DmlStatistics{
			InsertedRowCount: a.DML.Inserted, UpdatedRowCount: a.DML.Updated, DeletedRowCount: a.DML.Deleted,
		}
		stats.Query.NumDmlAffectedRows = a.DML.total()
		stats.Query.ForceSendFields = []string{"NumDmlAffectedRows"}
	}
	if c := a.Created; c != nil {
		stats.Query.DdlOperationPerformed, stats.Query.DdlTargetTable = c.operation(), c.reference()
	}
	if j.st.DryRun {
		j.dryRun(stats.Query)
	}
	return stats
}

// dryRun adds the members of a dry run.
func (j *job) dryRun(q *bigquery.JobStatistics2) {
	q.TotalBytesProcessedAccuracy = "PRECISE"
	q.Schema = &bigquery.TableSchema{}
	if j.table != nil {
		q.Schema.Fields = googleFields(j.table.fields)
	}
	for _, p := range j.st.undeclared(j.answer.Parameters) {
		q.UndeclaredQueryParameters = append(q.UndeclaredQueryParameters, &bigquery.QueryParameter{Name: p.Name,
			ParameterType: p.Type})
	}
}

func googleFields(fields []Field) []*bigquery.TableFieldSchema {
	var out []*bigquery.TableFieldSchema
	for _, f := range fields {
		g := &bigquery.TableFieldSchema{
			Name: f.Name, Type: f.Type, Mode: f.Mode, Fields: googleFields(f.Fields),
			Precision: f.Precision, Scale: f.Scale, MaxLength: f.MaxLength, Description: f.Description,
		}
		if f.TimestampPrecision != 0 {
			g.TimestampPrecision = &f.TimestampPrecision
		}
		if f.Default != nil {
			g.DefaultValueExpression = fmt.Sprint(f.Default)
		}
		if f.Element != "" {
			g.RangeElementType = &bigquery.TableFieldSchemaRangeElementType{Type: f.Element}
		}
		out = append(out, g)
	}
	return out
}
