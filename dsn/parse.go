package dsn

import (
	"fmt"
	"strings"
)

// scheme is the prefix of every DSN.
const scheme = "bigqueryuser://"

// Parse parses a DSN. Its errors are of type [*Error]: for a text that does not
// follow the grammar, a key that is unknown, repeated, empty or malformed, a secret,
// or a missing project. They name the key and the allowed values, and repeat no
// value of s.
func Parse(s string) (*Config, error) {
	// net/url is not used: its errors quote the whole text, and its queries drop
	// malformed pairs silently.
	rest, ok := strings.CutPrefix(s, scheme)
	if !ok {
		return nil, &Error{Problem: "does not start with " + scheme +
			"; want bigqueryuser://PROJECT/DATASET?key=value"}
	}
	if strings.Contains(rest, "#") {
		return nil, &Error{Problem: "has a fragment; write a # inside a value as %23"}
	}
	path, query, _ := strings.Cut(rest, "?")
	pairs, err := splitQuery(query)
	if err != nil {
		return nil, err
	}
	c := new(Config)
	seen := map[string]bool{}
	if err := parsePath(c, path, seen); err != nil {
		return nil, err
	}
	for _, kv := range pairs {
		if err := parsePair(c, kv, seen); err != nil {
			return nil, err
		}
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// pair is a key and its decoded value.
type pair struct{ key, value string }

// splitQuery splits the query into pairs. It looks for secrets first, because a
// secret is the most important of several errors.
func splitQuery(query string) ([]pair, error) {
	if query == "" {
		return nil, nil
	}
	var pairs []pair
	var first error
	for i, text := range strings.Split(query, "&") {
		kv, err := splitPair(text, i+1)
		if isSecretKey(kv.key) {
			return nil, secretKeyError(kv.key)
		}
		if err != nil && first == nil {
			first = err
		}
		pairs = append(pairs, kv)
	}
	return pairs, first
}

// splitPair parses key=value. The errors of a pair without a key name its place n
// in the query, counted from 1.
func splitPair(text string, n int) (pair, error) {
	key, raw, ok := strings.Cut(text, "=")
	switch {
	case text == "":
		return pair{}, &Error{Problem: fmt.Sprintf("has nothing in the place of pair %d after the question mark; "+
			"want key=value", n)}
	case !ok:
		return pair{}, &Error{Problem: fmt.Sprintf("has no = in pair %d after the question mark; want key=value, "+
			"with an & inside a value as %%26", n)}
	case lookup(key) == nil:
		return pair{key: key}, nil // parsePair returns the error
	case strings.Contains(raw, ";"):
		return pair{key: key}, &Error{Key: key,
			Problem: "has a semicolon; pairs are separated by &, and a ; inside a value is written %3B"}
	}
	value, ok := unescape(raw)
	if !ok {
		return pair{key: key}, &Error{Key: key,
			Problem: "has a % that is not followed by two hexadecimal digits; a percent sign is written %25"}
	}
	if !isText(value) {
		return pair{key: key}, &Error{Key: key, Problem: "has a control character or is not UTF-8"}
	}
	return pair{key, value}, nil
}

// parsePath parses the part before the question mark.
func parsePath(c *Config, path string, seen map[string]bool) error {
	if strings.Contains(path, "@") {
		return &Error{Key: "project", Problem: "comes after a user name and @, which have no place in a DSN: the " +
			"user signs in with the browser; want " + scheme + "PROJECT"}
	}
	project, dataset, slash := strings.Cut(path, "/")
	if !inAuthority(project) {
		return &Error{Key: "project", Problem: "has a colon; a project with a domain is written " +
			"bigqueryuser:///DATASET?project=example.com:my-project, and a host with a port is an endpoint=URL"}
	}
	if slash && strings.Contains(dataset, "/") {
		return &Error{Key: "dataset", Problem: "is followed by one more slash; want bigqueryuser://PROJECT/DATASET"}
	}
	for _, kv := range []pair{{"project", project}, {"dataset", dataset}} {
		if kv.value == "" {
			continue
		}
		seen[kv.key] = true
		if problem := lookup(kv.key).set(c, kv.value); problem != "" {
			return &Error{Key: kv.key, Problem: problem}
		}
	}
	return nil
}

// parsePair sets the field of one pair of the query in c.
func parsePair(c *Config, kv pair, seen map[string]bool) error {
	p := lookup(kv.key)
	switch {
	case p == nil:
		return unknown(kv.key)
	case !p.inQuery():
		return &Error{Key: kv.key, Problem: "is not written as a key; want " + p.want}
	case seen[kv.key]:
		return &Error{Key: kv.key, Problem: "is given more than once"}
	}
	seen[kv.key] = true
	if problem := p.set(c, kv.value); problem != "" {
		return &Error{Key: kv.key, Problem: problem}
	}
	return nil
}

// unescape decodes %XX, and decodes + as a space.
func unescape(s string) (string, bool) {
	if !strings.ContainsAny(s, "%+") {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			b = append(b, ' ')
		case '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", false
			}
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return string(b), true
}

func isHex(ch byte) bool {
	return ch >= '0' && ch <= '9' || ch >= 'a' && ch <= 'f' || ch >= 'A' && ch <= 'F'
}

func unhex(ch byte) byte {
	switch {
	case ch >= 'a':
		return ch - 'a' + 10
	case ch >= 'A':
		return ch - 'A' + 10
	}
	return ch - '0'
}
