package jobs

import (
	"cmp"
	"context"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// settings are the variables that a request or SET has given a value; "" is none.
type settings struct {
	zone, dataset, datasetProject string
}

// put gives a variable a value. It says what is wrong with it, "" for nothing.
func (v *settings) put(name, value string) (problem string) {
	switch name {
	case "time_zone":
		if problem := googlesql.CheckTimeZone(value); problem != "" {
			return problem
		}
		v.zone = value
	case "dataset_id":
		v.dataset = value
	case "dataset_project_id":
		v.datasetProject = value
	}
	return ""
}

// setVariables gives the translator what the request and its session say of the system variables. The
// connection properties of a request are its last word; its default dataset is only a default.
func (q *query) setVariables(opts *googlesql.Options) {
	kept := q.work.variables()
	opts.TimeZone = cmp.Or(q.set.zone, kept.zone)
	opts.DefaultProject = cmp.Or(q.set.datasetProject, kept.datasetProject, q.project)
	opts.DefaultDataset = kept.dataset
	if d := q.defaultDataset; d != nil && kept.dataset == "" {
		opts.DefaultDataset = d.DatasetID
		opts.DefaultProject = cmp.Or(d.ProjectID, opts.DefaultProject)
	}
	opts.System = map[string]string{"project_id": q.project}
	if q.session != nil && q.session.id != "" {
		opts.System["session_id"] = q.session.id
	} else if q.sessionID != "" {
		opts.System["session_id"] = q.sessionID // a dry run
	}
}

func (w *workspace) variables() settings {
	if w == nil {
		return settings{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.set
}

// executeSet runs SET of a system variable. Outside of a session it changes nothing.
func (s *Runner) executeSet(ctx context.Context, q *query, p *plan) (*outcome, *apierror.Error) {
	run := *p
	stmt := *p.stmt
	stmt.Columns = []googlesql.Column{{Name: "value", Type: googlesql.Type{Kind: googlesql.String}}}
	run.stmt = &stmt
	res, err := s.runSQL(ctx, q, &run)
	if err != nil {
		return nil, err
	}
	value := res.Blocks[0].Columns[0]
	if value.Null(0) {
		return nil, apierror.Errorf("invalidQuery", "The system variable @@%s cannot be set to NULL at [1:1]",
			stmt.SystemVariable)
	}
	w := q.work
	if w == nil {
		w = &workspace{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if problem := w.set.put(stmt.SystemVariable, string(value.Bytes(0))); problem != "" {
		return nil, apierror.Errorf("invalidQuery", "%s at [1:1]", problem)
	}
	return &outcome{}, nil
}
