package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// googleClient is the client_secrets.json of a client of Google's.
const googleClient = `{"installed": {"client_id": "1-a.apps.googleusercontent.com", "client_secret": "x",
	"auth_uri": "https://accounts.google.com/o/oauth2/auth", "token_uri": "https://oauth2.googleapis.com/token"}}`

// localClient is that of a server on this machine.
const localClient = `{"installed": {"client_id": "1-a.apps.googleusercontent.com", "client_secret": "x",
	"auth_uri": "http://127.0.0.1:1/auth", "token_uri": "http://127.0.0.1:1/token"}}`

// TestTrustedEndpoints: which endpoints may get access tokens, for REST and the Storage Read API alike.
func TestTrustedEndpoints(t *testing.T) {
	file := filepath.Join(t.TempDir(), "adc.json")
	userFile := `{"type": "authorized_user", "client_id": "x", "client_secret": "y", "refresh_token": "z"}`
	if err := os.WriteFile(file, []byte(userFile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	const (
		user  = 1 << iota // with a client of Google's
		adc               // application-default credentials
		local             // with a client of loopback
		own               // with the program's own source of tokens
		none  = 0
		all   = user | adc | local | own
		here  = local | own
	)
	tests := []struct {
		name, url string
		allowed   int
	}{
		{"BigQuery", "https://bigquery.googleapis.com", all},
		{"Storage Read API", "https://bigquerystorage.googleapis.com", all},
		{"with its port", "https://bigquery.googleapis.com:443/", all},
		{"with a path", "https://bigquery.googleapis.com/bigquery/v2/", all},
		{"capitals", "https://BigQuery.GoogleAPIs.com", all},
		{"regional", "https://bigquery.europe-west3.rep.googleapis.com", all},
		{"regional Storage", "https://bigquerystorage.us-central1.rep.googleapis.com", all},
		{"locational", "https://us-east4-bigquery.googleapis.com", all},
		{"mutual TLS", "https://bigquery.mtls.googleapis.com", all},
		{"Private Service Connect", "https://bigquery-mine.p.googleapis.com", all},
		{"private", "https://private.googleapis.com", all},
		{"restricted", "https://restricted.googleapis.com", all},
		{"loopback", "http://127.0.0.1:9050", here},
		{"loopback over TLS", "https://127.0.0.1:9050", here},
		{"IPv6 loopback", "http://[::1]:9050", here},
		{"localhost", "http://localhost:9050", here},
		{"another loopback address", "http://127.9.9.9:9050", here},
		{"mapped loopback address", "http://[::ffff:127.0.0.1]:9050", here},
		{"other host", "https://evil.example", none},
		{"host that begins like Google's", "https://bigquery.googleapis.com.evil.example", none},
		{"host that ends like Google's", "https://bigquery.evilgoogleapis.com", none},
		{"hyphen for a dot", "https://bigquery-googleapis.com", none},
		{"path like Google's", "https://evil.example/bigquery.googleapis.com", none},
		{"path like a host", "https://evil.example/.googleapis.com", none},
		{"dot at the end", "https://bigquery.googleapis.com.", none},
		{"two dots", "https://bigquery..googleapis.com", none},
		{"region with more labels", "https://bigquery.a.b.rep.googleapis.com", none},
		{"region that is empty", "https://bigquery..rep.googleapis.com", none},
		{"other port", "https://bigquery.googleapis.com:8443", none},
		{"bare domain", "https://googleapis.com", none},
		{"other service", "https://storage.googleapis.com", none},
		{"look-alike in punycode", "https://bigquery.xn--googleapis-9za.com", none},
		{"loopback that goes on", "https://127.0.0.1.evil.example", none},
		{"localhost with a dot", "https://localhost.", none},
		{"below localhost", "https://evil.localhost", none},
		{"all interfaces", "https://0.0.0.0:9050", none},
		{"number for an address", "https://2130706433", none},
		{"private network", "https://10.0.0.1", none},
		{"metadata", "https://169.254.169.254", none},
	}
	for _, tt := range tests {
		for kind, name := range map[int]string{user: "user", adc: "adc", local: "local", own: "own"} {
			for _, key := range []string{"endpoint", "storage_endpoint"} {
				cfg := &dsn.Config{Project: "p", TokenStore: "memory", Endpoint: tt.url}
				if key == "storage_endpoint" {
					cfg.Endpoint, cfg.StorageEndpoint = "", tt.url
				}
				var opts []driver.Option
				switch kind {
				case user:
					opts = append(opts, driver.WithClientSecrets([]byte(googleClient)))
				case local:
					opts = append(opts, driver.WithClientSecrets([]byte(localClient)))
				case own:
					opts = append(opts, driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})))
				case adc:
					cfg.Auth = "adc"
				}
				connector, err := driver.NewConnector(cfg, opts...)
				if connector != nil {
					connector.Close()
				}
				wantTrust(t, tt.name+", "+name, key, err, tt.allowed&kind != 0)
			}
		}
	}
}

