package driver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// ClientSecretsEnv is the environment variable with the path of client_secrets.json. It is used if
// neither the DSN nor an option names the file.
const ClientSecretsEnv = "BIGQUERYUSER_CLIENT_SECRETS"

// QuotaProjectEnv is the environment variable from which Google's libraries read the quota project.
// It is used for REST and the Storage Read API, if the DSN has no quota_project.
const QuotaProjectEnv = "GOOGLE_CLOUD_QUOTA_PROJECT"

// chooseTokens returns the source of the connector's tokens: an option, the sign-in, the
// application-default credentials, or none. It returns an error for an endpoint that must not get
// the tokens.
func (c *Connector) chooseTokens(o *options) error {
	if c.cfg.QuotaProject == "" {
		c.cfg.QuotaProject = os.Getenv(QuotaProjectEnv)
	}
	loopback := false // an endpoint on this machine may get the tokens
	switch {
	case o.tokenSource != nil && o.authenticator != nil:
		return errors.New("bigqueryuser: both WithTokenSource and WithAuthenticator are set: keep one")
	case o.tokenSource != nil:
		c.tokens, loopback = &tokenSource{source: oauth2.ReuseTokenSource(nil, o.tokenSource)}, true
	case o.authenticator != nil:
		c.signIn, c.signInShared = o.authenticator, true
	case c.cfg.Auth == "none":
		c.cfg.QuotaProject = "" // without an account there is no quota
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
	open := auth.FileStore
	switch cfg.TokenStore {
	case "memory":
		return auth.MemoryStore(), nil
	case "keyring":
		open = auth.KeyringStore
	}
	store, err := open(cfg.TokenDir) // which expands ~/
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: token_dir: %w", err)
	}
	return store, nil
}

// getClientSecrets describes how to get a client_secrets.json.
const getClientSecrets = "To get the file, which identifies your program to Google: " +
	"(1) choose a project at https://console.cloud.google.com/ and enable the BigQuery API; " +
	"(2) under Google Auth Platform, fill in Branding and Audience; " +
	"(3) under Clients, create a client of type Desktop app and download its JSON"

// errNoClientSecrets is the first error of a program without an OAuth client.
var errNoClientSecrets = errors.New("bigqueryuser: no client secrets: add client_secrets=PATH to the DSN, set " +
	ClientSecretsEnv + ", or embed the file and use WithClientSecrets. " + getClientSecrets)

func loadClient(cfg *dsn.Config, o *options) (*auth.Client, error) {
	if o.clientSecrets != nil {
		if cfg.ClientSecrets != "" {
			return nil, errors.New("bigqueryuser: client_secrets is set twice, in the configuration and by " +
				"WithClientSecrets: keep one")
		}
		return auth.ParseClient(o.clientSecrets)
	}
	path, key := cfg.ClientSecrets, "client_secrets"
	if path == "" {
		path, key = os.Getenv(ClientSecretsEnv), ClientSecretsEnv
	}
	if path == "" {
		return nil, errNoClientSecrets
	}
	client, err := auth.LoadClient(path) // which expands ~/
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("bigqueryuser: %s: %w. %s", key, err, getClientSecrets)
	}
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: %s: %w", key, err)
	}
	return client, nil
}

// useDefaultCredentials uses the application-default credentials, for auth=adc: a user's, created
// by gcloud, or a service account's.
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
