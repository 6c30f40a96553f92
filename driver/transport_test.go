package driver_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// company is a network with a certificate authority and a proxy of its own: a sign-in, REST and a Storage Read API
// whose certificates no other client knows.
type company struct {
	google        *fakegoogle.Server
	signIn, rest  *httptest.Server
	storage       string
	pool          *x509.CertPool
	mu            sync.Mutex
	quota         map[string]string // by REST and Storage
	tunnels       []string          // what the proxy was asked for
	proxy         *url.URL
	secureProxy   *url.URL // the same over TLS
	storageCalled chan struct{}
}

func newCompany(t *testing.T) *company {
	t.Helper()
	c := &company{google: fakegoogle.New(fakegoogle.Options{}), quota: map[string]string{},
		storageCalled: make(chan struct{}, 16)}
	c.signIn = httptest.NewUnstartedServer(c.google)
	c.signIn.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail on purpose
	c.signIn.StartTLS()
	t.Cleanup(c.signIn.Close)
	c.google.SetURL(c.signIn.URL)
	bigQuery := fakebq.New(fakebq.Options{})
	table, err := fakebq.NewTable([]fakebq.Field{{Name: "i", Type: "INTEGER"}}, 1000,
		func(i int) []any { return []any{i} })
	if err != nil {
		t.Fatal(err)
	}
	bigQuery.On("SELECT i FROM t", fakebq.Answer{Table: table, PageSize: 100})
	t.Cleanup(func() { bigQuery.Close() })
	c.rest = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.note("REST", r.Header.Get("X-Goog-User-Project"))
		bigQuery.ServeHTTP(w, r)
	}))
	t.Cleanup(c.rest.Close)
	c.pool = x509.NewCertPool()
	c.pool.AddCert(c.signIn.Certificate())

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: c.signIn.TLS.Certificates})),
		grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
			md, _ := metadata.FromIncomingContext(s.Context())
			c.note("Storage", strings.Join(md.Get("x-goog-user-project"), ","))
			c.storageCalled <- struct{}{}
			return errors.New("rows come by REST")
		}))
	go server.Serve(ln)
	t.Cleanup(server.Stop)
	c.storage = "https://" + ln.Addr().String()

	c.proxy = c.newProxy(t, httptest.NewServer)
	c.secureProxy = c.newProxy(t, httptest.NewTLSServer)
	return c
}

func (c *company) newProxy(t *testing.T, serve func(http.Handler) *httptest.Server) *url.URL {
	proxy := serve(http.HandlerFunc(c.tunnel))
	t.Cleanup(proxy.Close)
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("ada", "proxy-password")
	return u
}

func (c *company) note(api, quota string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.quota[api] = quota
}

// tunnel is the proxy.
func (c *company) tunnel(w http.ResponseWriter, r *http.Request) {
	r2 := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	if user, password, _ := r2.BasicAuth(); r.Method != http.MethodConnect || user != "ada" ||
		password != "proxy-password" {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	c.mu.Lock()
	c.tunnels = append(c.tunnels, r.Host)
	c.mu.Unlock()
	to, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.WriteHeader(http.StatusOK)
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		to.Close()
		return
	}
	go func() { io.Copy(to, bufio.NewReader(buffered)); to.Close() }()
	io.Copy(from, to)
	from.Close()
}

// open opens a database that signs in and reads by both APIs.
func (c *company) open(t *testing.T, change func(*dsn.Config), opts ...driver.Option) *sql.DB {
	t.Helper()
	cfg := &dsn.Config{
		Project: "my-project", Login: "manual", TokenStore: "memory",
		Endpoint: c.rest.URL, StorageEndpoint: c.storage, ReadAPI: "storage",
	}
	if change != nil {
		change(cfg)
	}
	connector, err := driver.NewConnector(cfg, append(opts, driver.WithClientSecrets(c.google.ClientSecrets()),
		driver.WithPrompter(companyUser{t, c}))...)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

// companyUser consents in a browser that knows the company's authority.
type companyUser struct {
	t *testing.T
	c *company
}

func (u companyUser) Prompt(ctx context.Context, p auth.Prompt) error {
	web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: u.c.pool}}}
	go consent(ctx, u.t, web, p.URL)
	return nil
}

