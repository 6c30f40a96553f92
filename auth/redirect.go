package auth

import (
	"net"
	"net/url"
	"strings"
)

// registeredRedirect chooses one of a web client's addresses. It returns nil
// for a desktop client, which may use any address. A web client's address has
// to be used exactly as it is registered, even if it says localhost.
func registeredRedirect(c *Client, port int) (*url.URL, error) {
	if c.redirects == nil {
		return nil, nil
	}
	for _, u := range c.redirects {
		if port == 0 || port == portOf(u) {
			return u, nil
		}
	}
	return nil, configError("configuration", "the web client has no loopback redirect on port "+itoa(port),
		"add http://127.0.0.1:"+itoa(port)+"/ to its redirect URIs, or create a client of type \"Desktop app\"")
}

func portOf(u *url.URL) int {
	port, err := net.LookupPort("tcp", u.Port())
	if err != nil || u.Port() == "" {
		return 80
	}
	return port
}

// sameHost compares Host headers. A browser omits the default port.
func sameHost(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, ":80"), strings.TrimSuffix(b, ":80"))
}

// slashed returns the path of an address, "/" if it has none.
func slashed(u *url.URL) string {
	if path := u.EscapedPath(); path != "" {
		return path
	}
	return "/"
}
