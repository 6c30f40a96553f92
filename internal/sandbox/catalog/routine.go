package catalog

import (
	"maps"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// Function returns a function of a dataset; nil if there is none.
func (c *Catalog) Function(name googlesql.TableName) *googlesql.Function {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]; d != nil {
		return d.Functions[name.Table]
	}
	return nil
}

// Procedure returns a procedure of a dataset; nil if there is none.
func (c *Catalog) Procedure(name googlesql.TableName) *googlesql.Procedure {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	if d := c.datasets[wire.DatasetReference{ProjectID: name.Project, DatasetID: name.Dataset}]; d != nil {
		return d.Procedures[name.Table]
	}
	return nil
}

// Procedures returns the procedures of a dataset by name.
func (c *Catalog) Procedures(d *Dataset) []*googlesql.Procedure {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	var out []*googlesql.Procedure
	for _, p := range d.Procedures {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *googlesql.Procedure) int { return strings.Compare(a.Name.Table, b.Name.Table) })
	return out
}

// Functions returns the functions of a dataset by name.
func (c *Catalog) Functions(d *Dataset) []*googlesql.Function {
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	var out []*googlesql.Function
	for _, name := range slices.Sorted(maps.Keys(d.Functions)) {
		out = append(out, d.Functions[name])
	}
	return out
}