// read reads a result and reports whether the Storage Read API was reached for it.
func (c *company) read(ctx context.Context, db *sql.DB) (storage bool, err error) {
	rows, err := db.QueryContext(ctx, "SELECT i FROM t")
	if err != nil {
		return false, err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	if err := rows.Err(); err == nil && n != 1000 {
		return false, errors.New("rows are missing")
	}
	select {
	case <-c.storageCalled:
		return true, rows.Err()
	default:
		return false, rows.Err()
	}
}

// TestOneNetworkStack: the sign-in, REST and the Storage Read API follow one setting, given or http.DefaultTransport's.
// Tests that replace the default run alone.
func TestOneNetworkStack(t *testing.T) {
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	var wrapped sync.Map
	wrap := func(base http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			wrapped.Store(r.URL.Host, true)
			return base.RoundTrip(r)
		})
	}
	for _, tt := range []struct {
		name      string
		transport func(c *company) *http.Transport // http.DefaultTransport
		options   func(c *company) []driver.Option
		proxied   bool
		refused   bool // the sign-in fails: the authority is unknown
	}{
		{"nothing set", nil, nil, false, true},
		{"default transport with authority", func(c *company) *http.Transport {
			return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pool}}
		}, nil, false, false},
		{"default transport with authority and proxy", func(c *company) *http.Transport {
			return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pool}, Proxy: http.ProxyURL(c.proxy)}
		}, nil, true, false},
		{"default transport that does not verify", func(*company) *http.Transport {
			return &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		}, nil, false, true},
		{"WithTLSConfig", nil, func(c *company) []driver.Option {
			return []driver.Option{driver.WithTLSConfig(&tls.Config{RootCAs: c.pool})}
		}, false, false},
		{"WithTLSConfig that does not verify", nil, func(*company) []driver.Option {
			return []driver.Option{driver.WithTLSConfig(&tls.Config{InsecureSkipVerify: true})}
		}, false, true},
		{"WithHTTPTransport", nil, func(c *company) []driver.Option {
			return []driver.Option{driver.WithHTTPTransport(&http.Transport{
				TLSClientConfig: &tls.Config{RootCAs: c.pool}, Proxy: http.ProxyURL(c.proxy),
			})}
		}, true, false},
		{"WithHTTPTransport and WithTLSConfig", nil, func(c *company) []driver.Option {
			return []driver.Option{driver.WithHTTPTransport(&http.Transport{Proxy: http.ProxyURL(c.proxy)}),
				driver.WithTLSConfig(&tls.Config{RootCAs: c.pool})}
		}, true, false},
		{"WithRoundTripper", nil, func(c *company) []driver.Option {
			return []driver.Option{driver.WithRoundTripper(wrap), driver.WithTLSConfig(&tls.Config{RootCAs: c.pool})}
		}, false, false},
		{"nil everywhere", func(c *company) *http.Transport {
			return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pool}}
		}, func(*company) []driver.Option {
			return []driver.Option{driver.WithRoundTripper(nil), driver.WithTLSConfig(nil),
				driver.WithHTTPTransport(nil),
				driver.WithAuthenticator(nil)}
		}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t)
			http.DefaultTransport = standard
			if tt.transport != nil {
				http.DefaultTransport = tt.transport(c)
			}
			var opts []driver.Option
			if tt.options != nil {
				opts = tt.options(c)
			}
			db := c.open(t, nil, opts...)
			storage, err := c.read(t.Context(), db)
			if tt.refused {
				if err == nil || !strings.Contains(err.Error(), "certificate") {
					t.Errorf("got %v; want an error about the certificate", err)
				}
				return
			}
			if err != nil || !storage {
				t.Fatalf("%v; Storage Read API reached: %v", err, storage)
			}
			hosts := map[string]string{"sign-in": c.signIn.URL, "REST": c.rest.URL, "Storage": c.storage}
			for api, address := range hosts {
				host := strings.TrimPrefix(address, "https://")
				c.mu.Lock()
				got := strings.Contains(strings.Join(c.tunnels, " "), host)
				c.mu.Unlock()
				if got != tt.proxied {
					t.Errorf("%s through the proxy: %v; want %v", api, got, tt.proxied)
				}
				if _, ok := wrapped.Load(host); ok != (tt.name == "WithRoundTripper" && api != "Storage") {
					t.Errorf("%s seen by the round tripper: %v", api, ok)
				}
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestQuotaProject: the DSN's, else the environment's, else that of the credentials, for both APIs alike.
func TestQuotaProject(t *testing.T) {
	file := filepath.Join(t.TempDir(), "adc.json")
	userFile := `{"type": "authorized_user", "client_id": "x", "client_secret": "y", "refresh_token": "z",
		"quota_project_id": "of-the-file"}`
	if err := os.WriteFile(file, []byte(userFile), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	for _, tt := range []struct{ name, key, env, auth, want string }{
		{"none", "", "", "", ""},
		{"DSN", "of-the-dsn", "", "", "of-the-dsn"},
		{"environment", "", "of-the-environment", "", "of-the-environment"},
		{"DSN before the environment", "of-the-dsn", "of-the-environment", "", "of-the-dsn"},
		{"file", "", "", "adc", "of-the-file"},
		{"environment before the file", "", "of-the-environment", "adc", "of-the-environment"},
		{"no sign-in", "of-the-dsn", "of-the-environment", "none", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(driver.QuotaProjectEnv, tt.env)
			c := newCompany(t)
			t.Setenv(driver.TrustedHostsEnv, "127.0.0.1")
			// The token endpoint of the file is Google's: here it answers from this process.
			answer := func(base http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					if r.URL.Host == "oauth2.googleapis.com" {
						return &http.Response{StatusCode: 200,
							Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
							Body: io.NopCloser(strings.NewReader(`{"access_token":"ya29.x","token_type":"Bearer","expires_in":3600}`))}, nil
					}
					return base.RoundTrip(r)
				})
			}
			db := c.open(t, func(cfg *dsn.Config) { cfg.QuotaProject, cfg.Auth = tt.key, tt.auth },
				driver.WithTLSConfig(&tls.Config{RootCAs: c.pool}), driver.WithRoundTripper(answer))
			if storage, err := c.read(t.Context(), db); err != nil || !storage {
				t.Fatalf("%v; Storage Read API reached: %v", err, storage)
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			for _, api := range []string{"REST", "Storage"} {
				if c.quota[api] != tt.want {
					t.Errorf("%s: got quota project %q; want %q", api, c.quota[api], tt.want)
				}
			}
		})
	}
}
