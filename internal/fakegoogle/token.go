package fakegoogle

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Grant is the grant of an access token.
type Grant struct {
	Email    string    `json:"email"`
	Sub      string    `json:"sub"`
	ClientID string    `json:"client_id"`
	Scopes   []string  `json:"scopes"`
	Expiry   time.Time `json:"expiry"`
}

// refreshGrant is the grant of a refresh token. A zero expiry means that the token does not expire.
type refreshGrant Grant

// Verify returns the grant of an access token; false if it is unknown, expired or revoked.
func (s *Server) Verify(accessToken string) (Grant, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.access[accessToken]
	if !ok || !s.opts.Now().Before(g.Expiry) {
		return Grant{}, false
	}
	g.Scopes = slices.Clone(g.Scopes)
	return g, true
}

// oauthError is an error answer of the token endpoint (RFC 6749, section 5.2).
type oauthError struct {
	status            int
	code, description string
}

func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		writeOAuthError(w, &oauthError{http.StatusBadRequest, "invalid_request", "unreadable form"})
		return
	}
	form := r.PostForm
	s.mu.Lock()
	s.forms = append(s.forms, form)
	switch form.Get("grant_type") {
	case "authorization_code":
		s.counts.Exchanges++
	case "refresh_token":
		s.counts.Refreshes++
	}
	reply := pop(&s.tokenQ)
	s.mu.Unlock()
	if reply != nil && s.play(w, r, *reply) {
		return
	}

	client, oerr := s.authenticate(r)
	var answer map[string]any
	if oerr == nil {
		switch form.Get("grant_type") {
		case "authorization_code":
			answer, oerr = s.exchange(client, form)
		case "refresh_token":
			answer, oerr = s.refreshToken(client, form)
		default:
			oerr = &oauthError{http.StatusBadRequest, "unsupported_grant_type",
				"Invalid grant_type: " + form.Get("grant_type")}
		}
	}
	if oerr != nil {
		writeOAuthError(w, oerr)
		return
	}
	s.mu.Lock()
	edit := s.editTok
	s.mu.Unlock()
	if edit != nil {
		edit(answer)
	}
	writeJSON(w, http.StatusOK, answer)
}

// authenticate returns the client. An installed client may omit its secret, as Google allows. A
// wrong secret is refused, and a web client must send its secret.
func (s *Server) authenticate(r *http.Request) (ClientRegistration, *oauthError) {
	for _, key := range []string{"client_id", "client_secret", "code", "code_verifier", "redirect_uri",
		"refresh_token", "grant_type"} {
		if len(r.PostForm[key]) > 1 || r.URL.Query().Has(key) {
			return ClientRegistration{}, &oauthError{http.StatusBadRequest, "invalid_request",
				"Parameter repeated or in the URL: " + key}
		}
	}
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	c, ok := s.client(id)
	if !ok {
		return c, &oauthError{http.StatusUnauthorized, "invalid_client", "The OAuth client was not found."}
	}
	wrong := subtle.ConstantTimeCompare([]byte(secret), []byte(c.ClientSecret)) != 1
	if wrong && (secret != "" || c.Kind == "web") {
		return c, &oauthError{http.StatusUnauthorized, "invalid_client", "Unauthorized"}
	}
	return c, nil
}

func (s *Server) exchange(client ClientRegistration, form url.Values) (map[string]any, *oauthError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	badGrant := func(text string) (map[string]any, *oauthError) {
		return nil, &oauthError{http.StatusBadRequest, "invalid_grant", text}
	}
	code := s.codes[form.Get("code")]
	switch {
	case code == nil:
		return badGrant("Malformed auth code.")
	case code.used:
		return badGrant("Bad Request")
	}
	code.used = true // also if a check below fails, because a code works once
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	switch {
	case !s.opts.Now().Before(code.expiry):
		return badGrant("Bad Request")
	case code.client.ClientID != client.ClientID:
		return nil, &oauthError{http.StatusUnauthorized, "unauthorized_client", "Unauthorized"}
	case code.redirectURI != form.Get("redirect_uri"):
		return nil, &oauthError{http.StatusBadRequest, "redirect_uri_mismatch", "Bad Request"}
	case form.Get("code_verifier") == "":
		return badGrant("Missing code verifier.")
	case len(form.Get("code_verifier")) < 43 || len(form.Get("code_verifier")) > 128,
		base64.RawURLEncoding.EncodeToString(sum[:]) != code.challenge:
		return badGrant("Invalid code verifier.")
	}
	grant := Grant{Email: code.account.Email, Sub: code.account.Sub, ClientID: client.ClientID, Scopes: code.granted}
	answer := s.issueAccess(grant, code.nonce)
	if client.Kind == "installed" || code.accessType == "offline" {
		answer["refresh_token"] = s.issueRefresh(grant)
	}
	return answer, nil
}

func (s *Server) refreshToken(client ClientRegistration, form url.Values) (map[string]any, *oauthError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := form.Get("refresh_token")
	g, ok := s.refresh[token]
	if !ok || !g.Expiry.IsZero() && !s.opts.Now().Before(g.Expiry) {
		return nil, &oauthError{http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked."}
	}
	if g.ClientID != client.ClientID {
		return nil, &oauthError{http.StatusUnauthorized, "unauthorized_client", "Unauthorized"}
	}
	answer := s.issueAccess(Grant(g), "")
	if s.opts.RotateRefreshTokens {
		delete(s.refresh, token)
		answer["refresh_token"] = s.issueRefresh(Grant(g))
	}
	return answer, nil
}

// issueAccess creates an access token and the answer with it. The caller holds s.mu.
func (s *Server) issueAccess(g Grant, nonce string) map[string]any {
	now := s.opts.Now()
	g.Expiry = now.Add(s.opts.AccessTokenLife)
	token := newSecret("ya29.")
	s.access[token] = g
	answer := map[string]any{
		"access_token": token,
		"expires_in":   int(s.opts.AccessTokenLife / time.Second),
		"scope":        strings.Join(spell(g.Scopes), " "),
		"token_type":   "Bearer",
	}
	if slices.Contains(g.Scopes, "openid") {
		answer["id_token"] = s.idToken(g, now, nonce)
	}
	return answer
}

// issueRefresh creates a refresh token. The caller holds s.mu.
func (s *Server) issueRefresh(g Grant) string {
	g.Expiry = time.Time{}
	if s.opts.RefreshTokenLife > 0 {
		g.Expiry = s.opts.Now().Add(s.opts.RefreshTokenLife)
	}
	token := newSecret("1//0")
	s.refresh[token] = refreshGrant(g)
	return token
}

func writeOAuthError(w http.ResponseWriter, e *oauthError) {
	writeJSON(w, e.status, map[string]any{"error": e.code, "error_description": e.description})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
