package infoschema

import (
	"context"
	"fmt"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// partitionsRows returns the partitions with rows. A table without partitions counts
// as one.
func partitionsRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	err := eachStored(c, d, func(t *catalog.Table, parts []partitionCount) {
		modified, longTerm := c.Written(t)
		for _, p := range parts {
			row := tableRow(t)
			row["total_rows"], row["last_modified_time"], row["storage_tier"] = p.rows, modified, "ACTIVE"
			if longTerm {
				row["storage_tier"] = "LONG_TERM"
			}
			if t.Partition != nil {
				row["partition_id"] = p.id
			}
			row["total_logical_bytes"], row["total_billable_bytes"] = p.bytes, p.bytes
			rows = append(rows, row)
		}
	})
	return rows, err
}

// storageRows returns the storage of tables; views have none.
func storageRows(c *catalog.Catalog, d *catalog.Dataset) (rows []map[string]any, _ *apierror.Error) {
	err := eachStored(c, d, func(t *catalog.Table, parts []partitionCount) {
		var total partitionCount
		for _, p := range parts {
			total.rows, total.bytes = total.rows+p.rows, total.bytes+p.bytes
		}
		modified, longTerm := c.Written(t)
		row := tableRow(t)
		row["project_id"], row["deleted"], row["table_type"] = t.Name.Project, false, "BASE TABLE"
		if t.Base != nil {
			row["table_type"] = t.Base.Kind
		}
		row["managed_table_type"] = "NATIVE"
		row["creation_time"], row["storage_last_modified_time"] = t.Created, modified
		row["total_rows"], row["total_logical_bytes"], row["total_partitions"] = total.rows, total.bytes, int64(0)
		if t.Partition != nil {
			row["total_partitions"] = int64(len(parts))
		}
		row["active_logical_bytes"], row["long_term_logical_bytes"] = total.bytes, int64(0)
		if longTerm {
			row["active_logical_bytes"], row["long_term_logical_bytes"] = int64(0), total.bytes
		}
		rows = append(rows, row)
	})
	return rows, err
}

// eachStored calls f for the tables of a dataset, with their partitions. Views store nothing.
func eachStored(
	c *catalog.Catalog, d *catalog.Dataset, f func(t *catalog.Table, parts []partitionCount),
) *apierror.Error {
	for _, t := range c.Tables(d) {
		if t.View != nil {
			continue
		}
		parts, err := partitionsOf(c, t)
		if err != nil {
			return apierror.From(err)
		}
		f(t, parts)
	}
	return nil
}

// partitionsOf returns the partitions of a table that have rows, or the whole table as one.
func partitionsOf(c *catalog.Catalog, t *catalog.Table) ([]partitionCount, error) {
	c.DropPartitions(t)
	if t.Partition != nil {
		return countPartitions(c, t)
	}
	whole, sizes, err := c.TableSize(context.Background(), t)
	p := partitionCount{rows: whole}
	for _, b := range sizes {
		p.bytes += b
	}
	return []partitionCount{p}, err
}

type partitionCount struct {
	id          string
	rows, bytes int64
}

// partitionFormats write the id of a partition by time.
var partitionFormats = map[string]string{"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}

// countPartitions counts the rows and bytes of each partition, by its id.
func countPartitions(c *catalog.Catalog, t *catalog.Table) ([]partitionCount, error) {
	p := t.Partition
	column := p.Column
	if column == "" {
		column = googlesql.PartitionTime
	}
	by := engine.Quote(column)
	id := "strftime(CAST(" + by + " AS TIMESTAMP), '" + partitionFormats[p.Unit] + "')"
	if p.Unit == "" {
		id = fmt.Sprintf("CASE WHEN %[1]s < %[2]d OR %[1]s >= %[3]d THEN '__UNPARTITIONED__' ELSE "+
			"CAST(%[2]d + (%[1]s - %[2]d) // %[4]d * %[4]d AS VARCHAR) END", by, p.Start, p.End, p.Interval)
	}
	conn, err := c.DB().Conn()
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	sizes := []string{"0"}
	for _, c := range t.Columns {
		sizes = append(sizes, catalog.SizeSQL(engine.Quote(c.Name), c.Type, 0))
	}
	whole := googlesql.Type{Kind: googlesql.Int64}
	res, err := conn.Query(context.Background(), "SELECT CASE WHEN "+by+" IS NULL THEN '__NULL__' ELSE "+id+
		" END AS id, count(*), CAST(sum("+strings.Join(sizes, " + ")+") AS BIGINT) FROM "+catalog.TableSQL(t.Name)+
		" GROUP BY 1 ORDER BY 1", nil, []googlesql.Column{{Name: "id", Type: googlesql.Type{Kind: googlesql.String}},
		{Name: "n", Type: whole}, {Name: "bytes", Type: whole}}, 0)
	if err != nil {
		return nil, err
	}
	var out []partitionCount
	for _, b := range res.Blocks {
		for i := range b.Rows {
			out = append(out, partitionCount{string(b.Columns[0].Bytes(i)), b.Columns[1].Ints[i],
				b.Columns[2].Ints[i]})
		}
	}
	return out, nil
}
