package driver

import (
	"context"
	"strings"
	"sync"

	bq "google.golang.org/api/bigquery/v2"
)

// typeCacheSize bounds how many statements a connector remembers the parameter types of.
const typeCacheSize = 512

// typeCache remembers what BigQuery said of undeclared parameters. When it is full
// anything in it may go: asking again costs a dry run and nothing else.
type typeCache struct {
	mu    sync.Mutex
	size  int
	types map[string][]*bq.QueryParameterType
}

func newTypeCache(size int) *typeCache {
	return &typeCache{size: size, types: map[string][]*bq.QueryParameterType{}}
}

func (c *typeCache) get(key string) ([]*bq.QueryParameterType, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, ok := c.types[key]
	return t, ok
}

func (c *typeCache) put(key string, types []*bq.QueryParameterType) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for k := range c.types {
		if len(c.types) < c.size {
			break
		}
		delete(c.types, k)
	}
	c.types[key] = types
}

// inferTypes asks BigQuery, in a dry run, which types the statement's parameters have. The
// answer is in the order of the slots: the `?` as they stand, or parameters.names. A slot
// that BigQuery says nothing of, as in a script, is nil. declared are parameters that have
// a type already; only named ones can be told to BigQuery in such a request.
func (c *Conn) inferTypes(ctx context.Context, text string, p parameters, declared []*bq.QueryParameter) ([]*bq.QueryParameterType, error) {
	if p.count() == 0 {
		return nil, nil
	}
	if p.positional > 0 {
		declared = nil
	}
	key := cacheKey(text, declared)
	if types, ok := c.connector.types.get(key); ok {
		return types, nil
	}
	stats, err := c.dryRun(ctx, text, p, declared)
	if err != nil {
		return nil, err
	}
	types := slotTypes(p, stats.Query.UndeclaredQueryParameters)
	c.connector.types.put(key, types)
	return types, nil
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
		key.WriteString("\x00" + d.Name + " " + d.ParameterType.Type)
		if e := d.ParameterType.RangeElementType; e != nil {
			key.WriteString(" " + e.Type)
		}
	}
	return key.String()
}
