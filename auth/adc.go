package auth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// DefaultCredentials are application-default credentials, as `gcloud auth
// application-default login` makes them. They are read only when asked for by
// LoadDefaultCredentials or LoadAnyDefaultCredentials; an Authenticator never
// looks at them. They are an oauth2.TokenSource and safe for concurrent use.
type DefaultCredentials struct {
	endpoint     *endpoint
	refreshToken string                        // a user's; "" for other credentials
	machine      func() (*oauth2.Token, error) // asks anew; nil for a user's
	account      string
	quotaProject string
	now          func() time.Time

	mu     sync.Mutex
	memory memoryToken
}

var _ oauth2.TokenSource = (*DefaultCredentials)(nil)

// LoadDefaultCredentials reads the application-default credentials of a user,
// from one file: that of GOOGLE_APPLICATION_CREDENTIALS if this is set, else the
// one in CLOUDSDK_CONFIG if this is set, else the one of gcloud. Both kinds
// that gcloud makes for users work: authorized_user, and
// external_account_authorized_user for the users of a workforce identity pool.
// Others, such as a service account's key, give an error that matches
// ErrNotUserCredential and names their type. httpClient is used for its
// Transport; nil means the default one.
func LoadDefaultCredentials(httpClient *http.Client) (*DefaultCredentials, error) {
	return credentialsLoader{httpClient: httpClient, getenv: os.Getenv, tokenURL: gcloudTokenURL}.load()
}

// LoadAnyDefaultCredentials is LoadDefaultCredentials for credentials of any
// kind: a service account's key, an impersonated service account and workload
// identity federation (external_account) as well. Such files name addresses
// that secrets are sent to; they must be Google's. Those credentials are asked
// for tokens of the given scopes.
func LoadAnyDefaultCredentials(httpClient *http.Client, scopes ...string) (*DefaultCredentials, error) {
	l := credentialsLoader{httpClient: httpClient, getenv: os.Getenv, tokenURL: gcloudTokenURL, machines: true,
		scopes: scopes}
	return l.load()
}

// Account is the e-mail address that the file names; often "".
func (d *DefaultCredentials) Account() string { return d.account }

// QuotaProject is the project that the file names for quota; "" if none.
func (d *DefaultCredentials) QuotaProject() string { return d.quotaProject }

// Token returns an access token, refreshed when it has less than five minutes
// to live. If the sign-in has ended the error matches ErrConsentRequired.
func (d *DefaultCredentials) Token() (*oauth2.Token, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.memory; m.access == "" || !d.now().Before(m.stale) {
		err := d.renew()
		if e, ok := err.(*Error); ok && e.transient && m.access != "" && m.expiry.Sub(d.now()) > lastUse {
			err = nil // the token lives yet; the next call tries again
		}
		if err != nil {
			return nil, err
		}
	}
	return &oauth2.Token{AccessToken: d.memory.access, TokenType: "Bearer", Expiry: d.memory.expiry}, nil
}

// renew gets a new access token. d.mu is held. The request has a time limit of
// its own.
func (d *DefaultCredentials) renew() error {
	if d.machine != nil {
		tok, err := d.machine()
		if err != nil {
			return d.endpoint.machineFailure(err)
		}
		if !headerSafe(tok.AccessToken) || tok.AccessToken == "" {
			return &Error{Op: "token", Description: "the answer has no access token"}
		}
		life := min(max(tok.Expiry.Sub(d.now()), minTokenLife), maxTokenLife)
		d.remember(tok.AccessToken, life)
		return nil
	}
	g, err := d.endpoint.refresh(context.Background(), d.refreshToken)
	if err != nil {
		if e, ok := err.(*Error); ok && e.kind == ErrConsentRequired {
			e.Hint = "run `gcloud auth application-default login` again"
		}
		return err
	}
	if g.refreshToken != "" {
		d.refreshToken = g.refreshToken
	}
	d.remember(g.accessToken, g.life)
	return nil
}

func (d *DefaultCredentials) remember(access string, life time.Duration) {
	expiry := d.now().Add(life)
	d.memory = memoryToken{access: access, expiry: expiry, stale: expiry.Add(-min(earlyExpiry, life/2))}
}

// Invalidate forgets an access token that the API refused.
func (d *DefaultCredentials) Invalidate(accessToken string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.memory.access == accessToken {
		d.memory = memoryToken{}
	}
}

// String names the client and hides the tokens.
func (d *DefaultCredentials) String() string {
	return "auth.DefaultCredentials(client " + d.endpoint.client.id + ")"
}

// Format prints String for every verb.
func (d *DefaultCredentials) Format(f fmt.State, _ rune) { io.WriteString(f, d.String()) }
