package driver_test

import (
	"context"
	"database/sql"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// TestLifeStuckSending: a request that can't be written on, over a connection of HTTP/1 that stays open, is given up
// in the time that a slow network would take for it, and sent again over another connection.
func TestLifeStuckSending(t *testing.T) {
	t.Parallel()
	skipOverHTTP2(t)
	if testing.Short() {
		t.Skip("-short: that takes 20 seconds")
	}
	text := insert + " /* " + strings.Repeat("x", 100_000) + " */"
	for name, opts := range map[string][]any{"jobs.query": nil, "jobs.insert": {batch}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			server.On(text, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
			var dialled atomic.Int64
			transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				if err == nil && dialled.Add(1) == 1 {
					conn = faultproxy.Stuck(conn, 16<<10)
				}
				return conn, err
			}}
			connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Auth: "none", Endpoint: server.URL()},
				driver.WithHTTPTransport(transport))
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			began := time.Now()
			if _, err := db.ExecContext(t.Context(), text, opts...); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 40*time.Second || dialled.Load() != 2 || server.Executions(text) != 1 {
				t.Errorf("took %s over %d connections, ran %d times; want some 20 s, 2 and once", took, dialled.Load(),
					server.Executions(text))
			}
		})
	}
}

// TestLifeNothing: an answer of HTTP status 200 or 204 that has nothing in it is not BigQuery's: the request is made
// again.
func TestLifeNothing(t *testing.T) {
	t.Parallel()
	const (
		table  = "CREATE TABLE t AS SELECT 1 AS a"
		script = "SELECT 1; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"
	)
	for _, tt := range []struct {
		method fakebq.Method
		sql    string
		answer fakebq.Answer
		opts   []any
		want   int64 // rows affected
	}{
		{fakebq.Query, insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 3}}, nil, 3},
		{fakebq.Insert, insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 3}}, []any{batch}, 3},
		{fakebq.GetQueryResults, insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 3}, Incomplete: 1}, nil, 3},
		{fakebq.List, script, fakebq.Answer{Children: []fakebq.Answer{one("a", 1), {DML: &fakebq.DML{Inserted: 1}},
			{DML: &fakebq.DML{Inserted: 2}}}}, nil, 3},
		{fakebq.Get, table, fakebq.Answer{StatementType: "CREATE_TABLE_AS_SELECT",
			Created: &fakebq.Created{Table: "my-project.d.t", Rows: 3}}, nil, 3},
		{fakebq.GetTable, table, fakebq.Answer{StatementType: "CREATE_TABLE_AS_SELECT",
			Created: &fakebq.Created{Table: "my-project.d.t", Rows: 3}}, nil, 3},
	} {
		for name, nothing := range map[string]fakebq.Fault{
			"no content": fakebq.Body(http.StatusNoContent, "", ""),
			"no body":    fakebq.Garbage(""),
			"null":       fakebq.Garbage("null"),
		} {
			t.Run(string(tt.method)+", "+name, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				server.On(tt.sql, tt.answer)
				server.Inject(tt.method, nothing)
				result, err := openPausing(t, server, noPause).ExecContext(t.Context(), tt.sql, tt.opts...)
				if err != nil {
					t.Fatal(err)
				}
				if n, err := result.RowsAffected(); n != tt.want || err != nil || server.Executions(tt.sql) != 1 {
					t.Errorf("got %d rows affected, %v; it ran %d times; want %d and once", n, err,
						server.Executions(tt.sql), tt.want)
				}
			})
		}
	}
}

// TestLifeSentByTransport: net/http, which sends some requests again by itself, sends none that may have run.
func TestLifeSentByTransport(t *testing.T) {
	t.Parallel()
	if untrusted != nil {
		t.Skipf("the system does not trust the certificate of the fakes: %v", untrusted)
	}
	const script = insert + "; " + insert
	protocol := faultproxy.Fault{Kind: faultproxy.ResetStream, Code: http2.ErrCodeProtocol, At: faultproxy.After}
	refused := faultproxy.Fault{Kind: faultproxy.ResetStream, Code: http2.ErrCodeRefusedStream}
	goAway := faultproxy.Fault{Kind: faultproxy.GoAway, Below: true, Close: true}
	for _, tt := range []struct {
		name  string
		sql   string // or commit
		fault faultproxy.Fault
		want  outcome
	}{
		{"a script, PROTOCOL_ERROR after it ran", script, protocol, unknown},
		{"a script, REFUSED_STREAM", script, refused, done},
		{"a script, GOAWAY below its stream", script, goAway, done},
		{"COMMIT, PROTOCOL_ERROR after it ran", commit, protocol, unknown},
		{"COMMIT, REFUSED_STREAM", commit, refused, done},
		{"COMMIT, GOAWAY below its stream", commit, goAway, done},
		{"INSERT, PROTOCOL_ERROR after it ran", insert, protocol, done},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{HTTP2: true})
			one := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}}
			server.On(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
			server.On(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION"})
			server.On(insert, one)
			server.On(script, fakebq.Answer{Children: []fakebq.Answer{one, one}})
			proxy := faultproxy.Run(t, server.URL())
			db := openThrough(t, proxy)
			run := func() error { _, err := db.ExecContext(t.Context(), tt.sql); return err }
			if tt.sql == commit {
				run = beginTx(t, db).Commit
			}
			proxy.Inject(fakebq.Query, tt.fault)
			wantTold(t, run(), tt.want)
			if got := server.Succeeded(tt.sql); got != 1 {
				t.Errorf("it ran %d times; want once", got)
			}
		})
	}
}

// TestLifeEndedStreams: net/http's own tries of a request without a body, which are safe, are bounded.
func TestLifeEndedStreams(t *testing.T) {
	t.Parallel()
	if untrusted != nil {
		t.Skipf("the system does not trust the certificate of the fakes: %v", untrusted)
	}
	server := fakebq.Run(t, fakebq.Options{HTTP2: true})
	server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, PageSize: 1})
	proxy := faultproxy.Run(t, server.URL())
	proxy.Choose(func(x faultproxy.Exchange) faultproxy.Fault {
		if x.Method == fakebq.GetQueryResults {
			return faultproxy.Fault{Kind: faultproxy.ResetStream, Code: http2.ErrCodeProtocol}
		}
		return faultproxy.Fault{}
	})
	rows, err := openThrough(t, proxy).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
	}
	// From Go 1.27 on, net/http leaves the tries to the driver.
	if err := rows.Err(); err == nil || !strings.Contains(err.Error(), "again and again") &&
		!strings.Contains(err.Error(), "PROTOCOL_ERROR") {
		t.Errorf("got %v; want that the server ended it", err)
	}
	if got := proxy.Count(fakebq.GetQueryResults); got > 8*8 {
		t.Errorf("got %d requests; want eight tries of eight each", got)
	}
}
