package catalog

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// OptionValues maps the names of options that a statement sets to their values, as
// texts in the form of googlesql.Option; nil means NULL.
type OptionValues map[string]*string

// text changes a text that an option sets.
func (o OptionValues) text(name string, to *string) {
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
func (o OptionValues) labels(to *map[string]string) *apierror.Error {
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

// Set changes the options of a table. The caller holds the catalog's lock if others know the table.
func (t *Table) Set(o OptionValues) *apierror.Error {
	o.text("friendly_name", &t.FriendlyName)
	o.text("description", &t.Description)
	if v, ok := o["expiration_timestamp"]; ok {
		t.Expires = time.Time{}
		if v != nil {
			micros, err := strconv.ParseInt(*v, 10, 64)
			if err != nil {
				return apierror.Broken("an expiration could not be read: %s", err)
			}
			t.Expires = time.UnixMicro(micros).UTC()
		}
	}
	if err := o.days("partition_expiration_days", &t.partitionDays); err != nil {
		return err
	}
	if v, ok := o["require_partition_filter"]; ok {
		t.RequireFilter = v != nil && *v == "true"
	}
	switch {
	case t.RequireFilter && t.Partition == nil:
		return apierror.Errorf("invalid", "The option require_partition_filter needs a partitioned table")
	case t.partitionDays != 0 && (t.Partition == nil || t.Partition.Unit == ""):
		return apierror.Errorf("invalid", "The option partition_expiration_days needs a table that is partitioned by "+
			"time")
	}
	return o.labels(&t.Labels)
}

// days changes a number of days that an option sets; NULL is zero.
func (o OptionValues) days(name string, to *float64) *apierror.Error {
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

// maxDays is the largest number of days; more would overflow a time.
const maxDays = 3_000_000

// after returns a time some days later.
func after(t time.Time, days float64) time.Time {
	whole := int(days)
	return t.AddDate(0, 0, whole).Add(time.Duration((days - float64(whole)) * float64(24*time.Hour)))
}

// SetExpiry gives a new table and its partitions the default expiry of the dataset.
func (c *Catalog) SetExpiry(t *Table) {
	d := c.Dataset(t.Name.Project, t.Name.Dataset)
	if d == nil {
		return
	}
	c.Mu.RLock()
	defer c.Mu.RUnlock()
	if t.Partition != nil && t.Partition.Unit != "" && d.PartitionDays != 0 {
		t.partitionDays = cmp.Or(t.partitionDays, d.PartitionDays)
	} else if d.TableDays != 0 && t.Expires.IsZero() {
		t.Expires = after(t.Created, d.TableDays)
	}
}

// Set changes the options of a dataset, in the same way.
func (d *Dataset) Set(o OptionValues) *apierror.Error {
	if v, ok := o["location"]; ok && !d.Created.IsZero() && (v == nil || !strings.EqualFold(*v, d.Location)) {
		return apierror.Errorf("invalid", "The location of dataset %s:%s cannot be changed", d.Ref.ProjectID,
			d.Ref.DatasetID)
	}
	o.text("friendly_name", &d.FriendlyName)
	o.text("description", &d.Description)
	if err := o.days("default_table_expiration_days", &d.TableDays); err != nil {
		return err
	}
	if err := o.days("default_partition_expiration_days", &d.PartitionDays); err != nil {
		return err
	}
	return o.labels(&d.Labels)
}

// shownOption is an option as INFORMATION_SCHEMA shows it: the value is GoogleSQL.
type shownOption struct{ Name, Kind, Value string }

// Options returns the options of a table. The caller holds the catalog's lock.
func (t *Table) Options() []shownOption {
	list := describing(t.Description, t.FriendlyName, t.Labels)
	if !t.Expires.IsZero() {
		list = append(list, shownOption{"expiration_timestamp", "TIMESTAMP",
			`TIMESTAMP "` + t.Expires.UTC().Format("2006-01-02T15:04:05.000Z") + `"`})
	}
	if t.partitionDays != 0 {
		list = append(list, shownOption{"partition_expiration_days", "FLOAT64",
			googlesql.FloatLiteral(t.partitionDays)})
	}
	if t.RequireFilter {
		list = append(list, shownOption{"require_partition_filter", "BOOL", "true"})
	}
	slices.SortFunc(list, func(a, b shownOption) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// Options returns the options of a dataset. The caller holds the catalog's
// lock.
func (d *Dataset) Options() []shownOption {
	list := describing(d.Description, d.FriendlyName, d.Labels)
	if d.PartitionDays != 0 {
		list = append(list, shownOption{"default_partition_expiration_days", "FLOAT64",
			googlesql.FloatLiteral(d.PartitionDays)})
	}
	if d.TableDays != 0 {
		list = append(list, shownOption{"default_table_expiration_days", "FLOAT64",
			googlesql.FloatLiteral(d.TableDays)})
	}
	return append(list, shownOption{"location", "STRING", googlesql.StringLiteral(strings.ToLower(d.Location))})
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

// OptionsText writes options as the end of a DDL statement.
func OptionsText(list []shownOption) string {
	if len(list) == 0 {
		return ""
	}
	parts := make([]string, len(list))
	for i, o := range list {
		parts[i] = "  " + o.Name + "=" + o.Value
	}
	return "\nOPTIONS(\n" + strings.Join(parts, ",\n") + "\n)"
}
