package driver_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// TestOwnAuthenticator: a program brings a sign-in of its own, which asks, replaces tokens that BigQuery refuses, and
// outlives the connectors that share it.
func TestOwnAuthenticator(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	client, err := auth.ParseClient(signIn.ClientSecrets())
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	a, err := auth.New(auth.Config{
		Client: client, Store: auth.MemoryStore(), Mode: auth.ModeBrowser, Prompter: quiet{},
		OpenBrowser: func(ctx context.Context, address string) error {
			asked++
			return fakegoogle.Consent(ctx, nil, address, "")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for range 2 {
		connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Endpoint: server.URL()},
			driver.WithAuthenticator(a))
		if err != nil {
			t.Fatal(err)
		}
		if connector.Authenticator() != a {
			t.Error("SignIn is not the program's")
		}
		db := sql.OpenDB(connector)
		if err := query(t.Context(), db); err != nil {
			t.Error(err)
		}
		signIn.ExpireAccessTokens() // which the sign-in does not hear of
		if err := query(t.Context(), db); err != nil {
			t.Errorf("after BigQuery refused a token: %v", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := a.Token(); err != nil {
		t.Errorf("after the connectors were closed: %v", err)
	}
	if got := signIn.Counts(); asked != 1 || got.Exchanges != 1 || got.Refreshes != 2 {
		t.Errorf("asked %d times, requests %+v; want one consent and two refreshes", asked, got)
	}
	_, err = driver.NewConnector(&dsn.Config{Project: "my-project"}, driver.WithAuthenticator(a),
		driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})))
	if err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Errorf("with a token source: got %v; want an error", err)
	}
}

type quiet struct{}

func (quiet) Prompt(context.Context, auth.Prompt) error { return nil }
