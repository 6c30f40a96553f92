package auth

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

const (
	adcOp   = "application-default credentials"
	adcHint = "run `gcloud auth application-default login`"

	// gcloudTokenURL is the token endpoint of gcloud's credentials. Their file does
	// not name it.
	gcloudTokenURL = "https://oauth2.googleapis.com/token"
)

// workforceTokenURL is the token endpoint of the users of a workforce pool.
// Their file names it too, but an attacker could have written another address
// there.
var workforceTokenURL = regexp.MustCompile(`^https://sts\.googleapis\.com/v1/oauthtoken$`)

// credentialsLoader reads the file once and makes credentials of its content. A
// library that read the file again could find those of another identity.
type credentialsLoader struct {
	httpClient *http.Client
	getenv     func(string) string
	tokenURL   string   // of authorized_user
	machines   bool     // whether credentials that are not a user's are accepted
	scopes     []string // the scopes of such credentials
}

func (l credentialsLoader) load() (*DefaultCredentials, error) {
	path := defaultCredentialsPath(l.getenv)
	if path == "" {
		return nil, configError(adcOp, "the home directory is not known", "set GOOGLE_APPLICATION_CREDENTIALS")
	}
	data, err := readCredentials(path)
	if err != nil {
		return nil, err
	}
	d, err := l.parse(data)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			e.Description += " (file " + path + ")"
		}
		return nil, err
	}
	return d, nil
}

// readCredentials reads a small regular file.
func readCredentials(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, configError(adcOp, "there is no file "+path, adcHint)
	case err != nil:
		return nil, configError(adcOp, "the file cannot be read: "+path, adcHint)
	case !info.Mode().IsRegular():
		return nil, configError(adcOp, "this is not a regular file: "+path, adcHint)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, configError(adcOp, "the file cannot be read: "+path, adcHint)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxClientSecrets+1))
	if err != nil || len(data) > maxClientSecrets {
		return nil, configError(adcOp, "the file cannot be read, or is larger than 64 KiB: "+path, adcHint)
	}
	return data, nil
}

func (l credentialsLoader) parse(data []byte) (*DefaultCredentials, error) {
	file, err := parseObject(data)
	if err != nil {
		return nil, configError(adcOp, err.Error(), adcHint)
	}
	text := func(key string) string { s, _ := file[key].(string); return s }
	if universe := text("universe_domain"); universe != "" && universe != "googleapis.com" {
		return nil, configError(adcOp, "the credentials are for another universe than googleapis.com", "")
	}
	client := &Client{id: text("client_id"), secret: text("client_secret"), tokenURL: l.tokenURL}
	d := &DefaultCredentials{
		endpoint: newEndpoint(client, l.httpClient), refreshToken: text("refresh_token"),
		account: text("account"), quotaProject: text("quota_project_id"), now: time.Now,
	}
	switch kind := text("type"); kind {
	case "authorized_user":
	case "external_account_authorized_user":
		client.tokenURL = text("token_url")
		if !workforceTokenURL.MatchString(client.tokenURL) {
			return nil, configError(adcOp, "token_url is not https://sts.googleapis.com/v1/oauthtoken", adcHint)
		}
		d.endpoint.authStyle = oauth2.AuthStyleInHeader // as Google's token service wants it
	default:
		return d, l.machine(d, kind, file, data)
	}
	if client.id == "" || d.refreshToken == "" {
		return nil, configError(adcOp, "the file has no client_id or no refresh_token", adcHint)
	}
	return d, nil
}

// machine completes d for credentials that are not a user's.
func (l credentialsLoader) machine(d *DefaultCredentials, kind string, file map[string]any, data []byte) error {
	if !l.machines {
		e := configError(adcOp, "these are credentials of type "+quoted(kind)+", not of a user", adcHint)
		e.kind = ErrNotUserCredential
		return e
	}
	if err := checkMachine(kind, file); err != nil {
		return err
	}
	// The source is used as long as the program runs, and its requests end by
	// themselves.
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, d.endpoint.http)
	token := func() (*oauth2.Token, error) {
		// Google's library keeps a token until it expires, even if the API refuses
		// it.
		found, err := google.CredentialsFromJSONWithType(ctx, data, google.CredentialsType(kind), l.scopes...)
		if err != nil {
			return nil, err
		}
		return found.TokenSource.Token()
	}
	if _, err := google.CredentialsFromJSONWithType(ctx, data, google.CredentialsType(kind), l.scopes...); err != nil {
		return configError(adcOp, "credentials of type "+quoted(kind)+" are not complete",
			"create the file again, or "+adcHint)
	}
	d.machine, d.refreshToken = token, ""
	return nil
}

// defaultCredentialsPath returns the file that Google's libraries would read.
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
