package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// ClientSecretsEnv names the environment variable that holds the path of
// client_secrets.json when neither the DSN nor an option gives one.
const ClientSecretsEnv = "BIGQUERYUSER_CLIENT_SECRETS"

// chooseTokens decides whose tokens the connector uses: those of an option, of the person who
// signs in, of the application-default credentials, or none.
func (c *Connector) chooseTokens(o *options) error {
	if o.tokenSource != nil {
		c.tokens = &tokenSource{source: oauth2.ReuseTokenSource(nil, o.tokenSource)}
		return nil
	}
	switch c.cfg.Auth {
	case "none":
		return nil
	case "adc":
		return c.useDefaultCredentials()
	}
	signIn, err := newSignIn(&c.cfg, o)
	if err != nil {
		return err
	}
	c.signIn, c.tokens = signIn, &tokenSource{source: signIn, context: signIn.TokenContext, invalidate: signIn.Invalidate}
	return nil
}

func openStore(cfg *dsn.Config) (auth.Store, error) {
	dir, err := expandHome(cfg.TokenDir)
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: token_dir: %w", err)
	}
	open := auth.FileStore
	switch cfg.TokenStore {
	case "memory":
		return auth.MemoryStore(), nil
	case "keyring":
		open = auth.KeyringStore
	}
	store, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: token_dir: %w", err)
	}
	return store, nil
}

func loadClient(cfg *dsn.Config, o *options) (*auth.Client, error) {
	if o.clientSecrets != nil {
		if cfg.ClientSecrets != "" {
			return nil, errors.New("bigqueryuser: client_secrets is given twice, in the configuration and as WithClientSecrets: keep one")
		}
		return auth.ParseClient(o.clientSecrets)
	}
	path, key := cfg.ClientSecrets, "client_secrets"
	if path == "" {
		path, key = os.Getenv(ClientSecretsEnv), ClientSecretsEnv
	}
	if path == "" {
		return nil, fmt.Errorf("bigqueryuser: no client secrets: add client_secrets=PATH to the DSN (the client_secrets.json that the Google Cloud console offers for an OAuth client of type Desktop app), set %s, or embed the file and use WithClientSecrets", ClientSecretsEnv)
	}
	path, err := expandHome(path)
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: %s: %w", key, err)
	}
	client, err := auth.LoadClient(path)
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: %s: %w", key, err)
	}
	return client, nil
}

// useDefaultCredentials takes the application-default credentials, which is what auth=adc asks
// for: a person's, made by gcloud, or any other kind that Google's library reads from a file.
func (c *Connector) useDefaultCredentials() error {
	own, err := auth.LoadDefaultCredentials(nil)
	if err == nil {
		c.tokens = &tokenSource{source: own, invalidate: own.Invalidate}
		if c.cfg.QuotaProject == "" {
			c.cfg.QuotaProject = own.QuotaProject()
		}
		return nil
	}
	if !errors.Is(err, auth.ErrNotUserCredential) {
		return fmt.Errorf("bigqueryuser: auth=adc: %w", err)
	}
	found, err := google.FindDefaultCredentials(context.Background(), auth.ScopeBigQuery)
	if err != nil {
		return errors.New("bigqueryuser: auth=adc: Google's library can't use the application-default credentials: check the file that GOOGLE_APPLICATION_CREDENTIALS names")
	}
	c.tokens = &tokenSource{source: found.TokenSource}
	return nil
}

// expandHome replaces a leading ~/ as a shell does, since nothing else expands a DSN.
func expandHome(path string) (string, error) {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("~ can't be expanded: %w", err)
	}
	return filepath.Join(home, path[1:]), nil
}
