package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// consenter is a prompter that answers the consent page as a user with a browser would.
type consenter struct {
	t        testing.TB
	consents sync.WaitGroup
}

func (p *consenter) Prompt(ctx context.Context, prompt auth.Prompt) error {
	p.consents.Go(func() { consent(ctx, p.t, nil, prompt.URL) })
	return nil
}

// consent answers the consent page. The last page of the sign-in is shown for two seconds, which may be too short for
// the browser of a busy machine.
func consent(ctx context.Context, t testing.TB, browser *http.Client, page string) {
	// The prompt ends with the sign-in, the user's browser goes on to show the last page.
	err := fakegoogle.Consent(context.WithoutCancel(ctx), browser, page, "")
	if e, ok := errors.AsType[*url.Error](err); ok && strings.Contains(e.URL, "/callback/done/") {
		return
	}
	if err != nil {
		t.Errorf("consent: %v", err)
	}
}

// google starts a sign-in server and a BigQuery that accepts its tokens.
func google(t testing.TB) (*fakegoogle.Server, *fakebq.Server) {
	t.Helper()
	signIn := fakegoogle.New(fakegoogle.Options{})
	if _, err := signIn.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { signIn.Close() })
	server := fakebq.Run(t, fakebq.Options{Verify: func(token string) (string, bool) {
		grant, ok := signIn.Verify(token)
		return grant.Email, ok
	}})
	server.On("SELECT name, n FROM t", numbers)
	return signIn, server
}

// TestOneSignIn: however many connections are asked for at once, one consent, one code exchange
// and one BigQuery client serve them, and the next program needs no consent at all.
func TestOneSignIn(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	cfg := &dsn.Config{
		Project:  "my-project",
		Endpoint: server.URL(),
		TokenDir: filepath.Join(t.TempDir(), "tökens of mine"),
		Login:    "manual",
	}
	for program := range 2 {
		p := &consenter{t: t}
		connector, err := driver.NewConnector(cfg, driver.WithClientSecrets(signIn.ClientSecrets()), driver.WithPrompter(p))
		if err != nil {
			t.Fatal(err)
		}
		clients := driver.CountClients(connector)
		db := sql.OpenDB(connector)
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				rows, err := db.QueryContext(t.Context(), "SELECT name, n FROM t")
				if err != nil {
					t.Error(err)
					return
				}
				if got := readAll(t, rows); len(got) != 3 {
					t.Errorf("got %d rows; want 3", len(got))
				}
			})
		}
		all.Wait()
		p.consents.Wait()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if counts := signIn.Counts(); counts.Consents != 1 || counts.Exchanges != 1 {
			t.Errorf("program %d: got %+v; want one consent and one exchange in all", program, counts)
		}
		if got := clients.Load(); got != 1 {
			t.Errorf("program %d: got %d BigQuery clients; want 1", program, got)
		}
	}
	if got, want := server.Requests()[0].Email, "ada@example.com"; got != want {
		t.Errorf("the query ran as %s; want %s", got, want)
	}
}

