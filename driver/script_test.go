package driver_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func one(name string, value any) fakebq.Answer {
	return fakebq.Answer{
		StatementType: "SELECT",
		Fields:        []fakebq.Field{{Name: name, Type: "INTEGER"}},
		Rows:          [][]any{{value}},
	}
}

const script = "INSERT INTO t VALUES (1); SELECT a; SELECT b; SELECT c"

var scriptAnswer = fakebq.Answer{Children: []fakebq.Answer{
	{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 2}}, one("a", 1),
	{StatementType: "DELETE", DML: &fakebq.DML{Deleted: 3}}, one("b", 2),
	{StatementType: "SELECT", Fields: numbers.Fields, Rows: numbers.Rows},
}, PageSize: 2}

// TestScript: every SELECT of a script is a result set, in order, fetched when it is asked for.
func TestScript(t *testing.T) {
	t.Parallel()
	for name, incomplete := range map[string]int{"at once": 0, "after a poll": 1} {
		server := fakebq.Run(t, fakebq.Options{})
		answer := scriptAnswer
		answer.Incomplete = incomplete
		server.On(script, answer)
		db := open(t, server)
		rows, err := db.QueryContext(t.Context(), script)
		if err != nil {
			t.Fatal(err)
		}
		want := counts{fakebq.Query: 1, fakebq.List: 1, fakebq.GetQueryResults: 1 + incomplete}
		if got := server.Counts(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got requests %v before the second result; want %v", name, got, want)
		}
		var columns [][]string
		var counts []int
		for more := true; more; more = rows.NextResultSet() {
			names, err := rows.Columns()
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for rows.Next() {
				n++
			}
			columns, counts = append(columns, names), append(counts, n)
		}
		if err := rows.Err(); err != nil {
			t.Error(err)
		}
		rows.Close()
		if want := [][]string{{"a"}, {"b"}, {"name", "n"}}; !reflect.DeepEqual(columns, want) ||
			!reflect.DeepEqual(counts, []int{1, 1, 3}) {
			t.Errorf("%s: got %q with %v rows; want %q with [1 1 3]", name, columns, counts, want)
		}
	}
}

// TestScriptExec: the DML of a script is summed.
func TestScriptExec(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(script, scriptAnswer)
	res, err := open(t, server).ExecContext(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 5 || err != nil {
		t.Errorf("got %d rows affected, %v; want 5", n, err)
	}
}

// TestScriptWithoutSelect has one result set without columns.
func TestScriptWithoutSelect(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(script, fakebq.Answer{Children: []fakebq.Answer{{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 2}}}})
	rows, err := open(t, server).QueryContext(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	if columns, err := rows.Columns(); len(columns) != 0 || err != nil || rows.Next() || rows.NextResultSet() {
		t.Errorf("got columns %q, %v and more", columns, err)
	}
}

// TestScriptClosedEarly fetches no result that is not asked for.
func TestScriptClosedEarly(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(script, scriptAnswer)
	rows, err := open(t, server).QueryContext(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if rows.NextResultSet() {
		t.Error("NextResultSet after Close: got one")
	}
	if got := server.Count(fakebq.GetQueryResults); got != 1 {
		t.Errorf("got %d results fetched; want 1", got)
	}
}

// TestScriptEndings: the result of a SELECT is there whatever the script ends with, and
// whatever it handled.
func TestScriptEndings(t *testing.T) {
	t.Parallel()
	handled := one("a", 1)
	handled.Err = &fakebq.Error{Reason: "invalidQuery", Message: "oops"}
	for name, children := range map[string][]fakebq.Answer{
		"with DML":        {one("b", 2), {StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}}},
		"a handled error": {handled, one("b", 2)},
	} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On(script, fakebq.Answer{StatementType: "SCRIPT", Children: children})
		rows, err := open(t, server).QueryContext(t.Context(), script)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		columns, err := rows.Columns()
		if err != nil || !reflect.DeepEqual(columns, []string{"b"}) {
			t.Errorf("%s: got columns %q, %v; want b", name, columns, err)
		}
		if got := readAll(t, rows); len(got) != 1 || rows.NextResultSet() {
			t.Errorf("%s: got %d rows and more; want 1", name, len(got))
		}
	}
}

