package sandbox

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// schemaName is the DuckDB schema that holds a dataset: project and dataset with
// a dot between. A dataset's name has no dot in it, so the last one parts the two again.
func schemaName(project, dataset string) string { return project + "." + dataset }

// splitSchema is the inverse of schemaName.
func splitSchema(schema string) (project, dataset string, ok bool) {
	i := strings.LastIndexByte(schema, '.')
	if i <= 0 || i == len(schema)-1 {
		return "", "", false
	}
	return schema[:i], schema[i+1:], true
}

// schemaSQL is schemaName as DuckDB's text.
func schemaSQL(project, dataset string) string { return engine.Quote(schemaName(project, dataset)) }

// tableSQL is a table's full name as DuckDB's text.
func tableSQL(t googlesql.TableName) string {
	return schemaSQL(t.Project, t.Dataset) + "." + engine.Quote(t.Table)
}

var (
	datasetChars = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	jobChars     = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// maxName is the length that an id of a dataset, a table or a job may have.
const maxName = 1024

func validDataset(id string) bool { return len(id) <= maxName && datasetChars.MatchString(id) }

func validJob(id string) bool { return len(id) <= maxName && jobChars.MatchString(id) }

// validTable reports whether BigQuery takes the name: up to 1,024 bytes of
// letters, marks, numbers, connectors, dashes and spaces.
func validTable(name string) bool {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return false
	}
	for _, r := range name {
		if !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.Pc, unicode.Pd, unicode.Zs) {
			return false
		}
	}
	return true
}
