package auth

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestCodesHaveRows: every code such as S5 or T30 in a test of this package and in SECURITY.md is a
// row of statements, so that a reader finds its sentence.
func TestCodesHaveRows(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	must(t, err)
	code := regexp.MustCompile(`\b[ST][1-9][0-9]?\b`)
	found := 0
	for _, file := range append(files, "../SECURITY.md") {
		text, err := os.ReadFile(file)
		must(t, err)
		for _, id := range code.FindAllString(string(text), -1) {
			found++
			if !slices.ContainsFunc(statements, func(s statement) bool { return s.id == id }) {
				t.Errorf("%s: %s has no row in statements_test.go", file, id)
			}
		}
	}
	if found < 100 {
		t.Errorf("got %d codes; want more, or this test looks for something else", found)
	}
}
