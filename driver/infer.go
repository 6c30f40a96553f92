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

// typeCache remembers what BigQuery said of undeclared parameters. When it is full
// anything in it may go: asking again costs a dry run and nothing else.
type typeCache struct {
	mu      sync.Mutex
	size    int
	entries map[cacheKey]typeEntry
}

// cacheKey tells apart the same text with other types declared: they change what the rest of it
// means, and so does where it runs. It is made of hashes, since generated statements can be a megabyte long.
type cacheKey struct{ text, declared [sha256.Size]byte }

type typeEntry struct {
	types []*bq.QueryParameterType
	until time.Time
}

func newTypeCache(size int) *typeCache {
	return &typeCache{size: size, entries: map[cacheKey]typeEntry{}}
}

// get returns the types of the first key that there are any of.
func (c *typeCache) get(keys ...cacheKey) ([]*bq.QueryParameterType, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		if e, ok := c.entries[key]; ok && time.Now().Before(e.until) {
			return e.types, true
		}
	}
	return nil, false
}

func (c *typeCache) put(key cacheKey, types []*bq.QueryParameterType) {
	if len(types) == 0 {
		return
	}
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
	maps.DeleteFunc(c.entries, func(key cacheKey, _ typeEntry) bool { return key.text == sha256.Sum256([]byte(text)) })
}

// ran is told what has run: DDL may change what any other statement means. The answer to a long
// statement does not say what kind it was; one without a result may have been DDL.
func (c *typeCache) ran(pg *page) {
	ddl := pg.StatementType == "" && (pg.Schema == nil || len(pg.Schema.Fields) == 0)
	for _, prefix := range []string{"CREATE_", "ALTER_", "DROP_", "SCRIPT", "CALL"} {
		ddl = ddl || strings.HasPrefix(pg.StatementType, prefix)
	}
	if ddl {
		c.mu.Lock()
		defer c.mu.Unlock()
		clear(c.entries)
	}
}

// inferTypes asks BigQuery, in a dry run, which types the statement's parameters have. The
// answer is in the order of the slots: the `?` as they stand, or parameters.names. A slot
// that BigQuery says nothing of, as in a script, is nil. declared are parameters that have
// a type already; only named ones can be told to BigQuery in such a request.
func (c *Conn) inferTypes(ctx context.Context, j *job, text string, p parameters, declared []*bq.QueryParameter) (types []*bq.QueryParameterType, source typeSource, err error) {
	if p.positional > 0 {
		declared = nil
	}
	// Prepare has asked with nothing declared.
	if types, ok := c.connector.types.get(c.typeKey(j, text, declared), c.typeKey(j, text, nil)); ok {
		return types, typesCached, nil
	}
	stats, err := c.dryRun(ctx, j, text, p, declared)
	if err != nil {
		return nil, 0, err
	}
	types = slotTypes(p, stats.Query.UndeclaredQueryParameters)
	c.connector.types.put(c.typeKey(j, text, declared), types)
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

// typeKey is also that of where names are looked up: the default dataset, the location, and the session with its
// temporary tables.
func (c *Conn) typeKey(j *job, text string, declared []*bq.QueryParameter) cacheKey {
	var types strings.Builder
	types.WriteString(j.cfg.Dataset + "\x00" + j.cfg.Location)
	if s, _ := c.sessionFor(); s != nil {
		types.WriteString("\x00" + s.id)
	}
	for _, d := range declared {
		types.WriteString("\x00" + d.Name + " ")
		writeType(&types, d.ParameterType)
	}
	return cacheKey{sha256.Sum256([]byte(text)), sha256.Sum256([]byte(types.String()))}
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
