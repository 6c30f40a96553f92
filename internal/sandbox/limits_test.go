package sandbox

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{})
	param := func(n int) []map[string]any {
		var list []map[string]any
		for range n {
			list = append(list, map[string]any{
				"parameterType":  map[string]any{"type": "INT64"},
				"parameterValue": map[string]any{"value": "1"},
			})
		}
		return list
	}
	sum := "SELECT " + strings.Repeat("?+", 9999) + "?"
	for _, tt := range []struct {
		name, sql, message string
		params             int
	}{
		{"parameters", "SELECT (SELECT SUM(x) FROM UNNEST([" + strings.Repeat("?,", 9999) + "?]) AS x)", "", 10000},
		{"a parameter more", "SELECT ?", "too many parameters: 10001", 10001},
		{"text", "SELECT '" + strings.Repeat("é", 1<<20-9) + "'", "", 0},
		{"a character more", "SELECT '" + strings.Repeat("é", 1<<20-8) + "'", "query is too large", 0},
		{"body", "SELECT '" + strings.Repeat("x", 10<<20) + "'", "payload size exceeds the limit", 0},
		{"depth", sum, "too complex for the sandbox", 10000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"query": tt.sql, "useLegacySql": false,
				"parameterMode": "POSITIONAL", "queryParameters": param(tt.params)})
			if err != nil {
				t.Fatal(err)
			}
			code, _, got := call(t, s, tok.AccessToken, http.MethodPost, queryPath(DefaultProject), string(body))
			_, message := reasonOf(got)
			if tt.message == "" && code != http.StatusOK || !strings.Contains(message, tt.message) {
				t.Errorf("got %d %q, want %q", code, message, tt.message)
			}
		})
	}
}
