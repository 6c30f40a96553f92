package sandbox

import (
	"context"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// refresh uses a refresh token at a sandbox.
func refresh(t *testing.T, s *Server, tok *oauth2.Token) (*oauth2.Token, error) {
	t.Helper()
	conf := clientConfig(t, s)
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, quietClient(t))
	return conf.TokenSource(ctx, &oauth2.Token{RefreshToken: tok.RefreshToken}).Token()
}

func TestStateOutlivesTheSandbox(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	first := start(t, Config{StateDir: dir, NoData: true})
	address := first.Endpoint()
	tok := signIn(t, first, DefaultAccount)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := start(t, Config{StateDir: dir, NoData: true})
	if second.Endpoint() != address || second.MovedFrom() != "" {
		t.Fatalf("got address %s, moved from %q; want %s kept", second.Endpoint(), second.MovedFrom(), address)
	}
	fresh, err := refresh(t, second, tok)
	if err != nil {
		t.Fatalf("the second sandbox does not know the sign-in: %v", err)
	}
	if status, _, _ := call(t, second, fresh.AccessToken, "GET", "/bigquery/v2/projects", ""); status != 200 {
		t.Errorf("with the refreshed token: got status %d; want 200", status)
	}

	for _, name := range []string{addressFile, grantsFile, secretsFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: got mode %o; want 600", name, got)
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: got %v, %v; want mode 700", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, Config{StateDir: dir, NoData: true})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	thief, err := net.Listen("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer thief.Close()
	second := start(t, Config{StateDir: dir, NoData: true})
	if second.Endpoint() == first.Endpoint() || second.MovedFrom() != u.Host {
		t.Errorf("got %s, moved from %q; want another address, moved from %s", second.Endpoint(), second.MovedFrom(),
			u.Host)
	}
}

func TestBrokenState(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{addressFile, grantsFile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("{broken"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, Config{StateDir: dir, NoData: true})
	signIn(t, s, DefaultAccount)
}

func TestBadConfig(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"all interfaces":  {Addr: "0.0.0.0:0"},
		"a name":          {Addr: "localhost:0"},
		"no port":         {Addr: "127.0.0.1"},
		"a file as state": {StateDir: file},
		"bad memory":      {MemoryLimit: "lots"},
	} {
		cfg.NoData = true
		if s, err := Start(t.Context(), cfg); err == nil {
			t.Errorf("%s: got no error", name)
			_ = s.Close()
		}
	}
}

func TestSecretsFile(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	data, err := os.ReadFile(s.ClientSecretsFile())
	if err != nil || string(data) != string(s.ClientSecrets()) {
		t.Errorf("got %q, %v; want the client secrets", data, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.ClientSecretsFile()); !os.IsNotExist(err) {
		t.Errorf("after Close: got %v; want no file", err)
	}
}

func TestStartIsQuick(t *testing.T) {
	t.Parallel()
	began := time.Now()
	start(t, Config{})
	t.Logf("started with data in %v", time.Since(began))
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("the start took %v", d)
	}
}
