package googlesql

import (
	"slices"
	"strconv"
	"strings"
)

// Partition says how a table is partitioned.
type Partition struct {
	Column string // "" means the ingestion time
	// Unit is HOUR, DAY, MONTH or YEAR; "" for ranges of an INT64.
	Unit                 string
	Start, End, Interval int64 // of ranges
}

// The pseudo-columns of a table that is partitioned by ingestion time. DuckDB's table has the
// first. The second is its date, if the unit is DAY.
const (
	PartitionTime = "_PARTITIONTIME"
	partitionDate = "_PARTITIONDATE"
)

// partitionForms is BigQuery's message about another expression.
const partitionForms = "PARTITION BY expression must be _PARTITIONDATE, DATE(_PARTITIONTIME), " +
	"DATE(<timestamp_column>), DATE(<datetime_column>), DATETIME_TRUNC(<datetime_column>, DAY/HOUR/MONTH/YEAR), a " +
	"DATE column, TIMESTAMP_TRUNC(<timestamp_column>, DAY/HOUR/MONTH/YEAR), DATE_TRUNC(<date_column>, MONTH/YEAR), " +
	"or RANGE_BUCKET(<int64_column>, GENERATE_ARRAY(<int64_value>, <int64_value>[, <int64_value>]))"

// partitionOf reads a PARTITION BY expression.
func (a *analyzer) partitionOf(x expr, cols []Column) *Partition {
	var column string
	var t Kind
	name := func(x expr) {
		p, ok := x.(*pathExpr)
		if !ok || len(p.parts) != 1 {
			a.fail(x, "%s", partitionForms)
		}
		switch text := strings.ToUpper(p.parts[0].text); text {
		case PartitionTime, partitionDate:
			t = Kind(text)
			return
		}
		c := findTableColumn(&Table{Columns: cols}, p.parts[0].text)
		if c == nil {
			a.fail(x, "Unrecognized name: %s", p.parts[0].text)
		}
		column, t = c.Name, c.Type.Kind
	}
	call, ok := x.(*callExpr)
	if !ok {
		name(x)
		if t != Date && t != partitionDate {
			a.fail(x, "%s", partitionForms)
		}
		return &Partition{Column: column, Unit: "DAY"}
	}
	if len(call.args) == 0 {
		a.fail(x, "%s", partitionForms)
	}
	name(call.args[0])
	unit := "DAY"
	if len(call.args) == 2 {
		if p, ok := call.args[1].(*pathExpr); ok && len(p.parts) == 1 {
			unit = strings.ToUpper(p.parts[0].text)
		}
	}
	month := []string{"MONTH", "YEAR"}
	all := []string{"HOUR", "DAY", "MONTH", "YEAR"}
	switch args := len(call.args); {
	case call.name == "DATE" && args == 1 && (t == Timestamp || t == Datetime || t == PartitionTime):
	case call.name == "DATE_TRUNC" && args == 2 && (t == Date || t == PartitionTime) && slices.Contains(month, unit):
	case call.name == "DATETIME_TRUNC" && args == 2 && t == Datetime && slices.Contains(all, unit):
	case call.name == "TIMESTAMP_TRUNC" && args == 2 && (t == Timestamp || t == PartitionTime) &&
		slices.Contains(all, unit):
	case call.name == "RANGE_BUCKET" && args == 2 && t == Int64:
		return a.rangeBuckets(x, column, call.args[1])
	default:
		a.fail(x, "%s", partitionForms)
	}
	return &Partition{Column: column, Unit: unit}
}

// maxPartitions is BigQuery's limit for the partitions of a table.
const maxPartitions = 10000

func (a *analyzer) rangeBuckets(x expr, column string, bounds expr) *Partition {
	call, ok := bounds.(*callExpr)
	if !ok || call.name != "GENERATE_ARRAY" || len(call.args) != 2 && len(call.args) != 3 {
		a.fail(x, "%s", partitionForms)
	}
	n := []int64{0, 0, 1}
	for i, arg := range call.args {
		sign := ""
		if u, ok := arg.(*unaryExpr); ok && u.op == "-" {
			sign, arg = "-", u.x
		}
		lit, ok := arg.(*literal)
		if !ok || lit.kind != Int64 {
			a.fail(x, "%s", partitionForms)
		}
		v, err := strconv.ParseInt(sign+lit.text, 0, 64)
		if err != nil {
			a.fail(arg, "Invalid integer literal: %s", lit.text)
		}
		n[i] = v
	}
	switch {
	case n[2] <= 0:
		a.fail(bounds, "The interval of RANGE_BUCKET must be positive")
	case n[1] <= n[0]:
		a.fail(bounds, "The end of RANGE_BUCKET must be greater than its start")
	case (n[1]-n[0])/n[2] > maxPartitions:
		a.fail(bounds, "RANGE_BUCKET makes more than %d partitions", maxPartitions)
	}
	return &Partition{Column: column, Start: n[0], End: n[1], Interval: n[2]}
}

// clusterKinds are the types that a column of CLUSTER BY may have.
var clusterKinds = []Kind{BigNumeric, Bool, Date, Datetime, Int64, Numeric, String, Timestamp}

