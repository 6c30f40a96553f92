package sandbox

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

//go:embed home.html
var homeText string

var homePage = template.Must(template.New("home").Parse(homeText))

// homeStatements is how many statements the page shows.
const homeStatements = 100

// home is the content of the page of an open sandbox.
type home struct {
	Tables     []homeTable
	Statements []homeStatement
}

type homeTable struct {
	Name        string
	Kind        string
	Rows, Bytes int64
}

type homeStatement struct {
	When        string
	SQL, State  string
	Error       string
	Took, Bytes string
}

// serveHome serves / of an open sandbox: its tables and the last statements.
func (s *Server) serveHome(w http.ResponseWriter, r *http.Request) {
	page := home{Statements: s.homeStatements()}
	for _, project := range s.catalog.Projects() {
		for _, d := range s.catalog.List(project) {
			for _, t := range s.catalog.Tables(d) {
				page.Tables = append(page.Tables, s.homeTable(r, t))
			}
		}
	}
	var out bytes.Buffer
	if err := homePage.Execute(&out, page); err != nil {
		apierror.Broken("its page could not be written: %s", err).Write(w)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(out.Bytes()) // the browser may be gone
}

func (s *Server) homeTable(r *http.Request, t *catalog.Table) homeTable {
	out := homeTable{Name: t.Name.Project + "." + t.Name.Dataset + "." + t.Name.Table, Kind: "table"}
	if t.View != nil {
		out.Kind = "view"
		return out
	}
	rows, columns, err := s.catalog.TableSize(r.Context(), t)
	if err != nil {
		s.log.Error("a table could not be measured", "table", t.Name.String(), "error", err)
	}
	out.Rows = rows
	for _, n := range columns {
		out.Bytes += n
	}
	return out
}

func (s *Server) homeStatements() []homeStatement {
	var out []homeStatement
	for _, j := range s.jobs.Latest(homeStatements) {
		row := homeStatement{When: time.UnixMilli(j.Statistics.CreationTime).Format(time.DateTime),
			SQL: statementOf(j), State: j.Status.State}
		if end := j.Statistics.EndTime; end != 0 {
			row.Took = (time.Duration(end-j.Statistics.CreationTime) * time.Millisecond).String()
		}
		if e := j.Status.ErrorResult; e != nil {
			row.Error = e.Message
		}
		if j.Statistics.Query != nil {
			row.Bytes = strconv.FormatInt(j.Statistics.TotalBytesProcessed, 10)
		}
		out = append(out, row)
	}
	return out
}

// statementOf is the text of a job's query, or what it loads.
func statementOf(j *wire.Job) string {
	if q := j.Configuration.Query; q != nil {
		return q.Query
	}
	var load struct {
		To wire.TableReference `json:"destinationTable"`
	}
	_ = json.Unmarshal(j.Configuration.Load, &load) // it was read before
	return "load job into " + cmp.Or(load.To.ProjectID, j.JobReference.ProjectID) + "." + load.To.DatasetID + "." +
		load.To.TableID
}
