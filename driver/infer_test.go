package driver_test

import (
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestInferredTypes: a NULL and a time get the type that BigQuery says, which is asked once.
func TestInferredTypes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	types := []*bq.QueryParameterType{
		{Type: "DATE"},
		{Type: "DATETIME"},
		{Type: "TIMESTAMP"},
		{Type: "TIME"},
		{Type: "NUMERIC"},
	}
	var positional, named []fakebq.Parameter
	for i, typ := range types {
		positional = append(positional, fakebq.Parameter{Type: typ})
		named = append(named, fakebq.Parameter{Name: string(rune('a' + i)), Type: typ})
	}
	insert := fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}}
	byPosition, byName := insert, insert
	byPosition.Parameters, byName.Parameters = positional, named
	server.On("INSERT INTO t VALUES (?, ?, ?, ?, ?)", byPosition)
	server.On("INSERT INTO t VALUES (@a, @b, @c, @d, @e)", byName)
	db := open(t, server)
	at := time.Date(2024, 2, 29, 23, 30, 0, 1000, time.FixedZone("", -3*3600))
	want := []string{
		"DATE 2024-02-29", "DATETIME 2024-02-29 23:30:00.000001", "TIMESTAMP 2024-03-01 02:30:00.000001+00:00",
		"TIME 23:30:00.000001", "NUMERIC NULL",
	}
	for _, tt := range []struct {
		name, sql string
		args      []any
	}{
		{"positional", "INSERT INTO t VALUES (?, ?, ?, ?, ?)", []any{at, at, at, at, nil}},
		{
			"named",
			"INSERT INTO t VALUES (@a, @b, @c, @d, @e)",
			[]any{sql.Named("a", at), sql.Named("B", at), sql.Named("c", at), sql.Named("d", at), sql.Named("e", nil)},
		},
	} {
		server.ResetLog()
		for range 3 {
			if _, err := db.ExecContext(t.Context(), tt.sql, tt.args...); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		if got, want := server.Counts(), (counts{fakebq.Insert: 1, fakebq.Query: 3}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got requests %v; want %v", tt.name, got, want)
		}
		for _, r := range server.Requests(fakebq.Query) {
			req, err := r.QueryRequest()
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(req); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %q; want %q", tt.name, got, want)
			}
		}
	}
}

// TestTypesChange: a remembered type does not outlive the table it came from.
func TestTypesChange(t *testing.T) {
	t.Parallel()
	const insert = "INSERT INTO t VALUES (?)"
	server := fakebq.Run(t, fakebq.Options{})
	var columnType atomic.Value
	columnType.Store("DATE")
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		typ := columnType.Load().(string)
		if st.SQL != insert {
			return fakebq.Answer{StatementType: "CREATE_TABLE"}, true
		}
		if !st.DryRun && st.Parameters[0].ParameterType.Type != typ {
			return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Value has type DATE at [1:2]"}}, true
		}
		return fakebq.Answer{
			StatementType: "INSERT",
			DML:           &fakebq.DML{Inserted: 1},
			Parameters:    []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: typ}}},
		}, true
	})
	db := open(t, server)
	run := func(query string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	count := func(step string, dryRuns, queries int) {
		t.Helper()
		if got := server.Counts(); got[fakebq.Insert] != dryRuns || got[fakebq.Query] != queries {
			t.Errorf("%s: got requests %v; want %d dry runs and %d statements", step, got, dryRuns, queries)
		}
		server.ResetLog()
	}
	run(insert, time.Now())
	count("first", 1, 1)
	run(insert, time.Now())
	count("again", 0, 1)
	columnType.Store("TIMESTAMP") // another program's DDL
	run(insert, time.Now())
	count("after another program's DDL", 1, 2)
	run("CREATE OR REPLACE TABLE t (x DATETIME)")
	columnType.Store("DATETIME")
	server.ResetLog()
	run(insert, time.Now())
	count("after DDL of its own", 1, 1)
	server.OnFunc(nil)
	server.On(insert,
		fakebq.Answer{
			StatementType: "INSERT",
			DML:           &fakebq.DML{},
			Err:           &fakebq.Error{Reason: "invalidQuery", Message: "division by zero"},
			Parameters:    []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATETIME"}}},
		})
	if _, err := db.ExecContext(t.Context(), insert, time.Now()); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("got %v; want invalidQuery", err)
	}
	count("an error that is not about types", 1, 1)
}

func parameters(req *bq.QueryRequest) []string {
	var out []string
	for _, p := range req.QueryParameters {
		value := p.ParameterValue.Value
		if value == "" {
			value = "NULL"
		}
		out = append(out, p.ParameterType.Type+" "+value)
	}
	return out
}

// TestTextOfOtherTypes: what is read as text, such as a NUMERIC, can be written as text. Only a
// statement that BigQuery refuses is asked about, and once.
func TestTextOfOtherTypes(t *testing.T) {
	t.Parallel()
	const positional, named = "INSERT INTO t VALUES (?, ?)", "INSERT INTO t VALUES (@a, @b)"
	server := fakebq.Run(t, fakebq.Options{})
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		types := []string{"STRING", "NUMERIC"}
		for _, p := range st.Parameters {
			if i := strings.Index("ab", p.Name); p.Name != "" && p.ParameterType.Type != types[i] {
				return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Value has type STRING at [1:2]"}}, true
			}
		}
		if !st.DryRun && st.Parameters[1].ParameterType.Type != "NUMERIC" {
			return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: "Value has type STRING at [1:2]"}}, true
		}
		answer := fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{Inserted: 1}}
		for i, typ := range types {
			p := fakebq.Parameter{Type: &bq.QueryParameterType{Type: typ}}
			if st.SQL == named {
				p.Name = "ab"[i : i+1]
			}
			answer.Parameters = append(answer.Parameters, p)
		}
		return answer, true
	})
	for _, tt := range []struct {
		name, sql string
		args      []any
		first     counts
		want      []string
	}{
		{
			"positional",
			positional,
			[]any{"x", "1.5"},
			counts{fakebq.Insert: 1, fakebq.Query: 2},
			[]string{"STRING x", "NUMERIC 1.5"},
		},
		{
			"named",
			named,
			[]any{sql.Named("a", "x"), sql.Named("b", sql.NullString{String: "1.5", Valid: true})},
			counts{fakebq.Insert: 1, fakebq.Query: 2},
			[]string{"STRING x", "NUMERIC 1.5"},
		},
		{
			"with a NULL",
			positional,
			[]any{nil, "1.5"},
			counts{fakebq.Insert: 1, fakebq.Query: 1},
			[]string{"STRING NULL", "NUMERIC 1.5"},
		},
		{
			"named, with a NULL",
			named,
			[]any{sql.Named("a", nil), sql.Named("b", "1.5")},
			counts{fakebq.Insert: 2, fakebq.Query: 1},
			[]string{"STRING NULL", "NUMERIC 1.5"},
		},
	} {
		db := open(t, server)
		for i, want := range []counts{tt.first, {fakebq.Query: 1}} {
			server.ResetLog()
			if _, err := db.ExecContext(t.Context(), tt.sql, tt.args...); err != nil {
				t.Fatalf("%s, time %d: %v", tt.name, i+1, err)
			}
			if got := server.Counts(); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, time %d: got requests %v; want %v", tt.name, i+1, got, want)
			}
			requests := server.Requests(fakebq.Query)
			req, err := requests[len(requests)-1].QueryRequest()
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(req); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s, time %d: got %q; want %q", tt.name, i+1, got, tt.want)
			}
		}
	}
}
