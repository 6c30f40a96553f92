package sandbox

import (
	"context"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// optionChanges are the members of a table's resource that ALTER TABLE changes, or that must not
// change.
var optionChanges = []string{"expirationTime", "requirePartitionFilter", "timePartitioning", "rangePartitioning",
	"clustering", "tableConstraints", "snapshotDefinition", "cloneDefinition"}

// changeOptions changes a table's expiry, its partition filter and expiry, and its keys. now is the
// current resource. A member that is sent back unchanged is no change.
func (s *Server) changeOptions(ctx context.Context, who jobs.Caller, t *catalog.Table, now *wire.Table,
	c changes) *apierror.Error {
	var to wire.Table
	text, _ := json.Marshal(now) // a resource always marshals, and back
	_ = json.Unmarshal(text, &to)
	var asked []string
	for _, name := range optionChanges {
		if raw, ok := c[name]; ok {
			if string(raw) == "null" {
				raw = zeroMembers[name]
			}
			text := append([]byte(`{"`+name+`":`), append(raw, '}')...)
			if name == "tableConstraints" {
				to.Constraints = nil // the list of foreign keys is given as a whole
			}
			if err := json.Unmarshal(text, &to); err != nil {
				return apierror.Errorf("parseError", "Invalid JSON payload received. %s: %s", name, err)
			}
			asked = append(asked, name)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	var options, actions []string
	if to.ExpirationTime != now.ExpirationTime {
		value := "NULL"
		if to.ExpirationTime != 0 {
			value = "TIMESTAMP_MILLIS(" + strconv.FormatInt(int64(to.ExpirationTime), 10) + ")"
		}
		options = append(options, "expiration_timestamp = "+value)
	}
	if to.RequireFilter != now.RequireFilter {
		options = append(options, "require_partition_filter = "+strconv.FormatBool(to.RequireFilter))
	}
	was, is := now.TimePartitioning, to.TimePartitioning
	if was != nil && is != nil {
		if was.Type != is.Type || !strings.EqualFold(was.Field, is.Field) {
			return apierror.Unsupported("changing timePartitioning but its expirationMs")
		}
		if was.ExpirationMs != is.ExpirationMs {
			value := "NULL"
			if is.ExpirationMs != 0 {
				value = googlesql.FloatLiteral(float64(is.ExpirationMs) / catalog.DayMillis)
			}
			options = append(options, "partition_expiration_days = "+value)
		}
	} else if (was == nil) != (is == nil) {
		return apierror.Unsupported("changing timePartitioning but its expirationMs")
	}
	for name, same := range map[string]bool{
		"rangePartitioning":  reflect.DeepEqual(to.RangePartitioning, now.RangePartitioning),
		"clustering":         reflect.DeepEqual(to.Clustering, now.Clustering),
		"snapshotDefinition": reflect.DeepEqual(to.SnapshotDefinition, now.SnapshotDefinition),
		"cloneDefinition":    reflect.DeepEqual(to.CloneDefinition, now.CloneDefinition),
	} {
		if !same {
			return apierror.Unsupported("changing " + name)
		}
	}
	if !reflect.DeepEqual(to.Constraints, now.Constraints) {
		for _, k := range t.Keys {
			actions = append(actions, "DROP CONSTRAINT "+googlesql.QuoteName(k.Name))
		}
		for _, key := range to.Constraints.DDL() {
			actions = append(actions, "ADD "+key)
		}
	}
	if options != nil {
		actions = append(actions, "SET OPTIONS ("+strings.Join(options, ", ")+")")
	}
	if actions == nil {
		return nil
	}
	return s.alter(ctx, who, t, strings.Join(actions, ", "))
}

// zeroMembers has the values that null stands for.
var zeroMembers = map[string]json.RawMessage{"expirationTime": json.RawMessage(`"0"`),
	"requirePartitionFilter": json.RawMessage("false"), "timePartitioning": json.RawMessage("null"),
	"rangePartitioning": json.RawMessage("null"), "clustering": json.RawMessage("null"),
	"tableConstraints": json.RawMessage("null"), "snapshotDefinition": json.RawMessage("null"),
	"cloneDefinition": json.RawMessage("null")}
