package driver_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestNoSignIn: auth=none sends no token and reads no client secrets.
func TestNoSignIn(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	db, err := sql.Open(driver.Name, (&dsn.Config{Project: "my-project", Auth: "none", Endpoint: server.URL()}).Format())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if got := server.Requests()[0].Header.Get("Authorization"); got != "" {
		t.Errorf("got the header Authorization; want none")
	}
}

// TestDefaultCredentials: auth=adc takes what GOOGLE_APPLICATION_CREDENTIALS names, a user's
// or not, and nothing else does.
func TestDefaultCredentials(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"robot","token_type":"Bearer","expires_in":3600}`)
	}))
	defer tokens.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "adc.json")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	t.Setenv(driver.ClientSecretsEnv, "")
	server := fakebq.Run(t, fakebq.Options{
		Verify: func(token string) (string, bool) { return "robot@example.com", token == "robot" },
	})
	server.On("SELECT name, n FROM t", numbers)
	adc := (&dsn.Config{Project: "my-project", Auth: "adc", Endpoint: server.URL()}).Format()
	t.Setenv(driver.TrustedHostsEnv, strings.TrimPrefix(strings.TrimPrefix(server.URL(), "http://"), "https://"))

	if _, err := sql.Open(driver.Name, adc); err == nil ||
		!strings.Contains(err.Error(), "gcloud auth application-default login") {
		t.Errorf("no file: got %v", err)
	}

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	account, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "robot@example.com", "token_uri": tokens.URL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{
			Type:  "RSA PRIVATE KEY",
			Bytes: x509.MarshalPKCS1PrivateKey(key),
		})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, account, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open(driver.Name, adc)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer http.DefaultClient.CloseIdleConnections() // of Google's library
	if err := query(t.Context(), db); err != nil {
		t.Fatal(err)
	}

	userFile := `{"type":"authorized_user","client_id":"x","client_secret":"y","refresh_token":"z"}`
	if err := os.WriteFile(file, []byte(userFile), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err = sql.Open(driver.Name, adc)
	if err != nil {
		t.Errorf("a user's file: %v", err)
	} else if err := db.Close(); err != nil {
		t.Error(err)
	}
	if _, err := sql.Open(driver.Name, strings.Replace(adc, "auth=adc&", "", 1)); err == nil ||
		!strings.Contains(err.Error(), "client_secrets=PATH") {
		t.Errorf("without auth=adc: got %v; want the missing client secrets", err)
	}
}
