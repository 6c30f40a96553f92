package sandbox

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// query is what a request asks to run.
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
	// newSession asks for a session that begins with this query; sessionID names one that
	// there is already, and session is the one that it runs in.
	newSession bool
	sessionID  string
	session    *session
	// work holds the temporary tables that the statement sees; nil outside of a session.
	work *workspace
	// set are the system variables that the request sets.
	set settings
	// destination is the table that keeps the result; nil for most.
	destination *destination
	// part is that of a script which the query is, wanted the type that its value is to
	// have if it is an expression, and vars what it sees of variables.
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

// plan is a query that can run.
type plan struct {
	stmt   *googlesql.Statement
	values []engine.Value // in the order of the statement's parameters
	bytes  int64          // processed
	who    caller
	script *googlesql.Script // nil for a single statement
}

// Kinds of statements by what they do.
var (
	dmlTypes = []string{"INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE"}
	ddlTypes = []string{"CREATE_TABLE", "CREATE_TABLE_AS_SELECT", "CREATE_SCHEMA", "DROP_TABLE", "DROP_SCHEMA",
		"ALTER_TABLE", "CREATE_VIEW", "CREATE_MATERIALIZED_VIEW", "DROP_VIEW", "DROP_MATERIALIZED_VIEW",
		"CREATE_FUNCTION",
		"CREATE_TABLE_FUNCTION", "DROP_FUNCTION", "DROP_TABLE_FUNCTION", "ALTER_SCHEMA", "ALTER_VIEW",
		"ALTER_MATERIALIZED_VIEW", "CREATE_SNAPSHOT_TABLE", "DROP_SNAPSHOT_TABLE", "CREATE_PROCEDURE", "DROP_PROCEDURE"}
)

// prepare plans a query that is going to run.
func (s *runner) prepare(ctx context.Context, who caller, q *query) (*plan, *apierror.Error) {
	p, err := s.planScript(ctx, who, q)
	if p == nil && err == nil {
		p, err = s.analyze(ctx, who, q, false)
	}
	if q.location == "" {
		q.location = s.cfg.Location
	}
	if err != nil {
		return nil, err
	}
	if p.script != nil {
		return p, checkCount(p.script, q)
	}
	if p.values, err = q.order(p.stmt); err != nil {
		return nil, err
	}
	if need := billed(p.bytes); q.maxBytes > 0 && need > q.maxBytes {
		return nil, apierror.Errorf("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: %d. %d or "+
			"higher required.", q.maxBytes, need)
	}
	return p, nil
}

// analyze translates a query and checks the user's rights.
func (s *runner) analyze(ctx context.Context, who caller, q *query, undeclared bool) (*plan, *apierror.Error) {
	stmt, err := s.translate(who, q, undeclared)
	if err != nil {
		return nil, err
	}
	if err := s.checkDestination(who, q, stmt); err != nil {
		return nil, err
	}
	isDML, isDDL := slices.Contains(dmlTypes, stmt.Type), slices.Contains(ddlTypes, stmt.Type)
	if isControl := slices.Contains(controlTypes, stmt.Type); isControl {
		if stmt.Type != "CALL" && q.session == nil && q.sessionID == "" && !q.newSession {
			return nil, outsideSession()
		}
		return &plan{stmt: stmt, who: who}, nil
	}
	if !isDML && !isDDL && len(stmt.Columns) == 0 && stmt.SystemVariable == "" && stmt.Type != "ASSERT" {
		return nil, apierror.Errorf("invalidQuery", "The sandbox does not support statements of type %s at [1:1]",
			stmt.Type)
	}
	if (isDML || isDDL) && !isTempRoutine(stmt) {
		if err := s.checkTarget(who, stmt); err != nil {
			return nil, err
		}
		if err := s.placeSchema(ctx, q, stmt); err != nil {
			return nil, err
		}
		if err := s.place(q, stmt); err != nil {
			return nil, err
		}
	}
	p := &plan{stmt: stmt, who: who}
	bytes, sizeErr := s.bytesProcessed(ctx, who, q, undeclared, stmt)
	if sizeErr != nil {
		return nil, apierror.From(sizeErr)
	}
	p.bytes = bytes
	return p, nil
}

