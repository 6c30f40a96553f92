package sandbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// tableRow begins a row about a table.
func tableRow(t *table) map[string]any {
	return map[string]any{"table_catalog": t.name.Project, "table_schema": t.name.Dataset, "table_name": t.name.Table}
}

// eachTable calls f for the tables of a dataset, under the catalog's lock.
func (s *Server) eachTable(d *dataset, f func(*table)) {
	tables := s.catalog.tables(d)
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	for _, t := range tables {
		f(t)
	}
}

func (s *Server) schemataOptionsRows(d *dataset) (rows []map[string]any, _ *apiError) {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	for _, o := range d.options() {
		rows = append(rows, map[string]any{"catalog_name": d.ref.ProjectID, "schema_name": d.ref.DatasetID,
			"option_name": o.name, "option_type": o.kind, "option_value": o.value})
	}
	return rows, nil
}

func (s *Server) tableOptionsRows(d *dataset) (rows []map[string]any, _ *apiError) {
	s.eachTable(d, func(t *table) {
		for _, o := range t.options() {
			row := tableRow(t)
			row["option_name"], row["option_type"], row["option_value"] = o.name, o.kind, o.value
			rows = append(rows, row)
		}
	})
	return rows, nil
}

func (s *Server) fieldPathsRows(d *dataset) (rows []map[string]any, _ *apiError) {
	s.eachTable(d, func(t *table) {
		for i, c := range t.columns {
			var add func(path string, f *fieldSchema, typ googlesql.Type)
			add = func(path string, f *fieldSchema, typ googlesql.Type) {
				row := tableRow(t)
				row["column_name"], row["field_path"], row["data_type"] = c.Name, path, typ.String()
				if f.Description != "" {
					row["description"] = f.Description
				}
				rows = append(rows, row)
				if typ.Kind == googlesql.Array {
					typ = *typ.Elem
				}
				for k := range f.Fields {
					add(path+"."+f.Fields[k].Name, &f.Fields[k], typ.Fields[k].Type)
				}
			}
			add(c.Name, &t.schema[i], c.Type)
		}
	})
	return rows, nil
}

func (s *Server) viewsRows(d *dataset) (rows []map[string]any, _ *apiError) {
	s.eachTable(d, func(t *table) {
		if t.view == nil {
			return
		}
		row := tableRow(t)
		row["view_definition"], row["use_standard_sql"] = t.view.Query, "YES"
		rows = append(rows, row)
	})
	return rows, nil
}

// partitionsRows are the partitions that have rows; a table without partitions is one.
func (s *Server) partitionsRows(d *dataset) (rows []map[string]any, _ *apiError) {
	for _, t := range s.catalog.tables(d) {
		if t.view != nil {
			continue
		}
		total, sizes, err := s.tableSize(context.Background(), t)
		if err != nil {
			return nil, runError(err)
		}
		bytes := int64(0)
		for _, b := range sizes {
			bytes += b
		}
		s.dropPartitions(t)
		parts := []partitionCount{{rows: total, bytes: bytes}}
		if t.partition != nil {
			if parts, err = s.countPartitions(t); err != nil {
				return nil, runError(err)
			}
		}
		s.catalog.mu.RLock()
		modified := t.modified
		s.catalog.mu.RUnlock()
		for _, p := range parts {
			row := tableRow(t)
			row["total_rows"], row["last_modified_time"], row["storage_tier"] = p.rows, modified, "ACTIVE"
			if t.partition != nil {
				row["partition_id"] = p.id
			}
			row["total_logical_bytes"], row["total_billable_bytes"] = p.bytes, p.bytes
			rows = append(rows, row)
		}
	}
	return rows, nil
}

type partitionCount struct {
	id          string
	rows, bytes int64
}

