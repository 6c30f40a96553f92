package jobs

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// workspace is what a session keeps between its statements beside its transaction: system variables and
// temporary tables. These are temporary tables of DuckDB's connection, which alone can see them: they roll
// back with its transactions and end with it. A nil one is that of a statement outside.
type workspace struct {
	conn *engine.Conn // nil in a dry run
	// project and dataset are where BigQuery's metadata says that the tables are: a dataset that is
	// hidden because of its first letter.
	project, dataset string

	// A dry run may look while a statement runs.
	mu     sync.Mutex
	tables map[string]*catalog.Table // never changed, but replaced
	// functions are the temporary functions, by their names in lower case.
	functions map[string]*googlesql.Function
	set       settings
}

func newWorkspace(conn *engine.Conn, project string) *workspace {
	name := sha1.Sum([]byte(rand.Text()))
	return &workspace{conn: conn, project: project, dataset: "_" + hex.EncodeToString(name[:]),
		tables: map[string]*catalog.Table{}, functions: map[string]*googlesql.Function{}}
}

// tempSchema is where DuckDB keeps a connection's temporary tables.
const tempSchema = "temp.main"

func tempSQL(table string) string { return tempSchema + "." + engine.Quote(table) }

// schemaSQL returns the schema of a dataset as DuckDB's text.
func (w *workspace) schemaSQL(project, dataset string) string {
	if w != nil && w.project == project && w.dataset == dataset {
		return tempSchema
	}
	return catalog.SchemaSQL(project, dataset)
}

// temp returns what the translator must know.
func (w *workspace) temp() *googlesql.TempTables {
	if w == nil {
		return nil
	}
	return &googlesql.TempTables{Project: w.project, Dataset: w.dataset, Has: func(name string) bool {
		return w.table(googlesql.TableName{Project: w.project, Dataset: w.dataset, Table: name}) != nil
	}}
}

// owns reports whether a name is that of a temporary table, there or not.
func (w *workspace) owns(name *googlesql.TableName) bool {
	return w != nil && name != nil && name.Project == w.project && name.Dataset == w.dataset
}

// table returns nil if there is no such temporary table.
func (w *workspace) table(name googlesql.TableName) *catalog.Table {
	if !w.owns(&name) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tables[name.Table]
}

// tableFor finds a table, temporary or not.
func (s *Runner) tableFor(q *query, name googlesql.TableName) *catalog.Table {
	if t := q.work.table(name); t != nil {
		return t
	}
	return s.catalog.Table(name)
}

// put adds a temporary table or takes the place of another.
func (w *workspace) put(t *catalog.Table) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tables[t.Name.Table] = t
}

func (w *workspace) drop(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.tables, name)
}

// snapshot returns what restore takes at the end of a transaction that is rolled
// back.
func (w *workspace) snapshot() map[string]*catalog.Table {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.tables)
}

func (w *workspace) restore(tables map[string]*catalog.Table) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tables = tables
}

// checkNew refuses a temporary table that can't be made.
func (w *workspace) checkNew(name string) *apierror.Error {
	if !catalog.ValidTable(name) {
		return apierror.Errorf("invalid", "Invalid table ID %q.", name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for other := range w.tables {
		if other != name && strings.EqualFold(other, name) {
			return apierror.Unsupported("two tables whose names differ only by case: " + other + " and " + name)
		}
	}
	return nil
}

// executeTemp runs a statement that makes, changes or drops a temporary table. No other session can see
// the table, so that there is nothing to wait for and no conflict.
func (s *Runner) executeTemp(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	stmt, name := p.stmt, *p.stmt.Target
	old := q.work.table(name)
	switch {
	case slices.Contains(dmlTypes, stmt.Type):
		res, err := s.runSQL(ctx, q, p)
		if err != nil {
			return nil, err
		}
		t := catalog.NewTable(name, old.Columns, s.now())
		t.Inherit(old)
		t.Keys, t.Schema = old.Keys, old.Schema
		return &outcome{changed: res.Changed}, s.keepTemp(ctx, q, t)
	case stmt.Type == "ALTER_TABLE" && old == nil, stmt.Type == "DROP_TABLE" && old == nil:
		return dropMissing(stmt, apierror.NotFound("Table", name.String(), q.location))
	case stmt.NewName != "":
		return nil, apierror.Unsupported("renaming a temporary table")
	case stmt.Type == "ALTER_TABLE":
		t := s.catalog.Altered(old, name, stmt)
		if err := s.setOptions(ctx, q, t, stmt); err != nil {
			return nil, err
		}
		if _, err := q.work.conn.Exec(ctx, alterSQL(stmt)); err != nil {
			return nil, apierror.From(err)
		}
		return &outcome{ddlOperation: "ALTER"}, s.keepTemp(ctx, q, t)
	case stmt.Type == "DROP_TABLE":
		if _, err := s.runSQL(ctx, q, p); err != nil {
			return nil, err
		}
		q.work.drop(name.Table)
		return &outcome{ddlOperation: "DROP"}, nil
	case old != nil && stmt.IfNotExists:
		return &outcome{ddlOperation: "SKIP"}, nil
	case old != nil && !stmt.OrReplace:
		return nil, apierror.Errorf("duplicate", "Already Exists: Table %s", name)
	}
	if err := q.work.checkNew(name.Table); err != nil {
		return nil, err
	}
	t := catalog.NewTable(name, stmt.NewColumns, s.now())
	if err := s.describeNew(ctx, q, t, stmt); err != nil {
		return nil, err
	}
	if err := s.runCreate(ctx, q, p); err != nil {
		return nil, err
	}
	operation := "CREATE"
	if old != nil {
		operation = "REPLACE"
	}
	return &outcome{ddlOperation: operation}, s.keepTemp(ctx, q, t)
}

// keepTemp notes a temporary table that was made or changed, with its size.
func (s *Runner) keepTemp(ctx context.Context, q *query, t *catalog.Table) *apierror.Error {
	t.Temp = true
	if err := catalog.Measure(ctx, q.work.conn, t, tempSQL(t.Name.Table)); err != nil {
		return apierror.From(err)
	}
	q.work.put(t)
	return nil
}
