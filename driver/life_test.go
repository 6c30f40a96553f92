package driver_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

func (s *endingTokens) Token() (*oauth2.Token, error) {
	if s.ended.Load() {
		return nil, errSignInEnded
	}
	// One that is asked for again before each request.
	return &oauth2.Token{AccessToken: "token", Expiry: time.Now().Add(time.Second)}, nil
}

// newTokensConnector makes a connector whose tokens come from a source.
func newTokensConnector(
	t *testing.T, server *fakebq.Server, tokens oauth2.TokenSource, change ...func(*dsn.Config),
) *driver.Connector {
	t.Helper()
	cfg := &dsn.Config{Project: "my-project", Endpoint: server.URL()}
	for _, f := range change {
		f(cfg)
	}
	connector, err := driver.NewConnector(cfg, driver.WithTokenSource(tokens))
	if err != nil {
		t.Fatal(err)
	}
	return connector
}

// openConnectorThrough opens a database behind a proxy, without pauses.
func openConnectorThrough(
	t *testing.T, proxy *faultproxy.Proxy, change ...func(*dsn.Config),
) (*sql.DB, *driver.Connector) {
	t.Helper()
	cfg := &dsn.Config{Project: "my-project", Endpoint: proxy.URL()}
	for _, f := range change {
		f(cfg)
	}
	connector, err := driver.NewConnector(cfg,
		driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})))
	if err != nil {
		t.Fatal(err)
	}
	driver.PauseWith(connector, noPause)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db, connector
}

// eventually waits for something that goes on in the background.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !is() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: it did not come in 20 s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// openWith opens a database of a connector, without pauses.
func openWith(t *testing.T, connector *driver.Connector) *sql.DB {
	t.Helper()
	driver.PauseWith(connector, noPause)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}
