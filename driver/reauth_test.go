package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// counted is a user who counts how often the consent page was shown.
type counted struct {
	consenter
	prompts atomic.Int64
}

func (c *counted) Prompt(ctx context.Context, p auth.Prompt) error {
	c.prompts.Add(1)
	return c.consenter.Prompt(ctx, p)
}

// openSignedIn returns a database with the real sign-in, whose user is p.
func openSignedIn(t testing.TB, signIn *fakegoogle.Server, server *fakebq.Server, dir string, p auth.Prompter) *sql.DB {
	t.Helper()
	connector, err := driver.NewConnector(&dsn.Config{
		Project:  "my-project",
		Endpoint: server.URL(),
		TokenDir: dir,
		Login:    "manual",
	}, driver.WithClientSecrets(signIn.ClientSecrets()), driver.WithPrompter(p))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func query(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT name, n FROM t")
	if err != nil {
		return err
	}
	return rows.Close()
}

// TestTokenRefusedOnce: when BigQuery refuses an access token that looks good, one refresh and
// one more try follow, and the user is not asked.
func TestTokenRefusedOnce(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	p := &counted{consenter: consenter{t: t}}
	db := openSignedIn(t, signIn, server, t.TempDir(), p)
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	signIn.ExpireAccessTokens()
	server.ResetLog()
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := server.Count(); got != 2 {
		t.Errorf("got %d requests; want the refused one and one more", got)
	}
	if got := signIn.Counts(); got.Refreshes != 1 || p.prompts.Load() != 1 {
		t.Errorf("got %d refreshes and %d prompts; want 1 and 1", got.Refreshes, p.prompts.Load())
	}
}

// TestTokenRefusedForEver: a BigQuery that refuses every token gets a few tries, and the user
// no prompt.
func TestTokenRefusedForEver(t *testing.T) {
	t.Parallel()
	signIn, _ := google(t)
	server := fakebq.Run(t, fakebq.Options{Verify: func(string) (string, bool) { return "", false }})
	p := &counted{consenter: consenter{t: t}}
	db := openSignedIn(t, signIn, server, t.TempDir(), p)
	err := query(t.Context(), db)
	e, ok := errors.AsType[*driver.Error](err)
	if !ok || e.Status != http.StatusUnauthorized {
		t.Errorf("got %v; want an *Error with status 401", err)
	}
	if got := signIn.Counts().Refreshes; got > 2 || p.prompts.Load() != 1 {
		t.Errorf("got %d refreshes and %d prompts; want at most 2, and the first prompt alone", got, p.prompts.Load())
	}
}

// TestGrantRevoked: the loss of the grant shows in the middle of a statement as an error without a
// prompt; the connection that met it is dropped, and the next one asks once.
func TestGrantRevoked(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	p := &counted{consenter: consenter{t: t}}
	db := openSignedIn(t, signIn, server, t.TempDir(), p)
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	signIn.RevokeAccount("ada@example.com")
	if err := query(t.Context(), db); !errors.Is(err, auth.ErrConsentRequired) {
		t.Errorf("got %v; want auth.ErrConsentRequired", err)
	}
	if got := p.prompts.Load(); got != 1 {
		t.Errorf("got %d prompts; want none in the middle of a statement", got-1)
	}
	if got := db.Stats().OpenConnections; got != 0 {
		t.Errorf("the pool keeps %d connections; want 0", got)
	}
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := p.prompts.Load(); got != 2 {
		t.Errorf("got %d prompts; want one more at the next connection", got)
	}
}

// TestTwoDatabases: two databases of one program share one consent.
func TestTwoDatabases(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	dir := t.TempDir()
	p := &counted{consenter: consenter{t: t}}
	errs := make(chan error)
	for range 2 {
		db := openSignedIn(t, signIn, server, dir, p)
		go func() { errs <- query(t.Context(), db) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := p.prompts.Load(); got != 1 {
		t.Errorf("got %d prompts; want 1", got)
	}
}

// patient is a user who looks at the prompt and does nothing.
type patient struct{ shown chan struct{} }

func (p patient) Prompt(context.Context, auth.Prompt) error {
	close(p.shown)
	return nil
}

// TestCloseDuringConsent: closing the database ends a sign-in that waits for the user.
func TestCloseDuringConsent(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	p := patient{make(chan struct{})}
	db := openSignedIn(t, signIn, server, t.TempDir(), p)
	done := make(chan error)
	go func() { done <- db.PingContext(t.Context()) }()
	<-p.shown
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, auth.ErrClosed) {
		t.Errorf("got %v; want auth.ErrClosed", err)
	}
}

// TestNoAmbientCredentials: whatever credentials lie about, with a sign-in of its own the
// driver reads none.
func TestNoAmbientCredentials(t *testing.T) {
	var trapped atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		trapped.Add(1)
		http.Error(w, "trap", http.StatusTeapot)
	}))
	defer trap.Close()
	dir := t.TempDir()
	adc := `{"type":"authorized_user","client_id":"x","client_secret":"y","refresh_token":"z","token_uri":"` +
		trap.URL + `"}`
	for _, path := range []string{
		filepath.Join(dir, "key.json"), filepath.Join(dir, "gcloud", "application_default_credentials.json"),
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(adc), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(dir, "key.json"))
	t.Setenv("CLOUDSDK_CONFIG", filepath.Join(dir, "gcloud"))
	t.Setenv("GCE_METADATA_HOST", trap.Listener.Addr().String())
	t.Setenv("GOOGLE_API_USE_CLIENT_CERTIFICATE", "true")
	signIn, server := google(t)
	db := openSignedIn(t, signIn, server, filepath.Join(dir, "tokens"), &consenter{t: t})
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := trapped.Load(); got != 0 {
		t.Errorf("the trap was asked %d times; want 0", got)
	}
	if got, want := server.Requests()[0].Email, "ada@example.com"; got != want {
		t.Errorf("the query ran as %s; want %s", got, want)
	}
}

