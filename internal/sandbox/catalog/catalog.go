// Package catalog keeps datasets, tables with their schemas, keys, options and partitions, views,
// functions and procedures, and the DuckDB whose schemas and tables follow them. With a folder they
// outlive the process. The catalog knows which statements are changing a table, and how large a
// table is. It knows nothing about users and their rights, jobs and HTTP.
package catalog

import (
	"cmp"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// PublicProject holds the datasets that all users may read and none may write
// or bill to.
const PublicProject = "bigquery-public-data"

// Catalog knows the datasets and tables, with what DuckDB does not keep:
// modes, descriptions, times. DuckDB's schemas and tables follow it. Dataset and
// table names differ by case in BigQuery and not in DuckDB; the catalog refuses
// a second name that differs only by case.
type Catalog struct {
	db       *engine.DB
	log      *slog.Logger
	location string // of datasets that are made without one
	kept     keptData

	// time is the clock by which tables expire.
	time func() time.Time
	// Mu guards the datasets and tables, and their fields, except those that never change.
	Mu       sync.RWMutex
	datasets map[wire.DatasetReference]*Dataset
	// clock counts the changes of rows, and of the tables themselves, since the start.
	clock int64
	// ddl is held by a statement or request while it changes the catalog.
	ddl chan struct{}
}

// Config configures Open.
type Config struct {
	// Dir is the folder that keeps rows and catalog; "" keeps nothing.
	Dir string
	// Location is the location of datasets that request none.
	Location string
	// MemoryLimit is DuckDB's memory_limit.
	MemoryLimit string
	Now         func() time.Time
	Log         *slog.Logger
}

// DB returns the DuckDB that holds the rows.
func (c *Catalog) DB() *engine.DB { return c.db }

// Dataset describes a dataset. It is guarded by the catalog's lock.
type Dataset struct {
	Ref                       wire.DatasetReference
	Location                  string
	FriendlyName, Description string
	Labels                    map[string]string
	Created, Modified         time.Time
	// TableDays and PartitionDays are the expirations of new tables and
	// partitions; zero means none.
	TableDays, PartitionDays float64
	Tables                   map[string]*Table
	Functions                map[string]*googlesql.Function
	Procedures               map[string]*googlesql.Procedure
}

// Dataset returns nil if there is none.
func (c *Catalog) Dataset(project, id string) *Dataset {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	return c.datasets[wire.DatasetReference{ProjectID: project, DatasetID: id}]
}

// Table returns nil if there is none.
func (c *Catalog) Table(name googlesql.TableName) *Table {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]; d != nil {
		if t := d.Tables[name.Table]; t != nil && !c.expired(t) {
			return t
		}
	}
	return nil
}

// expired reports whether a table has expired. The caller holds the lock.
func (c *Catalog) expired(t *Table) bool { return !t.Expires.IsZero() && !c.time().Before(t.Expires) }

