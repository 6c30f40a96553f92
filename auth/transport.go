package auth

import (
	"crypto/tls"
	"net/http"
	"time"
)

// signInTransport returns the transport for the token endpoint. If the caller
// has none, it uses the proxy, certificate authorities and dialer of
// http.DefaultTransport. Connections are not kept, because there is one request
// an hour. Certificates are always verified, even if the program has turned that
// off for other servers, because the refresh token is worth more than their
// answers.
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
	default: // the program has replaced http.DefaultTransport by another type
		t = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableKeepAlives: true,
			TLSHandshakeTimeout: 10 * time.Second}
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	t.TLSClientConfig.InsecureSkipVerify = false
	return t
}