// TestBadConfiguration: sql.Open returns the error of a wrong configuration. It names the key and the
// remedy, and repeats no value of the DSN.
func TestBadConfiguration(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(driver.ClientSecretsEnv, "")
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const canary = "CANARY"
	service := write("service.json", `{"type":"service_account","client_email":"x@y","private_key":"`+canary+`"}`)
	user := write("user.json",
		`{"type":"authorized_user","client_id":"x","client_secret":"`+canary+`","refresh_token":"`+canary+`"}`)
	missing := filepath.Join(dir, "missing.json")
	broken := write("broken.json", `{"installed":{"client_secret":"`+canary+`"`)
	for _, tt := range []struct{ dsn, say string }{
		{"bigqueryuser://?client_secrets=x", "project"},
		{"bigqueryuser://my-project?nosuchkey=" + canary, "nosuchkey"},
		{"bigqueryuser://my-project?login=never&login=never", "login"},
		{"bigqueryuser://my-project?login=" + canary, "login"},
		{"bigqueryuser://my-project?refresh_token=" + canary, "refresh_token"},
		{"bigqueryuser://user:" + canary + "@my-project", "project"},
		{"postgres://my-project", "bigqueryuser://"},
		{"bigqueryuser://my-project", "client_secrets=PATH"},
		{"bigqueryuser://my-project", "(3) under Clients, create a client of type Desktop app and download its JSON"},
		{"bigqueryuser://my-project?maximum_bytes_billed=10G", "GiB"},
		{"bigqueryuser://my-project?client_secrets=" + missing, "missing.json: file does not exist"},
		{"bigqueryuser://my-project?client_secrets=" + missing, "(3) under Clients"},
		{"bigqueryuser://my-project?client_secrets=" + dir, "client_secrets"},
		{"bigqueryuser://my-project?client_secrets=" + service, "service account"},
		{"bigqueryuser://my-project?client_secrets=" + user, "authorized_user"},
		{"bigqueryuser://my-project?client_secrets=" + broken, "client_secrets"},
	} {
		db, err := sql.Open(driver.Name, tt.dsn)
		if err == nil {
			db.Close()
			t.Errorf("%s: got no error", tt.dsn)
			continue
		}
		if !strings.Contains(err.Error(), tt.say) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %q; want %q in it and no %s", tt.dsn, err, tt.say, canary)
		}
	}
	if _, err := driver.NewConnector(nil); err == nil {
		t.Error("NewConnector(nil): got no error")
	}
	cfg := &dsn.Config{Project: "my-project", ClientSecrets: "x"}
	_, err := driver.NewConnector(cfg, driver.WithClientSecrets([]byte("{}")))
	if err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("two client secrets: got %v", err)
	}
}

// TestHome: ~ in paths is the user's home directory.
func TestHome(t *testing.T) {
	signIn, _ := google(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	if err := os.WriteFile(filepath.Join(home, "my client.json"), signIn.ClientSecrets(), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver.Name,
		(&dsn.Config{Project: "my-project", ClientSecrets: "~/my client.json", TokenDir: "~/tökens"}).Format())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestNobodyToAsk: without a user, a browser and a stored sign-in, connecting fails and says
// what to do.
func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	signIn, server := google(t)
	connector, err := driver.NewConnector(&dsn.Config{
		Project:  "my-project",
		Endpoint: server.URL(),
		TokenDir: t.TempDir(),
		Login:    "never",
	}, driver.WithClientSecrets(signIn.ClientSecrets()))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if err := db.PingContext(t.Context()); !errors.Is(err, auth.ErrConsentRequired) {
		t.Errorf("got %v; want auth.ErrConsentRequired", err)
	}
	if got := server.Count(); got != 0 {
		t.Errorf("got %d requests to BigQuery; want 0", got)
	}
}

// TestKeyringUnavailable: token_store=keyring never falls back to files.
func TestKeyringUnavailable(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the keyrings of other systems can't be switched off for a test")
	}
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "nobody"))
	signIn, server := google(t)
	dir := t.TempDir()
	connector, err := driver.NewConnector(&dsn.Config{
		Project:    "my-project",
		Endpoint:   server.URL(),
		TokenStore: "keyring",
		TokenDir:   dir,
		Login:      "manual",
	}, driver.WithClientSecrets(signIn.ClientSecrets()), driver.WithPrompter(&consenter{t: t}))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	if err := db.PingContext(t.Context()); !errors.Is(err, auth.ErrStoreUnavailable) {
		t.Errorf("got %v; want auth.ErrStoreUnavailable", err)
	}
	if got := signIn.Counts().AuthPages; got != 0 {
		t.Errorf("the user was asked %d times for a sign-in that can't be kept; want 0", got)
	}
	if kept, err := filepath.Glob(filepath.Join(dir, "*.json")); err != nil || len(kept) > 0 {
		t.Errorf("got files %q, %v; want none", kept, err)
	}
}