// wantTrust checks that a connector was refused for its endpoint, or was not.
func wantTrust(t *testing.T, name, key string, err error, allowed bool) {
	t.Helper()
	e, ok := errors.AsType[*dsn.Error](err)
	switch {
	case allowed && err != nil:
		t.Errorf("%s: %s: %v", name, key, err)
	case !allowed && (!ok || e.Key != key || strings.Contains(err.Error(), "evil")):
		t.Errorf("%s: %s: got %v; want an error of the key that does not repeat the host", name, key, err)
	case !allowed && (!strings.Contains(err.Error(), "WithTrustedEndpoint") ||
		!strings.Contains(err.Error(), driver.TrustedHostsEnv)):
		t.Errorf("%s: %s: got %v; want what to do", name, key, err)
	}
}

// TestTrustedHosts: the hosts that the program and its environment may add.
func TestTrustedHosts(t *testing.T) {
	tests := []struct {
		name, env, option, url string
		want                   bool
	}{
		{"option", "", "gateway.example", "https://gateway.example", true},
		{"option, any port", "", "gateway.example", "https://gateway.example:8443/x", true},
		{"option with a port", "", "gateway.example:8443", "https://gateway.example:8443", true},
		{"option with another port", "", "gateway.example:8443", "https://gateway.example", false},
		{"option in capitals", "", "Gateway.Example", "https://gateway.example", true},
		{"option for loopback", "", "127.0.0.1:9050", "http://127.0.0.1:9050", true},
		{"option for other loopback", "", "127.0.0.1:9050", "http://127.0.0.1:9051", false},
		{"option for IPv6", "", "[::1]", "http://[::1]:9050", true},
		{"option, below it", "", "gateway.example", "https://x.gateway.example", false},
		{"option, above it", "", "gateway.example", "https://example", false},
		{"option, longer", "", "gateway.example", "https://gateway.example.evil.example", false},
		{"environment", "gateway.example", "", "https://gateway.example", true},
		{"environment, a list", "other.example, gateway.example:8443 ,", "", "https://gateway.example:8443", true},
		{"environment, blanks", "other.example\n gateway.example", "", "https://gateway.example", true},
		{"environment, not in it", "other.example,gateway.example:8443", "", "https://gateway.example", false},
		{"option with a scheme", "", "https://gateway.example", "https://gateway.example", false},
		{"option with a path", "", "gateway.example/x", "https://gateway.example", false},
		{"option with a star", "", "*.example", "https://gateway.example", false},
		{"option of nothing", "", "", "https://gateway.example", false},
		{"environment with a scheme", "https://gateway.example", "", "https://gateway.example", false},
		{"environment with a star", "*", "", "https://gateway.example", false},
	}
	for _, tt := range tests {
		t.Setenv(driver.TrustedHostsEnv, tt.env)
		opts := []driver.Option{driver.WithClientSecrets([]byte(googleClient))}
		if tt.option != "" || tt.name == "option of nothing" {
			opts = append(opts, driver.WithTrustedEndpoint(tt.option))
		}
		for _, cfg := range []dsn.Config{{Endpoint: tt.url}, {StorageEndpoint: tt.url}} {
			cfg.Project, cfg.TokenStore = "p", "memory"
			connector, err := driver.NewConnector(&cfg, opts...)
			if (err == nil) != tt.want {
				t.Errorf("%s: got %v; want allowed: %v", tt.name, err, tt.want)
			}
			if connector != nil {
				connector.Close()
			}
		}
	}
}

// TestTokenOverHTTP: auth=none allows plain http, but not for the tokens that the program brings all the same, even at
// a host that it trusts.
func TestTokenOverHTTP(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"http://gateway.example", "http://bigquery.googleapis.com"} {
		_, err := driver.NewConnector(&dsn.Config{Project: "p", Auth: "none", Endpoint: endpoint},
			driver.WithTrustedEndpoint("gateway.example"),
			driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "t"})))
		if err == nil || !strings.Contains(err.Error(), "https") {
			t.Errorf("%s: got %v; want an error that asks for https", endpoint, err)
		}
	}
}

