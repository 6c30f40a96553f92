package fakebq

import (
	"strings"
	"testing"
)

// TestConfigurationChecks: what a job is asked for in words that the service does not have is refused.
func TestConfigurationChecks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, query, job, want string }{
		{"batch", `"priority":"BATCH"`, ``, ""},
		{"other priority", `"priority":"batch"`, ``, "Invalid value for priority"},
		{"write", `"writeDisposition":"APPEND"`, ``, "Invalid value for writeDisposition"},
		{"create", `"createDisposition":"CREATE"`, ``, "Invalid value for createDisposition"},
		{"table", `"destinationTable":{"projectId":"p","datasetId":"d","tableId":"t"},` +
			`"writeDisposition":"WRITE_TRUNCATE_DATA"`, ``, ""},
		{"table without project", `"destinationTable":{"datasetId":"d","tableId":"t"}`, ``,
			"Invalid destination table"},
		{"no reservation", `"useQueryCache":false`, `"reservation":"none",`, ""},
		{"reservation by its id", `"useQueryCache":false`, `"reservation":"r",`, "Invalid reservation"},
		{"key", `"destinationEncryptionConfiguration":{"kmsKeyName":"projects/p/locations/us/keyRings/r/cryptoKeys/k"}`,
			``, ""},
		{"key by its id", `"destinationEncryptionConfiguration":{"kmsKeyName":"k"}`, ``, "Invalid Cloud KMS key"},
		{"time zone", `"connectionProperties":[{"key":"time_zone","value":"Etc/GMT+5"}]`, ``, ""},
		{"no time zone", `"connectionProperties":[{"key":"time_zone","value":"here and now"}]`, ``,
			"Invalid time zone"},
		{"property twice", `"connectionProperties":[{"key":"time_zone","value":"UTC"},{"key":"time_zone",` +
			`"value":"UTC"}]`, ``, "more than once"},
	} {
		s := Run(t, Options{})
		s.On("SELECT 1", people())
		status, got := post(t, s, "/projects/p/jobs", `{"configuration":{`+tc.job+`"query":{"query":"SELECT 1",`+
			`"useLegacySql":false,`+tc.query+`}}}`)
		if tc.want == "" && status != 200 || tc.want != "" && (status != 400 || !strings.Contains(got, tc.want)) {
			t.Errorf("%s: got %d %s; want %q", tc.name, status, got, tc.want)
		}
	}
}

// TestDestination: only a SELECT has a result to keep.
func TestDestination(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{"SELECT": "", "INSERT": "DML", "CREATE": "DDL", "SCRIPT": "scripts"} {
		s := Run(t, Options{})
		s.On("SELECT", people())
		s.On("INSERT", Answer{DML: &DML{}})
		s.On("CREATE", Answer{})
		s.On("SCRIPT", Answer{Children: []Answer{people()}})
		_, got := post(t, s, "/projects/p/jobs", `{"configuration":{"query":{"query":"`+sql+`","useLegacySql":false,`+
			`"destinationTable":{"projectId":"p","datasetId":"d","tableId":"t"}}}}`)
		if failed := strings.Contains(got, "errorResult"); failed != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %s; want %q", sql, got, want)
		}
	}
}
