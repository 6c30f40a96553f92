package auth

import (
	"net"
	"net/url"
	"regexp"
	"strings"
)

// Google's authorization and token endpoints, compared as whole texts: an open
// redirect or another service of a known host must not get a code or a refresh
// token (RFC 9700, section 4.4).
var (
	googleAuthURL = regexp.MustCompile(
		`^https://accounts\.google\.com/o/oauth2/(v2/)?auth$`)
	googleTokenURL = regexp.MustCompile(
		`^https://(accounts\.google\.com/o/oauth2/token` +
			`|oauth2\.googleapis\.com/token` +
			`|www\.googleapis\.com/oauth2/v[34]/token` +
			`|oauth2\.` + regionLabel + `\.rep\.googleapis\.com/token` +
			`|oauth2-` + regionLabel + `\.p\.googleapis\.com/token)$`)
)

// regionLabel is one label of a host name.
const regionLabel = `[a-z0-9]([a-z0-9-]*[a-z0-9])?`

// checkEndpoints refuses a file that could send the code or the refresh token
// elsewhere. Both addresses must be Google's, or both of one origin on this
// machine. With Google's page and another token endpoint, that endpoint would
// get the code, the verifier and the secret.
func checkEndpoints(form, authURL, tokenURL string) (local bool, err error) {
	const op = "client secrets"
	const hint = "tokens are sent only to Google, or to an authorization server on this machine if the file names " +
		"nothing else; download the file again from https://console.cloud.google.com/auth/clients"
	if googleAuthURL.MatchString(authURL) && googleTokenURL.MatchString(tokenURL) {
		return false, nil
	}
	auth, token := loopbackOrigin(authURL), loopbackOrigin(tokenURL)
	switch {
	case auth != "" && auth == token:
		return true, nil
	case auth == "" && !googleAuthURL.MatchString(authURL):
		return false, configError(op, form+".auth_uri is not an https address of Google that is known", hint)
	case token == "" && !googleTokenURL.MatchString(tokenURL):
		return false, configError(op, form+".token_uri is not an https address of Google that is known", hint)
	}
	return false, configError(op, form+".auth_uri and "+form+".token_uri are of different servers", hint)
}

// loopbackOrigin returns scheme, host and port of an address on this machine.
// It returns "" for another address, and for one with more than a plain path.
func loopbackOrigin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" || strings.ContainsAny(raw, "?#%\\@ ") || len(raw) > 2048 ||
		u.Scheme != "http" && u.Scheme != "https" || !loopbackHost(u.Hostname()) {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// revokeURL returns the revocation endpoint, which client_secrets.json does not
// name. A local server has it beside /token.
func (c *Client) revokeURL() string {
	if !c.local {
		return "https://oauth2.googleapis.com/revoke"
	}
	return loopbackOrigin(c.tokenURL) + "/revoke"
}

// issuer returns the value of `iss` in callbacks (RFC 9207) and ID tokens.
func (c *Client) issuer() string {
	if !c.local {
		return "https://accounts.google.com"
	}
	return loopbackOrigin(c.authURL)
}
