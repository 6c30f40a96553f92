package fakebq

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// post sends a body as it is, for what the official client would never write.
func post(t *testing.T, s *Server, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

func do(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	tr := http.DefaultTransport.(*http.Transport).Clone()
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

// TestChecks holds statements that the service refuses, and some that it takes,
// against both ways to send them.
func TestChecks(t *testing.T) {
	t.Parallel()
	const ok = ""
	for _, tc := range []struct {
		name, members, want string
	}{
		{"plain", `"useLegacySql":false`, ok},
		{"legacy by default", `"useQueryCache":true`, "useLegacySql is not false"},
		{"legacy", `"useLegacySql":true`, "useLegacySql is not false"},
		{"positional", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"INT64"},"parameterValue":{"value":"1"}}]`, ok},
		{"named", `"useLegacySql":false,"parameterMode":"NAMED","queryParameters":[{"name":"a",` +
			`"parameterType":{"type":"INT64"},"parameterValue":{"value":"1"}}]`, ok},
		{"no mode", `"useLegacySql":false,"queryParameters":[{"parameterType":{"type":"INT64"},` +
			`"parameterValue":{"value":"1"}}]`, "parameterMode must be set"},
		{"other mode", `"useLegacySql":false,"parameterMode":"ANY"`, "Invalid value for parameterMode"},
		{"name in positional", `"useLegacySql":false,"parameterMode":"POSITIONAL","queryParameters":[{"name":"a",` +
			`"parameterType":{"type":"INT64"}}]`, "in POSITIONAL mode"},
		{"no name in named", `"useLegacySql":false,"parameterMode":"NAMED",` +
			`"queryParameters":[{"parameterType":{"type":"INT64"}}]`, "no name in NAMED mode"},
		{"name twice", `"useLegacySql":false,"parameterMode":"NAMED","queryParameters":[{"name":"a",` +
			`"parameterType":{"type":"INT64"}},{"name":"A","parameterType":{"type":"INT64"}}]`,
			"Duplicate parameter name"},
		{"no type", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterValue":{"value":"1"}}]`, "Parameter 1 has no type"},
		{"typed null", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"DATE"},"parameterValue":{"value":null}}]`, ok},
		{"legacy type", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"INTEGER"}}]`, "unknown type"},
		{"array", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"ARRAY","arrayType":{"type":"INT64"}},` +
			`"parameterValue":{"arrayValues":[{"value":"1"}]}}]`, ok},
		{"array without element", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"ARRAY"}}]`, "without arrayType"},
		{"array of array", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"ARRAY","arrayType":{"type":"ARRAY",` +
			`"arrayType":{"type":"INT64"}}}}]`, "ARRAY of ARRAY"},
		{"array as value", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"ARRAY","arrayType":{"type":"INT64"}},` +
			`"parameterValue":{"value":"1"}}]`, "no arrayValues"},
		{"bad element", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"ARRAY","arrayType":{"type":"INT"}},"parameterValue":{}}]`,
			"unknown type"},
		{"struct", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"STRUCT","structTypes":[{"name":"a",` +
			`"type":{"type":"INT64"}}]},"parameterValue":{"structValues":{"a":{"value":"1"}}}}]`, ok},
		{"struct without fields", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"STRUCT"}}]`, "without structTypes"},
		{"struct as value", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"STRUCT","structTypes":[{"name":"a",` +
			`"type":{"type":"INT64"}}]},"parameterValue":{"value":"1"}}]`, "no structValues"},
		{"range without element", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"RANGE"}}]`, "without a rangeElementType"},
		{"scalar as array", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"INT64"},"parameterValue":{"arrayValues":[{"value":"1"}]}}]`,
			"value of another kind"},
		{"duration as INT64", `"useLegacySql":false,"parameterMode":"POSITIONAL",` +
			`"queryParameters":[{"parameterType":{"type":"INT64"},"parameterValue":{"value":"5ns"}}]`,
			"Unparseable query parameter `` in type `TYPE_INT64`"},
		{"dataset", `"useLegacySql":false,"defaultDataset":{"projectId":"p","datasetId":"d"}`, ok},
		{"bad dataset", `"useLegacySql":false,"defaultDataset":{"datasetId":"p.d"}`, "Invalid dataset ID"},
		{"negative limit", `"useLegacySql":false,"maximumBytesBilled":"-1"`, "negative"},
		{"two sessions", `"useLegacySql":false,"createSession":true,"connectionProperties":[{"key":"session_id",` +
			`"value":"x"}]`, "Cannot create a session"},
		{"number for string", `"useLegacySql":false,"maximumBytesBilled":{}`, "Invalid JSON payload"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := Run(t, Options{})
			s.On("SELECT 1", people())
			for path, body := range map[string]string{
				"/bigquery/v2/projects/p/queries": `{"query":"SELECT 1",` + tc.members + `}`,
				"/bigquery/v2/projects/p/jobs": `{"configuration":{"query":{"query":"SELECT 1",` + tc.members +
					`}}}`,
			} {
				status, got := post(t, s, path, body)
				if tc.want == ok && status != 200 || tc.want != ok &&
					(status != 400 || !strings.Contains(got, tc.want)) {
					t.Errorf("%s: got %d %s; want %q", path, status, got, tc.want)
				}
			}
		})
	}
}

