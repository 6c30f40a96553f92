package sandbox

import (
	"fmt"
	"strings"
	"testing"
)

// TestRefusals holds each thing that the sandbox can't do against a clear error.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	query := func(fields string) string { return `{"query": "SELECT 1", "useLegacySql": false, ` + fields + `}` }
	insert := func(fields string) string {
		return `{"configuration": {"query": {"query": "SELECT 1", "useLegacySql": false` + fields + `}}}`
	}
	const base = "/bigquery/v2/projects/" + DefaultProject
	const dataset = base + "/datasets/d"
	exec(t, s, "CREATE SCHEMA d")
	tests := []struct {
		method, path, body, reason, message string
	}{
		{"POST", base + "/queries", `{"query": "SELECT 1"}`, "invalid", "legacy SQL"},
		{"POST", base + "/queries", `{"query": "SELECT 1", "useLegacySql": true}`, "invalid", "legacy SQL"},
		{"POST", base + "/queries", `{"query": " ", "useLegacySql": false}`, "required", "query"},
		{"POST", base + "/queries", `{"query": `, "parseError", "JSON"},
		{"POST", base + "/queries", query(`"maxResults": "many"`), "parseError", "JSON"},
		{"POST", base + "/queries", query(`"connectionProperties": [{"key": "session_id", "value": "x"}]`),
			"resourcesExceeded", "Session x has expired and is no longer available."},
		{"POST", base + "/queries", query(`"connectionProperties": [{"key": "session_id", "value": ""}]`), "invalid",
			"session id"},
		{"POST", base + "/queries", query(`"createSession": true, "connectionProperties": [{"key": "session_id", ` +
			`"value": "x"}]`), "invalid", "together"},
		{"POST", base + "/queries", query(`"connectionProperties": [{"key": "time_zone", "value": "Mars/Olympus"}]`),
			"invalid", "Invalid time zone: Mars/Olympus"},
		{"POST", base + "/queries", query(`"connectionProperties": [{"key": "time_zone", "value": "+15:30"}]`),
			"invalid", "Invalid time zone: +15:30"},
		{"POST", base + "/queries", query(`"connectionProperties": [{"key": "query_label", "value": "a:b"}]`),
			"invalid", "query_label"},
		{"POST", base + "/queries", query(`"continuous": true`), "invalid", "continuous"},
		{"POST", base + "/queries", query(`"reservation": "x"`), "invalid", "reservations"},
		{"POST", base + "/queries", query(`"destinationEncryptionConfiguration": {"kmsKeyName": "x"}`), "invalid",
			"keys"},
		{"POST", base + "/queries", query(`"queryResultsFormat": "ARROW"`), "invalid", "ARROW"},
		{"POST", base + "/queries", query(`"requestId": "1234567890123456789012345678901234567"`), "invalid",
			"requestId"},
		{"POST", base + "/queries", query(`"jobCreationMode": "SOMETIMES"`), "invalid", "jobCreationMode"},
		{"POST", base + "/queries", query(`"parameterMode": "BOTH"`), "invalid", "parameterMode"},
		{"POST", base + "/queries", query(`"formatOptions": {"timestampOutputFormat": "ISO8601_STRING", ` +
			`"useInt64Timestamp": true}`), "invalid", "timestampOutputFormat"},
		{"POST", base + "/queries", query(`"formatOptions": {"timestampOutputFormat": "ROMAN"}`), "invalid",
			"timestampOutputFormat"},
		{"POST", base + "/queries", query(`"parameterMode": "NAMED", "queryParameters": [{"parameterType": {"type": ` +
			`"INT64"}, "parameterValue": {"value": "1"}}]`), "invalid", "parameter mode"},
		{"POST", base + "/queries", query(`"queryParameters": [{"parameterType": {"type": "GEOGRAPHY"}, ` +
			`"parameterValue": {"value": "1"}}]`), "invalid", "GEOGRAPHY"},
		{"POST", base + "/queries", query(`"queryParameters": [{"parameterType": {"type": "INT64"}, ` +
			`"parameterValue": {"value": "one"}}]`), "invalid", "INT64"},
		{"POST", base + "/queries?alt=media", query(`"dryRun": true`), "invalid", "alt=media"},
		{"POST", base + "/queries?fields=a(", query(`"dryRun": true`), "invalid", "field selection"},
		{"POST", base + "/jobs", `{"configuration": {"load": {}}}`, "required", "destinationTable"},
		{"POST", base + "/jobs", `{"configuration": {}}`, "required", "configuration.query"},
		{"POST", base + "/jobs", insert(`, "destinationTable": {"datasetId": "d", "tableId": "t$20240101"}`), "invalid",
			"a partition"},
		{"POST", base + "/jobs", insert(`, "destinationTable": {"datasetId": "a-b", "tableId": "t"}`), "invalid",
			"dataset ID"},
		{"POST", base + "/jobs", insert(`, "destinationTable": {"datasetId": "d", "tableId": "a/b"}`), "invalid",
			"table ID"},
		{"POST", base + "/jobs", insert(`, "writeDisposition": "WRITE_SOMETIMES"`), "invalid", "writeDisposition"},
		{"POST", base + "/jobs", insert(`, "createDisposition": "CREATE"`), "invalid", "createDisposition"},
		{"POST", base + "/jobs", insert(`, "tableDefinitions": {"x": {}}`), "invalid", "external"},
		{"POST", base + "/jobs", insert(`, "userDefinedFunctionResources": [{"inlineCode": ""}]`), "invalid",
			"userDefinedFunctionResources"},
		{"POST", base + "/jobs", insert(`, "timePartitioning": {"type": "DAY"}`), "invalid", "partitioned"},
		{"POST", base + "/jobs", insert(`, "schemaUpdateOptions": ["X"]`), "invalid", "schemaUpdateOptions"},
		{"POST", base + "/jobs", insert(`, "scriptOptions": {"statementTimeoutMs": "1"}`), "invalid", "scriptOptions"},
		{"POST", base + "/jobs", insert(`, "writeDisposition": "WRITE_APPEND"`), "invalid",
			"without a destinationTable"},
		{"POST", base + "/jobs", insert(`, "createDisposition": "CREATE_NEVER"`), "invalid",
			"without a destinationTable"},
		{"POST", base + "/jobs", insert(`, "priority": "URGENT"`), "invalid", "priority"},
		{"POST", base + "/jobs", `{"jobReference": {"jobId": "a b"}, "configuration": {"query": {"query": "SELECT ` +
			`1", "useLegacySql": false}}}`, "invalid", "job ID"},
		{"POST", base + "/jobs", `{"jobReference": {"projectId": "other"}, "configuration": {"query": {"query": ` +
			`"SELECT 1", "useLegacySql": false}}}`, "invalid", "other"},
		{"DELETE", base + "/jobs/x/delete", "", "invalid", "metadata"},
		{"GET", base + "/jobs/nosuch", "", "notFound", "nosuch"},
		{"POST", base + "/jobs/nosuch/cancel", "", "notFound", "nosuch"},
		{"GET", base + "/queries/nosuch", "", "notFound", "nosuch"},
		{"GET", base + "/datasets?filter=x", "", "invalid", "filter"},
		{"POST", base + "/datasets", `{"datasetReference": {"datasetId": "a-b"}}`, "invalid", "dataset ID"},
		{"POST", base + "/datasets", `{"datasetReference": {"datasetId": "d"}}`, "duplicate", "Already Exists"},
		{"POST", base + "/datasets", `{"datasetReference": {"datasetId": "D"}}`, "invalid", "case"},
		{"PATCH", dataset, `{"isCaseInsensitive": true}`, "invalid", "changing isCaseInsensitive"},
		{"POST", dataset + "/tables", `{"tableReference": {"tableId": "t"}, "view": {"query": "SELECT 1"}}`, "invalid",
			"views in legacy SQL"},
		{"POST", dataset + "/tables", `{"tableReference": {"tableId": "t"}}`, "invalid", "schema"},
		{"POST", dataset + "/tables", `{"tableReference": {"tableId": "t"}, "schema": {"fields": [{"name": "g", ` +
			`"type": "GEOGRAPHY"}]}}`, "invalid", "GEOGRAPHY"},
		{"POST", dataset + "/tables", `{"tableReference": {"tableId": "a/b"}, "schema": {"fields": [{"name": "g", ` +
			`"type": "INT64"}]}}`, "invalid", "table ID"},
		{"POST", dataset + "/tables/nosuch/insertAll", `{}`, "notFound", "nosuch"},
		{"PATCH", dataset + "/tables/nosuch", `{}`, "notFound", "nosuch"},
		{"GET", dataset + "/tables/nosuch", "", "notFound", "nosuch"},
		{"GET", "/bigquery/v2/projects/bigquery-public-data/datasets/usa_names/tables/usa_1910_current/" +
			"data?selectedFields=nosuch", "", "invalid", "selectedFields"},
		{"DELETE", "/bigquery/v2/projects/bigquery-public-data/datasets/usa_names/tables/usa_1910_current", "",
			"accessDenied", "delete"},
		{"DELETE", "/bigquery/v2/projects/bigquery-public-data/datasets/usa_names", "", "accessDenied", "delete"},
		{"POST", "/bigquery/v2/projects/bigquery-public-data/datasets/usa_names/tables",
			`{"tableReference": {"tableId": "t"}, "schema": {"fields": [{"name": "g", "type": "INT64"}]}}`,
			"accessDenied", "create"},
		{"GET", "/bigquery/v2/projects/somebody-elses/datasets", "", "accessDenied", "somebody-elses"},
		{"GET", "/bigquery/v2/projects/somebody-elses/datasets/d/tables/t", "", "accessDenied", "somebody-elses"},
	}
	for _, tt := range tests {
		status, _, body := call(t, s, tok.AccessToken, tt.method, tt.path, tt.body)
		reason, message := reasonOf(body)
		if status < 400 || reason != tt.reason || !strings.Contains(message, tt.message) {
			t.Errorf("%s %s %s: got %d %s: %s; want %s with %q", tt.method, tt.path, tt.body, status, reason, message,
				tt.reason, tt.message)
		}
	}
}

