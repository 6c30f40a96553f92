package infoschema

import (
	"maps"
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

func millis(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms)
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func tableIDs(t wire.TableReference) map[string]any {
	return map[string]any{"project_id": t.ProjectID, "dataset_id": t.DatasetID, "table_id": t.TableID}
}

// jobRow returns a job as the views of jobs show it.
func jobRow(j *wire.Job) map[string]any {
	st := j.Statistics
	row := map[string]any{
		"creation_time": millis(st.CreationTime), "project_id": j.JobReference.ProjectID, "user_email": j.UserEmail,
		"job_id": j.JobReference.JobID, "job_type": orNull(j.Configuration.JobType), "start_time": millis(st.StartTime),
		"end_time": millis(st.EndTime), "state": j.Status.State, "total_bytes_processed": st.TotalBytesProcessed,
		"total_slot_ms": st.TotalSlotMs, "parent_job_id": orNull(st.ParentJobID),
	}
	if c := j.Configuration.Query; c != nil {
		row["query"], row["priority"] = orNull(c.Query), orNull(c.Priority)
		if c.DestinationTable != nil {
			row["destination_table"] = tableIDs(*c.DestinationTable)
		}
	}
	if e := j.Status.ErrorResult; e != nil {
		row["error_result"] = map[string]any{"reason": e.Reason, "location": orNull(e.Location), "message": e.Message}
	}
	var labels []any
	for _, k := range slices.Sorted(maps.Keys(j.Configuration.Labels)) {
		labels = append(labels, map[string]any{"key": k, "value": j.Configuration.Labels[k]})
	}
	row["labels"] = labels
	if st.SessionInfo != nil {
		row["session_info"] = map[string]any{"session_id": st.SessionInfo.SessionID}
	}
	if st.TransactionInfo != nil {
		row["transaction_id"] = st.TransactionInfo.TransactionID
	}
	if q := st.Query; q != nil {
		row["statement_type"], row["total_bytes_billed"] = orNull(q.StatementType), q.TotalBytesBilled
		if q.StatementType != "SCRIPT" {
			row["cache_hit"] = q.CacheHit
		}
		var tables []any
		for _, t := range q.ReferencedTables {
			tables = append(tables, tableIDs(t))
		}
		row["referenced_tables"] = tables
		if d := q.DMLStats; d != nil {
			row["dml_statistics"] = map[string]any{"inserted_row_count": d.InsertedRowCount,
				"deleted_row_count": d.DeletedRowCount, "updated_row_count": d.UpdatedRowCount}
		}
	}
	return row
}
