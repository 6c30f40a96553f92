package auth

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	requestTimeout = 30 * time.Second
	maxBody        = 1 << 20
	// A token's lifetime is kept within these limits. An answer with no
	// lifetime or a wrong one must not lead to a loop of refreshes, nor to a
	// token that is never refreshed.
	minTokenLife = time.Minute
	maxTokenLife = 24 * time.Hour
)

// grant is a checked answer of the token endpoint.
type grant struct {
	accessToken  string
	refreshToken string // "" if the answer had none
	life         time.Duration
	scopes       []string // nil if the answer has none, which means those requested
	idToken      string
}

// endpoint talks to the token and revocation endpoints, with one POST for each call.
type endpoint struct {
	client    *Client
	http      *http.Client
	authStyle oauth2.AuthStyle // how the client authenticates; never AuthStyleAutoDetect
}

// newEndpoint uses the transport of base. Redirects are refused, because they
// would send the refresh token elsewhere. Connections are not kept, because
// there is one request an hour.
func newEndpoint(client *Client, base *http.Client) *endpoint {
	h := &http.Client{}
	if base != nil {
		h.Transport = base.Transport
	}
	h.Transport = onceTransport{signInTransport(h.Transport)}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h.Timeout = requestTimeout
	return &endpoint{client: client, http: h, authStyle: oauth2.AuthStyleInParams}
}

func (e *endpoint) config(redirectURI string) *oauth2.Config {
	return &oauth2.Config{
		ClientID:     e.client.id,
		ClientSecret: e.client.secret,
		RedirectURL:  redirectURI,
		Endpoint: oauth2.Endpoint{
			AuthURL:  e.client.authURL,
			TokenURL: e.client.tokenURL,
			// Anything but a fixed style makes oauth2 try twice.
			AuthStyle: e.authStyle,
		},
	}
}

func (e *endpoint) context(ctx context.Context) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, e.http)
}

// exchange turns a code into tokens (RFC 6749, section 4.1.3). It is never
// repeated, because a code may be sent only once.
func (e *endpoint) exchange(ctx context.Context, code, verifier, redirectURI string) (*grant, error) {
	tok, err := e.config(redirectURI).Exchange(e.context(ctx), code, oauth2.VerifierOption(verifier))
	if err != nil {
		return nil, e.failure("sign-in", err, code, verifier)
	}
	g, err := checkToken("sign-in", tok)
	if err == nil && g.refreshToken == "" {
		err = &Error{Op: "sign-in", Description: "the answer has no refresh token",
			Hint: "remove the application's access at https://myaccount.google.com/connections and sign in again"}
	}
	return g, err
}

// refresh turns a refresh token into an access token (RFC 6749, section 6).
func (e *endpoint) refresh(ctx context.Context, refreshToken string) (*grant, error) {
	src := e.config("").TokenSource(e.context(ctx), &oauth2.Token{RefreshToken: refreshToken})
	tok, err := src.Token()
	if err != nil {
		return nil, e.failure("refresh", err, refreshToken)
	}
	g, err := checkToken("refresh", tok)
	if err == nil && g.refreshToken == refreshToken {
		g.refreshToken = "" // oauth2 repeats the one that was sent
	}
	return g, err
}

// revoke ends a grant (RFC 7009). gone reports whether the server answered that
// the token was already invalid; no other refusal proves that.
func (e *endpoint) revoke(ctx context.Context, token string) (gone bool, err error) {
	form := url.Values{"token": {token}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.client.revokeURL(),
		strings.NewReader(form.Encode()))
	if err != nil {
		return false, &Error{Op: "revoke", Description: "the request could not be made"}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := e.http.Do(req)
	if err != nil {
		return false, e.failure("revoke", err, token)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	switch {
	case resp.StatusCode == http.StatusOK:
		return false, nil
	case err != nil:
		return false, e.failure("revoke", err, token)
	}
	refusal := e.answered("revoke", resp.StatusCode, resp.Header, body, token)
	if resp.StatusCode == http.StatusBadRequest && refusal.Code == "invalid_token" {
		return true, nil
	}
	return false, refusal
}

// checkToken refuses an answer that is not usable.
func checkToken(op string, tok *oauth2.Token) (*grant, error) {
	switch {
	case tok.AccessToken == "":
		return nil, &Error{Op: op, Description: "the answer has no access token"}
	case !strings.EqualFold(tok.TokenType, "bearer"):
		return nil, &Error{Op: op, Description: "the answer's token type is not Bearer"}
	case !headerSafe(tok.AccessToken) || !headerSafe(tok.RefreshToken):
		return nil, &Error{Op: op, Description: "the answer's tokens have characters that no token has"}
	}
	g := &grant{accessToken: tok.AccessToken, refreshToken: tok.RefreshToken, life: tokenLife(tok.ExpiresIn)}
	if scope, ok := tok.Extra("scope").(string); ok && scope != "" {
		g.scopes = strings.Fields(scope)
	}
	g.idToken, _ = tok.Extra("id_token").(string)
	return g, nil
}

// headerSafe reports whether a token consists of visible ASCII, as RFC 6749,
// appendix A requires.
func headerSafe(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func tokenLife(seconds int64) time.Duration {
	if seconds > math.MaxInt64/int64(time.Second) {
		return maxTokenLife
	}
	return min(max(time.Duration(seconds)*time.Second, minTokenLife), maxTokenLife)
}

// failure returns the error of a request. It does not wrap errors of oauth2,
// because they hold the whole answer.
func (e *endpoint) failure(op string, err error, secrets ...string) *Error {
	if re, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return e.answered(op, re.Response.StatusCode, re.Response.Header, re.Body, secrets...)
	}
	if ue, ok := errors.AsType[*url.Error](err); ok {
		out := &Error{Op: op, Description: "the token endpoint could not be reached", transient: true}
		switch {
		case errors.Is(ue, context.Canceled):
			out.cause, out.transient = context.Canceled, false
		case ue.Timeout():
			out.Description = "the token endpoint did not answer in time"
			out.cause = context.DeadlineExceeded
		default:
			out.Description += ": " + printable(ue.Err.Error(), append(secrets, e.client.secret)...)
		}
		return out
	}
	return &Error{Op: op, Description: "the token endpoint's answer could not be read", transient: true}
}

// answered returns the error of an error answer. It uses only the fields that
// RFC 6749, section 5.2, names, and Google's error_subtype.
func (e *endpoint) answered(op string, status int, header http.Header, body []byte, secrets ...string) *Error {
	var fields struct {
		Error       any `json:"error"`
		Description any `json:"error_description"`
		Subtype     any `json:"error_subtype"`
	}
	// A body that is not JSON leaves the fields empty; the status is enough.
	_ = json.Unmarshal(body, &fields)
	secrets = append(secrets, e.client.secret)
	text := func(v any) string { s, _ := v.(string); return printable(s, secrets...) }
	out := &Error{Op: op, Status: status, Code: text(fields.Error), Subtype: text(fields.Subtype),
		Description: text(fields.Description)}
	if out.Code == "" && out.Description == "" {
		out.Description = statusText(status, header, body)
	}
	classify(out, header)
	return out
}
