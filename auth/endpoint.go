package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

const (
	requestTimeout = 30 * time.Second
	maxBody        = 1 << 20
	// A token's life is brought into these bounds: an answer without one, or
	// with a silly one, must lead neither to a loop of refreshes nor to a
	// token that is never refreshed.
	minTokenLife = time.Minute
	maxTokenLife = 24 * time.Hour
)

// grant is a checked answer of the token endpoint.
type grant struct {
	accessToken  string
	refreshToken string // "" if the answer had none
	life         time.Duration
	scopes       []string // nil if the answer did not say: the same as asked for
	idToken      string
}

// endpoint talks to the token and revocation endpoints, with one POST for each call.
type endpoint struct {
	client    *Client
	http      *http.Client
	authStyle oauth2.AuthStyle // how the client names itself; never AuthStyleAutoDetect
}

// newEndpoint takes the transport of base. Redirects are refused, since they
// would carry the refresh token elsewhere, and connections are not kept: there
// is one request an hour.
func newEndpoint(client *Client, base *http.Client) *endpoint {
	h := &http.Client{}
	if base != nil {
		h.Transport = base.Transport
	}
	h.Transport = signInTransport(h.Transport)
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
// repeated: a code may be sent once.
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

// revoke ends a grant (RFC 7009). gone reports whether the server says that the
// token was no good already; no other refusal proves that.
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

// headerSafe reports whether a token is of visible ASCII, as RFC 6749,
// appendix A demands.
func headerSafe(token string) bool {
	return !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

func tokenLife(seconds int64) time.Duration {
	if seconds > math.MaxInt64/int64(time.Second) {
		return maxTokenLife
	}
	return min(max(time.Duration(seconds)*time.Second, minTokenLife), maxTokenLife)
}

// failure rebuilds what went wrong with a request. Errors of oauth2 are not
// kept: they hold the whole answer.
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

// answered rebuilds an error answer from the fields that RFC 6749, section
// 5.2, names and Google's error_subtype.
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

// statusText is an answer without an OAuth error in words.
func statusText(status int, header http.Header, body []byte) string {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	html := kind == "text/html" || bytes.HasPrefix(bytes.TrimSpace(bytes.ToLower(body)), []byte("<"))
	switch {
	case html && status < 500:
		return "the answer is a web page; a proxy or a network's own sign-in page may have sent it"
	case status >= 500:
		text := http.StatusText(status)
		if text == "" {
			text = "server error"
		}
		text = "the server has a problem of its own (" + strings.ToLower(text) + ")"
		if html {
			text += " and sent a web page"
		}
		return text
	case status == http.StatusTooManyRequests:
		return "the server has had too many requests"
	case status >= 300 && status < 400:
		return "the server sends to another address, which is not followed"
	}
	return "the answer was not expected"
}

// classify says what an OAuth error means for the user.
func classify(e *Error, header http.Header) {
	switch e.Code {
	case "server_error", "temporarily_unavailable", "internal_failure":
		e.transient = true
		return
	}
	if e.Status >= 500 || e.Status == http.StatusRequestTimeout || e.Status == http.StatusTooManyRequests {
		e.transient = true
		e.Hint = "try again in a while"
		if n, err := strconv.Atoi(header.Get("Retry-After")); err == nil && n > 0 {
			e.retryAfter = time.Duration(min(n, 3600)) * time.Second
		}
		return
	}
	if e.Code == "invalid_grant" {
		if e.Op == "refresh" {
			e.kind = ErrConsentRequired
		}
		e.Hint = grantHint(e)
		return
	}
	if known, ok := oauthErrors[e.Code]; ok {
		e.kind, e.Hint = known.kind, known.hint
	}
}

// oauthErrors says what is at fault, and what to do.
var oauthErrors = map[string]struct {
	kind error
	hint string
}{
	"invalid_client":      {ErrClientConfig, clientHint},
	"deleted_client":      {ErrClientConfig, clientHint},
	"unauthorized_client": {ErrClientConfig, clientHint},
	"disabled_client": {ErrClientConfig,
		"Google has disabled the OAuth client; its owner finds the reason in the Cloud console, or uses a new client"},
	"org_internal": {ErrClientConfig,
		"the consent screen of the app is Internal; sign in with an account of its organization, or make it External"},
	"invalid_scope":          {ErrClientConfig, requestHint},
	"redirect_uri_mismatch":  {ErrClientConfig, requestHint},
	"invalid_request":        {ErrClientConfig, requestHint},
	"unsupported_grant_type": {ErrClientConfig, requestHint},
	"access_denied": {ErrConsentDenied,
		"the sign-in was cancelled, or the account is not among the test users of the app's consent screen"},
	"admin_policy_enforced": {ErrConsentDenied, adminHint},
	"restricted_client": {ErrClientConfig,
		"the OAuth client may not ask for these scopes; check its verification in the Cloud console"},
}

const (
	clientHint = "the OAuth client is unknown to Google, deleted, or its secret is wrong; " +
		"download client_secrets.json again"
	requestHint = "the request does not fit the OAuth client; check its type (\"Desktop app\") and the scopes"
	adminHint   = "an administrator of your organization has restricted this app; ask them to trust its client id"
)

// grantHint says why a grant is not valid any more.
func grantHint(e *Error) string {
	switch {
	case e.Subtype == "invalid_rapt" || e.Subtype == "rapt_required":
		return "your organization's session control asks for a new sign-in " +
			"(https://support.google.com/a/answer/9368756)"
	case strings.Contains(strings.ToLower(e.Description), "account restricted"):
		return "Google has restricted the account, or an administrator has restricted this app for it; " +
			"ask the administrator, or sign in with another account"
	case e.Op == "refresh":
		return "the sign-in has expired or was revoked; an app whose consent screen is External and in Testing is " +
			"signed out every seven days"
	}
	return "start the sign-in again"
}