// listener is a server that should get no token. It records what it gets, by HTTP and by gRPC.
type listener struct {
	url, grpcURL string
	got          atomic.Int64
}

func newListener(t *testing.T) *listener {
	t.Helper()
	l := &listener{}
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { l.got.Add(1) }))
	t.Cleanup(web.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		l.got.Add(1)
		return errors.New("no")
	}))
	go server.Serve(ln)
	t.Cleanup(server.Stop)
	l.url, l.grpcURL = web.URL, "http://"+ln.Addr().String()
	return l
}

// TestTokensStayHome: a planted DSN finds a stored sign-in of Google's and sends nothing anywhere.
func TestTokensStayHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secrets := filepath.Join(dir, "client_secrets.json")
	if err := os.WriteFile(secrets, []byte(googleClient), 0o600); err != nil {
		t.Fatal(err)
	}
	tokens := filepath.Join(dir, "tokens")
	storeSignIn(t, secrets, tokens)
	spy := newListener(t)
	plant := "bigqueryuser://my-project?login=never&client_secrets=" + secrets + "&token_dir=" + tokens
	for name, text := range map[string]string{
		"endpoint":         plant + "&endpoint=" + spy.url,
		"storage_endpoint": plant + "&storage_endpoint=" + spy.grpcURL + "&read_api=storage",
		"both":             plant + "&endpoint=" + spy.url + "&storage_endpoint=" + spy.grpcURL + "&read_api=storage",
		"somewhere":        plant + "&endpoint=https://evil.example",
	} {
		db, err := sql.Open(driver.Name, text)
		if err == nil {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			err = query(ctx, db)
			cancel()
			db.Close()
			t.Errorf("%s: sql.Open accepts it; the query ends with %v", name, err)
		} else if !strings.Contains(err.Error(), driver.TrustedHostsEnv) {
			t.Errorf("%s: got %v; want an error that says what to do", name, err)
		}
	}
	if n := spy.got.Load(); n != 0 {
		t.Errorf("the listener got %d requests; want 0", n)
	}
	// The sign-in is there: without a planted endpoint it would have been used.
	a := newAuthenticator(t, secrets, tokens)
	if _, err := a.Token(); err != nil {
		t.Errorf("the stored sign-in: %v", err)
	}
}

func newAuthenticator(t *testing.T, secrets, tokens string) *auth.Authenticator {
	t.Helper()
	client, err := auth.LoadClient(secrets)
	if err != nil {
		t.Fatal(err)
	}
	store, err := auth.FileStore(tokens)
	if err != nil {
		t.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client, Store: store, Mode: auth.ModeNever})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// storeSignIn stores a sign-in of the client, as if its user had signed in.
func storeSignIn(t *testing.T, secrets, tokens string) {
	t.Helper()
	key := storeKey(t, secrets)
	store, err := auth.FileStore(tokens)
	if err != nil {
		t.Fatal(err)
	}
	rec := &auth.Record{
		Version: 2, ClientID: "1-a.apps.googleusercontent.com", Scopes: []string{auth.ScopeBigQuery},
		RefreshToken: "1//planted-refresh-token", AccessToken: "ya29.planted-access-token",
		Created: time.Now(), Expiry: time.Now().Add(time.Hour),
	}
	if err := store.Update(t.Context(), key, func(*auth.Record) (*auth.Record, error) {
		return rec,
			nil
	}); err != nil {
		t.Fatal(err)
	}
}

// storeKey is the name under which an Authenticator of the client looks for its sign-in.
func storeKey(t *testing.T, secrets string) string {
	t.Helper()
	client, err := auth.LoadClient(secrets)
	if err != nil {
		t.Fatal(err)
	}
	asked := &keyStore{Store: auth.MemoryStore()}
	a, err := auth.New(auth.Config{Client: client, Store: asked, Mode: auth.ModeNever})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if _, err := a.Token(); !errors.Is(err, auth.ErrConsentRequired) {
		t.Fatalf("got %v; want ErrConsentRequired", err)
	}
	return asked.key
}

// keyStore notes which key it is asked for.
type keyStore struct {
	auth.Store
	key string
}

func (s *keyStore) Get(ctx context.Context, key string) (*auth.Record, error) {
	s.key = key
	return s.Store.Get(ctx, key)
}
