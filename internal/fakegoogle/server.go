package fakegoogle

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

// Account is a user who can consent.
type Account struct {
	Email        string
	Sub          string // the stable id of the account
	HostedDomain string // the Workspace domain; "" for a consumer account
}

// ClientRegistration is an OAuth client as registered in the Cloud console.
type ClientRegistration struct {
	ClientID     string
	ClientSecret string   // "" means none
	Kind         string   // "installed" (default) or "web"
	ProjectID    string   // revocation applies to all clients of a project
	RedirectURIs []string // a web client's exact redirect URIs
}

// Options configures a Server. The zero value is useful.
type Options struct {
	// Accounts are the users who can consent; default: ada@example.com.
	Accounts []Account
	// Clients are the registered OAuth clients; default: one of kind installed.
	Clients []ClientRegistration
	// Issuer is the value of `iss` in callbacks and ID tokens; default: the server's URL.
	Issuer string
	// Now is the server's clock; default time.Now.
	Now func() time.Time
	// AccessTokenLife is how long an access token works; default one hour.
	AccessTokenLife time.Duration
	// RefreshTokenLife is how long a refresh token works; 0 means for ever. For an External app in
	// Testing it is seven days.
	RefreshTokenLife time.Duration
	// RotateRefreshTokens makes every refresh token work once; its use returns the next one.
	RotateRefreshTokens bool
	// HTTP2 makes Start serve HTTP/2 over TLS, as Google does, with the certificate of package fakecert.
	HTTP2 bool
}

// Counts are the numbers of uses.
type Counts struct {
	AuthPages int // GET of the consent page
	Consents  int // pressed Allow
	Denials   int // pressed Cancel
	Exchanges int // POST /token with grant_type=authorization_code
	Refreshes int // POST /token with grant_type=refresh_token
	Revokes   int // POST /revoke
}

// Server is a Google authorization server. It is an http.Handler, and Start makes it listen. New
// returns one.
type Server struct {
	opts Options
	mux  *http.ServeMux

	mu       sync.Mutex
	base     string
	pending  map[string]authRequest // consent pages not yet answered, by request id
	codes    map[string]*codeGrant
	access   map[string]Grant
	refresh  map[string]refreshGrant
	counts   Counts
	forms    []url.Values
	tokenQ   []Reply
	revokeQ  []Reply
	editTok  func(map[string]any)
	editCall func(url.Values)

	http *http.Server
	done chan struct{} // closed when the listener's goroutine has ended
	quit chan struct{} // closed by Close; ends scripted hangs
	once sync.Once
}

var _ http.Handler = (*Server)(nil)

// New returns a server with the clients and accounts of opts.
func New(opts Options) *Server {
	if len(opts.Accounts) == 0 {
		opts.Accounts = []Account{{Email: "ada@example.com", Sub: "1001"}}
	}
	if len(opts.Clients) == 0 {
		opts.Clients = []ClientRegistration{{
			ClientID:     "1234567890-fake.apps.googleusercontent.com",
			ClientSecret: "GOCSPX-fake-client-secret",
			ProjectID:    "fake-app-project",
		}}
	}
	for i := range opts.Clients {
		if opts.Clients[i].Kind == "" {
			opts.Clients[i].Kind = "installed"
		}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.AccessTokenLife == 0 {
		opts.AccessTokenLife = time.Hour
	}
	s := &Server{
		opts:    opts,
		mux:     http.NewServeMux(),
		pending: map[string]authRequest{},
		codes:   map[string]*codeGrant{},
		access:  map[string]Grant{},
		refresh: map[string]refreshGrant{},
		quit:    make(chan struct{}),
	}
	for _, path := range []string{"/o/oauth2/v2/auth", "/o/oauth2/auth"} {
		s.mux.HandleFunc("GET "+path, s.serveConsentPage)
		s.mux.HandleFunc("POST "+path, s.serveConsentAnswer)
	}
	s.mux.HandleFunc("POST /token", s.serveToken)
	s.mux.HandleFunc("POST /revoke", s.serveRevoke)
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Start listens on a free port of 127.0.0.1 and returns the base URL.
func (s *Server) Start() (string, error) {
	if s.http != nil {
		return "", errors.New("fakegoogle: already started")
	}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	base := "http://" + ln.Addr().String()
	if s.opts.HTTP2 {
		base = "https://" + ln.Addr().String()
	}
	s.SetURL(base)
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	serve := s.http.Serve
	if s.opts.HTTP2 {
		s.http.TLSConfig = fakecert.Server("h2", "http/1.1")
		s.http.ErrorLog = log.New(io.Discard, "", 0) // from handshakes that clients give up
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		serve(ln)
	}()
	return base, nil
}

// SetURL sets the URL of a server that is mounted in another one.
func (s *Server) SetURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = strings.TrimSuffix(base, "/")
}

// URL returns the base URL, "" before Start or SetURL.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.base
}

// Close ends scripted hangs and stops listening. It may be called twice.
func (s *Server) Close() error {
	s.once.Do(func() { close(s.quit) })
	if s.http == nil {
		return nil
	}
	err := s.http.Close()
	<-s.done
	return err
}

// ClientSecrets returns the client_secrets.json of the first client, with the auth_uri and
// token_uri of this server. Call it after Start or SetURL.
func (s *Server) ClientSecrets() []byte {
	c := s.opts.Clients[0]
	base := s.URL()
	body := map[string]any{
		"client_id":                   c.ClientID,
		"project_id":                  c.ProjectID,
		"auth_uri":                    base + "/o/oauth2/v2/auth",
		"token_uri":                   base + "/token",
		"auth_provider_x509_cert_url": base + "/oauth2/v1/certs",
	}
	if c.ClientSecret != "" {
		body["client_secret"] = c.ClientSecret
	}
	switch {
	case len(c.RedirectURIs) > 0:
		body["redirect_uris"] = c.RedirectURIs
	case c.Kind == "installed":
		body["redirect_uris"] = []string{"http://localhost"}
	}
	out, err := json.MarshalIndent(map[string]any{c.Kind: body}, "", "  ")
	if err != nil {
		panic(err) // strings and maps of strings always marshal
	}
	return out
}

// Counts returns the numbers of uses so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

func (s *Server) issuer() string {
	if s.opts.Issuer != "" {
		return s.opts.Issuer
	}
	return s.URL()
}

func (s *Server) client(id string) (ClientRegistration, bool) {
	for _, c := range s.opts.Clients {
		if c.ClientID == id {
			return c, true
		}
	}
	return ClientRegistration{}, false
}

func (s *Server) account(email string) (Account, bool) {
	for _, a := range s.opts.Accounts {
		if strings.EqualFold(a.Email, email) || a.Sub == email {
			return a, true
		}
	}
	return Account{}, false
}

// newSecret returns an unguessable value with a prefix as Google's have.
func newSecret(prefix string) string { return prefix + rand.Text() + rand.Text() }
