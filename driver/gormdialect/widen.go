package gormdialect

import (
	"strconv"
	"strings"
)

// relation is how the type of a column is to the one that a model wants.
type relation int

const (
	same         relation = iota // or the column has the wider type already
	wider                        // the model's type is wider: the column can be changed to it
	incompatible                 // neither
)

// wideTypes are the types that a column of a type can be changed to,
// see https://cloud.google.com/bigquery/docs/managing-table-schemas.
var wideTypes = map[string][]string{
	"INT64":      {"NUMERIC", "BIGNUMERIC", "FLOAT64"},
	"NUMERIC":    {"BIGNUMERIC", "FLOAT64"},
	"BIGNUMERIC": {"FLOAT64"},
}

func compareTypes(have, want string) relation {
	squeeze := func(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), "")) }
	h, w := squeeze(have), squeeze(want)
	switch {
	case h == w:
		return same
	case holds(w, h):
		return wider
	case holds(h, w):
		return same
	case baseType(h) == baseType(w) && (baseType(h) == "STRUCT" || baseType(h) == "ARRAY"):
		return wider // fields can be added to a STRUCT; BigQuery judges
	}
	return incompatible
}

// holds reports whether a column of type a can have all values of type b.
func holds(a, b string) bool {
	aBase, bBase := baseType(a), baseType(b)
	aSize, bSize := sizes(a), sizes(b)
	if aBase != bBase {
		for _, t := range wideTypes[bBase] {
			if t == aBase {
				return len(aSize) == 0 || bBase == "INT64" && aSize[0]-aSize[1] >= 19 || len(bSize) > 0 && digits(aSize, bSize)
			}
		}
		return false
	}
	switch aBase {
	case "STRING", "BYTES":
		return len(aSize) == 0 || len(bSize) > 0 && aSize[0] >= bSize[0]
	case "NUMERIC", "BIGNUMERIC":
		return len(aSize) == 0 || len(bSize) > 0 && digits(aSize, bSize)
	}
	return false
}

// digits reports whether (precision, scale) a has room for those of b.
func digits(a, b []int) bool { return a[1] >= b[1] && a[0]-a[1] >= b[0]-b[1] }

// sizes are the parameters of a type: none, or two of which the second may be 0.
func sizes(t string) []int {
	_, inner, ok := strings.Cut(strings.TrimSuffix(t, ")"), "(")
	if !ok {
		return nil
	}
	first, second, _ := strings.Cut(inner, ",")
	p, err := strconv.Atoi(first)
	if err != nil {
		return nil
	}
	s, _ := strconv.Atoi(second)
	return []int{p, s}
}
