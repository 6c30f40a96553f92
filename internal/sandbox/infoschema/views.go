package infoschema

import (
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
)

// scope says what a view of INFORMATION_SCHEMA can belong to.
type scope int

const (
	anyScope  scope = iota // a dataset, or a project's datasets in a region
	ofDataset              // a dataset
	ofProject              // a project's datasets in a region
	ofRegion               // a region of a project: jobs
)

// view is a view of INFORMATION_SCHEMA.
type view struct {
	// columns are written as those of CREATE TABLE, in BigQuery's order
	// (https://cloud.google.com/bigquery/docs/information-schema-intro).
	columns string
	scope   scope
	// rows returns the rows of one dataset: values for literal, by the names of columns.
	rows func(c *catalog.Catalog, d *catalog.Dataset) ([]map[string]any, *apierror.Error)
	// own marks a view of the user's own jobs. Other views of ofRegion show all
	// jobs.
	own bool
	// refused are columns of BigQuery that the sandbox lacks.
	refused []string
}

const (
	ofTable  = "table_catalog STRING, table_schema STRING, table_name STRING, "
	optional = "option_name STRING, option_type STRING, option_value STRING"
	specific = "specific_catalog STRING, specific_schema STRING, specific_name STRING, "
	threeIDs = "<project_id STRING, dataset_id STRING, table_id STRING>"

	jobColumns = "creation_time TIMESTAMP, project_id STRING, user_email STRING, job_id STRING, job_type STRING, " +
		"statement_type STRING, priority STRING, start_time TIMESTAMP, end_time TIMESTAMP, query STRING, state " +
		"STRING, reservation_id STRING, total_bytes_processed INT64, total_slot_ms INT64, error_result STRUCT<reason " +
		"STRING, location STRING, debug_info STRING, message STRING>, cache_hit BOOL, destination_table STRUCT" +
		threeIDs + ", referenced_tables ARRAY<STRUCT" + threeIDs + ">, labels ARRAY<STRUCT<key STRING, value " +
		"STRING>>, total_bytes_billed INT64, transaction_id STRING, parent_job_id STRING, session_info " +
		"STRUCT<session_id STRING>, dml_statistics STRUCT<inserted_row_count INT64, deleted_row_count INT64, " +
		"updated_row_count INT64>"
)

var jobRefused = []string{"project_number", "timeline", "job_stages", "bi_engine_statistics",
	"total_modified_partitions", "query_info", "transferred_bytes", "materialized_view_statistics", "edition",
	"job_creation_reason", "continuous", "continuous_query_info", "query_dialect", "metadata_cache_statistics",
	"search_statistics", "vector_search_statistics", "total_services_sku_slot_ms", "principal_subject",
	"external_service_costs", "load_statistics"}

var tableStorage = view{scope: ofProject, rows: storageRows, columns: "project_id STRING, " + ofTable +
	"creation_time TIMESTAMP, total_rows INT64, total_partitions INT64, total_logical_bytes INT64, " +
	"active_logical_bytes INT64, long_term_logical_bytes INT64, storage_last_modified_time TIMESTAMP, deleted BOOL, " +
	"table_type STRING, managed_table_type STRING, table_deletion_reason STRING, table_deletion_time TIMESTAMP",
	refused: []string{"project_number", "total_physical_bytes", "active_physical_bytes", "long_term_physical_bytes",
		"current_physical_bytes", "time_travel_physical_bytes", "fail_safe_physical_bytes",
		"last_metadata_index_refresh_time"}}

