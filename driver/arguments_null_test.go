package driver_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestNullTypes: the Go type of a NULL is what counts where BigQuery says nothing, contradicts
// itself, says INT64 for want of anything else, or has no dry runs; its word counts where it has
// one. A statement that runs again asks no more.
func TestNullTypes(t *testing.T) {
	t.Parallel()
	type row struct {
		ID   int64
		Name *string
	}
	var text *string
	var day *civil.Date
	asked, refused := counts{fakebq.Insert: 1, fakebq.Query: 1}, counts{fakebq.Insert: 1, fakebq.Query: 2}
	refusal := func(reason, message string) func(string, bool) *fakebq.Error {
		return func(_ string, dry bool) *fakebq.Error {
			if dry {
				return &fakebq.Error{Reason: reason, Message: message}
			}
			return nil
		}
	}
	contradiction := refusal(
		"invalidQuery",
		"Undeclared parameter 'a' is used assuming different types (INT64 vs STRING) at [1:2]",
	)
	wants := func(typ string) func(string, bool) *fakebq.Error {
		return func(got string, dry bool) *fakebq.Error {
			if !dry && got != typ {
				return &fakebq.Error{Reason: "invalidQuery", Message: "Value has type " + got + " at [1:2]"}
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name   string
		sql    string
		arg    any
		finds  string                           // the type that BigQuery finds; "" for none
		refuse func(string, bool) *fakebq.Error // given the parameter's type, and whether it is a dry run
		want   string
		first  counts // requests the first time; the second time it is one
	}{
		{"nothing said", "SELECT ?", text, "", nil, "STRING NULL", asked},
		{"INT64 for want of anything else", "SELECT ?", text, "INT64", nil, "STRING NULL", asked},
		{"a word", "SELECT ?", text, "DATE", nil, "DATE NULL", asked},
		{
			"the word INT64, of a column", "INSERT INTO t (n, m) VALUES (?, 1)", text, "INT64", wants("INT64"),
			"INT64 NULL", asked,
		},
		{
			"the word INT64, of SET", "UPDATE t SET a.n = 1, n = ? WHERE TRUE", text, "INT64", wants("INT64"),
			"INT64 NULL", asked,
		},
		{
			"the word INT64, of a comparison", "SELECT * FROM t WHERE t.n >= ?", text, "INT64", wants("INT64"),
			"INT64 NULL", asked,
		},
		{
			"the word INT64, of a name used twice", "SELECT @a IS NULL OR n = @a", sql.Named("a", text), "INT64",
			wants("INT64"), "INT64 NULL", asked,
		},
		{
			"the word INT64, found by a refusal", "SELECT COALESCE(?, n) FROM t", text, "INT64", wants("INT64"),
			"INT64 NULL", refused,
		},
		{"contradiction", "SELECT @a IS NULL OR city = @a", sql.Named("a", text), "", contradiction, "STRING NULL", asked},
		{
			"contradiction, sql.NullString", "SELECT @a IS NULL OR city = @a", sql.Named("a", sql.NullString{}),
			"", contradiction, "STRING NULL", asked,
		},
		{
			"contradiction, sql.Null", "SELECT @a IS NULL OR city = @a", sql.Named("a", sql.Null[civil.Date]{}),
			"", contradiction, "DATE NULL", asked,
		},
		{"no dry runs", "SELECT ?", day, "", refusal("invalid", "this server has no dry runs"), "DATE NULL", asked},
		{"empty slice of pointers", "SELECT ? IS NULL", []*string{}, "ARRAY<INT64>", nil, "ARRAY<STRING> []", asked},
		{"slice of NULLs", "SELECT ? IS NULL", []sql.NullString{{}}, "ARRAY<INT64>", nil, "ARRAY<STRING> [NULL]", asked},
		{
			"rows, of which all have a NULL", "SELECT * FROM UNNEST(?)", []row{{ID: 1}}, "", contradiction,
			"ARRAY<STRUCT<ID INT64, Name STRING>> [{ID 1, Name NULL}]", asked,
		},
		{
			"rows, of which one has a NULL", "SELECT * FROM UNNEST(?)", []row{{ID: 1}, {2, new(string)}}, "",
			nil, "ARRAY<STRUCT<ID INT64, Name STRING>> [{ID 1, Name NULL}, {ID 2, Name }]",
			counts{fakebq.Query: 1},
		},
		{
			"no rows", "SELECT * FROM UNNEST(?)", []row{}, "", contradiction,
			"ARRAY<STRUCT<ID INT64, Name STRING>> []", asked,
		},
		{"bytes into a STRING", "SELECT ? = s", []byte("a"), "STRING", wants("STRING"), "STRING a", refused},
		{"float into a NUMERIC", "SELECT ?", 1e20, "NUMERIC", wants("NUMERIC"), "NUMERIC 100000000000000000000", refused},
		{"bytes into BYTES", "SELECT ?", []byte("a"), "BYTES", nil, "BYTES YQ==", counts{fakebq.Query: 1}},
		{"script", "DECLARE x STRING DEFAULT ?; SELECT x", text, "", nil, "STRING NULL", asked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := fakebq.Run(t, fakebq.Options{})
			server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
				answer := fakebq.Answer{Fields: []fakebq.Field{{Name: "x", Type: "INTEGER"}}, StatementType: "SELECT"}
				got := ""
				if len(st.Parameters) > 0 {
					got = typeText(st.Parameters[0].ParameterType)
				}
				if tt.refuse != nil {
					answer.Reject = tt.refuse(got, st.DryRun)
				}
				if elem, ok := strings.CutPrefix(tt.finds, "ARRAY<"); ok {
					elem = strings.TrimSuffix(elem, ">")
					answer.Parameters = []fakebq.Parameter{
						{Type: &bq.QueryParameterType{Type: "ARRAY", ArrayType: &bq.QueryParameterType{Type: elem}}},
					}
				} else if tt.finds != "" {
					answer.Parameters = []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: tt.finds}}}
				}
				if _, named := tt.arg.(sql.NamedArg); named && answer.Parameters != nil {
					answer.Parameters[0].Name = "a"
				}
				return answer, true
			})
			db := open(t, server)
			for i, want := range []counts{tt.first, {fakebq.Query: 1}} {
				server.ResetLog()
				if err := run(t.Context(), db, tt.sql, tt.arg); err != nil {
					t.Fatalf("time %d: %v", i+1, err)
				}
				if got := server.Counts(); !reflect.DeepEqual(got, want) {
					t.Errorf("time %d: got requests %v; want %v", i+1, got, want)
				}
				if got := sentArguments(t, server); !reflect.DeepEqual(got, []string{tt.want}) {
					t.Errorf("time %d: got %q; want %s", i+1, got, tt.want)
				}
			}
		})
	}
}

