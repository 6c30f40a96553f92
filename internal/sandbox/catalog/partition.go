package catalog

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// partitioning says how a table is partitioned and clustered. It affects answers only because
// partitions expire and a filter over them may be required.
type partitioning struct {
	Partition     *googlesql.Partition
	Cluster       []string
	partitionDays float64 // how long a partition is kept; zero means for ever
	RequireFilter bool
	// swept is when the table was last searched for expired partitions, and sweptVersion the
	// version of the rows then.
	swept        time.Time
	sweptVersion int64
}

// DayMillis is the number of milliseconds in a day.
const DayMillis = 24 * 60 * 60 * 1000

// Describe writes the partitioning into a table's resource.
func (p *partitioning) Describe(out *wire.Table) {
	switch {
	case p.Partition == nil:
	case p.Partition.Unit == "":
		r := wire.PartitionRange{Start: wire.Int64(p.Partition.Start), End: wire.Int64(p.Partition.End),
			Interval: wire.Int64(p.Partition.Interval)}
		out.RangePartitioning = &wire.RangePartitioning{Field: p.Partition.Column, Range: r}
	default:
		out.TimePartitioning = &wire.TimePartitioning{Type: p.Partition.Unit,
			ExpirationMs: wire.Int64(p.partitionDays * DayMillis), Field: p.Partition.Column}
	}
	if p.Cluster != nil {
		out.Clustering = &wire.Clustering{Fields: p.Cluster}
	}
	out.RequireFilter = p.RequireFilter
}

// PartitionSQL writes PARTITION BY and CLUSTER BY. kindOf returns the type of a
// column.
func (p *partitioning) PartitionSQL(kindOf func(string) googlesql.Kind) string {
	out := ""
	if p.Partition != nil {
		out = "\nPARTITION BY " + partitionExpression(p.Partition, kindOf)
	}
	if p.Cluster != nil {
		out += "\nCLUSTER BY " + strings.Join(googlesql.QuoteEachIfNeeded(p.Cluster), ", ")
	}
	return out
}

func partitionExpression(p *googlesql.Partition, kindOf func(string) googlesql.Kind) string {
	column, kind := googlesql.QuoteIfNeeded(p.Column), googlesql.Timestamp
	if p.Column == "" {
		column = googlesql.PartitionTime
	} else {
		kind = kindOf(p.Column)
	}
	switch {
	case p.Unit == "":
		return fmt.Sprintf("RANGE_BUCKET(%s, GENERATE_ARRAY(%d, %d, %d))", column, p.Start, p.End, p.Interval)
	case p.Unit == "DAY" && p.Column == "":
		return "DATE(" + googlesql.PartitionTime + ")"
	case p.Unit == "DAY" && kind == googlesql.Date:
		return column
	case p.Unit == "DAY":
		return "DATE(" + column + ")"
	}
	return string(kind) + "_TRUNC(" + column + ", " + p.Unit + ")"
}

// PartitionClauses returns the clauses of CREATE TABLE for a request to create a table.
func PartitionClauses(t *wire.Table) (string, *apierror.Error) {
	p := partitioning{}
	kinds := map[string]googlesql.Kind{}
	for _, f := range t.Schema.Fields {
		kinds[strings.ToLower(f.Name)] = wire.KindOf(f.Type)
	}
	switch time, ranges := t.TimePartitioning, t.RangePartitioning; {
	case time != nil && ranges != nil:
		return "", apierror.Errorf("invalid", "A table cannot have both timePartitioning and rangePartitioning.")
	case time != nil:
		p.Partition = &googlesql.Partition{Column: time.Field, Unit: strings.ToUpper(time.Type)}
		p.partitionDays = float64(time.ExpirationMs) / DayMillis
	case ranges != nil:
		p.Partition = &googlesql.Partition{Column: ranges.Field, Start: int64(ranges.Range.Start),
			End: int64(ranges.Range.End), Interval: int64(ranges.Range.Interval)}
	}
	if t.Clustering != nil {
		p.Cluster = t.Clustering.Fields
	}
	out := p.PartitionSQL(func(name string) googlesql.Kind { return kinds[strings.ToLower(name)] })
	var options []string
	if p.partitionDays != 0 {
		options = append(options, "partition_expiration_days = "+googlesql.FloatLiteral(p.partitionDays))
	}
	if t.RequireFilter {
		options = append(options, "require_partition_filter = true")
	}
	if t.ExpirationTime != 0 {
		options = append(options, "expiration_timestamp = TIMESTAMP_MILLIS("+
			strconv.FormatInt(int64(t.ExpirationTime), 10)+")")
	}
	if options != nil {
		out += " OPTIONS (" + strings.Join(options, ", ") + ")"
	}
	return out, nil
}

// start returns the start of a row's partition in microseconds of Unix time, in DuckDB's SQL.
func partitionStart(p *googlesql.Partition) string {
	column := p.Column
	if column == "" {
		column = googlesql.PartitionTime
	}
	return "epoch_us(date_trunc('" + strings.ToLower(p.Unit) + "', CAST(" + engine.Quote(column) + " AS TIMESTAMP)))"
}

// sweepEvery is how often a table is searched for expired partitions.
const sweepEvery = time.Second

// DropPartitions deletes the rows of partitions that have expired, as BigQuery does: not at once, and
// not while a statement changes the table.
func (c *Catalog) DropPartitions(t *Table) {
	now := c.time()
	c.Mu.Lock()
	due := t.partitionDays != 0 && t.View == nil &&
		(t.version != t.sweptVersion || now.Sub(t.swept).Abs() >= sweepEvery)
	if due {
		t.swept, t.sweptVersion = now, t.version
	}
	c.Mu.Unlock()
	if !due {
		return
	}
	if !t.TryLock() {
		return
	}
	defer t.Unlock()
	keep := int64(t.partitionDays * DayMillis * 1000)
	changed, err := c.db.Exec(context.Background(), fmt.Sprintf("DELETE FROM %s WHERE %s + %d <= %d", TableSQL(t.Name),
		partitionStart(t.Partition), keep, now.UnixMicro()))
	if err != nil {
		c.log.Error("partitions that have expired could not be dropped", "table", t.Name, "error", err)
	}
	if changed > 0 {
		c.Touch(t, now, true)
	}
}
