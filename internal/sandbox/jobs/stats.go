package jobs

import (
	"context"
	"reflect"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// minBilled is the least that BigQuery bills for a query that reads anything.
const minBilled = 10 << 20

const megabyte = 1 << 20

// billed returns what BigQuery bills for bytes: whole megabytes, ten at least.
func billed(bytes int64) int64 {
	if bytes == 0 {
		return 0
	}
	return max(minBilled, (bytes+megabyte-1)/megabyte*megabyte)
}

// bytesProcessed returns what a statement reads, by BigQuery's rule: the columns
// that it names in the tables that it reads, whatever its WHERE and LIMIT say,
// and all columns of a table that it updates or deletes from.
func (s *Runner) bytesProcessed(ctx context.Context, who Caller, q *query, undeclared bool,
	stmt *googlesql.Statement) (int64, error) {
	var total, views int64
	target := googlesql.TableName{}
	if slices.Contains([]string{"UPDATE", "DELETE", "MERGE"}, stmt.Type) {
		target = *stmt.Target
	}
	tables := stmt.Tables
	if target.Table != "" && !slices.Contains(tables, target) {
		tables = append(slices.Clone(tables), target)
	}
	for _, name := range tables {
		t := s.tableFor(q, name)
		if strings.HasPrefix(name.Table, googlesql.InformationSchema) {
			views = minBilled
		}
		if t == nil {
			continue
		}
		_, bytes, err := s.catalog.TableSize(ctx, t)
		if err != nil {
			return 0, err
		}
		for column, n := range bytes {
			if name == target || (n > 0 && s.readsColumn(who, q, undeclared, stmt, columnName{name, column})) {
				total += n
			}
		}
	}
	return total + views, nil
}

// readsColumn reports whether a statement names a column, or takes it with a
// star: without the column it would mean something else or nothing. A column that
// is named only in EXCEPT (...) counts, which BigQuery does not do.
func (s *Runner) readsColumn(who Caller, q *query, undeclared bool, stmt *googlesql.Statement, column columnName) bool {
	r := &resolver{server: s, who: who, query: q, hidden: column}
	without, err := googlesql.Translate(q.sql, q.options(r, undeclared))
	return err != nil || without.SQL != stmt.SQL || !reflect.DeepEqual(without.Columns, stmt.Columns)
}
