package driver_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// Libraries that open a database by the name of its driver get Name.
func ExampleName() {
	db, err := sql.Open(driver.Name, "bigqueryuser://my-project?auth=none&endpoint=http://127.0.0.1:9050")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
}

// Identity returns the account that statements run as.
func ExampleIdentity() {
	ctx, db := context.Background(), exampleDB()
	defer db.Close()
	who, err := driver.Identity(ctx, db)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(who.Account)
	// Output: ada@example.com
}

// The program has tokens from elsewhere, such as another OAuth library. The user is not asked.
func ExampleWithTokenSource() {
	tokens := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: os.Getenv("ACCESS_TOKEN")})
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project"}, driver.WithTokenSource(tokens))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

// secrets is what //go:embed client_secrets.json puts into a program.
var secrets []byte

func ExampleWithClientSecrets() {
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project"}, driver.WithClientSecrets(secrets))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

// window shows the address of the consent page in a window of the program.
type window struct{}

func (window) Prompt(ctx context.Context, p auth.Prompt) error {
	if p.Reason != "" {
		fmt.Println(p.Reason)
	}
	fmt.Println("Please sign in:", p.URL)
	return nil
}

// A program with windows shows the address of the sign-in itself.
func ExampleWithPrompter() {
	cfg := &dsn.Config{Project: "my-project", ClientSecrets: "client_secrets.json", Login: "manual"}
	connector, err := driver.NewConnector(cfg, driver.WithPrompter(window{}))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

// One sign-in serves two projects.
func ExampleWithAuthenticator() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	signIn, err := auth.New(auth.Config{Client: client, Store: auth.MemoryStore()})
	if err != nil {
		log.Fatal(err)
	}
	defer signIn.Close()
	for _, project := range []string{"my-project", "other-project"} {
		connector, err := driver.NewConnector(&dsn.Config{Project: project}, driver.WithAuthenticator(signIn))
		if err != nil {
			log.Fatal(err)
		}
		db := sql.OpenDB(connector)
		defer db.Close()
	}
}

// A company's certificate authority is trusted beside the system's.
func ExampleWithTLSConfig() {
	pool, err := x509.SystemCertPool()
	if err != nil {
		log.Fatal(err)
	}
	pem, err := os.ReadFile("company-ca.pem")
	if err != nil {
		log.Fatal(err)
	}
	pool.AppendCertsFromPEM(pem)
	cfg := &dsn.Config{Project: "my-project", ClientSecrets: "client_secrets.json"}
	connector, err := driver.NewConnector(cfg, driver.WithTLSConfig(&tls.Config{RootCAs: pool}))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

// The sign-in, REST and the Storage Read API go through one proxy.
func ExampleWithHTTPTransport() {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "proxy.example:3128"})
	cfg := &dsn.Config{Project: "my-project", ClientSecrets: "client_secrets.json"}
	connector, err := driver.NewConnector(cfg, driver.WithHTTPTransport(transport))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

// timed logs how long each request takes. It leaves headers, which hold tokens, alone.
type timed struct{ next http.RoundTripper }

func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.next.RoundTrip(r)
	slog.Debug("request", "method", r.Method, "path", r.URL.Path, "took", time.Since(start))
	return resp, err
}

func ExampleWithRoundTripper() {
	db := exampleDB(driver.WithRoundTripper(func(next http.RoundTripper) http.RoundTripper { return timed{next} }))
	defer db.Close()
	count(context.Background(), db, "SELECT COUNT(*) FROM orders")
	// Output: 3
}

// A gateway of the company may get the user's access tokens, because the program says so.
func ExampleWithTrustedEndpoint() {
	cfg := &dsn.Config{
		Project: "my-project", ClientSecrets: "client_secrets.json", Endpoint: "https://bigquery-gateway.example",
	}
	connector, err := driver.NewConnector(cfg, driver.WithTrustedEndpoint("bigquery-gateway.example"))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

func ExampleWithLogger() {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	cfg := &dsn.Config{Project: "my-project", ClientSecrets: "client_secrets.json"}
	connector, err := driver.NewConnector(cfg, driver.WithLogger(logger))
	if err != nil {
		log.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
}

// "prog logout -everywhere" ends the user's grant at Google, on all machines.
func ExampleConnector_Authenticator_revoke() {
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", ClientSecrets: "client_secrets.json"})
	if err != nil {
		log.Fatal(err)
	}
	defer connector.Close()
	if err := connector.Authenticator().Revoke(context.Background()); err != nil {
		log.Fatal(err)
	}
}
