package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// changes are the members of a resource in a patch or an update.
type changes map[string]json.RawMessage

// changesOf reads a request. With patch, omitted members do not change; otherwise they are
// cleared.
func changesOf(r *http.Request, patch bool, kept []string) (changes, *apierror.Error) {
	var c changes
	if err := readBody(r, &c); err != nil {
		return nil, err
	}
	for _, name := range kept {
		if !patch && c[name] == nil {
			c[name] = json.RawMessage("null")
		}
	}
	return c, nil
}

// text changes a text; null clears it.
func (c changes) text(name string, to *string) *apierror.Error {
	raw, ok := c[name]
	if !ok {
		return nil
	}
	*to = ""
	if err := json.Unmarshal(raw, to); err != nil {
		return apierror.Errorf("parseError", "Invalid JSON payload received. %s: %s", name, err)
	}
	return nil
}

// labels changes labels. A null label is removed; null removes all.
func (c changes) labels(patch bool, to *map[string]string) *apierror.Error {
	raw, ok := c["labels"]
	if !ok {
		return nil
	}
	var given map[string]*string
	if err := json.Unmarshal(raw, &given); err != nil {
		return apierror.Errorf("parseError", "Invalid JSON payload received. labels: %s", err)
	}
	labels := map[string]string{}
	if patch && given != nil {
		for k, v := range *to {
			labels[k] = v
		}
	}
	for k, v := range given {
		if delete(labels, k); v != nil {
			labels[k] = *v
		}
	}
	*to = labels
	return nil
}

// Members of the two resources: those that can be changed, and those that are the service's alone.
var (
	datasetChanges = []string{"friendlyName", "description", "labels"}
	tableChanges   = []string{"friendlyName", "description", "labels", "schema"}
	outputOnly     = []string{"kind", "etag", "id", "selfLink", "creationTime", "lastModifiedTime", "numRows",
		"numBytes"}
)

// check refuses, by its name, a member that can't be changed. A member that is sent back unchanged
// is allowed.
func (c changes) check(known []string, now any) *apierror.Error {
	text, err := json.Marshal(now)
	if err != nil {
		return apierror.Broken("%s", err)
	}
	var have map[string]any
	_ = json.Unmarshal(text, &have) // it was just written
	for name, raw := range c {
		if slices.Contains(known, name) || slices.Contains(outputOnly, name) || wire.Empty(raw) {
			continue
		}
		var given any
		if json.Unmarshal(raw, &given) != nil || !reflect.DeepEqual(given, have[name]) {
			return apierror.Unsupported("changing " + name)
		}
	}
	return nil
}

// matches checks that a request changes the version of the resource that it
// names.
func matches(r *http.Request, etag string) *apierror.Error {
	if want := r.Header.Get("If-Match"); want != "" && want != "*" && strings.Trim(want, `"`) != etag {
		return apierror.Errorf("conditionNotMet", "Precondition check failed.")
	}
	return nil
}

// changeDataset answers datasets.patch and datasets.update.
func (s *Server) changeDataset(patch bool) handler {
	return func(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
		d, err := s.datasetOf(r, who)
		if err != nil {
			return nil, err
		}
		if !s.jobs.MayBill(who, d.Ref.ProjectID) {
			return nil, apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: Permission "+
				"bigquery.datasets.update denied on dataset %[1]s:%[2]s.", d.Ref.ProjectID, d.Ref.DatasetID)
		}
		c, err := changesOf(r, patch, datasetChanges)
		now := s.describeDataset(d, false)
		if err == nil {
			err = c.check(datasetChanges, now)
		}
		if err == nil {
			err = matches(r, now.ETag)
		}
		if err == nil {
			s.catalog.Mu.Lock()
			if err = c.describe(patch, &d.FriendlyName, &d.Description, &d.Labels); err == nil {
				d.Modified = s.now()
			}
			s.catalog.Mu.Unlock()
		}
		if err != nil {
			return nil, err
		}
		return s.describeDataset(d, false), nil
	}
}

// describe changes the description, labels and names of a dataset or a table,
// all of them or none.
func (c changes) describe(patch bool, friendly, text *string, labels *map[string]string) *apierror.Error {
	newFriendly, newText, newLabels := *friendly, *text, *labels
	err := c.text("friendlyName", &newFriendly)
	if err == nil {
		err = c.text("description", &newText)
	}
	if err == nil {
		err = c.labels(patch, &newLabels)
	}
	if err == nil {
		*friendly, *text, *labels = newFriendly, newText, newLabels
	}
	return err
}