// TestNullInTransaction: where a refusal would cost the transaction, BigQuery is asked whether it
// takes the Go type.
func TestNullInTransaction(t *testing.T) {
	t.Parallel()
	for _, takes := range []string{"STRING", "INT64"} {
		server := fakebq.Run(t, fakebq.Options{})
		server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
			if !strings.HasPrefix(st.SQL, "SELECT") {
				return fakebq.Answer{StatementType: strings.ReplaceAll(st.SQL, " ", "_")}, true
			}
			answer := fakebq.Answer{Fields: []fakebq.Field{{Name: "x", Type: "INTEGER"}}, StatementType: "SELECT",
				Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "INT64"}}}}
			if len(st.Parameters) > 0 && st.Parameters[0].ParameterType.Type != takes {
				answer.Reject = &fakebq.Error{Reason: "invalidQuery", Message: "No matching signature at [1:2]"}
			}
			return answer, true
		})
		tx, err := open(t, server).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := run(t.Context(), tx, "SELECT f(?)", (*string)(nil)); err != nil {
				t.Errorf("%s: %v", takes, err)
			}
			if got := sentArguments(t, server); got[0] != takes+" NULL" {
				t.Errorf("got %q; want %s", got, takes)
			}
		}
		if got := server.Counts()[fakebq.Insert]; got != 2 {
			t.Errorf("%s: got %d dry runs; want 2", takes, got)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
	}
}

// TestPreparedContradiction: a statement that BigQuery finds several types for can be prepared; any
// other wrong one can't.
func TestPreparedContradiction(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	message := "Undeclared parameter 'a' is used assuming different types (INT64 vs STRING) at [1:2]"
	server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
		if st.DryRun {
			return fakebq.Answer{Reject: &fakebq.Error{Reason: "invalidQuery", Message: message}}, true
		}
		return fakebq.Answer{Fields: []fakebq.Field{{Name: "x", Type: "INTEGER"}}}, true
	})
	db := open(t, server)
	stmt, err := db.PrepareContext(t.Context(), "SELECT @a IS NULL OR city = @a")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for _, arg := range []any{(*string)(nil), "x"} {
		rows, err := stmt.QueryContext(t.Context(), sql.Named("a", arg))
		if err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	message = "Unrecognized name: a at [1:2]"
	if _, err := db.PrepareContext(t.Context(), "SELECT a, @a"); err == nil {
		t.Error("a wrong statement: got no error")
	}
}

// TestArgumentLimits: what BigQuery never accepts is an error before anything is sent, and names the way for many rows.
func TestArgumentLimits(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	db := open(t, server)
	many := make([]any, 10_001)
	for i := range many {
		many[i] = 1
	}
	for _, tt := range []struct {
		name, sql string
		args      []any
		want      string
	}{
		{"parameters", "SELECT " + strings.Repeat("?, ", 10_000) + "?", many, "arguments: 10001, but a statement can have 10000"},
		{"bytes", "SELECT ?, ?", []any{1, strings.Repeat("x", 11<<20)}, "argument 2 has 11.5 MB"},
		{"bytes in a slice", "SELECT @a", []any{sql.Named("a", make([]int64, 1<<20))}, "argument @a has"},
		{"bytes in times", "SELECT ?", []any{make([]*time.Time, 4<<20)}, "argument 1 has"},
	} {
		if tt.name == "bytes in times" && testing.Short() {
			continue // with the race detector they take a minute
		}
		if err := run(t.Context(), db, tt.sql, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) ||
			!strings.Contains(err.Error(), "bulk.Append") {
			t.Errorf("%s: got %v; want %q and bulk.Append", tt.name, err, tt.want)
		}
	}
	if got := server.Counts(); len(got) != 0 {
		t.Errorf("got requests %v; want none", got)
	}
}
