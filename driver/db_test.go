package driver_test

import (
	"database/sql"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

var overHTTP2 = flag.Bool("http2", false, "serve the fakes over HTTP/2 and TLS, as BigQuery is")

// untrusted is why the tests of this process can't serve TLS: macOS and Windows verify certificates themselves.
var untrusted error

func TestMain(m *testing.M) {
	flag.Parse()
	fuzzed := flag.Lookup("test.fuzz").Value.String() != "" // where it is the number of processes
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue && !fuzzed {
		_ = f.Value.Set("16") // most tests wait; it is a number
	}
	untrusted = fakecert.Trust()
	if *overHTTP2 {
		if untrusted != nil {
			fmt.Fprintln(os.Stderr, "-http2:", untrusted)
			os.Exit(1)
		}
		fakebq.HTTP2 = true
	}
	goleak.VerifyTestMain(m)
}

// TestHTTP2 runs all tests again over HTTP/2 and TLS, in a process that trusts the certificate of the fakes.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	switch {
	case *overHTTP2:
		t.Skip("this is the run over HTTP/2")
	case testing.Short():
		t.Skip("-short: the tests over HTTP/2 take as long as the others; run them alone with -http2")
	case untrusted != nil:
		t.Skipf("the system does not trust the certificate of the fakes: %v", untrusted)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-http2", "-test.count=1", "-test.timeout=5m"}
	if f := flag.Lookup("test.run"); f.Value.String() != "" {
		args = append(args, "-test.run="+f.Value.String())
	}
	if out, err := exec.CommandContext(t.Context(), self, args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// newConnector makes a connector that talks to the fake and whose sign-in is a fixed token.
func newConnector(t testing.TB, server *fakebq.Server, change ...func(*dsn.Config)) *driver.Connector {
	t.Helper()
	cfg := &dsn.Config{Project: "my-project", Endpoint: server.URL()}
	for _, f := range change {
		f(cfg)
	}
	connector, err := driver.NewConnector(cfg,
		driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})))
	if err != nil {
		t.Fatal(err)
	}
	return connector
}

// open returns a database of such a connector.
func open(t testing.TB, server *fakebq.Server, change ...func(*dsn.Config)) *sql.DB {
	t.Helper()
	db := sql.OpenDB(newConnector(t, server, change...))
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

var numbers = fakebq.Answer{
	Fields: []fakebq.Field{{Name: "name", Type: "STRING"}, {Name: "n", Type: "INTEGER"}},
	Rows:   [][]any{{"Ada", 1}, {nil, 2}, {"Grace", nil}},
}

func readAll(t testing.TB, rows *sql.Rows) [][]any {
	t.Helper()
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]any
	for rows.Next() {
		row := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range row {
			targets[i] = &row[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestReplacedTransport: programs wrap http.DefaultTransport, for tracing say.
func TestReplacedTransport(t *testing.T) {
	old := http.DefaultTransport
	http.DefaultTransport = http.NewFileTransport(http.Dir(t.TempDir()))
	defer func() { http.DefaultTransport = old }()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	if err := query(t.Context(), open(t, server)); err != nil {
		t.Error(err)
	}
}

func TestScanMistakes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	db := open(t, server)
	rows, err := db.QueryContext(t.Context(), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	var name string
	var n int
	if err := rows.Scan(&name, &n); err == nil {
		t.Error("Scan before Next: got no error")
	}
	rows.Next()
	if err := rows.Scan(&name); err == nil {
		t.Error("Scan of one of two columns: got no error")
	}
	if err := rows.Scan(&n, &name); err == nil {
		t.Error("Scan of a STRING into an int: got no error")
	}
	if err := rows.Close(); err != nil {
		t.Error(err)
	}
	if rows.Next() {
		t.Error("Next after Close: got a row")
	}
	if err := rows.Scan(&name, &n); err == nil {
		t.Error("Scan after Close: got no error")
	}
	if err := db.QueryRowContext(t.Context(), "SELECT name, n FROM t").Scan(&name, &n); err != nil ||
		name != "Ada" || n != 1 {
		t.Errorf("got %s, %d, %v", name, n, err)
	}
}

// TestRequest pins the requests of the driver.
func TestRequest(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	db := open(t, server, func(c *dsn.Config) {
		c.Dataset, c.Location, c.MaxResults, c.QuotaProject, c.Application = "d", "EU", 2, "quota-project", "report/1.0"
		c.MaximumBytesBilled, c.JobTimeout, c.UseQueryCache = 1<<40, 90*time.Second, new(bool)
		c.Labels = map[string]string{"team": "sales"}
	})
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(t.Context(), &stats), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 3 {
		t.Errorf("got %d rows; want 3", len(got))
	}
	first := server.Requests(fakebq.Query)[0]
	req, err := first.QueryRequest()
	if err != nil {
		t.Fatal(err)
	}
	if req.UseLegacySql == nil || *req.UseLegacySql || req.Location != "EU" ||
		req.MaxResults != 2 || req.DefaultDataset == nil ||
		req.DefaultDataset.ProjectId != "my-project" || req.DefaultDataset.DatasetId != "d" ||
		len(req.RequestId) == 0 || len(req.RequestId) > 36 ||
		!req.FormatOptions.UseInt64Timestamp || req.MaximumBytesBilled != 1<<40 ||
		req.Labels["team"] != "sales" || req.JobTimeoutMs != 90_000 ||
		req.UseQueryCache == nil || *req.UseQueryCache {
		t.Errorf("got %+v", req)
	}
	for key, want := range map[string]string{
		"Authorization":       "Bearer token",
		"X-Goog-User-Project": "quota-project",
		"User-Agent":          "report/1.0 bigqueryuser/" + driver.Version + " (gzip)",
	} {
		if got := first.Header.Get(key); got != want {
			t.Errorf("header %s: got %q; want %q", key, got, want)
		}
	}
	second := server.Requests(fakebq.GetQueryResults)
	if len(second) != 1 || second[0].Query.Get("location") != "EU" || second[0].Query.Get("maxResults") != "2" {
		t.Errorf("got the second page's request %+v", second)
	}
	if stats.Project != "my-project" || stats.JobID == "" || stats.Location != "EU" ||
		stats.StatementType != "SELECT" || stats.TotalRows != 3 {
		t.Errorf("got %+v", stats)
	}
}

// TestOpenWithoutName: libraries open a driver without a name to get hold of it. Only a
// connection needs one.
func TestOpenWithoutName(t *testing.T) {
	t.Parallel()
	db, err := sql.Open(driver.Name, "")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, ok := db.Driver().(*driver.Driver); !ok {
		t.Errorf("got a %T; want a *driver.Driver", db.Driver())
	}
	_, want := dsn.Parse("")
	if err := db.PingContext(t.Context()); err == nil || err.Error() != want.Error() {
		t.Errorf("got %v; want %v", err, want)
	}
}
