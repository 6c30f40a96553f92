package dsn

import "strings"

// unknown is the error of a key that is not in the table.
func unknown(key string) *Error {
	e := &Error{Problem: "has an unknown key"}
	if isName(key) {
		e.Key, e.Problem = key, "is not a key"
	}
	if near := nearest(key); near != "" {
		e.Problem += "; did you mean " + near + "?"
		return e
	}
	e.Problem += "; want one of " + strings.Join(queryKeys(), ", ")
	return e
}

// isName tells a key that may be repeated in an error: with letters and
// underscores alone it is hardly a token that lost its name to a stray &.
func isName(key string) bool {
	return len(key) <= 32 && key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
}

// queryKeys are the keys that may stand after the question mark.
func queryKeys() []string {
	var keys []string
	for _, p := range params {
		if p.inQuery() {
			keys = append(keys, p.key)
		}
	}
	return keys
}

// nearest gives the key that a typo meant, or "".
func nearest(key string) string {
	plain := plainKey(key)
	best, bestCost := "", 3
	for _, k := range queryKeys() {
		cost := distance(plain, plainKey(k))
		if cost < bestCost && cost*3 <= len(k) {
			best, bestCost = k, cost
		}
	}
	return best
}

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that turn a into b. Both are short: long keys are cut.
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
