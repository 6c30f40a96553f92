package jobs

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// query is a query that a request asks to run.
type query struct {
	sql            string
	project        string // billed, and the default of table names
	location       string // "" until the first dataset of the statement says it
	defaultDataset *wire.DatasetReference
	positional     bool
	named          bool
	params         []googlesql.Param
	values         []engine.Value
	maxBytes       int64
	// newSession requests a session that begins with this query. sessionID names an
	// existing one. session is the session in which the query runs.
	newSession bool
	sessionID  string
	session    *session
	// work holds the temporary tables that the statement sees; nil outside of a session.
	work *workspace
	// set are the system variables that the request sets.
	set settings
	// destination is the table that keeps the result; nil for most.
	destination *destination
	// part is set if the query is a part of a script. wanted is the type of the value
	// of an expression, and vars are the visible variables.
	part   *googlesql.Part
	wanted googlesql.Type
	vars   *scope
}

// BigQuery's limits of a request: the characters of its query, and its parameters.
const (
	maxText   = 1 << 20
	maxParams = 10000
)

// newQuery checks the fields of a request.
func newQuery(project, location string, f *wire.QueryFields) (*query, *apierror.Error) {
	if f.UseLegacySQL == nil || *f.UseLegacySQL {
		return nil, apierror.Errorf("invalid", "The sandbox does not support legacy SQL. Set useLegacySql to false; "+
			"it is true when it is left out.")
	}
	if err := f.Refuse(); err != nil {
		return nil, err
	}
	if strings.TrimSpace(f.Query) == "" {
		e := apierror.Errorf("required", "Required parameter is missing: query")
		e.Location, e.LocationType = "query", "parameter"
		return nil, e
	}
	if utf8.RuneCountInString(f.Query) > maxText {
		return nil, apierror.Errorf("invalid", "The query is too large. The maximum standard SQL query length is "+
			"1024.00K characters, including comments and white space characters.")
	}
	q := &query{sql: f.Query, project: project, location: location, defaultDataset: f.DefaultDataset,
		maxBytes: int64(f.MaximumBytesBilled)}
	switch f.ParameterMode {
	case "POSITIONAL":
		q.positional = true
	case "NAMED":
		q.named = true
	case "":
		// Without a mode the parameters' names say it.
		if len(f.QueryParameters) > 0 {
			q.positional = f.QueryParameters[0].Name == ""
			q.named = !q.positional
		}
	default:
		return nil, apierror.Errorf("invalid", "Invalid parameterMode %q: want POSITIONAL or NAMED.", f.ParameterMode)
	}
	if n := len(f.QueryParameters); n > maxParams {
		return nil, apierror.Errorf("invalid", "The query has too many parameters: %d. The maximum is %d.", n,
			maxParams)
	}
	seen := map[string]bool{}
	for i, p := range f.QueryParameters {
		if (p.Name == "") != q.positional {
			return nil, apierror.Errorf("invalid", "Query parameter %d does not fit the parameter mode: positional "+
				"parameters have no name and named ones must have one.", i+1)
		}
		name := strings.ToLower(p.Name)
		if q.named && seen[name] {
			return nil, apierror.Errorf("invalid", "Duplicate query parameter name %s.", p.Name)
		}
		seen[name] = true
	}
	err := q.readProperties(f)
	if err != nil {
		return nil, err
	}
	q.params, q.values, err = decodeParams(f.QueryParameters)
	if err != nil {
		return nil, err
	}
	return q, nil
}

// readProperties reads what a request says about sessions and system variables.
func (q *query) readProperties(f *wire.QueryFields) *apierror.Error {
	q.newSession = f.CreateSession
	for _, p := range f.ConnectionProperties {
		switch p.Key {
		case "session_id":
			if p.Value == "" || q.sessionID != "" {
				return apierror.Errorf("invalid", "Invalid input session id.")
			}
			q.sessionID = p.Value
		case "time_zone", "dataset_project_id":
			if problem := q.set.put(p.Key, p.Value); problem != "" {
				return apierror.Errorf("invalid", "%s", problem)
			}
		default:
			return apierror.Unsupported("the connection property " + p.Key)
		}
	}
	if q.newSession && q.sessionID != "" {
		return apierror.Errorf("invalid", "createSession and a session_id cannot be given together.")
	}
	return nil
}

// order puts the values into the order of the statement's parameters.
func (q *query) order(stmt *googlesql.Statement) ([]engine.Value, *apierror.Error) {
	if n := positional(stmt); !q.named && n != len(q.values) {
		return nil, apierror.Errorf("invalidQuery", "The statement has %d positional parameters and %d values are "+
			"given at [1:1]", n, len(q.values))
	}
	values := make([]engine.Value, len(stmt.Params))
	for i, p := range stmt.Params {
		if p.Variable {
			v, _ := q.vars.find(p.Name)
			values[i] = v.value
			continue
		}
		if !q.named { // they come before the variables
			values[i] = q.values[i]
			continue
		}
		k := slices.IndexFunc(q.params, func(o googlesql.Param) bool { return strings.EqualFold(o.Name, p.Name) })
		if k < 0 {
			return nil, apierror.Errorf("invalidQuery", "Query parameter '%s' not found at [1:1]", p.Name)
		}
		values[i] = q.values[k]
	}
	return coerce(stmt.Params, values)
}

// positional returns how many parameters a statement has without its variables.
func positional(stmt *googlesql.Statement) int {
	n := 0
	for _, p := range stmt.Params {
		if !p.Variable {
			n++
		}
	}
	return n
}

// coerce checks that a value has the type that the translator has given its
// parameter.
func coerce(params []googlesql.Param, values []engine.Value) ([]engine.Value, *apierror.Error) {
	for i, p := range params {
		if p.Type.Kind != "" && p.Type.Kind != values[i].Type.Kind {
			return nil, apierror.Broken("parameter %d is %s for its translator and %s for its server", i+1, p.Type.Kind,
				values[i].Type.Kind)
		}
	}
	return values, nil
}