// TestUnknownMembers: the service ignores what it does not know; a test can ask for it.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	if _, err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.On("SELECT 1", people())
	for path, body := range map[string]string{
		"/projects/p/queries": `{"query":"SELECT 1","useLegacySql":false,"dialect":1}`,
		"/projects/p/jobs":    `{"configuration":{"query":{"query":"SELECT 1","useLegacySql":false,"dialect":1}}}`,
	} {
		if status, got := post(t, s, path, body); status != 200 {
			t.Errorf("%s: got %d %s; want 200", path, status, got)
		}
	}
	if got := s.Unknown(); !slices.Equal(got, []string{"dialect", "dialect"}) {
		t.Errorf("got unknown members %q; want dialect of each", got)
	}
}

func TestRequestChecks(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT 1", people())
	for _, tc := range []struct {
		name, path, body string
		status           int
		want             string
	}{
		{"no JSON", "/projects/p/queries", `{`, 400, "Invalid JSON payload"},
		{"no query", "/projects/p/queries", `{"useLegacySql":false}`, 400, "missing: query"},
		{"long requestId", "/projects/p/queries", `{"query":"SELECT 1","useLegacySql":false,` +
			`"requestId":"0123456789012345678901234567890123456"}`, 400, "requestId"},
		{"requestId in Greek", "/projects/p/queries", `{"query":"SELECT 1","useLegacySql":false,"requestId":"α"}`, 400,
			"requestId"},
		{"job creation mode", "/projects/p/queries", `{"query":"SELECT 1","useLegacySql":false,` +
			`"jobCreationMode":"NEVER"}`, 400, "jobCreationMode"},
		{"negative page", "/projects/p/queries", `{"query":"SELECT 1","useLegacySql":false,"maxResults":-1}`, 400,
			"negative"},
		{"Arrow", "/projects/p/queries", `{"query":"SELECT 1","useLegacySql":false,"queryResultsFormat":"ARROW"}`, 501,
			"answers in JSON alone"},
		{"label", "/projects/p/queries", `{"query":"SELECT 1","useLegacySql":false,"labels":{"Team":"x"}}`, 400,
			"Invalid label"},
		{"large request", "/projects/p/queries", `{"query":"` + strings.Repeat("x", maxBody) + `"}`, 413,
			"payload size exceeds"},
		{"load job", "/projects/p/jobs", `{"configuration":{"load":{}}}`, 400, "configuration.query"},
		{"project of another", "/projects/p/jobs", `{"jobReference":{"projectId":"q"},` +
			`"configuration":{"query":{"query":"SELECT 1","useLegacySql":false}}}`, 400, "does not agree"},
		{"job id", "/projects/p/jobs", `{"jobReference":{"jobId":"a b"},"configuration":{"query":{"query":"SELECT 1",` +
			`"useLegacySql":false}}}`, 400, "Invalid job ID"},
		{"no such method", "/projects/p/tables", `{}`, 404, "does not serve"},
		{"no project", "/queries", `{}`, 404, "does not serve"},
		{"broken path", "/projects//queries", `{}`, 404, "does not serve"},
	} {
		status, got := post(t, s, tc.path, tc.body)
		if status != tc.status || !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %d %s; want %d and %q", tc.name, status, got, tc.status, tc.want)
		}
	}
	for name, path := range map[string]string{
		"misspelled parameter": "/projects/p/queries/j?formatOptions.useint64Timestamp=true",
		"parameter twice":      "/projects/p/queries/j?maxResults=1&maxResults=2",
		"not a number":         "/projects/p/queries/j?maxResults=ten",
		"negative":             "/projects/p/queries/j?startIndex=-1",
		"negative time":        "/projects/p/queries/j?timeoutMs=-1",
		"other method's":       "/projects/p/jobs/j?startIndex=1",
		"page of jobs":         "/projects/p/jobs?pageToken=x",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if status, got := do(t, r); status != 400 {
			t.Errorf("%s: got %d %s; want 400", name, status, got)
		}
	}
	if s.Executions("SELECT 1") != 0 {
		t.Errorf("got %d executions; want 0", s.Executions("SELECT 1"))
	}
}

