package sandbox

import (
	"net/http"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

// TestTLS: the sandbox speaks HTTP/2 over TLS, as BigQuery does, if it is asked to.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, TLS: fakecert.Server("h2", "http/1.1")})
	transport := &http.Transport{TLSClientConfig: fakecert.Client(), ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet,
		s.Endpoint()+"/bigquery/v2/projects/"+DefaultProject+"/jobs", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.Proto != "HTTP/2.0" || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %s %d; want HTTP/2.0 and 401, as there is no token", resp.Proto, resp.StatusCode)
	}
}
