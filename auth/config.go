package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Config configures a sign-in. Only Client is required.
type Config struct {
	// Client is the OAuth client, from LoadClient or ParseClient.
	Client *Client
	// Scopes are the OAuth scopes to request, as short names (bigquery,
	// drive.readonly) or in full; none means ScopeBigQuery. If Account or
	// HostedDomain is set, openid and email are requested too.
	Scopes []string
	// Account is the e-mail address that must sign in; "" means any.
	Account string
	// HostedDomain is the Workspace domain of the account that must sign in; "" means
	// any account.
	HostedDomain string
	// Profile is a label of your choice that keeps sign-ins apart without an
	// e-mail address.
	Profile string
	// Mode says how the user may be asked; the zero value is ModeAuto.
	Mode Mode
	// RedirectPort is the loopback port that receives the answer; 0 means any free
	// port.
	RedirectPort int
	// LoginTimeout is the time that the user has to sign in; 0 means 5 minutes.
	LoginTimeout time.Duration
	// PromptBackoff is how long Ensure does not ask the user again after a failed
	// sign-in. 0 means 1 minute; a negative value lets Ensure ask at once.
	PromptBackoff time.Duration
	// Store keeps the sign-in; nil means FileStore("").
	Store Store
	// Prompter shows the address to the user; nil means the controlling
	// terminal or, without one, standard error.
	Prompter Prompter
	// OpenBrowser opens an address; nil means the system's browser. The address
	// is a page on the loopback interface that works once and sends the browser
	// on to Google, because other users of the machine can read command lines.
	// OpenBrowser may block until ctx ends, which happens at the end of the
	// sign-in at the latest.
	OpenBrowser func(ctx context.Context, url string) error
	// HTTPClient makes the token requests; only its Transport is used. nil
	// means the proxy, certificate authorities and dialer of
	// http.DefaultTransport.
	HTTPClient *http.Client
	// Logger gets messages, never a secret; nil means slog.Default().
	Logger *slog.Logger

	env      environment                              // zero = this system's
	now      func() time.Time                         // nil = time.Now
	listen   listenFunc                               // nil = listenLoopback
	lookup   func(client, server netip.AddrPort) peer // nil = lookupPeer
	pause    time.Duration                            // between tries of a refresh; 0 = 500 ms
	notice   time.Duration                            // until the user hears of another process; 0 = 2 s
	patience time.Duration                            // for a browser to load the start page; 0 = 5 s
	takeBack time.Duration                            // see startPage.guard; 0 = takeBackWindow
	shows    time.Duration                            // for a browser to load the final page; 0 = pageWindow
	margin   time.Duration                            // beyond LoginTimeout, for another's sign-in; 0 = up to 30 s
}

const (
	defaultLoginTimeout  = 5 * time.Minute
	defaultPromptBackoff = time.Minute
)

// check returns a copy with the defaults filled in.
func (cfg Config) check() (Config, error) {
	const op = "configuration"
	if cfg.Client == nil {
		return cfg, configError(op, "there is no OAuth client", "load one with LoadClient or ParseClient")
	}
	var err error
	if cfg.Scopes, err = normalizeScopes(cfg.Scopes); err != nil {
		return cfg, err
	}
	for _, text := range []string{cfg.Account, cfg.HostedDomain, cfg.Profile} {
		if len(text) > 320 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return cfg, configError(op, "the account, hosted domain or profile is too long or has control characters",
				"")
		}
	}
	for _, text := range []string{cfg.Account, cfg.HostedDomain} {
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return cfg, configError(op, "the account or hosted domain has invisible characters", "type it again")
		}
	}
	if cfg.Account != "" && strings.Count(cfg.Account, "@") != 1 {
		return cfg, configError(op, "the account is not an e-mail address",
			"write it in full, such as ada@example.com")
	}
	switch {
	case cfg.Mode < ModeAuto || cfg.Mode > ModeNever:
		return cfg, configError(op, "the sign-in mode is not known", "use one of the Mode constants")
	case cfg.RedirectPort < 0 || cfg.RedirectPort > 65535:
		return cfg, configError(op, "the redirect port is out of range", "use 0 for any free port, or 1 to 65535")
	case cfg.LoginTimeout < 0:
		return cfg, configError(op, "the login timeout is negative", "use 0 for 5 minutes")
	}
	if cfg.LoginTimeout == 0 {
		cfg.LoginTimeout = defaultLoginTimeout
	}
	if cfg.PromptBackoff == 0 {
		cfg.PromptBackoff = defaultPromptBackoff
	}
	if cfg.Store == nil {
		if cfg.Store, err = FileStore(""); err != nil {
			return cfg, err
		}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.env.getenv == nil {
		cfg.env = systemEnvironment()
	}
	if cfg.now == nil {
		cfg.now = time.Now
	}
	if cfg.listen == nil {
		cfg.listen = listenLoopback
	}
	if cfg.pause == 0 {
		cfg.pause = 500 * time.Millisecond
	}
	if cfg.lookup == nil {
		cfg.lookup = lookupPeer
	}
	if cfg.patience == 0 {
		cfg.patience = 5 * time.Second
	}
	if cfg.takeBack == 0 {
		cfg.takeBack = takeBackWindow
	}
	if cfg.shows == 0 {
		cfg.shows = pageWindow
	}
	if cfg.margin == 0 {
		cfg.margin = min(max(cfg.LoginTimeout/4, 5*time.Second), 30*time.Second)
	}
	if cfg.notice == 0 {
		cfg.notice = 2 * time.Second
	}
	return cfg, nil
}

// identified reports whether there will be an ID token with the account.
func (cfg *Config) identified() bool { return slices.Contains(cfg.requestScopes(), scopeOpenID) }

// requestScopes returns the scopes that are requested from the consent page.
func (cfg *Config) requestScopes() []string {
	scopes := slices.Clone(cfg.Scopes)
	if cfg.Account != "" || cfg.HostedDomain != "" {
		scopes = append(scopes, scopeOpenID, scopeEmail)
		slices.Sort(scopes)
		scopes = slices.Compact(scopes)
	}
	return scopes
}

// key returns the key of the sign-in in the store. Configurations that mean the
// same have the same key, and a key tells nothing about the account.
func (cfg *Config) key() string {
	// JSON keeps the parts apart. Joined by a plain separator, two different
	// lists could be the same text.
	text, err := json.Marshal([]any{
		1, cfg.Client.tokenURL, cfg.Client.id, cfg.Scopes,
		strings.ToLower(cfg.Account), strings.ToLower(cfg.HostedDomain), cfg.Profile,
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
