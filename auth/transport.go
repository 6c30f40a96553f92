package auth

import (
	"crypto/tls"
	"net/http"
	"time"
)

// signInTransport makes the transport for the token endpoint. Without one of
// the caller's it follows http.DefaultTransport: its proxy, certificate
// authorities and dialer. Connections are not kept, since there is one request
// an hour. A certificate is always verified, whatever the program has turned off
// for other servers: the refresh token is worth more than their answers.
func signInTransport(base http.RoundTripper) http.RoundTripper {
	own := base == nil
	if own {
		base = http.DefaultTransport
	}
	t, ok := base.(*http.Transport)
	switch {
	case ok && own:
		t = t.Clone()
		t.DisableKeepAlives = true
	case ok && t.TLSClientConfig != nil && t.TLSClientConfig.InsecureSkipVerify:
		t = t.Clone()
	case ok:
		return t
	case !own:
		return base
	default: // the program has replaced http.DefaultTransport by something else
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			TLSHandshakeTimeout: 10 * time.Second}
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.InsecureSkipVerify = false
	return t
}
