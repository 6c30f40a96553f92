package fakegoogle

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

// signingKey is created for the first ID token. Google signs with RS256. ES256 is used here because
// its keys are created in microseconds, and a client that gets the token from the token endpoint
// need not check the signature (OpenID Connect Core, section 3.1.3.7).
var signingKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return key
})

// idToken returns a signed ID token for g. s.mu is held.
func (s *Server) idToken(g Grant, now time.Time, nonce string) string {
	iss := s.opts.Issuer
	if iss == "" {
		iss = s.base
	}
	claims := map[string]any{
		"iss": iss, "azp": g.ClientID, "aud": g.ClientID, "sub": g.Sub,
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	if slices.ContainsFunc(g.Scopes, func(s string) bool {
		return s == "email" || s == "https://www.googleapis.com/auth/userinfo.email"
	}) {
		claims["email"], claims["email_verified"] = g.Email, true
	}
	if a, ok := s.account(g.Email); ok && a.HostedDomain != "" {
		claims["hd"] = a.HostedDomain
	}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err) // plain maps always marshal
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	text := part(map[string]string{"alg": "ES256", "typ": "JWT"}) + "." + part(claims)
	sum := sha256.Sum256([]byte(text))
	r, sig, err := ecdsa.Sign(rand.Reader, signingKey(), sum[:])
	if err != nil {
		panic(err)
	}
	raw := make([]byte, 64)
	r.FillBytes(raw[:32])
	sig.FillBytes(raw[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(raw)
}
