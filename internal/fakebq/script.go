package fakebq

import (
	"fmt"
	"slices"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

// Answer is the answer to one execution of a statement. The zero value is a statement without rows,
// such as DDL.
type Answer struct {
	// StatementType is BigQuery's statement type; that of CALL is SCRIPT. "" means SCRIPT if there
	// are Children, INSERT if there is DML, SELECT if there are Fields, and CREATE_TABLE otherwise.
	StatementType string

	// Fields is the schema of the result of a query or script, or of the table that DML or DDL
	// changes. Rows are the values in the order of Fields, with the Go types in the package
	// documentation. Table, if it is set, is used instead of both.
	Fields []Field
	Rows   [][]any
	Table  *Table
	// Repeat sends the rows this many times, for large results in little memory. 0 means once.
	Repeat int
	// PageSize is the number of rows of a page, whatever the client asks for. 0 leaves it to
	// maxResults and the limit of 10 MB.
	PageSize int
	// PageBytes ends a page before its rows have more bytes. 0 means 10 MB.
	PageBytes int
	// BatchRows is the number of rows in a batch of the Storage Read API. 0 means 4,096.
	BatchRows int
	// EmptyPages are the numbers of pages, counted from 0, before which an empty page with a
	// pageToken is sent, as the service may do.
	EmptyPages []int
	// RowsFirst writes the rows before all other members, because the order of members in a JSON
	// object has no meaning.
	RowsFirst bool

	// DML is what the statement changed; nil for statements other than DML.
	DML *DML
	// Tables are the tables that the statement changes, as PROJECT:DATASET.TABLE. A transaction
	// holds its tables until it ends: meanwhile other sessions can't change them.
	Tables []string
	// Created is the table that a CREATE TABLE created; nil omits it.
	Created *Created
	// Bytes is totalBytesProcessed, Billed is totalBytesBilled, and SlotMillis is the slot time.
	Bytes, Billed, SlotMillis int64
	CacheHit                  bool
	// Running is what jobs.get reports about the running query; nil omits it.
	Running *bigquery.JobStatistics2
	// Warnings are sent with the rows.
	Warnings []Error
	// Destination is the table with the result, as PROJECT.DATASET.TABLE. "" means an anonymous
	// one.
	Destination string
	// Children are the statements of a script, oldest first.
	Children []Answer
	// ChildSQL is the text of a child.
	ChildSQL string

	// Parameters are the parameters of the statement. A dry run reports the undeclared ones; an
	// execution without one fails. nil checks nothing.
	Parameters []Parameter

	// Reject refuses the statement. If the statement is wrong there is a failed job, and
	// jobs.insert answers 200 with it. For other reasons there is no job.
	Reject *Error
	// Err is the error of the job.
	Err *Error

	// Incomplete is the number of answers with jobComplete=false, sent at once, before the job is
	// done.
	Incomplete int
	// Until keeps the job running until it is closed. Requests wait for the job as long as
	// timeoutMs says.
	Until <-chan struct{}
	// NoJob answers a request with jobCreationMode=JOB_CREATION_OPTIONAL without a job, if the
	// result fits the first page.
	NoJob bool
}

// DML is the number of rows that a data manipulation statement changed.
type DML struct {
	Inserted, Updated, Deleted int64
}

// Created describes a created table.
type Created struct {
	Table     string // PROJECT.DATASET.TABLE
	Rows      int64  // which tables.get reports
	Operation string // "" means CREATE
}

// Parameter is a query parameter of a statement. Without a name it is positional.
type Parameter struct {
	Name string
	Type *bigquery.QueryParameterType
}

// Statement is the argument of a script function.
type Statement struct {
	SQL        string
	Project    string
	Location   string // as requested; "" means none
	DryRun     bool
	Session    string // id of the session; "" means none
	Mode       string // POSITIONAL, NAMED or ""
	Parameters []*bigquery.QueryParameter
	// Request is the body of jobs.query, Job that of jobs.insert; the other one is nil.
	Request *bigquery.QueryRequest
	Job     *bigquery.Job

	config  *bigquery.JobConfiguration
	unknown string // a member of the request that the API does not have
}

// child is a statement of a script, as jobs.get shows it.
func (st Statement) child(sql string) Statement {
	st.config = &bigquery.JobConfiguration{JobType: "QUERY", Query: &bigquery.JobConfigurationQuery{Query: sql}}
	st.SQL, st.Parameters, st.Request, st.Job = sql, nil, nil, nil
	return st
}

// script holds the answers of statements.
type script struct {
	exact map[string][]Answer
	fn    func(Statement) (Answer, bool)
	any   []Answer
	runs  map[string]int
}

// On sets the answers of a statement: each execution takes the next one, and the last one stays.
// Spaces around the text do not matter. A dry run gets the answer of the next execution. A later On
// for the same text replaces an earlier one.
func (s *Server) On(sql string, answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.script.exact == nil {
		s.script.exact = map[string][]Answer{}
	}
	s.script.exact[strings.TrimSpace(sql)] = prepared(answers)
}

// OnAny sets the answers of statements that neither On nor OnFunc answers.
func (s *Server) OnAny(answers ...Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.any = prepared(answers)
}

// OnFunc sets a function that answers every statement without an On. It may be called from several
// goroutines, and must not call the Server.
func (s *Server) OnFunc(fn func(Statement) (Answer, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.fn = fn
}

// prepared returns answers whose rows are rendered only once.
func prepared(answers []Answer) []Answer {
	out := slices.Clone(answers)
	for i := range out {
		out[i].Table = out[i].table()
		out[i].Children = prepared(out[i].Children)
	}
	return out
}

// table returns the result of the statement; nil if it has none.
func (a *Answer) table() *Table {
	if k := a.kind(); k != kindQuery && k != kindScript {
		return nil
	}
	if a.Table != nil || len(a.Fields) == 0 {
		return a.Table
	}
	rows := a.Rows
	return &Table{fields: named(a.Fields), rows: len(rows), makeRow: func(i int) []any { return rows[i] }}
}

// answer returns the answer of a statement and, unless it is a dry run, counts the execution. The
// caller holds the lock.
func (sc *script) answer(st Statement) (Answer, *Error) {
	sql := strings.TrimSpace(st.SQL)
	if queue, ok := sc.exact[sql]; ok && len(queue) > 0 {
		a, rest := take(queue, st.DryRun)
		sc.exact[sql] = rest
		return sc.ran(sql, st.DryRun, a), nil
	}
	if sc.fn != nil {
		if a, ok := sc.fn(st); ok {
			return sc.ran(sql, st.DryRun, a), nil
		}
	}
	if len(sc.any) > 0 {
		a, rest := take(sc.any, st.DryRun)
		sc.any = rest
		return sc.ran(sql, st.DryRun, a), nil
	}
	return Answer{}, &Error{Reason: "invalidQuery", Location: "q",
		Message: fmt.Sprintf("fakebq has no answer for the statement %q at [1:1]", sql)}
}

// take returns the next answer and the rest of the queue.
func take(queue []Answer, dryRun bool) (Answer, []Answer) {
	if dryRun || len(queue) == 1 {
		return queue[0], queue
	}
	return queue[0], queue[1:]
}

func (sc *script) ran(sql string, dryRun bool, a Answer) Answer {
	if !dryRun {
		if sc.runs == nil {
			sc.runs = map[string]int{}
		}
		sc.runs[sql]++
	}
	return a
}

// statementType returns the type, or its default.
func (a *Answer) statementType() string {
	switch {
	case a.StatementType == "CALL":
		return "SCRIPT" // the service uses the same type
	case a.StatementType != "":
		return a.StatementType
	case len(a.Children) > 0:
		return "SCRIPT"
	case a.DML != nil:
		return "INSERT"
	case len(a.Fields) > 0 || a.Table != nil:
		return "SELECT"
	}
	return "CREATE_TABLE"
}
