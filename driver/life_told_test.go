package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestLifeTold: the errors that the caller gets, by errors.Is and errors.As.
func TestLifeTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		sql      string
		deadline bool
		want     outcome
		timeout  bool
	}{
		{"ctx is cancelled, a query", "SELECT name, n FROM t", false, cause, false},
		{"ctx is cancelled", insert, false, unknown, false},
		{"the deadline of a query", "SELECT name, n FROM t", true, cause, true},
		{"the deadline", insert, true, unknown, true},
		{"the deadline of a script of queries", "SELECT 1; SELECT 2", true, cause, true},
		{"the deadline of a script", insert + "; SELECT 2", true, unknown, true},
		{"the deadline of CALL", "CALL d.p()", true, unknown, true},
		{"the deadline of DDL", "DROP TABLE t", true, unknown, true},
		{"the deadline of EXPORT DATA", "EXPORT DATA OPTIONS (uri = 'gs://b/*') AS SELECT 1", true, unknown, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.OnAny(fakebq.Answer{Incomplete: 1, Until: make(chan struct{})})
			db := open(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			is := context.Canceled
			if tt.deadline {
				ctx, cancel = context.WithTimeout(t.Context(), time.Second) // a busy machine is slow to send it
				is = context.DeadlineExceeded
			}
			defer cancel()
			if !tt.deadline {
				go func() {
					server.WaitFor(t, fakebq.GetQueryResults, 1)
					cancel()
				}()
			}
			_, err := db.ExecContext(ctx, tt.sql)
			wantTold(t, err, tt.want, is)
			ne, ok := errors.AsType[net.Error](err)
			if got := ok && ne.Timeout(); got != tt.timeout {
				t.Errorf("got Timeout() %t; want %t: %v", got, tt.timeout, err)
			}
			passing, ok := errors.AsType[interface {
				error
				Temporary() bool
			}](err)
			if got := ok && passing.Temporary(); got != tt.timeout {
				t.Errorf("got Temporary() %t; want %t", got, tt.timeout)
			}
			if errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "bad connection") {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("ended, then its rows can't be read", func(t *testing.T) {
		t.Parallel()
		const script = insert + "; SELECT name, n FROM t"
		for name, faults := range map[string]map[fakebq.Method]fakebq.Fault{
			"the list":  {fakebq.List: fail("invalid", "no")},
			"the count": {fakebq.GetQueryResults: fail("notFound", "no")},
		} {
			server := fakebq.Run(t, fakebq.Options{})
			server.On(script, fakebq.Answer{Children: []fakebq.Answer{{DML: &fakebq.DML{Inserted: 1}}, numbers}})
			text := script
			if name == "the count" {
				text = insert
				server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
				server.Inject(fakebq.Query, fakebq.Garbage(`{"jobComplete":true,"statementType":"INSERT",`+
					`"jobReference":{"projectId":"my-project","jobId":"job_fake00000001","location":"US"}}`).After())
			}
			for m, f := range faults {
				server.Inject(m, f)
			}
			_, err := open(t, server).QueryContext(t.Context(), text)
			if err == nil || !strings.Contains(err.Error(), "the statement has run") ||
				errors.Is(err, driver.ErrOutcomeUnknown) {
				t.Errorf("%s: got %v; want that it has run", name, err)
			}
		}
	})
}
