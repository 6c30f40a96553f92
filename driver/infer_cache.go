package driver

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// typeCacheSize bounds how many statements a connector remembers the parameter types of.
const typeCacheSize = 512

// typeLife bounds how long another program's DDL can go unnoticed; this connector's own
// empties the cache, and so does an error that other types may mend.
const typeLife = 10 * time.Minute

// typeCache remembers what BigQuery said of statements in dry runs. When it is full
// anything in it may go: asking again costs a dry run and nothing else.
type typeCache struct {
	mu      sync.Mutex
	size    int
	entries map[cacheKey]finding
	asking  map[cacheKey]chan struct{} // closed when the one that asks has its answer
	changes int                        // how often what was known became void: an answer from before it does not count
}

// cacheKey tells apart the same text with other types declared: they change what the rest of it
// means, and so does where it runs. It is made of hashes, since generated statements can be a
// megabyte long.
type cacheKey struct{ text, declared [sha256.Size]byte }

// finding is what BigQuery said of a statement.
type finding struct {
	types []*bq.QueryParameterType // nil where it said nothing
	plan  *plan                    // nil where the statement was run without being understood before
	until time.Time

	refused bool // BigQuery has refused the statement with the Go types: its own are to be taken
	agreed  bool // BigQuery has been asked about the Go types, with the outcome that refused says
}

// plan is what a prepared statement is known by.
type plan struct {
	statementType string
	bytes         int64    // that it would read, at most
	columns       []column // of a SELECT's result
}

func newTypeCache(size int) *typeCache {
	return &typeCache{size: size, entries: map[cacheKey]finding{}, asking: map[cacheKey]chan struct{}{}}
}

// ask returns what is known under the first key that anything is known under, else what check
// finds. Of callers at the same time one finds and the others wait for it.
func (c *typeCache) ask(ctx context.Context, withPlan bool, keys []cacheKey, check func() (finding, error)) (f finding, cached bool, err error) {
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

// known returns the types of a statement, if they have been asked for before under one of the keys.
func (c *typeCache) known(keys ...cacheKey) (finding, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.get(false, keys)
}

// get returns what is known under the first key that anything is known under. The caller holds the
// lock.
func (c *typeCache) get(withPlan bool, keys []cacheKey) (finding, bool) {
	for _, key := range keys {
		if f, ok := c.entries[key]; ok && time.Now().Before(f.until) && (f.plan != nil || !withPlan) {
			return f, true
		}
	}
	return finding{}, false
}

// put remembers a finding. The caller holds the lock.
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

// note remembers what a statement has taught, such as that BigQuery says nothing of its parameters,
// so that it is not asked each time. If the statement fails, it is forgotten.
func (c *typeCache) note(key cacheKey, f finding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.plan = c.entries[key].plan
	c.put(key, f)
}

// forget drops what is known of a statement, whatever was declared.
func (c *typeCache) forget(st *statement) {
	text := sha256.Sum256([]byte(st.meaning()))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	maps.DeleteFunc(c.entries, func(key cacheKey, _ finding) bool { return key.text == text })
}

// clear drops everything: what has run can change what any other statement means.
func (c *typeCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changes++
	clear(c.entries)
}