// TestWrongStatements holds statements against BigQuery's reasons.
func TestWrongStatements(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64 NOT NULL)", "INSERT INTO d.t VALUES (0)",
		"CREATE TABLE d.u (a INT64, b ARRAY<INT64>)")
	const names = "`bigquery-public-data.usa_names.usa_1910_current`"
	for _, tt := range []struct {
		sql    string
		status int
		reason string
		part   string
	}{
		{"SELEC 1", 400, "invalidQuery", "at [1:1]"},
		{"SELECT nosuch FROM d.t", 400, "invalidQuery", "at [1:8]"},
		{"SELECT * FROM nosuch.t", 404, "notFound", "Not found: Dataset my-billing-project:nosuch"},
		{"SELECT * FROM d.nosuch", 404, "notFound", "Not found: Table my-billing-project:d.nosuch"},
		{"SELECT * FROM `somebody-elses.d.t`", 403, "accessDenied", "Access Denied: Table somebody-elses:d.t"},
		{"SELECT * FROM t", 400, "invalidQuery", ""},
		{"SELECT 1 / a FROM d.t", 400, "invalidQuery", "division by zero"},
		{"SELECT 9223372036854775807 + a + 1 FROM d.t", 400, "invalidQuery", "overflow"},
		{"SELECT CAST('abc' AS INT64)", 400, "invalidQuery", "abc"},
		{"SELECT CAST(CONCAT('ab', CAST(a AS STRING)) AS INT64) FROM d.t", 400, "invalidQuery", "Bad int64 value: ab0"},
		{"SELECT CAST(CONCAT('ab', CAST(a AS STRING)) AS FLOAT64) FROM d.t", 400, "invalidQuery",
			"Bad double value: ab0"},
		{"SELECT CAST(CONCAT('ab', CAST(a AS STRING)) AS BOOL) FROM d.t", 400, "invalidQuery", "Bad bool value: ab0"},
		{"SELECT CAST(CONCAT('ab', CAST(a AS STRING)) AS DATE) FROM d.t", 400, "invalidQuery", "Invalid date: 'ab0'"},
		{"SELECT CAST(CONCAT('ab', CAST(a AS STRING)) AS TIMESTAMP) FROM d.t", 400, "invalidQuery",
			"Invalid timestamp: 'ab0'"},
		{"SELECT CAST(CONCAT('ab', CAST(a AS STRING)) AS NUMERIC) FROM d.t", 400, "invalidQuery",
			"Invalid NUMERIC value: ab0"},
		{"SELECT CAST(1e300 AS INT64) + a FROM d.t", 400, "invalidQuery", ""},
		{"SELECT 1, [1, NULL, a] FROM d.t", 400, "invalidQuery", "Array cannot have a null element; error in " +
			"writing field f1_"},
		{"INSERT INTO d.u (b) VALUES ([1, NULL])", 400, "invalidQuery",
			"Array cannot have a null element; error in writing field b"},
		{"CREATE TABLE d.v AS SELECT [a, NULL] AS c FROM d.t", 400, "invalidQuery",
			"Array cannot have a null element; error in writing field c"},
		{"SELECT GENERATE_ARRAY(1, 100000000000)", 400, "invalidQuery", "GENERATE_ARRAY produced too many elements"},
		{"SELECT EXP(1000)", 400, "invalidQuery", "Floating point error in function: EXP(1000)"},
		{"INSERT INTO d.t (a) VALUES (NULL)", 400, "invalidQuery", ""},
		{"INSERT INTO " + names + " (name) VALUES ('x')", 403, "accessDenied", "updateData"},
		{"DELETE FROM " + names + " WHERE TRUE", 403, "accessDenied", "updateData"},
		{"DROP TABLE " + names, 403, "accessDenied", "tables.delete"},
	} {
		status, _, body := call(t, s, tok.AccessToken, "POST", queryPath(DefaultProject),
			fmt.Sprintf(`{"useLegacySql": false, "query": %q}`, tt.sql))
		reason, message := reasonOf(body)
		if status != tt.status || reason != tt.reason || !strings.Contains(message, tt.part) {
			t.Errorf("%s: got %d %s: %s; want %d %s with %q", tt.sql, status, reason, message, tt.status, tt.reason,
				tt.part)
		}
	}
}

func TestReadOnlyTokenMayNotWrite(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)")
	tok := signIn(t, s, DefaultAccount, scopeBigQueryRead).AccessToken
	for sql, want := range map[string]int{"SELECT * FROM d.t": 200, "INSERT INTO d.t VALUES (1)": 403} {
		status, _, body := call(t, s, tok, "POST", queryPath(DefaultProject),
			fmt.Sprintf(`{"useLegacySql": false, "query": %q}`, sql))
		if status != want {
			t.Errorf("%s: got %d, %v; want %d", sql, status, body, want)
		}
	}
}
