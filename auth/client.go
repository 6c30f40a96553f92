package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxClientSecrets bounds the file; real ones have about 500 bytes.
const maxClientSecrets = 64 << 10

// Client is an OAuth client, as a client_secrets.json file describes it. It is
// immutable, and prints only its id.
type Client struct {
	id, secret string
	projectID  string
	authURL    string
	tokenURL   string
	local      bool       // both addresses are on this machine, not at Google
	redirects  []*url.URL // a web client's registered loopback addresses; nil for an installed client
}

// LoadClient reads a client_secrets.json file; see ParseClient. A leading "~/" means the home
// directory. Errors match ErrClientConfig. If the file does not exist, the error also matches
// fs.ErrNotExist.
func LoadClient(path string) (*Client, error) {
	const op = "client secrets"
	if path == "" {
		return nil, configError(op, "no file is named",
			"download one from https://console.cloud.google.com/auth/clients, type \"Desktop app\"")
	}
	name, err := expandHome(path)
	if err != nil {
		return nil, err
	}
	fail := func(text string) (*Client, error) {
		return nil, configError(op, text+": "+name, "name the client_secrets.json file of a \"Desktop app\" client")
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e := configError(op, name, "name the client_secrets.json file of a \"Desktop app\" client")
		e.cause = fs.ErrNotExist
		return nil, e
	case err != nil:
		return fail("the file cannot be read")
	case info.IsDir():
		return fail("this is a directory, not a file")
	case !info.Mode().IsRegular():
		return fail("this is not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return fail("the file cannot be opened")
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxClientSecrets+1))
	if err != nil {
		return fail("the file cannot be read")
	}
	c, err := ParseClient(data)
	if e, ok := errors.AsType[*Error](err); ok {
		e.Description += " (file " + name + ")"
	}
	return c, err
}

// ParseClient parses the JSON that the Google Cloud console offers for
// download. It accepts the "installed" form, with or without a secret, and the
// "web" form if that lists a loopback redirect. For other JSON, such as a
// service account key or an authorized_user file, the error says what the file
// is. Errors match ErrClientConfig and never show the content.
func ParseClient(data []byte) (*Client, error) {
	const op = "client secrets"
	const download = "download the file again from https://console.cloud.google.com/auth/clients"
	if len(data) > maxClientSecrets {
		return nil, configError(op, "the file is larger than 64 KiB",
			"a client_secrets.json has about 500 bytes; name that file")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // the mark that Windows editors put first
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, configError(op, "the file is empty", download)
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")), !utf8.Valid(data):
		return nil, configError(op, "the file is not UTF-8 text", "save it as UTF-8, or "+download)
	}
	top, err := parseObject(data)
	if err != nil {
		return nil, configError(op, err.Error(), download)
	}
	form, section, err := clientSection(top)
	if err != nil {
		return nil, err
	}
	c := &Client{}
	for _, field := range []struct {
		key      string
		dest     *string
		required bool
	}{
		{"client_id", &c.id, true}, {"auth_uri", &c.authURL, true}, {"token_uri", &c.tokenURL, true},
		{"client_secret", &c.secret, false}, {"project_id", &c.projectID, false},
	} {
		value, ok := section[field.key].(string)
		if !ok && section[field.key] != nil {
			return nil, configError(op, form+"."+field.key+" is not a string", download)
		}
		if field.required && value == "" {
			return nil, configError(op, form+"."+field.key+" is missing", download)
		}
		*field.dest = value
	}
	if strings.ContainsFunc(c.id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, configError(op, form+".client_id has characters that no client id has", download)
	}
	if c.local, err = checkEndpoints(form, c.authURL, c.tokenURL); err != nil {
		return nil, err
	}
	if form == "web" {
		if c.redirects = loopbackRedirects(section["redirect_uris"]); c.redirects == nil {
			return nil, configError(op, "this client of type \"Web application\" has no loopback redirect",
				"create a client of type \"Desktop app\", or add http://127.0.0.1:8085/ to its redirect URIs and "+
					"download it again")
		}
	}
	return c, nil
}

// clientSection returns the client in the file, or an error that says what the
// file is.
func clientSection(top map[string]any) (string, map[string]any, error) {
	const op = "client secrets"
	const want = "use the client_secrets.json of a \"Desktop app\" client instead"
	switch kind, _ := top["type"].(string); kind {
	case "":
	case "service_account":
		return "", nil, configError(op, "this is a service account key, not an OAuth client", want)
	case "authorized_user":
		return "", nil, configError(op, "this is a user credential (authorized_user) made by gcloud, not an OAuth "+
			"client", want)
	case "external_account", "external_account_authorized_user", "impersonated_service_account":
		return "", nil, configError(op, "this is a credential of type "+kind+", not an OAuth client", want)
	default:
		return "", nil, configError(op, "this is a credential of another type, not an OAuth client", want)
	}
	if _, ok := top["3pi"]; ok {
		return "", nil, configError(op, "this is a workforce identity client (3pi), which is not supported", want)
	}
	_, installed := top["installed"]
	_, web := top["web"]
	form := "installed"
	switch {
	case installed && web:
		return "", nil, configError(op, "the file has both an installed and a web client", want)
	case web:
		form = "web"
	case !installed:
		return "", nil, configError(op, "the file has neither an \"installed\" nor a \"web\" client", want)
	}
	section, ok := top[form].(map[string]any)
	if !ok {
		return "", nil, configError(op, form+" is not a JSON object", want)
	}
	return form, section, nil
}

// loopbackRedirects returns the loopback addresses of a web client, IP
// addresses first: a name can meet firewalls, and browsers that insist on https
// for it (RFC 8252, section 8.3).
func loopbackRedirects(list any) []*url.URL {
	items, _ := list.([]any)
	var literals, names []*url.URL
	for _, item := range items {
		raw, _ := item.(string)
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			continue
		}
		switch strings.ToLower(u.Hostname()) {
		case "127.0.0.1", "::1":
			literals = append(literals, u)
		case "localhost":
			names = append(names, u)
		}
	}
	return append(literals, names...)
}

// ID returns the client id, which is not a secret.
func (c *Client) ID() string { return c.id }

// Local reports whether the client's authorization server is on this machine,
// such as that of a test or a sandbox, and not Google's.
func (c *Client) Local() bool { return c.local }

// String returns the client's id, and never the secret.
func (c Client) String() string { return "auth.Client(" + c.id + ")" }

// Format prints String for every verb, so that %+v and %#v show no secret.
func (c Client) Format(f fmt.State, _ rune) { io.WriteString(f, c.String()) }

// LogValue returns String as a value, for package log/slog.
func (c Client) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalJSON returns an object with the id alone.
func (c Client) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"client_id": c.id})
}

func itoa(n int) string { return strconv.Itoa(n) }
