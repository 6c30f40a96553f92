package driver

import (
	"context"
	"crypto/sha256"
	"maps"
	"strconv"
	"strings"
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
// means, and so does where it runs. It is made of hashes, since generated statements can be a megabyte long.
type cacheKey struct{ text, declared [sha256.Size]byte }

// finding is what BigQuery said of a statement.
type finding struct {
	types []*bq.QueryParameterType // nil where it said nothing
	plan  *plan                    // nil where the statement was run without being understood before
	until time.Time
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

// ask returns what is known under the first key that anything is known under, else what find finds. Of callers at the
// same time one finds and the others wait for it.
func (c *typeCache) ask(ctx context.Context, withPlan bool, keys []cacheKey, find func() (finding, error)) (f finding, cached bool, err error) {
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
	f, err = find()
	c.mu.Lock()
	delete(c.asking, keys[0])
	close(done)
	if err == nil && before == c.changes {
		c.put(keys[0], f)
	}
	return f, false, err
}

// known returns the types of a statement, if they have been asked for before under one of the keys.
func (c *typeCache) known(keys ...cacheKey) ([]*bq.QueryParameterType, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.get(false, keys)
	return f.types, ok
}

// get returns what is known under the first key that anything is known under. The caller holds the lock.
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

// guessed remembers that BigQuery says nothing of a statement's parameters, so that it is not asked each time. If the
// statement fails, it is forgotten.
func (c *typeCache) guessed(key cacheKey, types []*bq.QueryParameterType) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(key, finding{types: types})
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

// askTypes asks BigQuery, in a dry run, which types the statement's parameters have, unless it is known. The
// answer is in the order of the slots: the `?` as they stand, or the names. A slot
// that BigQuery says nothing of, as in a script, is nil. declared are parameters that have
// a type already; only named ones can be told to BigQuery in such a request.
func (c *Conn) askTypes(
	ctx context.Context, st *statement, declared []*bq.QueryParameter,
) ([]*bq.QueryParameterType, typeSource, error) {
	// Prepare has asked with nothing declared.
	keys := []cacheKey{c.typeKey(st, declared), c.typeKey(st, nil)}
	f, cached, err := c.connector.types.ask(ctx, false, keys, func() (finding, error) {
		return c.find(ctx, st, st.sql.declarable(declared))
	})
	if cached {
		return f.types, typesCached, err
	}
	return f.types, typesAsked, err
}

// declarable returns the parameters that may be declared where others are not.
func (t *sqlText) declarable(declared []*bq.QueryParameter) []*bq.QueryParameter {
	if t.positional > 0 {
		return nil
	}
	return declared
}

// plan returns what is known of a statement before it runs, and asks BigQuery if nothing is.
func (c *Conn) plan(ctx context.Context, st *statement) (*plan, error) {
	f, _, err := c.connector.types.ask(ctx, true, []cacheKey{c.typeKey(st, nil)}, func() (finding, error) {
		return c.find(ctx, st, nil)
	})
	return f.plan, err
}

// find has BigQuery check a statement in a dry run.
func (c *Conn) find(ctx context.Context, st *statement, declared []*bq.QueryParameter) (finding, error) {
	stats, err := c.dryRun(ctx, st, declared)
	if err != nil {
		return finding{}, err
	}
	q := stats.Query
	f := finding{
		types: slotTypes(&st.sql, q.UndeclaredQueryParameters),
		plan:  &plan{statementType: q.StatementType, bytes: stats.TotalBytesProcessed},
	}
	if q.StatementType == "SELECT" {
		f.plan.columns, err = newColumns(q.Schema)
	}
	return f, err
}

func slotTypes(sql *sqlText, undeclared []*bq.QueryParameter) []*bq.QueryParameterType {
	types := make([]*bq.QueryParameterType, sql.count())
	for i, u := range undeclared {
		slot := i
		if sql.positional == 0 {
			slot = sql.slot(u.Name)
		}
		if slot >= 0 && slot < len(types) {
			types[slot] = u.ParameterType
		}
	}
	return types
}

// typeKey is also that of where names are looked up: the default dataset, the location, and the session with its
// temporary tables.
func (c *Conn) typeKey(st *statement, declared []*bq.QueryParameter) cacheKey {
	var types strings.Builder
	types.WriteString(st.config.Dataset + "\x00" + st.config.Location)
	types.WriteString("\x00" + c.session.current())
	for _, d := range st.sql.declarable(declared) {
		types.WriteString("\x00" + d.Name + " ")
		writeType(&types, d.ParameterType)
	}
	return cacheKey{sha256.Sum256([]byte(st.meaning())), sha256.Sum256([]byte(types.String()))}
}

func writeType(b *strings.Builder, t *bq.QueryParameterType) {
	b.WriteString(t.Type)
	for _, inner := range []*bq.QueryParameterType{t.ArrayType, t.RangeElementType} {
		if inner != nil {
			b.WriteByte('<')
			writeType(b, inner)
			b.WriteByte('>')
		}
	}
	for _, f := range t.StructTypes {
		b.WriteString("," + strconv.Quote(f.Name) + " ")
		writeType(b, f.Type)
	}
	if t.StructTypes != nil {
		b.WriteByte(';')
	}
}
