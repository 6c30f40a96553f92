package googlesql_test

import (
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestSessionStatements(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]googlesql.Statement{
		"BEGIN":                             {Type: "BEGIN_TRANSACTION"},
		"begin transaction;":                {Type: "BEGIN_TRANSACTION"},
		"COMMIT":                            {Type: "COMMIT_TRANSACTION"},
		"COMMIT TRANSACTION":                {Type: "COMMIT_TRANSACTION"},
		"/* x */ ROLLBACK -- y":             {Type: "ROLLBACK_TRANSACTION"},
		"ROLLBACK TRANSACTION;":             {Type: "ROLLBACK_TRANSACTION"},
		"CALL BQ.ABORT_SESSION()":           {Type: "CALL"},
		"call bq.abort_session('abc') ;":    {Type: "CALL", Session: "abc"},
		"CALL `BQ`.`ABORT_SESSION`(\"x\");": {Type: "CALL", Session: "x"},
	} {
		st, err := googlesql.Translate(sql, googlesql.Options{})
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if st.Type != want.Type || st.Session != want.Session || st.SQL != "" || st.Columns != nil {
			t.Errorf("%s: got %+v; want %+v", sql, st, want)
		}
	}
}
