package driver

import (
	"context"
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

// typeCache remembers what BigQuery said of undeclared parameters. When it is full
// anything in it may go: asking again costs a dry run and nothing else.
type typeCache struct {
	mu      sync.Mutex
	size    int
	entries map[string]typeEntry
}

type typeEntry struct {
	types []*bq.QueryParameterType
	until time.Time
}

func newTypeCache(size int) *typeCache {
	return &typeCache{size: size, entries: map[string]typeEntry{}}
}

// get returns the types of the first key that there are any of.
func (c *typeCache) get(keys ...string) ([]*bq.QueryParameterType, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		if e, ok := c.entries[key]; ok && time.Now().Before(e.until) {
			return e.types, true
		}
	}
	return nil, false
}

func (c *typeCache) put(key string, types []*bq.QueryParameterType) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.entries {
		if len(c.entries) < c.size {
			break
		}
		delete(c.entries, k)
	}
	c.entries[key] = typeEntry{types, time.Now().Add(typeLife)}
}

// forget drops what is known of a statement, whatever was declared.
func (c *typeCache) forget(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key := range c.entries {
		if rest, ok := strings.CutPrefix(key, text); ok && (rest == "" || rest[0] == 0) {
			delete(c.entries, key)
		}
	}
}

// ran is told what kind of statement has run: DDL may change what any other means.
func (c *typeCache) ran(statementType string) {
	for _, ddl := range []string{"CREATE_", "ALTER_", "DROP_", "SCRIPT"} {
		if strings.HasPrefix(statementType, ddl) {
			c.mu.Lock()
			defer c.mu.Unlock()
			clear(c.entries)
			return
		}
	}
}

// inferTypes asks BigQuery, in a dry run, which types the statement's parameters have. The
// answer is in the order of the slots: the `?` as they stand, or parameters.names. A slot
// that BigQuery says nothing of, as in a script, is nil. declared are parameters that have
// a type already; only named ones can be told to BigQuery in such a request.
func (c *Conn) inferTypes(ctx context.Context, text string, p parameters, declared []*bq.QueryParameter) (types []*bq.QueryParameterType, source typeSource, err error) {
	if p.positional > 0 {
		declared = nil
	}
	// Prepare has asked with nothing declared.
	if types, ok := c.connector.types.get(cacheKey(text, declared), text); ok {
		return types, typesCached, nil
	}
	stats, err := c.dryRun(ctx, text, p, declared)
	if err != nil {
		return nil, 0, err
	}
	types = slotTypes(p, stats.Query.UndeclaredQueryParameters)
	c.connector.types.put(cacheKey(text, declared), types)
	return types, typesAsked, nil
}

func slotTypes(p parameters, undeclared []*bq.QueryParameter) []*bq.QueryParameterType {
	types := make([]*bq.QueryParameterType, p.count())
	for i, u := range undeclared {
		slot := i
		if p.positional == 0 {
			slot = p.slot(u.Name)
		}
		if slot >= 0 && slot < len(types) {
			types[slot] = u.ParameterType
		}
	}
	return types
}

// cacheKey tells apart the same text with other types declared: they change what the rest
// of it means.
func cacheKey(text string, declared []*bq.QueryParameter) string {
	if len(declared) == 0 {
		return text
	}
	var key strings.Builder
	key.WriteString(text)
	for _, d := range declared {
		key.WriteString("\x00" + d.Name + " ")
		writeType(&key, d.ParameterType)
	}
	return key.String()
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
		b.WriteString("," + f.Name + " ")
		writeType(b, f.Type)
	}
	if t.StructTypes != nil {
		b.WriteByte(';')
	}
}
