package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// optionValues are what a statement sets with OPTIONS: texts by the options' names, as
// googlesql.Option says; nil for NULL.
type optionValues map[string]*string

// optionsOf computes the options that a statement sets.
func (s *Server) optionsOf(ctx context.Context, q *query, stmt *googlesql.Statement) (optionValues, *apiError) {
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
			return nil, runError(err)
		}
		defer c.Release()
		conn = c
	}
	res, err := conn.Query(ctx, stmt.OptionsSQL, nil, columns, 0)
	if err != nil {
		return nil, runError(err)
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
func (o optionValues) labels(to *map[string]string) *apiError {
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
		return broken("labels could not be read: %s", err)
	}
	labels := map[string]string{}
	for _, l := range list {
		if _, twice := labels[l.Key]; twice {
			return errorf("invalidQuery", "Duplicate label key %q", l.Key)
		}
		labels[l.Key] = l.Value
	}
	*to = labels
	return nil
}

// setOptions gives a table that nobody knows yet the options of a statement.
func (s *Server) setOptions(ctx context.Context, q *query, t *table, stmt *googlesql.Statement) *apiError {
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return err
	}
	return t.set(values)
}

// set changes what a table has of options. The caller holds the catalog's lock if others know the table.
func (t *table) set(o optionValues) *apiError {
	o.text("friendly_name", &t.friendly)
	o.text("description", &t.text)
	return o.labels(&t.labels)
}

// set changes what a dataset has of options, likewise.
func (d *dataset) set(o optionValues) *apiError {
	if v, ok := o["location"]; ok && !d.created.IsZero() && (v == nil || !strings.EqualFold(*v, d.location)) {
		return errorf("invalid", "The location of dataset %s:%s cannot be changed", d.ref.ProjectID, d.ref.DatasetID)
	}
	o.text("friendly_name", &d.friendly)
	o.text("description", &d.text)
	return o.labels(&d.labels)
}

// alterSchema runs ALTER SCHEMA. The caller holds the catalog's ddl lock.
func (s *Server) alterSchema(ctx context.Context, q *query, stmt *googlesql.Statement) (*outcome, *apiError) {
	d := s.catalog.dataset(stmt.Target.Project, stmt.Target.Dataset)
	if d == nil {
		name := fmt.Sprintf("%s:%s", stmt.Target.Project, stmt.Target.Dataset)
		return dropMissing(stmt, notFound("Dataset", name, q.location))
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
	return describing(t.text, t.friendly, t.labels)
}

// options are those that a dataset has, likewise.
func (d *dataset) options() []shownOption {
	list := describing(d.text, d.friendly, d.labels)
	return append(list, shownOption{"location", "STRING", quoteText(strings.ToLower(d.location))})
}

func describing(description, friendly string, labels map[string]string) []shownOption {
	var list []shownOption
	if description != "" {
		list = append(list, shownOption{"description", "STRING", quoteText(description)})
	}
	if friendly != "" {
		list = append(list, shownOption{"friendly_name", "STRING", quoteText(friendly)})
	}
	if len(labels) > 0 {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(labels)) {
			parts = append(parts, "STRUCT("+quoteText(k)+", "+quoteText(labels[k])+")")
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

// quoteText writes a STRING literal of GoogleSQL.
func quoteText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(s) + `"`
}
