package sandbox

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// publicProject holds the datasets that all users may read and none may write
// or bill to.
const publicProject = "bigquery-public-data"

// catalog knows the datasets and tables, with what DuckDB does not keep:
// modes, descriptions, times. DuckDB's schemas and tables follow it. Dataset and
// table names differ by case in BigQuery and not in DuckDB; the catalog refuses
// a second name that differs only by case.
type catalog struct {
	// time is when tables expire by.
	time     func() time.Time
	mu       sync.RWMutex
	datasets map[wire.DatasetReference]*dataset
	// clock counts the changes of rows, and of the tables themselves, since the start.
	clock int64
	// ddl is held by a statement or request that changes the catalog, while it does.
	ddl chan struct{}
}

func newCatalog(now func() time.Time) *catalog {
	return &catalog{time: now, datasets: map[wire.DatasetReference]*dataset{}, ddl: make(chan struct{}, 1)}
}

type dataset struct {
	ref               wire.DatasetReference
	location          string
	friendly, text    string
	labels            map[string]string
	created, modified time.Time
	// tableDays and partitionDays are what new tables get; zero for none.
	tableDays, partitionDays float64
	tables                   map[string]*table
	functions                map[string]*googlesql.Function
	procedures               map[string]*googlesql.Procedure
}

// table is a table's metadata. The columns never change; the rest is guarded by
// the catalog's lock.
type table struct {
	name           googlesql.TableName
	columns        []googlesql.Column
	schema         []wire.Field
	friendly, text string
	labels         map[string]string
	created        time.Time
	modified       time.Time
	// version grows with every change of the rows.
	version int64
	// mutated is the catalog's clock at the last change that was more than new rows.
	mutated int64
	// write is held by the statement or the transaction that changes or deletes rows.
	write chan struct{}

	sizes sizeCache
	// view is the query of a view, nil for a table.
	view         *googlesql.View
	materialized bool
	keys         []googlesql.Key
	partitioning
	// expires is when the table is gone; zero for never.
	expires time.Time
	// base is the table that this one is a clone or a snapshot of; nil for all others.
	base *baseTable
	// temp is a temporary table of a workspace, which is measured when it changes.
	temp bool
}

func newTable(name googlesql.TableName, columns []googlesql.Column, now time.Time) *table {
	return &table{
		name: name, columns: columns, schema: wire.SchemaOf(columns), created: now, modified: now,
		write: make(chan struct{}, 1),
	}
}

func (t *table) ref() wire.TableReference {
	return wire.ReferenceTo(t.name)
}

// dataset returns nil if there is none.
func (c *catalog) dataset(project, id string) *dataset {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.datasets[wire.DatasetReference{ProjectID: project, DatasetID: id}]
}

// table returns nil if there is none.
func (c *catalog) table(name googlesql.TableName) *table {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]; d != nil {
		if t := d.tables[name.Table]; t != nil && !c.expired(t) {
			return t
		}
	}
	return nil
}

// expired reports whether a table is gone. The caller holds the lock.
func (c *catalog) expired(t *table) bool { return !t.expires.IsZero() && !c.time().Before(t.expires) }

// expiredTables are those that are gone and not dropped yet.
func (c *catalog) expiredTables() (out []*table) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, d := range c.datasets {
		for _, t := range d.tables {
			if c.expired(t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// list returns the datasets of a project by name.
func (c *catalog) list(project string) []*dataset {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []*dataset
	for ref, d := range c.datasets {
		if ref.ProjectID == project {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *dataset) int { return cmp.Compare(a.ref.DatasetID, b.ref.DatasetID) })
	return out
}

// projects are those that have datasets, by name.
func (c *catalog) projects() []string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	seen := map[string]bool{}
	for ref := range c.datasets {
		seen[ref.ProjectID] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// tables returns the tables of a dataset by name.
func (c *catalog) tables(d *dataset) []*table {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*table, 0, len(d.tables))
	for _, t := range d.tables {
		if !c.expired(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *table) int { return cmp.Compare(a.name.Table, b.name.Table) })
	return out
}

// checkNewDataset says no to a dataset that can't be made.
func (c *catalog) checkNewDataset(ref wire.DatasetReference) *apierror.Error {
	if !validDataset(ref.DatasetID) {
		return apierror.Errorf("invalid", "Invalid dataset ID %q. Dataset IDs must be alphanumeric (plus "+
			"underscores) and must be at most 1024 characters long.", ref.DatasetID)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for other := range c.datasets {
		if other == ref {
			return apierror.Errorf("duplicate", "Already Exists: Dataset %s:%s", ref.ProjectID, ref.DatasetID)
		}
		if strings.EqualFold(schemaName(other.ProjectID, other.DatasetID), schemaName(ref.ProjectID, ref.DatasetID)) {
			return apierror.Unsupported("two datasets whose names differ only by case: " + other.DatasetID + " and " +
				ref.DatasetID)
		}
	}
	return nil
}

// checkNewTable says no to a table that can't be made.
func (c *catalog) checkNewTable(name googlesql.TableName) *apierror.Error {
	if !validTable(name.Table) {
		return apierror.Errorf("invalid", "Invalid table ID %q.", name.Table)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]
	if d == nil {
		return apierror.NotFound("Dataset", name.Project+":"+name.Dataset, "")
	}
	if d.tables[name.Table] != nil {
		return apierror.Errorf("duplicate", "Already Exists: Table %s", name)
	}
	for other := range d.tables {
		if strings.EqualFold(other, name.Table) {
			return apierror.Unsupported("two tables whose names differ only by case: " + other + " and " + name.Table)
		}
	}
	return nil
}

func (c *catalog) addDataset(d *dataset) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d.tables = map[string]*table{}
	d.functions = map[string]*googlesql.Function{}
	d.procedures = map[string]*googlesql.Procedure{}
	c.datasets[d.ref] = d
}

func (c *catalog) addTable(t *table) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: t.name.Project, DatasetID: t.name.Dataset}]; d != nil {
		d.tables[t.name.Table] = t
		c.clock++
		t.mutated = c.clock
		d.modified = t.created
	}
}

func (c *catalog) dropDataset(ref wire.DatasetReference) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.datasets, ref)
}

func (c *catalog) dropTable(name googlesql.TableName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]; d != nil {
		delete(d.tables, name.Table)
	}
}

// touch notes that a table's rows have changed, and whether there are more changes than
// new rows.
func (c *catalog) touch(t *table, now time.Time, mutated bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock++
	if d := c.datasets[wire.DatasetReference{ProjectID: t.name.Project, DatasetID: t.name.Dataset}]; d != nil &&
		d.tables[t.name.Table] != nil {
		t = d.tables[t.name.Table] // which may have been altered meanwhile
	}
	t.version++
	t.modified = now
	if mutated {
		t.mutated = c.clock
	}
}

// now is the catalog's clock.
func (c *catalog) now() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.clock
}

// mutatedSince reports whether rows of a table were changed or deleted, or the table was
// replaced, since the clock stood at begun.
func (c *catalog) mutatedSince(t *table, begun int64) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return t.mutated > begun
}
