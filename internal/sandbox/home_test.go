package sandbox

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func homeOf(t *testing.T, s *Server, host string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		req.Host = host
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestHome(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Open: true})
	if code, page := homeOf(t, s, ""); code != http.StatusOK || !strings.Contains(page, "There was none.") {
		t.Errorf("empty: got %d\n%s", code, page)
	}
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (a INT64)", "INSERT d.t VALUES (1), (2)",
		"CREATE VIEW d.v AS SELECT 1 AS x")
	for _, sql := range []string{"SELECT a FROM d.t", "SELECT '<b>' + 1"} {
		call(t, s, "", http.MethodPost, queryPath(DefaultProject), `{"query": "`+sql+`", "useLegacySql": false}`)
	}
	_, page := homeOf(t, s, "")
	for _, want := range []string{
		DefaultProject + `.d.t<td>table<td class="number">2<td class="number">16`, "d.v<td>view",
		"<pre>SELECT a FROM d.t</pre><td>DONE", "&lt;b&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("want %s in\n%s", want, page)
		}
	}
	if strings.Contains(page, "<b>") {
		t.Error("a statement is not escaped")
	}
	if code, _ := homeOf(t, s, "example.com"); code == http.StatusOK {
		t.Error("the page is shown under another name")
	}
	closed := start(t, Config{NoData: true})
	if code, _ := homeOf(t, closed, ""); code == http.StatusOK {
		t.Error("the page is shown where a sign-in is needed")
	}
}