func TestParameterTexts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typ, good, bad string // texts between bars
	}{
		{"INT64", "0|-9223372036854775808|+5", "1.0|9223372036854775808|5ns| 1"},
		{"FLOAT64", "1|1.5|-1e300|NaN|Inf|-Infinity", "0x1p3|1_0|one"},
		{"BOOL", "true|FALSE", "1|yes"},
		{"STRING", "anything", ""},
		{"BYTES", "AP8B|aGk=", "aGk|!"},
		{"NUMERIC", "1|-1.50|.5|1e3", "1/3|NaN|1,0"},
		{"BIGNUMERIC", "123456789012345678901234567890", "0x1"},
		{"DATE", "2024-02-29|0001-01-01|2024-1-2", "2023-02-29|2024-01-01T00:00:00|0000-01-01"},
		{"TIME", "00:00:00|23:59:59.999999", "24:00:00|12:00:00.1234567"},
		{"DATETIME", "2024-02-29 12:00:00|2024-02-29T12:00:00.5", "2024-02-29T12:00:00Z"},
		{"TIMESTAMP", "2024-02-29 12:00:00.123456+00:00|2024-02-29T12:00:00Z|2024-02-29 12:00:00 UTC",
			"1709209815|2024-02-30"},
		{"INTERVAL", "1-2 3 4:5:6.5|-1-2 -3 -4:5:6", "1 day"},
		{"GEOGRAPHY", "POINT(1 2)", ""},
		{"JSON", `{"a":1}|null`, "{a:1}"},
	} {
		for _, s := range strings.Split(tc.good, "|") {
			if !scalarTypes[tc.typ](s) {
				t.Errorf("%s %q: got refused; want taken", tc.typ, s)
			}
		}
		for _, s := range strings.Split(tc.bad, "|") {
			if s != "" && scalarTypes[tc.typ](s) {
				t.Errorf("%s %q: got taken; want refused", tc.typ, s)
			}
		}
	}
}

// TestUndeclaredParameters compares what a dry run and an execution make of the
// parameters that the script knows of.
func TestUndeclaredParameters(t *testing.T) {
	t.Parallel()
	typ := func(name string) string { return `"parameterType":{"type":"` + name + `"},"parameterValue":{}` }
	for _, tc := range []struct {
		name       string
		mode, list string
		params     string // of the script, by name; "?" is positional
		dry, run   string // part of the answer, or "" for a success without undeclared ones
	}{
		{"positional, none declared", "POSITIONAL", ``, "??", `"undeclaredQueryParameters"`, "parameter number 1"},
		{"positional, some declared", "POSITIONAL", `{` + typ("INT64") + `}`, "??",
			"Positional query parameters cannot be provided", "parameter number 2"},
		{"positional, all declared", "POSITIONAL", `{` + typ("INT64") + `},{` + typ("INT64") + `}`, "??", "", ""},
		{"named, none declared", "NAMED", ``, "ab", `"name":"a"`, "Query parameter 'a' not found"},
		{"named, one declared", "NAMED", `{"name":"A",` + typ("INT64") + `}`, "ab", `"name":"b"`,
			"Query parameter 'b' not found"},
		{"named, all declared", "NAMED", `{"name":"a",` + typ("INT64") + `},{"name":"b",` + typ("INT64") + `}`, "ab",
			"", ""},
		{"no mode", "", ``, "?", "parameterMode is not set", "parameter number 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := Run(t, Options{})
			a := people()
			for _, p := range tc.params {
				a.Parameters = append(a.Parameters, Parameter{Name: strings.Trim(string(p), "?")})
			}
			s.On("SELECT 1", a)
			query := `"query":{"query":"SELECT 1","useLegacySql":false,"parameterMode":"` + tc.mode +
				`","queryParameters":[` + tc.list + `]}`
			for _, c := range []struct{ body, want string }{
				{`{"configuration":{"dryRun":true,` + query + `}}`, tc.dry},
				{`{"configuration":{` + query + `}}`, tc.run},
			} {
				status, got := post(t, s, "/projects/p/jobs?prettyPrint=false", c.body)
				undeclared := strings.Contains(got, "undeclaredQueryParameters")
				failed := status != 200 || strings.Contains(got, "errorResult")
				if c.want == "" && (failed || undeclared) || c.want != "" && (!strings.Contains(got, c.want) ||
					failed == undeclared) {
					t.Errorf("%s: got %d %s; want %q", c.body, status, got, c.want)
				}
			}
		})
	}
}
