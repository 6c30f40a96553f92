package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// optionValues are what a statement sets with OPTIONS: texts by the options' names, as
// googlesql.Option says; nil for NULL.
type optionValues map[string]*string

// optionsOf computes the options that a statement sets.
func (s *Server) optionsOf(ctx context.Context, q *query, stmt *googlesql.Statement) (optionValues, *apierror.Error) {
	if stmt.OptionsSQL == "" {
		return nil, nil
	}
	columns := make([]googlesql.Column, len(stmt.Options))
	for i, o := range stmt.Options {
		columns[i] = googlesql.Column{Name: o.Name, Type: googlesql.Type{Kind: googlesql.String}}
	}
	var conn *engine.Conn
	if q.work != nil {
		conn = q.work.conn
	} else {
		c, err := s.db.Conn()
		if err != nil {
			return nil, apierror.From(err)
		}
		defer c.Release()
		conn = c
	}
	res, err := conn.Query(ctx, stmt.OptionsSQL, nil, columns, 0)
	if err != nil {
		return nil, apierror.From(err)
	}
	values := optionValues{}
	for i, o := range stmt.Options {
		v := res.Blocks[0].Columns[i]
		if v.Null(0) {
			values[o.Name] = nil
			continue
		}
		text := string(v.Bytes(0))
		values[o.Name] = &text
	}
	return values, nil
}

// text changes a text that an option sets.
func (o optionValues) text(name string, to *string) {
	v, ok := o[name]
	switch {
	case !ok:
	case v == nil:
		*to = ""
	default:
		*to = *v
	}
}

// labels changes the labels.
func (o optionValues) labels(to *map[string]string) *apierror.Error {
	v, ok := o["labels"]
	switch {
	case !ok:
		return nil
	case v == nil:
		*to = nil
		return nil
	}
	var list []struct {
		Key   string `json:"_f1"`
		Value string `json:"_f2"`
	}
	if err := json.Unmarshal([]byte(*v), &list); err != nil {
		return apierror.Broken("labels could not be read: %s", err)
	}
	labels := map[string]string{}
	for _, l := range list {
		if _, twice := labels[l.Key]; twice {
			return apierror.Errorf("invalidQuery", "Duplicate label key %q", l.Key)
		}
		labels[l.Key] = l.Value
	}
	*to = labels
	return nil
}

// describeNew gives a new table what CREATE TABLE says of it, and what its dataset gives.
func (s *Server) describeNew(ctx context.Context, q *query, t *table, stmt *googlesql.Statement) *apierror.Error {
	s.copyMetadata(t, stmt)
	t.keys, t.partition, t.cluster = stmt.NewKeys, stmt.Partition, stmt.Cluster
	if d := s.catalog.dataset(t.name.Project, t.name.Dataset); d != nil {
		s.catalog.mu.RLock()
		if t.partition != nil && t.partition.Unit != "" && d.partitionDays != 0 {
			t.partitionDays = cmp.Or(t.partitionDays, d.partitionDays)
		} else if d.tableDays != 0 && t.expires.IsZero() {
			t.expires = after(t.created, d.tableDays)
		}
		s.catalog.mu.RUnlock()
	}
	return s.setOptions(ctx, q, t, stmt)
}

// setOptions gives a table that is not visible yet the options of a statement.
func (s *Server) setOptions(ctx context.Context, q *query, t *table, stmt *googlesql.Statement) *apierror.Error {
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return err
	}
	return t.set(values)
}

// set changes what a table has of options. The caller holds the catalog's lock if others know the table.
func (t *table) set(o optionValues) *apierror.Error {
	o.text("friendly_name", &t.friendly)
	o.text("description", &t.text)
	if v, ok := o["expiration_timestamp"]; ok {
		t.expires = time.Time{}
		if v != nil {
			micros, err := strconv.ParseInt(*v, 10, 64)
			if err != nil {
				return apierror.Broken("an expiration could not be read: %s", err)
			}
			t.expires = time.UnixMicro(micros).UTC()
		}
	}
	if err := o.days("partition_expiration_days", &t.partitionDays); err != nil {
		return err
	}
	if v, ok := o["require_partition_filter"]; ok {
		t.requireFilter = v != nil && *v == "true"
	}
	switch {
	case t.requireFilter && t.partition == nil:
		return apierror.Errorf("invalid", "The option require_partition_filter needs a partitioned table")
	case t.partitionDays != 0 && (t.partition == nil || t.partition.Unit == ""):
		return apierror.Errorf("invalid", "The option partition_expiration_days needs a table that is partitioned by "+
			"time")
	}
	return o.labels(&t.labels)
}

