package fakegoogle

import "net/http"

// serveRevoke ends a grant. As at Google it ends all grants of the user to clients of the same
// project, on all machines.
func (s *Server) serveRevoke(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		writeOAuthError(w, &oauthError{http.StatusBadRequest, "invalid_request", "unreadable form"})
		return
	}
	s.mu.Lock()
	s.counts.Revokes++
	s.forms = append(s.forms, r.PostForm)
	reply := pop(&s.revokeQ)
	s.mu.Unlock()
	if reply != nil && s.play(w, r, *reply) {
		return
	}
	if r.URL.RawQuery != "" {
		// Google also accepts the token in the URL, but URLs end up in logs.
		writeOAuthError(w, &oauthError{http.StatusBadRequest, "invalid_request", "The token belongs in the form body."})
		return
	}
	if !s.revokeToken(r.PostForm.Get("token")) {
		writeOAuthError(w, &oauthError{http.StatusBadRequest, "invalid_token", "Token expired or revoked"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{}) // without the lock, because a function that stores state calls State
}

// revokeToken ends the grant of a token. It returns false for an unknown token.
func (s *Server) revokeToken(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, ok := s.access[token]
	if rg, isRefresh := s.refresh[token]; isRefresh {
		g, ok = Grant(rg), true
	}
	if ok {
		s.endGrants(g.Sub, g.ClientID)
	}
	return ok
}

// RevokeAccount ends all grants of a user, as the user can do on Google's account page.
func (s *Server) RevokeAccount(email string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.account(email)
	if !ok {
		return
	}
	for _, c := range s.opts.Clients {
		s.endGrants(a.Sub, c.ClientID)
	}
}

// ExpireAccessTokens makes all access tokens invalid. Refresh tokens stay valid.
func (s *Server) ExpireAccessTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// endGrants removes the tokens of one account for all clients of the project of clientID. The
// caller holds s.mu.
func (s *Server) endGrants(sub, clientID string) {
	project := func(id string) string {
		if c, ok := s.client(id); ok && c.ProjectID != "" {
			return "project " + c.ProjectID
		}
		return "client " + id
	}
	for token, g := range s.access {
		if g.Sub == sub && project(g.ClientID) == project(clientID) {
			delete(s.access, token)
		}
	}
	for token, g := range s.refresh {
		if g.Sub == sub && project(g.ClientID) == project(clientID) {
			delete(s.refresh, token)
		}
	}
}
