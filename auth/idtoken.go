package auth

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// claims are those parts of an ID token that tell who signed in.
type claims struct {
	Issuer        string `json:"iss"`
	Audience      any    `json:"aud"`
	Subject       string `json:"sub"`
	Email         string `json:"email"`
	EmailVerified any    `json:"email_verified"` // Google has sent a bool and a string
	HostedDomain  string `json:"hd"`
	Expiry        int64  `json:"exp"`
	Nonce         string `json:"nonce"`
}

// checkIDToken reads an ID token that came from the token endpoint itself over
// TLS, which is why its signature need not be checked (OpenID Connect Core,
// section 3.1.3.7, point 6).
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
	case c.Audience != any(client.id):
		return bad("is for another client")
	case c.Nonce != nonce:
		return bad("belongs to another sign-in")
	case now.Add(-skew).After(time.Unix(c.Expiry, 0)):
		return bad("has expired; check this machine's clock")
	case c.Subject == "":
		return bad("names no account")
	}
	return &c, nil
}

// checkAccount compares who signed in with who was asked for.
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
