package googlesql

import (
	"maps"
	"slices"
	"strings"
)

// unrecognized fails for a name that is neither a column nor a range variable.
func (a *analyzer) unrecognized(n name, s *scope) {
	var near string
	for sc := s; sc != nil && near == ""; sc = sc.parent {
		var names []string
		for _, cols := range [][]column{sc.aliases, sc.cols} {
			for _, c := range cols {
				names = append(names, c.name)
			}
		}
		for _, r := range sc.rels {
			names = append(names, r.alias)
		}
		near = closest(n.text, names)
	}
	a.fail(n, "Unrecognized name: %s%s", n.text, didYouMean(near))
}

// didYouMean returns the end of a message with a suggested name, or "".
func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return "; Did you mean " + name + "?"
}

// closestFunction returns BigQuery's function with the closest name, in lower
// case.
func closestFunction(name string) string {
	names := slices.Collect(maps.Keys(reference))
	return strings.ToLower(closest(name, names))
}

// closest returns the name that needs the fewest changes of a character. As in BigQuery, a
// name needs at least three characters, and changes in about a fifth of them at most. Of
// several names it is the alphabetically first.
func closest(text string, names []string) string {
	if len(text) < 3 {
		return ""
	}
	limit := len(text) / 2
	if len(text) >= 5 {
		limit = len(text)/5 + 2
	}
	best := ""
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := changes(strings.ToLower(text), strings.ToLower(n)); n != "" && d <= limit && (best == "" || d < limit) {
			best, limit = n, d
		}
	}
	return best
}

// changes returns the Levenshtein distance of two texts.
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