// days changes a number of days that an option sets; NULL is zero.
func (o optionValues) days(name string, to *float64) *apierror.Error {
	v, ok := o[name]
	if !ok {
		return nil
	}
	*to = 0
	if v == nil {
		return nil
	}
	n, err := strconv.ParseFloat(*v, 64)
	if err != nil || n <= 0 || math.IsNaN(n) || n > maxDays {
		return apierror.Errorf("invalid", "The option %s must be a positive number of days", name)
	}
	*to = n
	return nil
}

// maxDays is a number of days that no time needs; more would not be a time.
const maxDays = 3_000_000

// after is a time some days later.
func after(t time.Time, days float64) time.Time {
	whole := int(days)
	return t.AddDate(0, 0, whole).Add(time.Duration((days - float64(whole)) * float64(24*time.Hour)))
}

// set changes what a dataset has of options, likewise.
func (d *dataset) set(o optionValues) *apierror.Error {
	if v, ok := o["location"]; ok && !d.created.IsZero() && (v == nil || !strings.EqualFold(*v, d.location)) {
		return apierror.Errorf("invalid", "The location of dataset %s:%s cannot be changed", d.ref.ProjectID,
			d.ref.DatasetID)
	}
	o.text("friendly_name", &d.friendly)
	o.text("description", &d.text)
	if err := o.days("default_table_expiration_days", &d.tableDays); err != nil {
		return err
	}
	if err := o.days("default_partition_expiration_days", &d.partitionDays); err != nil {
		return err
	}
	return o.labels(&d.labels)
}

// alterSchema runs ALTER SCHEMA. The caller holds the catalog's ddl lock.
func (s *Server) alterSchema(ctx context.Context, q *query, stmt *googlesql.Statement) (*outcome, *apierror.Error) {
	d := s.catalog.dataset(stmt.Target.Project, stmt.Target.Dataset)
	if d == nil {
		name := fmt.Sprintf("%s:%s", stmt.Target.Project, stmt.Target.Dataset)
		return dropMissing(stmt, apierror.NotFound("Dataset", name, q.location))
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return nil, err
	}
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	if err := d.set(values); err != nil {
		return nil, err
	}
	d.modified = s.now()
	return &outcome{ddlOperation: "ALTER"}, nil
}

// shownOption is an option as INFORMATION_SCHEMA shows it: the value is GoogleSQL.
type shownOption struct{ name, kind, value string }

// options are those that a table has. The caller holds the catalog's lock.
func (t *table) options() []shownOption {
	list := describing(t.text, t.friendly, t.labels)
	if !t.expires.IsZero() {
		list = append(list, shownOption{"expiration_timestamp", "TIMESTAMP",
			`TIMESTAMP "` + t.expires.UTC().Format("2006-01-02T15:04:05.000Z") + `"`})
	}
	if t.partitionDays != 0 {
		list = append(list, shownOption{"partition_expiration_days", "FLOAT64",
			googlesql.FloatLiteral(t.partitionDays)})
	}
	if t.requireFilter {
		list = append(list, shownOption{"require_partition_filter", "BOOL", "true"})
	}
	slices.SortFunc(list, func(a, b shownOption) int { return cmp.Compare(a.name, b.name) })
	return list
}

// options are those that a dataset has, likewise.
func (d *dataset) options() []shownOption {
	list := describing(d.text, d.friendly, d.labels)
	if d.partitionDays != 0 {
		list = append(list, shownOption{"default_partition_expiration_days", "FLOAT64",
			googlesql.FloatLiteral(d.partitionDays)})
	}
	if d.tableDays != 0 {
		list = append(list, shownOption{"default_table_expiration_days", "FLOAT64",
			googlesql.FloatLiteral(d.tableDays)})
	}
	return append(list, shownOption{"location", "STRING", googlesql.StringLiteral(strings.ToLower(d.location))})
}

func describing(description, friendly string, labels map[string]string) []shownOption {
	var list []shownOption
	if description != "" {
		list = append(list, shownOption{"description", "STRING", googlesql.StringLiteral(description)})
	}
	if friendly != "" {
		list = append(list, shownOption{"friendly_name", "STRING", googlesql.StringLiteral(friendly)})
	}
	if len(labels) > 0 {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(labels)) {
			parts = append(parts, "STRUCT("+googlesql.StringLiteral(k)+", "+googlesql.StringLiteral(labels[k])+")")
		}
		list = append(list, shownOption{"labels", "ARRAY<STRUCT<STRING, STRING>>",
			"[" + strings.Join(parts, ", ") + "]"})
	}
	return list
}

// optionsText writes options as the end of a DDL statement.
func optionsText(list []shownOption) string {
	if len(list) == 0 {
		return ""
	}
	parts := make([]string, len(list))
	for i, o := range list {
		parts[i] = "  " + o.name + "=" + o.value
	}
	return "\nOPTIONS(\n" + strings.Join(parts, ",\n") + "\n)"
}