var views = map[string]view{
	"SCHEMATA": {scope: ofProject, rows: schemataRows, columns: "catalog_name STRING, schema_name STRING, " +
		"schema_owner STRING, creation_time TIMESTAMP, last_modified_time TIMESTAMP, location STRING, ddl STRING, " +
		"default_collation_name STRING, sync_status JSON"},
	"SCHEMATA_OPTIONS": {scope: ofProject, rows: schemataOptionsRows,
		columns: "catalog_name STRING, schema_name STRING, " + optional},
	"TABLES": {rows: tablesRows, columns: ofTable + "table_type STRING, managed_table_type STRING, " +
		"is_insertable_into STRING, is_fine_grained_mutations_enabled STRING, is_typed STRING, " +
		"is_change_history_enabled STRING, creation_time TIMESTAMP, base_table_catalog STRING, base_table_schema " +
		"STRING, base_table_name STRING, snapshot_time_ms TIMESTAMP, replica_source_catalog STRING, " +
		"replica_source_schema STRING, replica_source_name STRING, replication_status STRING, replication_error " +
		"STRING, ddl STRING, default_collation_name STRING, sync_status JSON, upsert_stream_apply_watermark TIMESTAMP"},
	"TABLE_OPTIONS": {rows: tableOptionsRows, columns: ofTable + optional},
	"COLUMNS": {rows: columnsRows, columns: ofTable + "column_name STRING, ordinal_position INT64, " +
		"is_nullable STRING, data_type STRING, is_generated STRING, generation_expression STRING, is_stored STRING, " +
		"is_hidden STRING, is_updatable STRING, is_system_defined STRING, is_partitioning_column STRING, " +
		"clustering_ordinal_position INT64, collation_name STRING, column_default STRING, rounding_mode STRING, " +
		"policy_tags ARRAY<STRING>"},
	"COLUMN_FIELD_PATHS": {rows: fieldPathsRows, columns: ofTable + "column_name STRING, field_path STRING, " +
		"data_type STRING, description STRING, collation_name STRING, rounding_mode STRING, policy_tags ARRAY<STRING>"},
	"VIEWS": {rows: viewsRows,
		columns: ofTable + "view_definition STRING, check_option STRING, use_standard_sql STRING"},
	"PARTITIONS": {scope: ofDataset, rows: partitionsRows, columns: ofTable + "partition_id STRING, " +
		"total_rows INT64, total_logical_bytes INT64, total_billable_bytes INT64, last_modified_time TIMESTAMP, " +
		"storage_tier STRING"},
	"TABLE_STORAGE":            tableStorage,
	"TABLE_STORAGE_BY_PROJECT": tableStorage,
	"ROUTINE_OPTIONS":          {rows: routineOptionsRows, columns: specific + optional},
	"ROUTINES": {rows: routinesRows, columns: specific + "routine_catalog STRING, routine_schema STRING, " +
		"routine_name STRING, routine_type STRING, data_type STRING, routine_body STRING, routine_definition STRING, " +
		"external_language STRING, is_deterministic STRING, security_type STRING, created TIMESTAMP, last_altered " +
		"TIMESTAMP", refused: []string{"ddl"}},
	"PARAMETERS": {rows: parametersRows, columns: specific + "ordinal_position INT64, parameter_mode STRING, " +
		"is_result STRING, parameter_name STRING, data_type STRING, parameter_default STRING, is_aggregate STRING"},
	"TABLE_CONSTRAINTS": {scope: ofDataset, rows: constraintsRows, columns: "constraint_catalog STRING, " +
		"constraint_schema STRING, constraint_name STRING, " + ofTable + "constraint_type STRING, is_deferrable " +
		"STRING, initially_deferred STRING, enforced STRING"},
	"KEY_COLUMN_USAGE": {scope: ofDataset, rows: keyColumnsRows, columns: "constraint_catalog STRING, " +
		"constraint_schema STRING, constraint_name STRING, " + ofTable + "column_name STRING, ordinal_position " +
		"INT64, position_in_unique_constraint INT64"},
	"CONSTRAINT_COLUMN_USAGE": {scope: ofDataset, rows: constraintColumnsRows, columns: ofTable +
		"column_name STRING, constraint_catalog STRING, constraint_schema STRING, constraint_name STRING"},
	"JOBS":            {scope: ofRegion, columns: jobColumns, refused: jobRefused},
	"JOBS_BY_PROJECT": {scope: ofRegion, columns: jobColumns, refused: jobRefused},
	"JOBS_BY_USER":    {scope: ofRegion, own: true, columns: jobColumns, refused: jobRefused},
}
