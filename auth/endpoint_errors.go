package auth

import (
	"bytes"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// statusText describes an answer without an OAuth error.
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
		text = "the server failed (" + strings.ToLower(text) + ")"
		if html {
			text += " and sent a web page"
		}
		return text
	case status == http.StatusTooManyRequests:
		return "the server has had too many requests"
	case status >= 300 && status < 400:
		return "the server redirects to another address, which is not followed"
	}
	return "unexpected answer"
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

// oauthErrors maps the OAuth error codes to a sentinel and to advice.
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
