package driver

import (
	"crypto/tls"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// Option is an option of [NewConnector], for what a DSN can't express.
type Option func(*options)

type options struct {
	clientSecrets []byte
	tokenSource   oauth2.TokenSource
	prompter      auth.Prompter
	logger        *slog.Logger
	observer      Observer
	authenticator *auth.Authenticator
	trustedHosts  []string
	network       network
}

// WithClientSecrets sets the content of client_secrets.json, for a program that embeds the file
// (//go:embed). It can't be combined with the DSN's client_secrets.
func WithClientSecrets(json []byte) Option {
	return func(o *options) { o.clientSecrets = json }
}

// WithTokenSource replaces the sign-in: queries run as the account that the tokens belong to. No
// client secrets are read, and no user is asked. An endpoint on this machine may get the tokens; for
// other hosts see [WithTrustedEndpoint]. A nil source has no effect.
func WithTokenSource(ts oauth2.TokenSource) Option {
	return func(o *options) { o.tokenSource = ts }
}

// WithAuthenticator signs in with a, which the program has configured itself, for example with its own
// store. Several connectors may share it. The DSN's keys of the sign-in have no effect. Connect calls
// a.Ensure, and a token that BigQuery refuses is invalidated. Closing the connector does not close a.
// A nil a has no effect.
func WithAuthenticator(a *auth.Authenticator) Option {
	return func(o *options) { o.authenticator = a }
}

// WithPrompter sets how the address of the sign-in is shown to the user. nil means the default: the
// controlling terminal, else standard error.
func WithPrompter(p auth.Prompter) Option {
	return func(o *options) { o.prompter = p }
}

// WithLogger sets the logger of the sign-in, which never gets a secret. nil means slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(o *options) { o.logger = l }
}

// WithObserver calls o with the Stats of every statement. All connections call it, so o must be safe
// for concurrent use. For a statement that took more than a few seconds the driver makes one more
// request, because BigQuery's answer leaves some of the Stats out. A nil o has no effect.
func WithObserver(o Observer) Option {
	return func(opts *options) { opts.observer = o }
}

// WithTrustedEndpoint allows the DSN's endpoint and storage_endpoint to name a host that is not
// Google's, such as a company's gateway: "gateway.example" with any port, or
// "gateway.example:8443". The host receives the user's access tokens, over https. A DSN alone can't
// choose such a host, because an attacker's DSN would get the tokens. The option may be given several
// times. The environment variable [TrustedHostsEnv] has the same effect.
func WithTrustedEndpoint(host string) Option {
	return func(o *options) { o.trustedHosts = append(o.trustedHosts, host) }
}

// WithHTTPTransport uses the proxy, the dialers and the TLS settings of t for the sign-in, REST and the
// Storage Read API, instead of those of http.DefaultTransport. It copies t. The sign-in ignores
// InsecureSkipVerify. With a DialTLSContext, t verifies certificates itself, and must offer h2 for the
// Storage Read API. A nil t has no effect.
func WithHTTPTransport(t *http.Transport) Option {
	return func(o *options) { o.network.base = t }
}

// WithRoundTripper wraps the HTTP transport of REST and of the sign-in, for logs and traces. The
// wrapper sees tokens and secrets in the requests. It does not see the Storage Read API, which uses
// gRPC. A nil wrap has no effect.
func WithRoundTripper(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(o *options) { o.network.wrap = wrap }
}

// WithTLSConfig sets the TLS settings of the sign-in, REST and the Storage Read API, such as a
// company's certificate authorities. It copies c. The sign-in ignores InsecureSkipVerify. A nil c has
// no effect.
func WithTLSConfig(c *tls.Config) Option {
	return func(o *options) { o.network.tls = c }
}