// partitionFormats write the id of a partition by time.
var partitionFormats = map[string]string{"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}

// countPartitions counts the rows and bytes of each partition, by its id.
func (s *Server) countPartitions(t *table) ([]partitionCount, error) {
	p := t.partition
	column := p.Column
	if column == "" {
		column = googlesql.PartitionTime
	}
	c := engine.Quote(column)
	id := "strftime(CAST(" + c + " AS TIMESTAMP), '" + partitionFormats[p.Unit] + "')"
	if p.Unit == "" {
		id = fmt.Sprintf("CASE WHEN %[1]s < %[2]d OR %[1]s >= %[3]d THEN '__UNPARTITIONED__' ELSE "+
			"CAST(%[2]d + (%[1]s - %[2]d) // %[4]d * %[4]d AS VARCHAR) END", c, p.Start, p.End, p.Interval)
	}
	conn, err := s.db.Conn()
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	sizes := []string{"0"}
	for _, c := range t.columns {
		sizes = append(sizes, sizeSQL(engine.Quote(c.Name), c.Type, 0))
	}
	whole := googlesql.Type{Kind: googlesql.Int64}
	res, err := conn.Query(context.Background(), "SELECT CASE WHEN "+c+" IS NULL THEN '__NULL__' ELSE "+id+
		" END AS id, count(*), CAST(sum("+strings.Join(sizes, " + ")+") AS BIGINT) FROM "+tableSQL(t.name)+
		" GROUP BY 1 ORDER BY 1", nil, []googlesql.Column{{Name: "id", Type: googlesql.Type{Kind: googlesql.String}},
		{Name: "n", Type: whole}, {Name: "bytes", Type: whole}}, 0)
	if err != nil {
		return nil, err
	}
	var out []partitionCount
	for _, b := range res.Blocks {
		for i := range b.Rows {
			out = append(out, partitionCount{string(b.Columns[0].Bytes(i)), b.Columns[1].Ints[i],
				b.Columns[2].Ints[i]})
		}
	}
	return out, nil
}

// routines are the functions of a dataset by name.
func (s *Server) routines(d *dataset) []*googlesql.Function {
	s.catalog.mu.RLock()
	defer s.catalog.mu.RUnlock()
	var out []*googlesql.Function
	for _, name := range slices.Sorted(maps.Keys(d.functions)) {
		out = append(out, d.functions[name])
	}
	return out
}

func routineRow(f *googlesql.Function) map[string]any {
	return map[string]any{"specific_catalog": f.Name.Project, "specific_schema": f.Name.Dataset,
		"specific_name": f.Name.Table}
}

func (s *Server) routinesRows(d *dataset) (rows []map[string]any, _ *apiError) {
	for _, f := range s.routines(d) {
		row := routineRow(f)
		row["routine_catalog"], row["routine_schema"] = f.Name.Project, f.Name.Dataset
		row["routine_name"], row["routine_body"], row["routine_definition"] = f.Name.Table, "SQL", f.Body
		row["routine_type"] = "FUNCTION"
		if f.Table {
			row["routine_type"] = "TABLE FUNCTION"
		}
		if f.Returns != nil {
			row["data_type"] = f.Returns.String()
		}
		rows = append(rows, row)
	}
	for _, p := range s.procedures(d) {
		rows = append(rows, map[string]any{"specific_catalog": p.Name.Project, "specific_schema": p.Name.Dataset,
			"specific_name": p.Name.Table, "routine_catalog": p.Name.Project, "routine_schema": p.Name.Dataset,
			"routine_name": p.Name.Table, "routine_body": "SQL", "routine_definition": p.Body,
			"routine_type": "PROCEDURE"})
	}
	return rows, nil
}

func (s *Server) parametersRows(d *dataset) (rows []map[string]any, _ *apiError) {
	for _, f := range s.routines(d) {
		if f.Returns != nil {
			row := routineRow(f)
			row["ordinal_position"], row["is_result"], row["data_type"] = int64(0), "YES", f.Returns.String()
			rows = append(rows, row)
		}
		for i, p := range f.Params {
			row := routineRow(f)
			row["ordinal_position"], row["is_result"], row["parameter_name"] = int64(i+1), "NO", p.Name
			row["data_type"] = "ANY TYPE"
			if p.Type != nil {
				row["data_type"] = p.Type.String()
			}
			rows = append(rows, row)
		}
	}
	for _, p := range s.procedures(d) {
		for i, param := range p.Params {
			row := map[string]any{"specific_catalog": p.Name.Project, "specific_schema": p.Name.Dataset,
				"specific_name": p.Name.Table, "ordinal_position": int64(i + 1), "is_result": "NO",
				"parameter_name": param.Name, "parameter_mode": param.Mode, "data_type": "ANY TYPE"}
			if param.Type != nil {
				row["data_type"] = param.Type.String()
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func projectJobs(r *resolver, project string) ([]map[string]any, *apiError) {
	return r.jobRows(project, func(*job) bool { return true })
}

func userJobs(r *resolver, project string) ([]map[string]any, *apiError) {
	return r.jobRows(project, func(j *job) bool { return j.user == r.who.email })
}

// jobRows are the jobs of a project in the query's location that keep takes, oldest first.
func (r *resolver) jobRows(project string, keep func(*job) bool) (rows []map[string]any, _ *apiError) {
	if err := r.server.checkJobs(r.who, project, "bigquery.jobs.listAll"); err != nil && !r.who.admin {
		return nil, err
	}
	for _, j := range r.server.jobs.all(project) {
		if strings.EqualFold(j.ref.Location, r.query.location) && keep(j) {
			rows = append(rows, jobRow(r.server.describe(j)))
		}
	}
	return rows, nil
}

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

func tableIDs(t tableReference) map[string]any {
	return map[string]any{"project_id": t.ProjectID, "dataset_id": t.DatasetID, "table_id": t.TableID}
}

// jobRow is a job as the views of jobs show it.
func jobRow(j *jobResource) map[string]any {
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
