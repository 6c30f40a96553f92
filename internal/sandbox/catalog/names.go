package catalog

import (
	"regexp"
	"unicode"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// SchemaName returns the DuckDB schema that holds a dataset: project and dataset with a dot
// between. A dataset's name has no dot in it, so that no two datasets share a schema.
func SchemaName(project, dataset string) string { return project + "." + dataset }

// SchemaSQL is schemaName as DuckDB's text.
func SchemaSQL(project, dataset string) string { return engine.Quote(SchemaName(project, dataset)) }

// TableSQL returns the full name of a table in DuckDB's SQL.
func TableSQL(t googlesql.TableName) string {
	return SchemaSQL(t.Project, t.Dataset) + "." + engine.Quote(t.Table)
}

var (
	datasetChars = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	jobChars     = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

// maxName is the length that an id of a dataset, a table or a job may have.
const maxName = 1024

// ValidDataset reports whether BigQuery accepts the id of a dataset.
func ValidDataset(id string) bool { return len(id) <= maxName && datasetChars.MatchString(id) }

// ValidJob reports whether BigQuery accepts the id of a job.
func ValidJob(id string) bool { return len(id) <= maxName && jobChars.MatchString(id) }

// ValidTable reports whether BigQuery accepts the name: up to 1,024 bytes of
// letters, marks, numbers, connectors, dashes and spaces.
func ValidTable(name string) bool {
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
