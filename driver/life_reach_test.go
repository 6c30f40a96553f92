package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// TestLifeNotReached: a statement has not begun if BigQuery was not reached, and only then does the error say so.
func TestLifeNotReached(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*faultproxy.Proxy){
		"dial": (*faultproxy.Proxy).Down,
		"handshake": func(p *faultproxy.Proxy) {
			p.NextConns(faultproxy.ConnReset, faultproxy.ConnReset, faultproxy.ConnReset, faultproxy.ConnReset,
				faultproxy.ConnReset, faultproxy.ConnReset, faultproxy.ConnReset, faultproxy.ConnReset)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "handshake" && !*overHTTP2 {
				t.Skip("without TLS there is no handshake: the request may have left")
			}
			server := fakebq.Run(t, fakebq.Options{})
			proxy := faultproxy.Run(t, server.URL())
			db := openThrough(t, proxy)
			breaks(proxy)
			_, err := db.ExecContext(t.Context(), insert)
			wantTold(t, err, cause)
			if server.Count() != 0 {
				t.Errorf("got %d requests", server.Count())
			}
		})
	}
}

// TestLifeCertificate: a certificate that is not trusted is not passing.
func TestLifeCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	front, connections := countConnections(t, server.URL)
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Auth: "none", Endpoint: front})
	if err != nil {
		t.Fatal(err)
	}
	_, err = openWith(t, connector).ExecContext(t.Context(), insert)
	wantTold(t, err, cause)
	if !strings.Contains(err.Error(), "BigQuery can't be reached") || connections.Load() != 1 {
		t.Errorf("got %v after %d connections; want one", err, connections.Load())
	}
}

// TestLifeEndOfTheTries: a connector that is closed and a sign-in that has ended end the tries: the outcome is unknown
// if one of them may have begun the statement.
func TestLifeEndOfTheTries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault fakebq.Fault
		want  outcome
	}{
		{"after a lost try", lost, unknown},
		{"after a refusal", fail("rateLimitExceeded", ""), cause},
	} {
		for _, end := range []string{"closed connector", "sign-in that has ended"} {
			t.Run(end+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
				server.Inject(fakebq.Query, tt.fault)
				var tokens endingTokens
				connector := newTokensConnector(t, server, &tokens)
				db := sql.OpenDB(connector)
				t.Cleanup(func() { db.Close() })
				is := error(auth.ErrClosed)
				pause := func(time.Duration) time.Duration { go db.Close(); return time.Hour }
				if end != "closed connector" {
					is = errSignInEnded
					pause = func(time.Duration) time.Duration { tokens.ended.Store(true); return 0 }
				}
				driver.PauseWith(connector, pause)
				_, err := db.ExecContext(t.Context(), insert)
				want := tt.want
				if want == cause && end == "closed connector" {
					want = failed // with what the last try was refused with
				}
				wantTold(t, err, want, is)
				if got := server.Count(fakebq.Query); got != 1 {
					t.Errorf("sent %d times; want once", got)
				}
			})
		}
	}
}

// TestLifeNoAnswer: a request without an answer is given up 15 s after the end of its hold, and
// made again.
func TestLifeNoAnswer(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
	proxy := faultproxy.Run(t, server.URL())
	proxy.Inject(fakebq.Query, faultproxy.Fault{Kind: faultproxy.Never, At: faultproxy.After})
	db := openThrough(t, proxy)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	began := time.Now()
	_, err := db.ExecContext(ctx, insert)
	took := time.Since(began)
	wantTold(t, err, done)
	if took < 16*time.Second || took > 22*time.Second {
		t.Errorf("took %s; want 17 s", took)
	}
	if server.Executions(insert) != 1 || proxy.Count(fakebq.Query) != 2 {
		t.Errorf("ran %d times by %d requests; want once by 2", server.Executions(insert), proxy.Count(fakebq.Query))
	}
}

var errSignInEnded = errors.New("the sign-in has ended")

// endingTokens is a sign-in that can end.
type endingTokens struct{ ended atomic.Bool }
