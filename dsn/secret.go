package dsn

import (
	"slices"
	"strings"
)

// secretProblem is the Problem of an Error about a secret in a DSN.
const secretProblem = "holds a secret, which a DSN must not: name the client_secrets.json file with " +
	"client_secrets=PATH; the user signs in with the browser, and the tokens stay in the store of the sign-in"

// secretKeys are common names of secrets, as plainKey spells them.
var secretKeys = []string{
	"accesstoken", "apikey", "authtoken", "bearer", "clientsecret", "clientsecretjson", "clientsecretsjson",
	"code", "credential", "credentials", "credentialsjson", "idtoken", "jwt", "key", "pass", "passwd", "password",
	"privatekey", "pwd", "refreshtoken", "secret", "token",
}

// isSecretKey reports whether a key is the name of a secret, in any spelling.
func isSecretKey(key string) bool { return slices.Contains(secretKeys, plainKey(key)) }

// secretKeyError returns the error of a key that is the name of a secret.
func secretKeyError(key string) *Error {
	e := &Error{Problem: "one of its keys " + secretProblem}
	if isName(key) {
		e = &Error{Key: key, Problem: secretProblem}
	}
	return e
}

// looksSecret reports whether a value begins as Google's client secrets, refresh
// tokens or access tokens do. A user may have pasted one into the wrong key.
func looksSecret(value string) bool {
	for _, prefix := range []string{"GOCSPX-", "1//", "ya29."} {
		if strings.HasPrefix(value, prefix) {
			return true
		}
	}
	return false
}

// plainKey reduces a key to lowercase letters and digits, so that ClientSecret,
// client-secret and client_secret are the same.
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
