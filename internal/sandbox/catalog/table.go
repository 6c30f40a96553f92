package catalog

import (
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Table is a table's metadata. The columns never change; the rest is guarded by
// the catalog's lock.
type Table struct {
	Name                      googlesql.TableName
	Columns                   []googlesql.Column
	Schema                    []wire.Field
	FriendlyName, Description string
	Labels                    map[string]string
	Created                   time.Time
	Modified                  time.Time
	// version grows with every change of the rows.
	version int64
	// mutated is the catalog's clock at the last change that was more than new rows.
	mutated int64
	// write is held by the statement or the transaction that changes or deletes rows.
	write chan struct{}

	sizes sizeCache
	// View is the query of a view, nil for a table.
	View         *googlesql.View
	Materialized bool
	Keys         []googlesql.Key
	partitioning
	// Expires is when the table expires; zero means never.
	Expires time.Time
	// Base is the table that this one is a clone or a snapshot of; nil for all others.
	Base *Base
	// Temp is a temporary table of a workspace, which is measured when it changes.
	Temp bool
}

// NewTable returns the metadata of a table that is in no catalog yet.
func NewTable(name googlesql.TableName, columns []googlesql.Column, now time.Time) *Table {
	return &Table{
		Name: name, Columns: columns, Schema: wire.SchemaOf(columns), Created: now, Modified: now,
		write: make(chan struct{}, 1),
	}
}

// Ref returns the table's name as messages show it.
func (t *Table) Ref() wire.TableReference { return wire.ReferenceTo(t.Name) }

// ViewKind returns a table's type in metadata.
func (t *Table) ViewKind() string {
	switch {
	case t.Base != nil && t.Base.Kind == Snapshot:
		return Snapshot
	case t.View == nil:
		return "TABLE"
	case t.Materialized:
		return "MATERIALIZED_VIEW"
	}
	return "VIEW"
}

// Altered returns a table after a statement that alters it.
func (c *Catalog) Altered(old *Table, name googlesql.TableName, stmt *googlesql.Statement) *Table {
	t := NewTable(name, stmt.NewColumns, c.time())
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	t.Inherit(old)
	t.Keys = stmt.NewKeys
	for i := range t.Schema {
		f, was := &t.Schema[i], t.Schema[i].Name
		if n, ok := stmt.Renamed[was]; ok {
			was = n
		}
		if k := slices.IndexFunc(old.Columns, func(c googlesql.Column) bool { return c.Name == was }); k >= 0 {
			f.Description = old.Schema[k].Description
			if old.Columns[k].Type.String() == stmt.NewColumns[i].Type.String() {
				f.Fields = old.Schema[k].Fields
			}
		}
		if text, ok := stmt.Descriptions[f.Name]; ok {
			f.Description = text
		}
	}
	return t
}

// Inherit copies the properties that a table keeps when it is altered, except its
// columns and keys.
func (t *Table) Inherit(old *Table) {
	t.FriendlyName, t.Description, t.Labels, t.Created = old.FriendlyName, old.Description, old.Labels, old.Created
	t.View, t.Materialized = old.View, old.Materialized
	t.partitioning, t.Expires, t.Base = old.partitioning, old.Expires, old.Base
}

// DescribeFields keeps the descriptions of a schema that CREATE TABLE has not seen.
func (c *Catalog) DescribeFields(t *Table, fields []wire.Field) {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	t.Schema = withDescriptions(t.Schema, fields)
}

// withDescriptions copies the descriptions that CREATE TABLE has not seen.
func withDescriptions(fields, asked []wire.Field) []wire.Field {
	out := make([]wire.Field, len(fields))
	for i, f := range fields {
		if i < len(asked) {
			f.Description = asked[i].Description
			f.Fields = withDescriptions(f.Fields, asked[i].Fields)
			if len(f.Fields) == 0 {
				f.Fields = nil
			}
		}
		out[i] = f
	}
	return out
}

// CopyMetadata gives a new table the properties that LIKE, COPY and CLONE copy from another one,
// except its columns, keys and partitions.
func (c *Catalog) CopyMetadata(t *Table, stmt *googlesql.Statement) {
	if stmt.Source == nil {
		return
	}
	from := c.Table(*stmt.Source)
	if from == nil { // a temporary table
		return
	}
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	t.FriendlyName, t.Description, t.Labels, t.Expires = from.FriendlyName, from.Description, from.Labels, from.Expires
	t.partitioning, t.Schema = from.partitioning, slices.Clone(from.Schema)
	switch stmt.Copied {
	case Snapshot, clone:
		t.Base = &Base{stmt.Copied, from.Name, t.Created}
	}
}
