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

// onceTransport keeps net/http from sending a request again by itself, as it does over HTTP/2 where the server
// may have taken the first one, because a code and a rotating refresh token can be sent only once.
type onceTransport struct{ base http.RoundTripper }

func (t onceTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy
	r.GetBody = nil
	return t.base.RoundTrip(r)
}
