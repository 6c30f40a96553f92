package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// routine is a function or a procedure: one of the two is nil.
type routine struct {
	function  *googlesql.Function
	procedure *googlesql.Procedure
}

func (r routine) name() googlesql.TableName {
	if r.function != nil {
		return r.function.Name
	}
	return r.procedure.Name
}

// routinesOf are a dataset's functions and procedures, by name.
func (s *Server) routinesOf(d *catalog.Dataset) []routine {
	var out []routine
	for _, f := range s.catalog.Functions(d) {
		out = append(out, routine{function: f})
	}
	for _, p := range s.catalog.Procedures(d) {
		out = append(out, routine{procedure: p})
	}
	slices.SortFunc(out, func(a, b routine) int { return cmp.Compare(a.name().Table, b.name().Table) })
	return out
}

// describe writes a routine as routines.get does; listed, as routines.list.
func (r routine) describe(listed bool) *wire.Routine {
	out := &wire.Routine{RoutineReference: wire.RoutineReferenceTo(r.name()), Language: "SQL"}
	var at time.Time
	if f := r.function; f != nil {
		out.RoutineType, at = "SCALAR_FUNCTION", f.Created
		if f.Table {
			out.RoutineType = "TABLE_VALUED_FUNCTION"
		}
		out.Body, out.Description, out.ReturnType = f.Body, f.Description, wire.DataTypeOf(f.Returns)
		if len(f.Columns) > 0 {
			out.ReturnTableType = &wire.TableType{}
			for _, c := range f.Columns {
				out.ReturnTableType.Columns = append(out.ReturnTableType.Columns,
					wire.DataField{Name: c.Name, Type: wire.DataTypeOf(&c.Type)})
			}
		}
		for _, p := range f.Params {
			out.Arguments = append(out.Arguments, wire.ArgumentOf(p.Name, "", p.Type))
		}
	} else {
		p := r.procedure
		out.RoutineType, at = "PROCEDURE", p.Created
		out.Body, out.Description = p.Body, p.Description
		for _, a := range p.Params {
			out.Arguments = append(out.Arguments, wire.ArgumentOf(a.Name, a.Mode, a.Type))
		}
	}
	out.CreationTime, out.LastModifiedTime = wire.Int64(at.UnixMilli()), wire.Int64(at.UnixMilli())
	out.ETag = etag(r.name().String(), at)
	if listed {
		out.Body, out.Description, out.Arguments, out.ReturnType, out.ReturnTableType = "", "", nil, nil, nil
	}
	return out
}

func (s *Server) routinesList(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return nil, err
	}
	if r.URL.Query().Get("filter") != "" {
		return nil, apierror.Unsupported("the filter of routines.list")
	}
	page, token, err := pageOfList(r, s.routinesOf(d), "routines "+d.Ref.ProjectID+" "+d.Ref.DatasetID)
	if err != nil {
		return nil, err
	}
	out := struct {
		Routines []*wire.Routine `json:"routines,omitempty"`
		Next     string          `json:"nextPageToken,omitempty"`
	}{Next: token}
	for _, x := range page {
		out.Routines = append(out.Routines, x.describe(true))
	}
	return out, nil
}

// routineOf finds the routine that a request's path names.
func (s *Server) routineOf(r *http.Request, who jobs.Caller) (routine, *apierror.Error) {
	d, err := s.datasetOf(r, who)
	if err != nil {
		return routine{}, err
	}
	id := r.PathValue("routine")
	for _, x := range s.routinesOf(d) {
		if x.name().Table == id {
			return x, nil
		}
	}
	return routine{}, apierror.NotFound("Routine", d.Ref.ProjectID+":"+d.Ref.DatasetID+"."+id, "")
}

func (s *Server) routinesGet(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	x, err := s.routineOf(r, who)
	if err != nil {
		return nil, err
	}
	return x.describe(false), nil
}

func (s *Server) routinesDelete(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
	x, err := s.routineOf(r, who)
	if err != nil {
		return nil, err
	}
	kind := "PROCEDURE"
	if f := x.function; f != nil {
		kind = "FUNCTION"
		if f.Table {
			kind = "TABLE FUNCTION"
		}
	}
	return nil, s.routineDDL(r, who, "DROP "+kind+" "+googlesql.QuoteName(pathName(x.name())))
}

// pathName is a full name with dots.
func pathName(n googlesql.TableName) string { return n.Project + "." + n.Dataset + "." + n.Table }

// putRoutine makes a routine through the translator's CREATE, so that both ways make the same. words is
// CREATE or CREATE OR REPLACE.
func (s *Server) putRoutine(words string) handler {
	return func(r *http.Request, who jobs.Caller) (any, *apierror.Error) {
		if words != "CREATE" {
			old, err := s.routineOf(r, who)
			if err == nil {
				err = matches(r, old.describe(true).ETag)
			}
			if err != nil {
				return nil, err
			}
		}
		d, err := s.datasetOf(r, who)
		if err != nil {
			return nil, err
		}
		var raw json.RawMessage
		if err := readBody(r, &raw); err != nil {
			return nil, err
		}
		req, err := wire.ReadRoutine(raw)
		if err != nil {
			return nil, err
		}
		name := googlesql.TableName{Project: d.Ref.ProjectID, Dataset: d.Ref.DatasetID,
			Table: req.RoutineReference.RoutineID}
		if id := r.PathValue("routine"); id != "" {
			name.Table = id
		}
		ddl, err := req.DDL(words, googlesql.QuoteName(pathName(name)))
		if err != nil {
			return nil, err
		}
		if err := s.routineDDL(r, who, ddl); err != nil {
			return nil, err
		}
		r.SetPathValue("routine", name.Table)
		return s.routinesGet(r, who)
	}
}

// routineDDL runs a statement about routines as a method of the API.
func (s *Server) routineDDL(r *http.Request, who jobs.Caller, sql string) *apierror.Error {
	project, location := r.PathValue("project"), ""
	if d := s.catalog.Dataset(project, r.PathValue("dataset")); d != nil {
		location = d.Location
	}
	err := s.jobs.Do(r.Context(), who, project, location, sql)
	if err != nil {
		err.Message = strings.TrimSuffix(err.Message, " at [1:1]")
	}
	return err
}
