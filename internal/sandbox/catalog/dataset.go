package catalog

import (
	"context"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// CreateDataset creates a dataset. The caller holds the catalog's ddl lock.
func (c *Catalog) CreateDataset(ctx context.Context, d *Dataset) *apierror.Error {
	if err := c.checkNewDataset(d.Ref); err != nil {
		return err
	}
	if d.Location == "" {
		d.Location = c.location
	}
	d.Location = strings.ToLower(d.Location)
	if d.Location == "us" || d.Location == "eu" { // as BigQuery writes regions and multi-regions
		d.Location = strings.ToUpper(d.Location)
	}
	d.Created = c.time()
	d.Modified = d.Created
	if _, err := c.db.Exec(ctx, "CREATE SCHEMA "+SchemaSQL(d.Ref.ProjectID, d.Ref.DatasetID)); err != nil {
		return apierror.From(err)
	}
	c.addDataset(d)
	return nil
}

// DropDataset drops a dataset, and its tables if contents is true. The caller
// holds the catalog's ddl lock.
func (c *Catalog) DropDataset(ctx context.Context, ref wire.DatasetReference, contents bool) *apierror.Error {
	d := c.Dataset(ref.ProjectID, ref.DatasetID)
	if d == nil {
		return apierror.NotFound("Dataset", ref.ProjectID+":"+ref.DatasetID, "")
	}
	tables := c.Tables(d)
	if len(tables) > 0 && !contents {
		return apierror.Errorf("resourceInUse", "Dataset %s:%s is still in use", ref.ProjectID, ref.DatasetID)
	}
	for _, t := range tables {
		if err := c.DropTable(ctx, t); err != nil {
			return err
		}
	}
	if _, err := c.db.Exec(ctx, "DROP SCHEMA "+SchemaSQL(ref.ProjectID, ref.DatasetID)+" CASCADE"); err != nil {
		return apierror.From(err)
	}
	c.forgetDataset(ref)
	return nil
}

// DropTable drops a table when the statements that change it have ended. The
// caller holds the catalog's ddl lock.
func (c *Catalog) DropTable(ctx context.Context, t *Table) *apierror.Error {
	unlock, err := t.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if t.View == nil {
		if _, err := c.db.Exec(ctx, "DROP TABLE "+TableSQL(t.Name)); err != nil {
			return apierror.From(err)
		}
	}
	c.ForgetTable(t.Name)
	return nil
}
