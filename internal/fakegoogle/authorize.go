package fakegoogle

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// codeLife is how long a code can be exchanged (RFC 6749, section 4.1.2,
// recommends ten minutes at most).
const codeLife = 10 * time.Minute

// authRequest is a checked authorization request.
type authRequest struct {
	client      ClientRegistration
	redirectURI string
	scopes      []string
	challenge   string
	state       string
	loginHint   string
	prompt      string
	accessType  string
	nonce       string
}

// codeGrant is the grant of a code.
type codeGrant struct {
	authRequest
	account Account
	granted []string
	expiry  time.Time
	used    bool
}

// checkAuthRequest returns the request, or the code of the error page that Google shows instead of
// redirecting.
func (s *Server) checkAuthRequest(q url.Values) (authRequest, string) {
	for _, vs := range q {
		if len(vs) > 1 {
			return authRequest{}, "invalid_request"
		}
	}
	client, ok := s.client(q.Get("client_id"))
	if !ok {
		return authRequest{}, "invalid_client"
	}
	req := authRequest{
		client:      client,
		redirectURI: q.Get("redirect_uri"),
		scopes:      strings.Fields(q.Get("scope")),
		challenge:   q.Get("code_challenge"),
		state:       q.Get("state"),
		loginHint:   q.Get("login_hint"),
		prompt:      q.Get("prompt"),
		accessType:  q.Get("access_type"),
		nonce:       q.Get("nonce"),
	}
	switch {
	case !redirectAllowed(client, req.redirectURI):
		return authRequest{}, "redirect_uri_mismatch"
	case q.Get("response_type") != "code", len(req.scopes) == 0:
		return authRequest{}, "invalid_request"
	case q.Get("code_challenge_method") != "S256", len(req.challenge) != 43:
		// Google also accepts "plain" and no PKCE; no client here should use them.
		return authRequest{}, "invalid_request"
	}
	return req, ""
}

// redirectAllowed follows Google's rules: a desktop client may use any port and path of a loopback
// host, a web client only registered URIs.
func redirectAllowed(c ClientRegistration, uri string) bool {
	if c.Kind == "web" {
		return slices.Contains(c.RedirectURIs, uri)
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return false
	}
	if u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

func (s *Server) serveConsentPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.counts.AuthPages++
	s.mu.Unlock()
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		writeErrorPage(w, "invalid_request")
		return
	}
	req, code := s.checkAuthRequest(q)
	if code != "" {
		writeErrorPage(w, code)
		return
	}
	id := newSecret("req-")
	s.mu.Lock()
	s.pending[id] = req
	s.mu.Unlock()
	s.writeConsentPage(w, r.URL.Path, id, req)
}

// serveConsentAnswer handles the consent form.
func (s *Server) serveConsentAnswer(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		writeErrorPage(w, "invalid_request")
		return
	}
	id := r.PostForm.Get("request")
	s.mu.Lock()
	req, ok := s.pending[id]
	delete(s.pending, id)
	s.mu.Unlock()
	if !ok {
		writeErrorPage(w, "invalid_request")
		return
	}
	answer := url.Values{}
	if req.state != "" {
		answer.Set("state", req.state)
	}
	answer.Set("iss", s.issuer())
	if r.PostForm.Get("decision") != "allow" {
		answer.Set("error", "access_denied")
		s.mu.Lock()
		s.counts.Denials++
		s.mu.Unlock()
		s.redirect(w, r, req.redirectURI, answer)
		return
	}
	account, ok := s.account(r.PostForm.Get("account"))
	if !ok {
		writeErrorPage(w, "invalid_request")
		return
	}
	granted := req.scopes
	if granular(req.scopes) {
		granted = slices.DeleteFunc(slices.Clone(req.scopes), func(scope string) bool {
			return !signInScope(scope) && !slices.Contains(r.PostForm["scope"], scope)
		})
	}
	code := newSecret("4/0A")
	s.mu.Lock()
	s.counts.Consents++
	s.codes[code] = &codeGrant{
		authRequest: req, account: account, granted: granted,
		expiry: s.opts.Now().Add(codeLife),
	}
	s.mu.Unlock()
	answer.Set("code", code)
	answer.Set("scope", strings.Join(spell(granted), " "))
	answer.Set("authuser", "0")
	answer.Set("prompt", "consent")
	if account.HostedDomain != "" {
		answer.Set("hd", account.HostedDomain)
	}
	s.redirect(w, r, req.redirectURI, answer)
}

func (s *Server) redirect(w http.ResponseWriter, r *http.Request, uri string, answer url.Values) {
	s.mu.Lock()
	edit := s.editCall
	s.mu.Unlock()
	if edit != nil {
		edit(answer)
	}
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, uri+sep+answer.Encode(), http.StatusFound)
}

func signInScope(scope string) bool {
	switch scope {
	case "openid", "email", "profile",
		"https://www.googleapis.com/auth/userinfo.email",
		"https://www.googleapis.com/auth/userinfo.profile":
		return true
	}
	return false
}

// granular reports whether Google would show a checkbox for each scope: for two or more scopes, of
// which at least one is not a sign-in scope.
func granular(scopes []string) bool {
	return len(scopes) > 1 && slices.ContainsFunc(scopes, func(s string) bool { return !signInScope(s) })
}

// spell writes scopes as Google's answers do: the short sign-in names become URLs.
func spell(scopes []string) []string {
	out := make([]string, len(scopes))
	for i, scope := range scopes {
		switch scope {
		case "email", "profile":
			scope = "https://www.googleapis.com/auth/userinfo." + scope
		}
		out[i] = scope
	}
	return out
}
