package driver_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

//lint:file-ignore SA1019 the old dialers are tested too

// dialLog notes which dialer has dialled which host.
type dialLog struct {
	mu  sync.Mutex
	all map[string][]string // addresses by dialer
}

func (l *dialLog) note(dialer, address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[dialer] = append(l.all[dialer], address)
}

// dialers sets dialers of a transport by the names of its fields.
func (l *dialLog) dialers(t *http.Transport, c *company, protocols []string, names ...string) {
	config := &tls.Config{RootCAs: c.pool, NextProtos: protocols}
	for _, name := range names {
		plain := func(network, address string) (net.Conn, error) {
			l.note(name, address)
			return net.Dial(network, address)
		}
		secure := func(network, address string) (net.Conn, error) {
			l.note(name, address)
			return tls.Dial(network, address, config)
		}
		switch name {
		case "Dial":
			t.Dial = plain
		case "DialContext":
			t.DialContext = func(_ context.Context, n, a string) (net.Conn, error) { return plain(n, a) }
		case "DialTLS":
			t.DialTLS = secure
		case "DialTLSContext":
			t.DialTLSContext = func(_ context.Context, n, a string) (net.Conn, error) { return secure(n, a) }
		}
	}
}

// TestDialers: all dialers that a transport can have are used, by the sign-in, REST and the Storage Read API alike, and
// where it has several the one that net/http chooses.
func TestDialers(t *testing.T) {
	t.Parallel()
	http1 := []string{"http/1.1"}
	both := []string{"h2", "http/1.1"}
	proxy := func(c *company) *url.URL { return c.proxy }
	secureProxy := func(c *company) *url.URL { return c.secureProxy }
	for _, tt := range []struct {
		name      string
		set       []string
		protocols []string // that the TLS dialers offer
		proxy     func(*company) *url.URL
		want      string // the dialer that is used
		rest      bool   // the Storage Read API can't be used
	}{
		{"DialContext", []string{"DialContext"}, nil, nil, "DialContext", false},
		{"Dial", []string{"Dial"}, nil, nil, "Dial", false},
		{"Dial and DialContext", []string{"Dial", "DialContext"}, nil, nil, "DialContext", false},
		{"DialTLSContext", []string{"DialTLSContext"}, both, nil, "DialTLSContext", false},
		{"DialTLS", []string{"DialTLS"}, both, nil, "DialTLS", false},
		{"DialTLS and DialTLSContext", []string{"DialTLS", "DialTLSContext"}, both, nil, "DialTLSContext", false},
		{"all", []string{"Dial", "DialContext", "DialTLS", "DialTLSContext"}, both, nil, "DialTLSContext", false},
		{"TLS without HTTP/2", []string{"DialTLSContext"}, http1, nil, "DialTLSContext", true},
		{"proxy", []string{"Dial", "DialTLS"}, both, proxy, "Dial", false},
		{"proxy over TLS", []string{"Dial", "DialTLS"}, http1, secureProxy, "DialTLS", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCompany(t)
			log := &dialLog{all: map[string][]string{}}
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: c.pool}}
			log.dialers(transport, c, tt.protocols, tt.set...)
			hosts := []string{c.signIn.URL, c.rest.URL, c.storage}
			if tt.proxy != nil {
				to := tt.proxy(c)
				transport.Proxy = http.ProxyURL(to)
				hosts = []string{to.String()}
			}
			db := c.open(t, nil, driver.WithHTTPTransport(transport))
			if storage, err := c.read(t.Context(), db); err != nil || storage == tt.rest {
				t.Fatalf("%v; Storage Read API reached: %v", err, storage)
			}
			log.mu.Lock()
			defer log.mu.Unlock()
			for _, host := range hosts {
				u, err := url.Parse(host)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(strings.Join(log.all[tt.want], " "), u.Host) {
					t.Errorf("%s was not dialled by %s: %v", u.Host, tt.want, log.all)
				}
			}
			if len(log.all) != 1 {
				t.Errorf("got %v; want %s alone", log.all, tt.want)
			}
		})
	}
}

// TestDialUntilEnd: a dialer without a context ends with it, and what it makes later is closed.
func TestDialUntilEnd(t *testing.T) {
	t.Parallel()
	ours, theirs := net.Pipe()
	goOn := make(chan struct{})
	dial := driver.DialOf(&http.Transport{Dial: func(string, string) (net.Conn, error) {
		<-goOn
		return ours, nil
	}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if conn, err := dial(ctx, "tcp", "example.com:443"); conn != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v; want context.Canceled", conn, err)
	}
	close(goOn)
	if _, err := theirs.Read(make([]byte, 1)); err == nil { // it ends with the other side
		t.Error("the connection was not closed")
	}
}