// TestQuotaProjectFromEnvironment pins that Google's client libraries take the quota project
// from the environment where the DSN names none: it is no credential.
func TestQuotaProjectFromEnvironment(t *testing.T) {
	t.Setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "from-environment")
	signIn, server := google(t)
	if err := query(t.Context(), openSignedIn(t, signIn, server, t.TempDir(), &consenter{t: t})); err != nil {
		t.Fatal(err)
	}
	if got, want := server.Requests()[0].Header.Get("X-Goog-User-Project"), "from-environment"; got != want {
		t.Errorf("got quota project %q; want %q", got, want)
	}
}

// TestIdentity: BigQuery is asked for the account only where the sign-in does not know it.
func TestIdentity(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, user string
		answer     [][]any
		requests   int
		want       string // "" = an error
	}{
		{"asked of BigQuery", "", [][]any{{"ada@example.com"}}, 1, "ada@example.com"},
		{"known from the ID token", "ada@example.com", nil, 0, "ada@example.com"},
		{"NULL", "", [][]any{{nil}}, 1, ""},
		{"no row", "", nil, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			signIn, server := google(t)
			server.On("SELECT SESSION_USER()", fakebq.Answer{
				Fields: []fakebq.Field{{Name: "f0_", Type: "STRING"}},
				Rows:   tt.answer,
			})
			connector, err := driver.NewConnector(&dsn.Config{
				Project:  "my-project",
				Endpoint: server.URL(),
				TokenDir: t.TempDir(),
				Login:    "manual",
				User:     tt.user,
			}, driver.WithClientSecrets(signIn.ClientSecrets()), driver.WithPrompter(&consenter{t: t}))
			if err != nil {
				t.Fatal(err)
			}
			db := sql.OpenDB(connector)
			defer db.Close()
			id, err := driver.Identity(t.Context(), db)
			if id.Account != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v; want %q", id.Account, err, tt.want)
			}
			if got := server.Count(); got != tt.requests {
				t.Errorf("got %d requests; want %d", got, tt.requests)
			}
			if tt.want == "" {
				return
			}
			if len(id.Scopes) == 0 || id.SignedIn.IsZero() {
				t.Errorf("got %+v; want the scopes and the time of the sign-in", id)
			}
			if tt.user != "" {
				server.On("SELECT forbidden", fakebq.Answer{Reject: &fakebq.Error{Reason: "accessDenied"}})
				if _, err := db.ExecContext(t.Context(), "SELECT forbidden"); err == nil ||
					!strings.Contains(err.Error(), tt.user+" needs the role") {
					t.Errorf("403: got %v; want the account in it", err)
				}
			}
			if err := connector.Authenticator().Logout(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := driver.Identity(t.Context(), db); !errors.Is(err, auth.ErrConsentRequired) {
				t.Errorf("after Logout: got %v; want auth.ErrConsentRequired", err)
			}
		})
	}
}