// changeTable answers tables.patch and tables.update.
func (s *Server) changeTable(patch bool) handler {
	return func(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
		d, t, err := s.tableOf(r, who)
		if err != nil {
			return nil, err
		}
		if !s.jobs.MayBill(who, t.Name.Project) {
			return nil, apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission bigquery.tables.update "+
				"denied on table %[1]s (or it may not exist).", t.Name)
		}
		c, err := changesOf(r, patch, []string{"friendlyName", "description", "labels"})
		var now *wire.Table
		if err == nil {
			now, err = s.describeTable(r.Context(), d, t, false)
		}
		if err == nil {
			err = c.check(append(slices.Clone(tableChanges), optionChanges...), now)
		}
		if err == nil {
			err = matches(r, now.ETag)
		}
		if err == nil {
			err = s.changeSchema(r.Context(), who, t, c["schema"])
		}
		if err == nil {
			err = s.changeOptions(r.Context(), who, t, now, c)
		}
		if err != nil {
			return nil, err
		}
		t = s.catalog.Table(t.Name) // which may be another with the new schema
		if t == nil {
			return nil, apierror.NotFound("Table", now.ID, "")
		}
		s.catalog.Mu.Lock()
		if err = c.describe(patch, &t.FriendlyName, &t.Description, &t.Labels); err == nil {
			t.Modified = s.now()
		}
		s.catalog.Mu.Unlock()
		if err != nil {
			return nil, err
		}
		return s.describeTable(r.Context(), d, t, false)
	}
}

// changeSchema adds columns to a table, or makes REQUIRED ones NULLABLE, by ALTER TABLE.
func (s *Server) changeSchema(ctx context.Context, who jobs.Caller, t *catalog.Table,
	raw json.RawMessage) *apierror.Error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	var to wire.Schema
	if err := json.Unmarshal(raw, &to); err != nil {
		return apierror.Errorf("parseError", "Invalid JSON payload received. schema: %s", err)
	}
	actions, err := alterations(t, to.Fields)
	if err != nil {
		return err
	}
	if len(actions) > 0 {
		if t.View != nil {
			return apierror.Unsupported("changing the schema of a view")
		}
		if err := s.alter(ctx, who, t, strings.Join(actions, ", ")); err != nil {
			return err
		}
	}
	if altered := s.catalog.Table(t.Name); altered != nil {
		s.catalog.DescribeFields(altered, inOrder(altered, to.Fields))
	}
	return nil
}

// alter runs ALTER TABLE, or that of a view, with actions.
func (s *Server) alter(ctx context.Context, who jobs.Caller, t *catalog.Table, actions string) *apierror.Error {
	kind := "TABLE"
	if t.View != nil {
		kind = strings.ReplaceAll(t.ViewKind(), "_", " ")
	}
	return s.jobs.Do(ctx, who, t.Name.Project, "", "ALTER "+kind+" "+
		googlesql.QuoteName(t.Name.Project+"."+t.Name.Dataset+"."+t.Name.Table)+" "+actions)
}

// inOrder returns fields in the order of the table's columns.
func inOrder(t *catalog.Table, fields []wire.Field) []wire.Field {
	out := make([]wire.Field, len(t.Schema))
	for i, have := range t.Schema {
		out[i] = have
		for _, f := range fields {
			if strings.EqualFold(f.Name, have.Name) {
				out[i] = f
			}
		}
	}
	return out
}

// alterations returns the actions of ALTER TABLE that change the table's schema
// to another.
func alterations(t *catalog.Table, fields []wire.Field) ([]string, *apierror.Error) {
	mismatch := func(format string, args ...any) *apierror.Error {
		return apierror.Errorf("invalid", "Provided Schema does not match Table %s. %s", t.Name, fmt.Sprintf(format,
			args...))
	}
	var added, relaxed []string
	left := slices.Clone(t.Schema)
	for i := range fields {
		f := &fields[i]
		k := slices.IndexFunc(left, func(o wire.Field) bool { return strings.EqualFold(o.Name, f.Name) })
		if k < 0 {
			if strings.EqualFold(f.Mode, "REQUIRED") {
				return nil, mismatch("Cannot add required fields to an existing schema. (field: %s)", f.Name)
			}
			text, err := f.DDL()
			if err != nil {
				return nil, err
			}
			added = append(added, "ADD COLUMN "+text)
			continue
		}
		have := left[k]
		left = slices.Delete(left, k, k+1)
		was, err := have.DDLType()
		if err != nil {
			return nil, err
		}
		is, err := f.DDLType()
		if err != nil {
			return nil, err
		}
		mode := strings.ToUpper(f.Mode)
		if mode == "" {
			mode = "NULLABLE"
		}
		switch {
		case was != is && have.Type == "RECORD" && wire.KindOf(f.Type) == googlesql.Struct:
			return nil, apierror.Unsupported("changing the fields of the RECORD " + f.Name)
		case was != is:
			return nil, mismatch("Field %s has changed type from %s to %s", f.Name, was, is)
		case have.Mode == mode:
		case have.Mode == "REQUIRED" && mode == "NULLABLE":
			relaxed = append(relaxed, "ALTER COLUMN "+googlesql.QuoteName(f.Name)+" DROP NOT NULL")
		default:
			return nil, mismatch("Field %s has changed mode from %s to %s", f.Name, have.Mode, mode)
		}
	}
	if len(left) > 0 {
		return nil, mismatch("Field %s is missing in new schema", left[0].Name)
	}
	if len(added) > 0 && len(relaxed) > 0 {
		return nil, apierror.Unsupported("adding columns and relaxing others in one request")
	}
	return append(added, relaxed...), nil
}
