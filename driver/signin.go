package driver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// ClientSecretsEnv names the environment variable that holds the path of
// client_secrets.json when neither the DSN nor an option gives one.
const ClientSecretsEnv = "BIGQUERYUSER_CLIENT_SECRETS"

// QuotaProjectEnv names the environment variable that Google's libraries look at for the quota
// project. It counts where the DSN gives none, for REST and the Storage Read API.
const QuotaProjectEnv = "GOOGLE_CLOUD_QUOTA_PROJECT"

// chooseTokens decides whose tokens the connector uses: those of an option, of the user who
// signs in, of the application-default credentials, or none. It refuses endpoints that must not get them.
func (c *Connector) chooseTokens(o *options) error {
	if c.cfg.QuotaProject == "" {
		c.cfg.QuotaProject = os.Getenv(QuotaProjectEnv)
	}
	loopback := false // whether an endpoint on this machine may get the tokens
	switch {
	case o.tokenSource != nil && o.authenticator != nil:
		return errors.New("bigqueryuser: WithTokenSource and WithAuthenticator exclude each other: keep one")
	case o.tokenSource != nil:
		c.tokens, loopback = &tokenSource{source: oauth2.ReuseTokenSource(nil, o.tokenSource)}, true
	case o.authenticator != nil:
		c.signIn, c.signInShared = o.authenticator, true
	case c.cfg.Auth == "none":
		c.cfg.QuotaProject = "" // there is nobody whose quota it could be
		return nil
	case c.cfg.Auth == "adc":
		if err := c.useDefaultCredentials(o); err != nil {
			return err
		}
	default:
		signIn, err := newSignIn(&c.cfg, o)
		if err != nil {
			return err
		}
		c.signIn = signIn
	}
	if a := c.signIn; a != nil {
		c.tokens = &tokenSource{source: a, context: a.TokenContext, invalidate: a.Invalidate}
		loopback = a.Client().Local()
	}
	trusted, err := newTrust(o.trustedHosts, loopback)
	if err != nil {
		return err
	}
	return trusted.check(&c.cfg)
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
			return nil, errors.New("bigqueryuser: client_secrets is given twice, in the configuration and as " +
				"WithClientSecrets: keep one")
		}
		return auth.ParseClient(o.clientSecrets)
	}
	path, key := cfg.ClientSecrets, "client_secrets"
	if path == "" {
		path, key = os.Getenv(ClientSecretsEnv), ClientSecretsEnv
	}
	if path == "" {
		return nil, fmt.Errorf("bigqueryuser: no client secrets: add client_secrets=PATH to the DSN (the "+
			"client_secrets.json that the Google Cloud console offers for an OAuth client of type Desktop app), "+
			"set %s, or embed the file and use WithClientSecrets", ClientSecretsEnv)
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
// for: a user's, made by gcloud, or those of a machine.
func (c *Connector) useDefaultCredentials(o *options) error {
	found, err := auth.LoadAnyDefaultCredentials(o.network.signInClient(), auth.ScopeBigQuery)
	if err != nil {
		return fmt.Errorf("bigqueryuser: auth=adc: %w", err)
	}
	c.tokens = &tokenSource{source: found, invalidate: found.Invalidate}
	if c.cfg.QuotaProject == "" {
		c.cfg.QuotaProject = found.QuotaProject()
	}
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
