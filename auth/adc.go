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

// DefaultCredentials are application-default credentials, such as those of
// `gcloud auth application-default login`. Only LoadDefaultCredentials and
// LoadAnyDefaultCredentials read them; an Authenticator never does. They are an
// oauth2.TokenSource and safe for concurrent use.
type DefaultCredentials struct {
	endpoint     *endpoint
	refreshToken string                        // a user's; "" for other credentials
	machine      func() (*oauth2.Token, error) // gets a new token; nil for a user's credentials
	account      string
	quotaProject string
	now          func() time.Time

	mu     sync.Mutex
	memory memoryToken
}

var _ oauth2.TokenSource = (*DefaultCredentials)(nil)

// LoadDefaultCredentials reads the application-default credentials of a user. It
// reads one file: the one that GOOGLE_APPLICATION_CREDENTIALS names, else the
// one in the directory CLOUDSDK_CONFIG, else that of gcloud. It accepts both
// types that gcloud writes for users: authorized_user, and
// external_account_authorized_user for the users of a workforce identity pool.
// For another type, such as a service account's key, the error matches
// ErrNotUserCredential and names the type. Of httpClient only the Transport is
// used; nil means http.DefaultTransport's settings.
func LoadDefaultCredentials(httpClient *http.Client) (*DefaultCredentials, error) {
	return credentialsLoader{httpClient: httpClient, getenv: os.Getenv, tokenURL: gcloudTokenURL}.load()
}

// LoadAnyDefaultCredentials is like LoadDefaultCredentials, and also accepts a
// service account's key, an impersonated service account and workload identity
// federation (external_account). Such a file names the addresses that its
// secrets are sent to; they must be Google's. Its tokens have the given scopes.
func LoadAnyDefaultCredentials(httpClient *http.Client, scopes ...string) (*DefaultCredentials, error) {
	l := credentialsLoader{httpClient: httpClient, getenv: os.Getenv, tokenURL: gcloudTokenURL, machines: true,
		scopes: scopes}
	return l.load()
}

// Account returns the e-mail address that the file names, often "".
func (d *DefaultCredentials) Account() string { return d.account }

// QuotaProject returns the project that the file names for quota, or "".
func (d *DefaultCredentials) QuotaProject() string { return d.quotaProject }

// Token returns an access token. It refreshes a token that expires in less than
// five minutes. If the sign-in has ended, the error matches ErrConsentRequired.
func (d *DefaultCredentials) Token() (*oauth2.Token, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.memory; m.access == "" || !d.now().Before(m.stale) {
		err := d.renew()
		if e, ok := err.(*Error); ok && e.transient && m.access != "" && m.expiry.Sub(d.now()) > lastUse {
			err = nil // the token is still valid; the next call tries again
		}
		if err != nil {
			return nil, err
		}
	}
	return &oauth2.Token{AccessToken: d.memory.access, TokenType: "Bearer", Expiry: d.memory.expiry}, nil
}

// renew gets a new access token. d.mu is held. The request has its own time
// limit.
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

// String returns the id of the client, without the tokens.
func (d *DefaultCredentials) String() string {
	return "auth.DefaultCredentials(client " + d.endpoint.client.id + ")"
}

// Format prints String for every verb.
func (d *DefaultCredentials) Format(f fmt.State, _ rune) { io.WriteString(f, d.String()) }
