package driver

import (
	"crypto/tls"
	"log/slog"
	"net/http"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// Option gives [NewConnector] what a DSN can't carry.
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

// WithClientSecrets gives the contents of client_secrets.json, for a program that
// carries it inside (//go:embed). It excludes the DSN's client_secrets key.
func WithClientSecrets(json []byte) Option {
	return func(o *options) { o.clientSecrets = json }
}

// WithTokenSource replaces the sign-in: queries run as whoever the tokens belong to.
// No client secrets are read and nobody is asked. An endpoint on this machine may get the tokens, as the program knows
// what they are; for others see [WithTrustedEndpoint]. A nil source changes nothing.
func WithTokenSource(ts oauth2.TokenSource) Option {
	return func(o *options) { o.tokenSource = ts }
}

// WithAuthenticator signs in with a, which the program has configured itself and may share between
// connectors: for a store or a way to open the browser of its own. client_secrets and the other
// keys of the sign-in have no effect. Connecting calls Ensure, and a token that BigQuery refuses is
// invalidated. Closing the connector does not close a. A nil a changes nothing.
func WithAuthenticator(a *auth.Authenticator) Option {
	return func(o *options) { o.authenticator = a }
}

// WithPrompter replaces how the person is shown the sign-in address; nil is the default
// (the controlling terminal, else standard error).
func WithPrompter(p auth.Prompter) Option {
	return func(o *options) { o.prompter = p }
}

// WithLogger receives what happens at sign-in, without any secret; nil is slog.Default().
func WithLogger(l *slog.Logger) Option {
	return func(o *options) { o.logger = l }
}

// WithObserver tells o of every statement and what it cost; nil tells nobody. Connections share it,
// so it must be safe for concurrent use. For a statement that took more than a few seconds BigQuery
// is asked once more, as its answer leaves some out.
func WithObserver(o Observer) Option {
	return func(opts *options) { opts.observer = o }
}

// WithTrustedEndpoint lets the endpoint and storage_endpoint of a DSN name a host that is not
// Google's, such as a gateway of a company: "gateway.example" for all its ports,
// "gateway.example:8443" for one. It receives the user's access tokens, over https. A DSN alone
// can't choose such a host, since whoever plants one would get the tokens. It may be given several
// times; the environment variable [TrustedHostsEnv] does the same.
func WithTrustedEndpoint(host string) Option {
	return func(o *options) { o.trustedHosts = append(o.trustedHosts, host) }
}

// WithHTTPTransport replaces http.DefaultTransport as the model of all network connections: its
// proxy, dialer and TLS settings are those of the sign-in, of REST and of the Storage Read API. It
// is copied. The sign-in does not take over InsecureSkipVerify. A nil transport changes nothing.
func WithHTTPTransport(t *http.Transport) Option {
	return func(o *options) { o.network.base = t }
}

// WithRoundTripper puts what wrap returns around the transport of REST and of the sign-in, for logs
// and traces. It sees requests with their tokens and secrets. The Storage Read API is not HTTP to
// it. A nil wrap changes nothing.
func WithRoundTripper(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(o *options) { o.network.wrap = wrap }
}

// WithTLSConfig sets the TLS settings of the sign-in, of REST and of the Storage Read API, such as
// the certificate authorities of a company. It is copied. The sign-in does not take over
// InsecureSkipVerify. A nil config changes nothing.
func WithTLSConfig(c *tls.Config) Option {
	return func(o *options) { o.network.tls = c }
}
