package columntype

import (
	"strconv"
	"strings"
)

// Relation is the relation of a column's type to that of a model.
type Relation int

const (
	Same         Relation = iota // or the column's type is wider
	Wider                        // the model's type is wider: the column can be changed to it
	Incompatible                 // neither
)

// wideTypes maps types to those that a column can be changed to,
// see https://cloud.google.com/bigquery/docs/managing-table-schemas.
var wideTypes = map[string][]string{
	"INT64":      {"NUMERIC", "BIGNUMERIC", "FLOAT64"},
	"NUMERIC":    {"BIGNUMERIC", "FLOAT64"},
	"BIGNUMERIC": {"FLOAT64"},
}

// Compare compares the type of a column with that of a model.
func Compare(have, want string) Relation {
	squeeze := func(s string) string { return strings.ToUpper(strings.Join(strings.Fields(s), "")) }
	h, w := squeeze(have), squeeze(want)
	switch {
	case h == w:
		return Same
	case holds(w, h):
		return Wider
	case holds(h, w):
		return Same
	case Base(h) == Base(w) && (Base(h) == "STRUCT" || Base(h) == "ARRAY"):
		return Wider // BigQuery decides: fields can be added to a STRUCT
	}
	return Incompatible
}

// holds reports whether a column of type a can hold all values of type b.
func holds(a, b string) bool {
	aBase, bBase := Base(a), Base(b)
	aSize, bSize := Sizes(a), Sizes(b)
	if aBase != bBase {
		for _, t := range wideTypes[bBase] {
			if t == aBase {
				return len(aSize) == 0 || bBase == "INT64" && aSize[0]-aSize[1] >= 19 ||
					len(bSize) > 0 && digits(aSize, bSize)
			}
		}
		return false
	}
	switch aBase {
	case "STRING", "BYTES":
		return len(aSize) == 0 || len(bSize) > 0 && aSize[0] >= bSize[0]
	case "TIMESTAMP":
		return len(bSize) == 0
	case "NUMERIC", "BIGNUMERIC":
		return len(aSize) == 0 || len(bSize) > 0 && digits(aSize, bSize)
	}
	return false
}

// digits reports whether a precision and scale a is enough for b.
func digits(a, b []int) bool { return a[1] >= b[1] && a[0]-a[1] >= b[0]-b[1] }

// Sizes returns the parameters of a type: none, or two. The second may be 0.
func Sizes(t string) []int {
	_, inner, ok := strings.Cut(strings.TrimSuffix(t, ")"), "(")
	if !ok {
		return nil
	}
	first, second, _ := strings.Cut(inner, ",")
	p, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return nil
	}
	s, _ := strconv.Atoi(strings.TrimSpace(second))
	return []int{p, s}
}