// clusterOf reads the columns of CLUSTER BY.
func (a *analyzer) clusterOf(list []expr, cols []Column) []string {
	var out []string
	for _, x := range list {
		p, ok := x.(*pathExpr)
		if !ok || len(p.parts) != 1 {
			a.fail(x, "CLUSTER BY expression must be a top-level column")
		}
		c := findTableColumn(&Table{Columns: cols}, p.parts[0].text)
		switch {
		case c == nil:
			a.fail(x, "Unrecognized name: %s", p.parts[0].text)
		case !slices.Contains(clusterKinds, c.Type.Kind):
			a.fail(x, "CLUSTER BY does not support column %s of type %s", c.Name, c.Type)
		case slices.Contains(out, c.Name):
			a.fail(x, "Column %s is more than once in CLUSTER BY", c.Name)
		case len(out) == 4:
			a.fail(x, "CLUSTER BY cannot have more than 4 columns")
		}
		out = append(out, c.Name)
	}
	return out
}

// ingested reports whether a table is partitioned by ingestion time.
func (p *Partition) ingested() bool { return p != nil && p.Column == "" }

// arrival returns the ingestion time of a row in DuckDB's SQL: the start of its
// partition.
func (p *Partition) arrival() string { return "date_trunc('" + strings.ToLower(p.Unit) + "', now())" }

// pseudoColumns returns the pseudo-columns of a table whose range variable is
// id.
func pseudoColumns(tab *Table, id string) []column {
	if !tab.Partition.ingested() {
		return nil
	}
	sql := id + "." + quoteIdent(PartitionTime)
	out := []column{{PartitionTime, val{sql: sql, t: kind(Timestamp)}}}
	if tab.Partition.Unit == "DAY" {
		out = append(out, column{partitionDate, val{sql: "CAST(" + sql + " AS DATE)", t: kind(Date)}})
	}
	return out
}

// columns returns the columns that a filter may name, for BigQuery's message.
func (p *Partition) columns() string {
	switch {
	case !p.ingested():
		return "'" + p.Column + "'"
	case p.Unit == "DAY":
		return "'_PARTITION_LOAD_TIME', '" + partitionDate + "', '" + PartitionTime + "'"
	}
	return "'_PARTITION_LOAD_TIME', '" + PartitionTime + "'"
}

// demand is a table that requires a filter over its partitions.
type demand struct {
	err *Error // the error without a filter
	met bool
}

// demand records that a table requires a filter. The columns of its partition carry the number of
// the demand, also through subqueries.
func (a *analyzer) demand(tab *Table, rel *relation, x interface{ pos() int }) {
	if !tab.RequireFilter || tab.Partition == nil {
		return
	}
	line, column := position(a.src, x.pos())
	n := tab.Name
	a.demands = append(a.demands, demand{err: &Error{Line: line, Column: column,
		Message: "Cannot query over table '" + n.Project + "." + n.Dataset + "." + n.Table + "' without a filter " +
			"over column(s) " + tab.Partition.columns() + " that can be used for partition elimination"}})
	for i := range rel.cols {
		if strings.EqualFold(rel.cols[i].name, tab.Partition.Column) {
			rel.cols[i].v.part = []int{len(a.demands)}
		}
	}
	for i := range rel.pseudo {
		rel.pseudo[i].v.part = []int{len(a.demands)}
	}
}

// filters records the demands that a condition meets.
func (a *analyzer) filters(x expr, s *scope) {
	if len(a.demands) == 0 {
		return
	}
	for _, n := range a.filterOf(x, s) {
		a.demands[n-1].met = true
	}
}

// filterOf returns the demands that a condition meets. A comparison with the column, or with
// the result of DATE, a TRUNC function or CAST for it, meets one. For AND either side is
// enough, for OR both are needed.
func (a *analyzer) filterOf(x expr, s *scope) []int {
	switch x := x.(type) {
	case *parenExpr:
		return a.filterOf(x.x, s)
	case *binaryExpr:
		switch x.op {
		case "AND":
			return append(a.filterOf(x.l, s), a.filterOf(x.r, s)...)
		case "OR":
			r := a.filterOf(x.r, s)
			return slices.DeleteFunc(slices.Clone(a.filterOf(x.l, s)),
				func(n int) bool { return !slices.Contains(r, n) })
		case "=", "<", "<=", ">", ">=":
			return append(a.partOf(x.l, s), a.partOf(x.r, s)...)
		}
	case *betweenExpr:
		if !x.not {
			return a.partOf(x.x, s)
		}
	case *inExpr:
		if !x.not {
			return a.partOf(x.x, s)
		}
	case *isExpr:
		return a.partOf(x.x, s)
	}
	return nil
}

// partOf returns the demands whose column an operand is.
func (a *analyzer) partOf(x expr, s *scope) []int {
	switch x := x.(type) {
	case *parenExpr:
		return a.partOf(x.x, s)
	case *pathExpr:
		return slices.Clone(a.path(x, s).part)
	case *castExpr:
		return a.partOf(x.x, s)
	case *callExpr:
		switch x.name {
		case "DATE", "DATETIME", "TIMESTAMP", "DATE_TRUNC", "DATETIME_TRUNC", "TIMESTAMP_TRUNC":
			if len(x.args) > 0 {
				return a.partOf(x.args[0], s)
			}
		}
	}
	return nil
}

// unfiltered is the error of the first demand that no filter meets.
func (a *analyzer) unfiltered() {
	for _, d := range a.demands {
		if !d.met {
			panic(bailout{d.err})
		}
	}
}