// expiredTables returns the tables that have expired and are not dropped yet.
func (c *Catalog) expiredTables() (out []*Table) {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	for _, d := range c.datasets {
		for _, t := range d.Tables {
			if c.expired(t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// List returns the datasets of a project by name.
func (c *Catalog) List(project string) []*Dataset {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	var out []*Dataset
	for ref, d := range c.datasets {
		if ref.ProjectID == project {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *Dataset) int { return cmp.Compare(a.Ref.DatasetID, b.Ref.DatasetID) })
	return out
}

// Projects returns the projects with datasets, by name.
func (c *Catalog) Projects() []string {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	seen := map[string]bool{}
	for ref := range c.datasets {
		seen[ref.ProjectID] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// Tables returns the tables of a dataset by name.
func (c *Catalog) Tables(d *Dataset) []*Table {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	out := make([]*Table, 0, len(d.Tables))
	for _, t := range d.Tables {
		if !c.expired(t) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *Table) int { return cmp.Compare(a.Name.Table, b.Name.Table) })
	return out
}

// checkNewDataset refuses a dataset that can't be created.
func (c *Catalog) checkNewDataset(ref wire.DatasetReference) *apierror.Error {
	if !ValidDataset(ref.DatasetID) {
		return apierror.Errorf("invalid", "Invalid dataset ID %q. Dataset IDs must be alphanumeric (plus "+
			"underscores) and must be at most 1024 characters long.", ref.DatasetID)
	}
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	for other := range c.datasets {
		if other == ref {
			return apierror.Errorf("duplicate", "Already Exists: Dataset %s:%s", ref.ProjectID, ref.DatasetID)
		}
		if strings.EqualFold(SchemaName(other.ProjectID, other.DatasetID), SchemaName(ref.ProjectID, ref.DatasetID)) {
			return apierror.Unsupported("two datasets whose names differ only by case: " + other.DatasetID + " and " +
				ref.DatasetID)
		}
	}
	return nil
}

// CheckNewTable refuses a table that can't be created.
func (c *Catalog) CheckNewTable(name googlesql.TableName) *apierror.Error {
	if !ValidTable(name.Table) {
		return apierror.Errorf("invalid", "Invalid table ID %q.", name.Table)
	}
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]
	if d == nil {
		return apierror.NotFound("Dataset", name.Project+":"+name.Dataset, "")
	}
	if d.Tables[name.Table] != nil {
		return apierror.Errorf("duplicate", "Already Exists: Table %s", name)
	}
	for other := range d.Tables {
		if strings.EqualFold(other, name.Table) {
			return apierror.Unsupported("two tables whose names differ only by case: " + other + " and " + name.Table)
		}
	}
	return nil
}

func (c *Catalog) addDataset(d *Dataset) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	d.Tables = map[string]*Table{}
	d.Functions = map[string]*googlesql.Function{}
	d.Procedures = map[string]*googlesql.Procedure{}
	c.datasets[d.Ref] = d
}

// AddTable adds a table, or replaces the one with its name.
func (c *Catalog) AddTable(t *Table) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: t.Name.Project, DatasetID: t.Name.Dataset}]; d != nil {
		d.Tables[t.Name.Table] = t
		c.clock++
		t.mutated = c.clock
		d.Modified = t.Created
	}
}

func (c *Catalog) forgetDataset(ref wire.DatasetReference) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	delete(c.datasets, ref)
}

// ForgetTable removes a table from the catalog, and does not change DuckDB's.
func (c *Catalog) ForgetTable(name googlesql.TableName) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]; d != nil {
		delete(d.Tables, name.Table)
	}
}

// Touch records that a table's rows have changed, and whether the changes are more than
// new rows.
func (c *Catalog) Touch(t *Table, now time.Time, mutated bool) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	c.clock++
	if d := c.datasets[wire.DatasetReference{ProjectID: t.Name.Project, DatasetID: t.Name.Dataset}]; d != nil &&
		d.Tables[t.Name.Table] != nil {
		t = d.Tables[t.Name.Table] // which may have been altered meanwhile
	}
	t.version++
	t.Modified = now
	if mutated {
		t.mutated = c.clock
	}
}

// longTerm is how long a table's rows don't change before BigQuery counts them as long-term storage.
const longTerm = 90 * 24 * time.Hour

// Written returns when the rows of a table have changed last, and whether they are in long-term storage.
func (c *Catalog) Written(t *Table) (time.Time, bool) {
	now := c.time()
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	return t.Modified, now.Sub(t.Modified) >= longTerm
}

// Changes returns the catalog's clock.
func (c *Catalog) Changes() int64 {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	return c.clock
}

// MutatedSince reports whether rows of a table were changed or deleted, or the table was
// replaced, after begun on the catalog's clock.
func (c *Catalog) MutatedSince(t *Table, begun int64) bool {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	return t.mutated > begun
}