// checkTarget refuses a user who may not change what a statement changes.
func (s *runner) checkTarget(who caller, stmt *googlesql.Statement) *apierror.Error {
	target := stmt.Target
	if target == nil {
		return apierror.Broken("it does not know what the %s statement changes", stmt.Type)
	}
	if !who.readOnly && s.mayBill(who, target.Project) {
		return nil
	}
	permission := map[string]string{
		"CREATE_SCHEMA": "bigquery.datasets.create", "DROP_SCHEMA": "bigquery.datasets.delete",
		"CREATE_VIEW": "bigquery.tables.create", "CREATE_MATERIALIZED_VIEW": "bigquery.tables.create",
		"DROP_VIEW": "bigquery.tables.delete", "DROP_MATERIALIZED_VIEW": "bigquery.tables.delete",
		"CREATE_FUNCTION": "bigquery.routines.create", "CREATE_TABLE_FUNCTION": "bigquery.routines.create",
		"DROP_FUNCTION": "bigquery.routines.delete", "DROP_TABLE_FUNCTION": "bigquery.routines.delete",
		"CREATE_TABLE": "bigquery.tables.create", "CREATE_TABLE_AS_SELECT": "bigquery.tables.create",
		"CREATE_PROCEDURE": "bigquery.routines.create", "DROP_PROCEDURE": "bigquery.routines.delete",
		"CREATE_SNAPSHOT_TABLE": "bigquery.tables.create", "DROP_SNAPSHOT_TABLE": "bigquery.tables.delete",
		"DROP_TABLE":  "bigquery.tables.delete",
		"ALTER_TABLE": "bigquery.tables.update", "ALTER_VIEW": "bigquery.tables.update",
		"ALTER_MATERIALIZED_VIEW": "bigquery.tables.update", "ALTER_SCHEMA": "bigquery.datasets.update",
	}[stmt.Type]
	if permission == "" {
		permission = "bigquery.tables.updateData"
	}
	if target.Table == "" {
		return apierror.Errorf("accessDenied", "Access Denied: Dataset %s:%s: User does not have %s permission for "+
			"dataset %[1]s:%[2]s.", target.Project, target.Dataset, permission)
	}
	return apierror.Errorf("accessDenied", "Access Denied: Table %s: Permission %s denied on table %[1]s (or it may "+
		"not exist).", target, permission)
}

// place holds a query to the location of the dataset that it makes a table in.
func (s *runner) place(q *query, stmt *googlesql.Statement) *apierror.Error {
	d := s.catalog.Dataset(stmt.Target.Project, stmt.Target.Dataset)
	if d == nil || stmt.Type == "CREATE_SCHEMA" {
		return nil
	}
	if q.location == "" {
		q.location = d.Location
	}
	if !strings.EqualFold(q.location, d.Location) {
		return apierror.NotFound("Dataset", d.Ref.ProjectID+":"+d.Ref.DatasetID, q.location)
	}
	return nil
}

// placeSchema has CREATE SCHEMA run where its option location says.
func (s *runner) placeSchema(ctx context.Context, q *query, stmt *googlesql.Statement) *apierror.Error {
	at := slices.IndexFunc(stmt.Options, func(o googlesql.Option) bool { return o.Name == "location" })
	if stmt.Type != "CREATE_SCHEMA" || at < 0 {
		return nil
	}
	values, err := s.optionsOf(ctx, q, stmt)
	if err != nil {
		return err
	}
	location := values["location"]
	switch {
	case location == nil:
	case q.location == "":
		q.location = *location
	case !strings.EqualFold(q.location, *location):
		return apierror.Errorf("invalid", "The location option %s does not agree with the location of the job, %s",
			*location, q.location)
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
