package driver

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// typeCacheSize bounds the number of statements whose parameter types a connector remembers.
const typeCacheSize = 512

// typeLife bounds how long another program's DDL can go unnoticed. DDL of this connector empties
// the cache, and so does an error that other types may avoid.
const typeLife = 10 * time.Minute

// typeCache remembers what BigQuery has found out about statements in dry runs. When it is full any
// entry may go, because asking again costs only a dry run.
type typeCache struct {
	mu      sync.Mutex
	size    int
	entries map[cacheKey]finding
	asking  map[cacheKey]chan struct{} // closed when the caller that asks has its answer
	changes int                        // counts invalidations: an answer from before the last one is not stored
}

// cacheKey identifies a statement together with the types declared for it and where it runs,
// because these change the types of the other parameters. It consists of hashes, because generated
// statements can be a megabyte long.
type cacheKey struct{ text, declared [sha256.Size]byte }

// finding is the answer to a dry run.
type finding struct {
	types []*bq.QueryParameterType // nil where BigQuery did not find one
	plan  *plan                    // nil if there was no dry run
	until time.Time

	refused bool // BigQuery has refused the statement with the Go types: use types
	agreed  bool // the Go types were checked; refused is the outcome
}

// plan holds the facts about a prepared statement.
type plan struct {
	statementType string
	bytes         int64    // that it would read, at most
	columns       []column // of the result of a SELECT
}

func newTypeCache(size int) *typeCache {
	return &typeCache{size: size, entries: map[cacheKey]finding{}, asking: map[cacheKey]chan struct{}{}}
}

// ask returns the finding under the first of the keys that has one, else that of check. Only one of
// several concurrent callers calls check; the others wait for it.
func (c *typeCache) ask(
	ctx context.Context, withPlan bool, keys []cacheKey, check func() (finding, error),
) (f finding, cached bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if f, ok := c.get(withPlan, keys); ok {
			return f, true, nil
		}
		wait, ok := c.asking[keys[0]]
		if !ok {
			break
		}
		c.mu.Unlock()
		select {
		case <-wait:
			err = nil
		case <-ctx.Done():
			err = ctx.Err()
		}
		c.mu.Lock()
		if err != nil {
			return f, false, err
		}
	}
	done := make(chan struct{})
	c.asking[keys[0]] = done
	before := c.changes
	c.mu.Unlock()
	f, err = check()
	c.mu.Lock()
	delete(c.asking, keys[0])
	close(done)
	if err == nil && before == c.changes {
		c.put(keys[0], f)
	}
	return f, false, err
}

// known returns the finding under the first of the keys that has one.
func (c *typeCache) known(keys ...cacheKey) (finding, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(false, keys)
}

// get is known for a caller that holds the lock.
func (c *typeCache) get(withPlan bool, keys []cacheKey) (finding, bool) {
	for _, key := range keys {
		if f, ok := c.entries[key]; ok && time.Now().Before(f.until) && (f.plan != nil || !withPlan) {
			return f, true
		}
	}
	return finding{}, false
}

// put stores a finding. The caller holds the lock.
func (c *typeCache) put(key cacheKey, f finding) {
	for k := range c.entries {
		if len(c.entries) < c.size {
			break
		}
		delete(c.entries, k)
	}
	f.until = time.Now().Add(typeLife)
	c.entries[key] = f
}

// note stores a finding that did not come from a dry run, such as that BigQuery does not find the
// types, so that it is not asked each time. A statement that fails removes it.
func (c *typeCache) note(key cacheKey, f finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.plan = c.entries[key].plan
	c.put(key, f)
}

// forget removes all findings about a statement, with any declared types.
func (c *typeCache) forget(st *statement) {
	text := sha256.Sum256([]byte(st.meaning()))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	maps.DeleteFunc(c.entries, func(key cacheKey, _ finding) bool { return key.text == text })
}

// clear removes everything, because a statement that has run can change what any other one means.
func (c *typeCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	clear(c.entries)
}
