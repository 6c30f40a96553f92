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

// TrustedHostsEnv is the environment variable with the hosts that may receive access tokens besides
// Google's, separated by commas or blanks: "gateway.example" with any port, or
// "gateway.example:8443". See [WithTrustedEndpoint].
const TrustedHostsEnv = "BIGQUERYUSER_TRUSTED_HOSTS"

const dnsLabel = `[a-z0-9]([a-z0-9-]*[a-z0-9])?`

// googleHost matches the hosts at which Google serves BigQuery: the global one, with mutual TLS,
// locational and regional ones, those of Private Service Connect and restricted networks, and an
// old one.
var googleHost = regexp.MustCompile(`^(` +
	`(bigquery|bigquerystorage)(\.mtls)?` +
	`|` + dnsLabel + `-(bigquery|bigquerystorage)` +
	`|(bigquery|bigquerystorage)\.` + dnsLabel + `\.rep` +
	`|` + dnsLabel + `\.p` +
	`|private|restricted|www` +
	`)\.googleapis\.com(:443)?$`)

// trust decides which hosts besides Google's may get the connector's tokens.
type trust struct {
	hosts    []string // from WithTrustedEndpoint and the environment
	loopback bool     // a loopback endpoint may get the tokens: they are for this machine only, or the program's
}

// newTrust validates the hosts that the program trusts, and adds those of the environment.
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

// isHost reports whether s is a host name or address, with or without a port.
func isHost(s string) bool {
	u, err := url.Parse("https://" + s)
	return err == nil && s != "" && u.Host == s && u.Hostname() != "" && u.User == nil &&
		!strings.HasSuffix(s, ":") &&
		!strings.ContainsAny(s, "*%\\ ")
}

// check returns an error for an endpoint that must not get tokens. The error does not contain the
// endpoint.
func (t trust) check(cfg *dsn.Config) error {
	for _, e := range [...]struct{ key, url string }{
		{"endpoint", cfg.Endpoint},
		{"storage_endpoint", cfg.StorageEndpoint},
	} {
		if e.url == "" { // the default is Google's
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

// problem returns why an endpoint gets no token; "" if it does.
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
		return "names a host that is not Google's and so gets no access token"
	case !t.loopback:
		return "is on this machine, but the sign-in's tokens are for Google's servers"
	}
	return ""
}

// named reports whether the program or the environment trusts a host.
func (t trust) named(host string) bool {
	name := (&url.URL{Host: host}).Hostname()
	for _, trusted := range t.hosts {
		if trusted == host || strings.Trim(trusted, "[]") == name {
			return true
		}
	}
	return false
}

// ownEndpoint reports whether an endpoint is Google's or on this machine, rather than a gateway of others before it.
func ownEndpoint(endpoint string) bool {
	if endpoint == "" {
		return true
	}
	u, err := url.Parse(endpoint)
	return err == nil && (googleHost.MatchString(strings.ToLower(u.Host)) || isLoopback(u.Hostname()))
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}
