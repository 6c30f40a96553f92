package sandbox

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

// partitioning is how a table is partitioned and clustered. It changes no answer, but that partitions
// expire and that a filter over them may be demanded.
type partitioning struct {
	partition     *googlesql.Partition
	cluster       []string
	partitionDays float64 // how long a partition is kept; zero for ever
	requireFilter bool
	// swept is when partitions were last looked through, and sweptVersion the version of the rows then.
	swept        time.Time
	sweptVersion int64
}

const dayMillis = 24 * 60 * 60 * 1000

// describe writes the partitioning into a table's resource.
func (p *partitioning) describe(out *wire.Table) {
	switch {
	case p.partition == nil:
	case p.partition.Unit == "":
		r := wire.PartitionRange{Start: wire.Int64(p.partition.Start), End: wire.Int64(p.partition.End),
			Interval: wire.Int64(p.partition.Interval)}
		out.RangePartitioning = &wire.RangePartitioning{Field: p.partition.Column, Range: r}
	default:
		out.TimePartitioning = &wire.TimePartitioning{Type: p.partition.Unit,
			ExpirationMs: wire.Int64(p.partitionDays * dayMillis), Field: p.partition.Column}
	}
	if p.cluster != nil {
		out.Clustering = &wire.Clustering{Fields: p.cluster}
	}
	out.RequireFilter = p.requireFilter
}

// partitionSQL writes PARTITION BY and CLUSTER BY; kindOf gives the type of a column.
func (p *partitioning) partitionSQL(kindOf func(string) googlesql.Kind) string {
	out := ""
	if p.partition != nil {
		out = "\nPARTITION BY " + partitionExpression(p.partition, kindOf)
	}
	if p.cluster != nil {
		out += "\nCLUSTER BY " + strings.Join(googlesql.QuoteEachIfNeeded(p.cluster), ", ")
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

// partitionClauses are the clauses of CREATE TABLE that a request to make a table asks for.
func partitionClauses(t *wire.Table) (string, *apierror.Error) {
	p := partitioning{}
	kinds := map[string]googlesql.Kind{}
	for _, f := range t.Schema.Fields {
		kinds[strings.ToLower(f.Name)] = wire.KindOf(f.Type)
	}
	switch time, ranges := t.TimePartitioning, t.RangePartitioning; {
	case time != nil && ranges != nil:
		return "", apierror.Errorf("invalid", "A table cannot have both timePartitioning and rangePartitioning.")
	case time != nil:
		p.partition = &googlesql.Partition{Column: time.Field, Unit: strings.ToUpper(time.Type)}
		p.partitionDays = float64(time.ExpirationMs) / dayMillis
	case ranges != nil:
		p.partition = &googlesql.Partition{Column: ranges.Field, Start: int64(ranges.Range.Start),
			End: int64(ranges.Range.End), Interval: int64(ranges.Range.Interval)}
	}
	if t.Clustering != nil {
		p.cluster = t.Clustering.Fields
	}
	out := p.partitionSQL(func(name string) googlesql.Kind { return kinds[strings.ToLower(name)] })
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

// lockCatalog takes the lock of statements that change the catalog, and drops what has expired.
func (s *Server) lockCatalog(ctx context.Context) (func(), *apierror.Error) {
	unlock, err := lock(ctx, s.catalog.ddl)
	if err != nil {
		return nil, err
	}
	for _, t := range s.catalog.expiredTables() {
		if err := s.dropTable(ctx, t); err != nil {
			unlock()
			return nil, err
		}
	}
	return unlock, nil
}

// start is the beginning of a row's partition in microseconds of Unix time, as DuckDB's text.
func partitionStart(p *googlesql.Partition) string {
	column := p.Column
	if column == "" {
		column = googlesql.PartitionTime
	}
	return "epoch_us(date_trunc('" + strings.ToLower(p.Unit) + "', CAST(" + engine.Quote(column) + " AS TIMESTAMP)))"
}

// sweepEvery is how often a table is looked through for partitions that have expired.
const sweepEvery = time.Second

// dropPartitions deletes the rows of partitions that have expired, as BigQuery does: not at once, and
// not while a statement changes the table.
func (s *Server) dropPartitions(t *table) {
	now := s.now()
	s.catalog.mu.Lock()
	due := t.partitionDays != 0 && t.view == nil &&
		(t.version != t.sweptVersion || now.Sub(t.swept).Abs() >= sweepEvery)
	if due {
		t.swept, t.sweptVersion = now, t.version
	}
	s.catalog.mu.Unlock()
	if !due {
		return
	}
	select {
	case t.write <- struct{}{}:
		defer func() { <-t.write }()
	default:
		return
	}
	keep := int64(t.partitionDays * dayMillis * 1000)
	changed, err := s.db.Exec(context.Background(), fmt.Sprintf("DELETE FROM %s WHERE %s + %d <= %d", tableSQL(t.name),
		partitionStart(t.partition), keep, now.UnixMicro()))
	if err != nil {
		s.log.Error("partitions that have expired could not be dropped", "table", t.name, "error", err)
	}
	if changed > 0 {
		s.catalog.touch(t, now, true)
	}
}
