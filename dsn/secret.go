package dsn

import (
	"slices"
	"strings"
)

// secretProblem tells where a secret belongs.
const secretProblem = "holds a secret, and a DSN may not: name the client_secrets.json file with " +
	"client_secrets=PATH; " +
	"the user signs in with the browser, and the tokens stay in the sign-in's own store"

// secretKeys are the names under which people try to pass secrets, as plainKey
// spells them.
var secretKeys = []string{
	"accesstoken", "apikey", "authtoken", "bearer", "clientsecret", "clientsecretjson", "clientsecretsjson",
	"code", "credential", "credentials", "credentialsjson", "idtoken", "jwt", "key", "pass", "passwd", "password",
	"privatekey", "pwd", "refreshtoken", "secret", "token",
}

// isSecretKey tells a key that would carry a secret, however it is spelled.
func isSecretKey(key string) bool { return slices.Contains(secretKeys, plainKey(key)) }

// secretKeyError refuses a key by its name.
func secretKeyError(key string) *Error {
	e := &Error{Problem: "one of its keys " + secretProblem}
	if isName(key) {
		e = &Error{Key: key, Problem: secretProblem}
	}
	return e
}

// looksSecret knows the beginnings of Google's client secrets, refresh tokens
// and access tokens, which land in other keys by a slip of the clipboard.
func looksSecret(value string) bool {
	for _, prefix := range []string{"GOCSPX-", "1//", "ya29."} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return false
}

// plainKey strips a key down to small letters and digits, so that ClientSecret,
// client-secret and client_secret are one.
func plainKey(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, key)
}
