package driver

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"unicode"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// TrustedHostsEnv names the environment variable with hosts of gateways that may receive access
// tokens, separated by commas or blanks: "gateway.example" for all its ports,
// "gateway.example:8443" for one. See [WithTrustedEndpoint].
const TrustedHostsEnv = "BIGQUERYUSER_TRUSTED_HOSTS"

const dnsLabel = `[a-z0-9]([a-z0-9-]*[a-z0-9])?`

// googleHost are the hosts at which Google serves BigQuery: the global one, with mutual TLS,
// locational and regional ones, those of Private Service Connect and of restricted networks, and an
// old one.
var googleHost = regexp.MustCompile(`^(` +
	`(bigquery|bigquerystorage)(\.mtls)?` +
	`|` + dnsLabel + `-(bigquery|bigquerystorage)` +
	`|(bigquery|bigquerystorage)\.` + dnsLabel + `\.rep` +
	`|` + dnsLabel + `\.p` +
	`|private|restricted|www` +
	`)\.googleapis\.com(:443)?$`)

// trust says where a connector's tokens may go besides Google.
type trust struct {
	hosts    []string // as WithTrustedEndpoint and the environment give them
	loopback bool     // the tokens are worth something on this machine alone, or the program itself makes them
}

// newTrust checks the hosts that the program trusts, and adds those of the environment.
func newTrust(hosts []string, loopback bool) (trust, error) {
	t := trust{loopback: loopback}
	for _, host := range hosts {
		if !isHost(host) {
			return t, fmt.Errorf("bigqueryuser: WithTrustedEndpoint: got %q; want a host such as gateway.example or "+
				"gateway.example:8443, without scheme and path", host)
		}
		t.hosts = append(t.hosts, strings.ToLower(host))
	}
	separator := func(r rune) bool { return r == ',' || unicode.IsSpace(r) }
	for host := range strings.FieldsFuncSeq(os.Getenv(TrustedHostsEnv), separator) {
		switch {
		case !isHost(host):
			return t, errors.New("bigqueryuser: " + TrustedHostsEnv +
				" has an entry that is not a host: want hosts such as " +
				"gateway.example or gateway.example:8443, without scheme and path, separated by commas")
		default:
			t.hosts = append(t.hosts, strings.ToLower(host))
		}
	}
	return t, nil
}

// isHost takes a host name or address, with a port or without.
func isHost(s string) bool {
	u, err := url.Parse("https://" + s)
	return err == nil && s != "" && u.Host == s && u.Hostname() != "" && u.User == nil &&
		!strings.HasSuffix(s, ":") &&
		!strings.ContainsAny(s, "*%\\ ")
}

// check refuses endpoints that must not get tokens. The error repeats none of their text.
func (t trust) check(cfg *dsn.Config) error {
	for _, e := range [...]struct{ key, url string }{
		{"endpoint", cfg.Endpoint},
		{"storage_endpoint", cfg.StorageEndpoint},
	} {
		if e.url == "" { // Google's
			continue
		}
		problem := t.problem(e.url)
		if problem == "" {
			continue
		}
		return fmt.Errorf("bigqueryuser: %w",
			&dsn.Error{Key: e.key, Problem: problem + ". Tokens go to hosts of BigQuery at " +
				"googleapis.com over https. For a gateway use WithTrustedEndpoint in the program or set " +
				TrustedHostsEnv +
				"; a server without sign-in takes auth=none"})
	}
	return nil
}

// problem says why an endpoint gets no token, "" if it does.
func (t trust) problem(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "is not a URL"
	}
	host := strings.ToLower(u.Host)
	switch {
	case u.Scheme != "https" && !isLoopback(u.Hostname()):
		return "is not an https URL, so others on the way could read the access token"
	case googleHost.MatchString(host) || t.named(host):
		return ""
	case !isLoopback(u.Hostname()):
		return "names a host that gets no access token, as it is not Google's"
	case !t.loopback:
		return "is on this machine, where no server is known to be Google's, and the sign-in is Google's"
	}
	return ""
}

// named reports whether a host is one that the program or its environment trusts.
func (t trust) named(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	for _, trusted := range t.hosts {
		if trusted == host || strings.Trim(trusted, "[]") == name {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
