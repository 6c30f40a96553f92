package auth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// googleTokenURL is where gcloud's credentials belong; their file does not say.
const googleTokenURL = "https://oauth2.googleapis.com/token"

// DefaultCredentials are application-default credentials of a person, as
// `gcloud auth application-default login` makes them. They are read only when
// asked for by LoadDefaultCredentials; an Authenticator never looks at them.
// They are an oauth2.TokenSource and safe for concurrent use.
type DefaultCredentials struct {
	endpoint     *endpoint
	refreshToken string
	account      string
	quotaProject string
	now          func() time.Time

	mu     sync.Mutex
	memory memoryToken
}

var _ oauth2.TokenSource = (*DefaultCredentials)(nil)

// LoadDefaultCredentials reads the application-default credentials: the file
// named by GOOGLE_APPLICATION_CREDENTIALS, else the one of gcloud. Credentials
// that are not a person's, such as a service account's key, give an error that
// matches ErrNotUserCredential and names their type. httpClient is used for
// its Transport; nil means the default one.
func LoadDefaultCredentials(httpClient *http.Client) (*DefaultCredentials, error) {
	return loadDefaultCredentials(httpClient, os.Getenv, googleTokenURL)
}

func loadDefaultCredentials(httpClient *http.Client, getenv func(string) string,
	tokenURL string) (*DefaultCredentials, error) {
	const op = "application-default credentials"
	const hint = "run `gcloud auth application-default login`"
	path := defaultCredentialsPath(getenv)
	if path == "" {
		return nil, configError(op, "the home directory is not known", "set GOOGLE_APPLICATION_CREDENTIALS")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, configError(op, "there is no readable file "+path, hint)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxClientSecrets+1))
	if err != nil || len(data) > maxClientSecrets {
		return nil, configError(op, "the file cannot be read: "+path, hint)
	}
	file, err := parseObject(data)
	if err != nil {
		return nil, configError(op, err.Error()+": "+path, hint)
	}
	text := func(key string) string { s, _ := file[key].(string); return s }
	if kind := text("type"); kind != "authorized_user" {
		e := configError(op, "the file "+path+" has credentials of type \""+printable(kind)+"\", not a person's",
			hint)
		e.kind = ErrNotUserCredential
		return nil, e
	}
	client := &Client{id: text("client_id"), secret: text("client_secret"), authURL: tokenURL, tokenURL: tokenURL}
	if client.id == "" || text("refresh_token") == "" {
		return nil, configError(op, "the file has no client_id or no refresh_token: "+path, hint)
	}
	if universe := text("universe_domain"); universe != "" && universe != "googleapis.com" {
		return nil, configError(op, "the credentials are for another universe than googleapis.com", "")
	}
	return &DefaultCredentials{
		endpoint:     newEndpoint(client, httpClient),
		refreshToken: text("refresh_token"),
		account:      text("account"),
		quotaProject: text("quota_project_id"),
		now:          time.Now,
	}, nil
}

// defaultCredentialsPath is where Google's libraries look, in their order.
func defaultCredentialsPath(getenv func(string) string) string {
	const name = "application_default_credentials.json"
	if path := getenv("GOOGLE_APPLICATION_CREDENTIALS"); path != "" {
		return path
	}
	if dir := getenv("CLOUDSDK_CONFIG"); dir != "" {
		return filepath.Join(dir, name)
	}
	if runtime.GOOS == "windows" {
		if dir := getenv("APPDATA"); dir != "" {
			return filepath.Join(dir, "gcloud", name)
		}
		return ""
	}
	if home := getenv("HOME"); home != "" {
		return filepath.Join(home, ".config", "gcloud", name)
	}
	return ""
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
		// The request has a time limit of its own.
		g, err := d.endpoint.refresh(context.Background(), d.refreshToken)
		if err != nil {
			if e, ok := err.(*Error); ok && e.kind == ErrConsentRequired {
				e.Hint = "run `gcloud auth application-default login` again"
			}
			return nil, err
		}
		if g.refreshToken != "" {
			d.refreshToken = g.refreshToken
		}
		expiry := d.now().Add(g.life)
		d.memory = memoryToken{access: g.accessToken, expiry: expiry, stale: expiry.Add(-min(earlyExpiry, g.life/2))}
	}
	return &oauth2.Token{AccessToken: d.memory.access, TokenType: "Bearer", Expiry: d.memory.expiry}, nil
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
