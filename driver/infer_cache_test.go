package driver

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"
)

// TestTypeCache: the cache is limited in size and time, and an answer from before a schema change is not
// kept after it.
func TestTypeCache(t *testing.T) {
	t.Parallel()
	c := newTypeCache(3)
	asked := 0
	ask := func(text string, meanwhile func()) {
		t.Helper()
		_, _, err := c.ask(t.Context(), false, []cacheKey{{text: sha256.Sum256([]byte(text))}}, func() (finding, error) {
			asked++
			meanwhile()
			return finding{}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	nothing := func() {}
	for i := range 10 {
		ask(fmt.Sprint(i), nothing)
		ask(fmt.Sprint(i), nothing)
	}
	if asked != 10 || len(c.entries) != 3 {
		t.Errorf("asked %d times and kept %d; want 10 and 3", asked, len(c.entries))
	}
	for key, f := range c.entries {
		f.until = time.Now().Add(-time.Second)
		c.entries[key] = f
	}
	ask("9", nothing)
	if asked != 11 {
		t.Errorf("asked %d times; want 11, as what is known is old", asked)
	}
	ask("new", func() { c.clear() })
	ask("new", nothing)
	if asked != 13 {
		t.Errorf("asked %d times; want 13, as DDL ran meanwhile", asked)
	}
	if len(c.asking) != 0 {
		t.Errorf("got %d still asking", len(c.asking))
	}
}
