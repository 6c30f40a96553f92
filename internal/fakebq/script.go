package fakebq

import (
	"fmt"
	"slices"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

// Answer is what one execution of a statement gives. The zero value is a
// statement without rows, such as DDL.
type Answer struct {
	// StatementType is what BigQuery calls the statement; CALL is a SCRIPT. "" means SCRIPT when
	// there are Children, INSERT when there is DML, SELECT when there are Fields and CREATE_TABLE otherwise.
	StatementType string

	// Fields is the schema: of the result of a query or script, or of the table that DML or DDL
	// changes. Rows are the values in the order of Fields, of the
	// Go types listed in the package documentation. Table, if set, is used
	// instead of both.
	Fields []Field
	Rows   [][]any
	Table  *Table
	// Repeat sends the rows this many times over, for big results out of little
	// memory. 0 means once.
	Repeat int
	// PageSize ends a page after so many rows, however many the client asks
	// for. 0 leaves it to maxResults and the 10 MB limit.
	PageSize int
	// PageBytes ends a page before its rows have more bytes. 0 means 10 MB.
	PageBytes int
	// BatchRows is the number of rows in a batch of the Storage Read API. 0 means 4,096.
	BatchRows int
	// EmptyPages are the pages, counted from 0, before which an empty page with
	// a pageToken is sent, as the service may.
	EmptyPages []int
	// RowsFirst writes the rows before the schema and everything else: the
	// order of the members of a JSON object has no meaning.
	RowsFirst bool

	// DML is what the statement changed. nil for statements that are no DML.
	DML *DML
	// Tables are those that the statement changes, as PROJECT:DATASET.TABLE. A transaction holds its tables until it
	// ends: meanwhile other sessions can't change them.
	Tables []string
	// Created is the table that a CREATE TABLE made. nil tells nothing of it.
	Created *Created
	// Bytes is totalBytesProcessed and Billed totalBytesBilled, SlotMillis the
	// slot time.
	Bytes, Billed, SlotMillis int64
	CacheHit                  bool
	// Running is what jobs.get says of the query while it runs. nil says nothing.
	Running *bigquery.JobStatistics2
	// Warnings are reported beside the rows.
	Warnings []Error
	// Destination is the table with the result, as PROJECT.DATASET.TABLE. ""
	// means an anonymous one.
	Destination string
	// Children are the statements of a script, oldest first.
	Children []Answer
	// ChildSQL is the text of a child.
	ChildSQL string

	// Parameters are those that the statement has. A dry run tells the
	// undeclared ones; an execution that lacks one fails. nil checks nothing.
	Parameters []Parameter

	// Reject refuses the statement. One that is wrong is a job all the same, which has failed, and jobs.insert answers
	// 200 with it; for other reasons there is none.
	Reject *Error
	// Err is what the job fails with.
	Err *Error

	// Incomplete is how many answers say jobComplete=false, at once, before the
	// job is done.
	Incomplete int
	// Until keeps the job running until it is closed; requests that wait for
	// the job wait as long as timeoutMs says.
	Until <-chan struct{}
	// NoJob answers a jobCreationMode=JOB_CREATION_OPTIONAL without a job if the
	// result fits its first page.
	NoJob bool
}

// DML is what a data manipulation statement changed, in rows.
type DML struct {
	Inserted, Updated, Deleted int64
}

// Created is what a CREATE TABLE did.
type Created struct {
	Table     string // PROJECT.DATASET.TABLE
	Rows      int64  // that tables.get tells of
	Operation string // "" means CREATE
}

// Parameter is a query parameter of a statement. Without a name it is
// positional.
type Parameter struct {
	Name string
	Type *bigquery.QueryParameterType
}

// Statement is what a script function gets to see.
type Statement struct {
	SQL        string
	Project    string
	Location   string // as asked for; "" = none
	DryRun     bool
	Session    string // id of the session; "" = none
	Mode       string // POSITIONAL, NAMED or ""
	Parameters []*bigquery.QueryParameter
	// Request is the body of jobs.query and Job that of jobs.insert; the other
	// one is nil.
	Request *bigquery.QueryRequest
	Job     *bigquery.Job

	config  *bigquery.JobConfiguration
	unknown string // a member of the request that the API does not have
}

// child is the statement of a script, as jobs.get shows it.
func (st Statement) child(sql string) Statement {
	st.config = &bigquery.JobConfiguration{JobType: "QUERY", Query: &bigquery.JobConfigurationQuery{Query: sql}}
	st.SQL, st.Parameters, st.Request, st.Job = sql, nil, nil, nil
	return st
}

// script holds what statements answer.
type script struct {
	exact map[string][]Answer
	fn    func(Statement) (Answer, bool)
	any   []Answer
	runs  map[string]int
}

// On sets the answers of a statement: each execution takes the next, the last
// one stays. Spaces around the text do not matter, and a dry run sees the answer
// that the next execution would get. A later On for the same text replaces an
// earlier one.
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

// OnFunc asks a function about every statement that On does not answer. It may be
// called from several goroutines, and must not call the Server.
func (s *Server) OnFunc(fn func(Statement) (Answer, bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script.fn = fn
}

// prepared gives answers whose rows are rendered once, not for each execution.
func prepared(answers []Answer) []Answer {
	out := slices.Clone(answers)
	for i := range out {
		out[i].Table = out[i].table()
		out[i].Children = prepared(out[i].Children)
	}
	return out
}

// table gives the result of the statement, or nil if it has none.
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

// answer finds what a statement answers and, unless it is only a dry run, counts
// the execution. It needs the lock.
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

// take gives the next answer and what is left of the queue.
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

// statementType gives the type with its default.
func (a *Answer) statementType() string {
	switch {
	case a.StatementType == "CALL":
		return "SCRIPT" // the service has no other word for it
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
