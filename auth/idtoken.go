package auth

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// claims are the parts of an ID token that identify the account.
type claims struct {
	Issuer        string  `json:"iss"`
	Audience      any     `json:"aud"`
	Subject       string  `json:"sub"`
	Email         string  `json:"email"`
	EmailVerified any     `json:"email_verified"` // Google has sent a bool and a string
	HostedDomain  string  `json:"hd"`
	Expiry        float64 `json:"exp"` // seconds; some issuers write fractions
	Nonce         string  `json:"nonce"`
	Authorized    string  `json:"azp"` // the client, if there are several audiences
}

// checkIDToken checks an ID token. Its signature need not be checked, because
// it came from the token endpoint itself over TLS (OpenID Connect Core, section
// 3.1.3.7, point 6).
func checkIDToken(token string, client *Client, nonce string, now time.Time) (*claims, error) {
	bad := func(text string) (*claims, error) {
		return nil, &Error{Op: "sign-in", Description: "the ID token " + text}
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return bad("is missing or is not a JWT")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return bad("is not a JWT")
	}
	var c claims
	if err := json.Unmarshal(raw, &c); err != nil {
		return bad("is not a JWT")
	}
	const skew = 10 * time.Minute
	issuer := client.issuer()
	switch {
	case c.Issuer != issuer && "https://"+c.Issuer != issuer: // Google uses both forms
		return bad("has another issuer")
	case !c.isFor(client.id):
		return bad("is for another client")
	case c.Nonce != nonce:
		return bad("belongs to another sign-in")
	case now.Add(-skew).After(time.Unix(int64(max(0, min(c.Expiry, maxExpiry))), 0)):
		return bad("has expired; check this machine's clock")
	case c.Subject == "":
		return bad("names no account")
	}
	return &c, nil
}

// maxExpiry is the year 9999, in seconds. A later time would overflow.
const maxExpiry = 253402300799

// isFor reports whether the token is for the client: it is the audience, or one
// of several and the authorized party (OpenID Connect Core, section 3.1.3.7).
func (c *claims) isFor(clientID string) bool {
	list, ok := c.Audience.([]any)
	if !ok {
		return c.Audience == any(clientID)
	}
	return slices.Contains(list, any(clientID)) && (len(list) == 1 || c.Authorized == clientID)
}

// checkAccount compares the account that signed in with the required one.
func checkAccount(c *claims, account, hostedDomain string) error {
	verified := c.EmailVerified == true || c.EmailVerified == "true"
	if account != "" && (!verified || !strings.EqualFold(c.Email, account)) {
		return &Error{Op: "sign-in", kind: ErrWrongAccount,
			Description: printable(c.Email) + " signed in instead of " + account,
			Hint:        "choose " + account + " on the sign-in page"}
	}
	if hostedDomain != "" && !strings.EqualFold(c.HostedDomain, hostedDomain) {
		return &Error{Op: "sign-in", kind: ErrWrongAccount,
			Description: "the account " + printable(c.Email) + " is not of " + hostedDomain,
			Hint:        "choose an account of " + hostedDomain + " on the sign-in page"}
	}
	return nil
}
