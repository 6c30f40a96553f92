package dsn

import (
	"cmp"
	"slices"
	"strings"
)

// manual is the address of the table of keys.
const manual = "https://pkg.go.dev/github.com/bigqueryuser/bigqueryuser/dsn#hdr-Keys"

// unknown returns the error of a key that is not in the table.
func unknown(key string) *Error {
	const list = "(all keys: " + manual + ")"
	if !isName(key) {
		return &Error{Problem: "has an unknown key " + list}
	}
	near, alike := nearest(key)
	if !alike {
		return &Error{Key: key, Problem: "is not a key; nearest to it: " + strings.Join(near, ", ") + " " + list}
	}
	return &Error{Key: key, Problem: "is not a key; did you mean " + orBetween(near) + "? " + list}
}

// orBetween returns "a", "a or b" or "a, b or c".
func orBetween(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// isName reports whether an error may repeat a key. Only letters and
// underscores are allowed, because another key may be a part of a token with a
// stray &.
func isName(key string) bool {
	return len(key) <= 32 && key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}

// queryKeys returns the keys that may stand after the question mark.
func queryKeys() []string {
	var keys []string
	for _, p := range params {
		if p.inQuery() {
			keys = append(keys, p.key)
		}
	}
	return keys
}

// synonyms are names that other drivers and Google's interfaces have for keys.
var synonyms = map[string]string{
	"account": "user", "authtype": "auth", "byteslimit": "maximum_bytes_billed", "cache": "use_query_cache",
	"domain": "hd", "email": "user", "host": "endpoint", "impersonate": "auth", "loginhint": "user",
	"maxbytesbilled": "maximum_bytes_billed", "pagesize": "max_results", "port": "redirect_port",
	"projectid": "project", "region": "location", "session": "create_session", "timezone": "time_zone",
	"tz": "time_zone", "url": "endpoint", "useragent": "application",
}

// nearest returns the one to three keys that are nearest to key, the best first.
// alike reports whether they are close: they differ by a typing mistake, have a
// word in common, or are other names for the same setting.
func nearest(key string) (keys []string, alike bool) {
	plain := plainKey(key)
	if k, ok := synonyms[plain]; ok {
		return []string{k}, true
	}
	type candidate struct {
		key      string
		distance int
		alike    bool
	}
	var all []candidate
	for _, k := range queryKeys() {
		name := plainKey(k)
		c := candidate{key: k, distance: distance(plain, name)}
		slip := c.distance < 3 && c.distance*3 <= len(k)
		c.alike = slip || sharesWord(key, k)
		if !slip {
			c.distance += 10 // after every slip
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		if a.alike != b.alike {
			if a.alike {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.distance, b.distance)
	})
	best := all[0]
	for _, c := range all[:3] {
		if c.alike != best.alike || best.distance < 10 && c.distance > best.distance {
			break
		}
		keys = append(keys, c.key)
	}
	return keys, best.alike
}

// sharesWord reports whether one of the words of key, of four letters or more, is
// a word of the other key.
func sharesWord(key, other string) bool {
	words := strings.Split(other, "_")
	for word := range strings.SplitSeq(strings.ToLower(key), "_") {
		if len(word) >= 4 && slices.Contains(words, word) {
			return true
		}
	}
	return false
}

// distance returns the number of insertions, deletions, substitutions and swaps
// of neighbours that turn a into b. A long a is cut to 40 bytes.
func distance(a, b string) int {
	a = a[:min(len(a), 40)]
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range b {
		d[0][j+1] = j + 1
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