// TestScriptWithoutList: who may not list jobs has run the script all the same, and gets its
// last result.
func TestScriptWithoutList(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(script, scriptAnswer)
	denied := fakebq.Fail(fakebq.Error{
		Reason:  "accessDenied",
		Message: "User does not have bigquery.jobs.list permission",
	})
	server.Inject(fakebq.List, denied, denied)
	db := open(t, server)
	res, err := db.ExecContext(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := res.RowsAffected(); !errors.Is(err, driver.ErrAccessDenied) {
		t.Errorf("RowsAffected: got %v; want accessDenied", err)
	}
	rows, err := db.QueryContext(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 3 {
		t.Errorf("got %d rows; want the 3 of the last SELECT", len(got))
	}
}

// TestScriptResultTakenBack: an answer that a job of a complete script still runs is no empty result.
func TestScriptResultTakenBack(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(script, scriptAnswer)
	server.Inject(fakebq.GetQueryResults, fakebq.Garbage(`{"jobComplete":false,"jobReference":{"jobId":"x"}}`))
	if rows, err := open(t, server).QueryContext(t.Context(), script); err == nil {
		rows.Close()
		t.Error("got no error")
	}
}

// TestLongScript: BigQuery lists the statements of a script in pages.
func TestLongScript(t *testing.T) {
	t.Parallel()
	const text = "BEGIN; END"
	server := fakebq.Run(t, fakebq.Options{MaxListed: 100})
	var children []fakebq.Answer
	for i := range 120 {
		child := fakebq.Answer{StatementType: "UPDATE", DML: &fakebq.DML{Updated: 2}}
		if i%6 == 0 {
			child = one("n", i)
		}
		children = append(children, child)
	}
	server.On(text, fakebq.Answer{Children: children})
	db := open(t, server)
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	lists := server.Count(fakebq.List)
	n := 0
	for more := true; more; more = rows.NextResultSet() {
		var got int
		if !rows.Next() || rows.Scan(&got) != nil || got != 6*n {
			t.Fatalf("result %d: got %d, %v", n, got, rows.Err())
		}
		n++
	}
	if n != 20 || rows.Err() != nil || lists != 2 {
		t.Errorf("got %d results by %d lists, %v; want 20 by 2", n, lists, rows.Err())
	}
	res, err := db.ExecContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 200 || err != nil {
		t.Errorf("got %d rows affected, %v; want 200", n, err)
	}
}

// TestScriptError: the error of a script has its line, also where it comes by a poll.
func TestScriptError(t *testing.T) {
	t.Parallel()
	const text = "DECLARE x INT64;\nSET x = 0;\nSELECT 1;\n  SELECT 1/x;"
	for name, incomplete := range map[string]int{"at once": 0, "after a poll": 1} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On(text, fakebq.Answer{
			StatementType: "SCRIPT",
			Incomplete:    incomplete,
			Children:      []fakebq.Answer{one("f0_", 1)},
			Err:           &fakebq.Error{Reason: "invalidQuery", Message: "Query error: division by zero: 1 / 0 at [4:3]"},
		})
		db := open(t, server)
		_, queried := db.QueryContext(t.Context(), text)
		_, executed := db.ExecContext(t.Context(), text)
		for _, err := range []error{queried, executed} {
			e, ok := errors.AsType[*driver.Error](err)
			if !ok || !errors.Is(err, driver.ErrInvalidQuery) ||
				e.Location != "4:3" || (e.JobID != "") != (incomplete > 0) {
				t.Errorf("%s: got %+v; want invalidQuery at 4:3", name, err)
			}
			if got := fmt.Sprintf("%+v", err); !strings.HasSuffix(got, "\n  SELECT 1/x;\n  ^") {
				t.Errorf("%s: got %q; want the fourth line", name, got)
			}
		}
	}
}

// TestScriptEndsBetweenResults: no result is fetched after ctx has ended, and Rows says why it
// stopped.
func TestScriptEndsBetweenResults(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(script, scriptAnswer)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	rows, err := open(t, server).QueryContext(ctx, script)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	cancel()
	for rows.NextResultSet() {
		t.Error("got a further result")
	}
	if err := rows.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	if got := server.Count(fakebq.GetQueryResults); got > 1 {
		t.Errorf("got %d results fetched; want 1", got)
	}
}
