package auth

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// webRig is a rig whose client is of type "Web application" with one redirect.
func webRig(t *testing.T, redirect string) *rig {
	t.Helper()
	return newRig(t, fakegoogle.Options{Clients: []fakegoogle.ClientRegistration{{
		ClientID: "1-web.apps.googleusercontent.com", ClientSecret: "GOCSPX-fake-client-secret",
		Kind: "web", RedirectURIs: []string{redirect},
	}}})
}

// dialed is a client whose connections go to one address, whatever the URL says.
func dialed(address string) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, asked string) (net.Conn, error) {
			if address != "" {
				host, _, _ := net.SplitHostPort(asked)
				if host == "localhost" {
					asked = address
				}
			}
			return new(net.Dialer).DialContext(ctx, network, asked)
		}}}
}

func needIPv6(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6 loopback")
	}
	ln.Close()
}

// S51, S52: the address that is registered is listened for where the browser
// goes, and can be brought by the browser, from both families, and by a paste.
func TestWebClientAddresses(t *testing.T) {
	t.Parallel()
	needIPv6(t)
	tests := []struct {
		name, host, path string
		dial             []string // where browsers go
	}{
		{"127.0.0.1", "127.0.0.1", "/", []string{"127.0.0.1"}},
		{"no path", "127.0.0.1", "", []string{"127.0.0.1"}},
		{"IPv6", "[::1]", "/cb", []string{"::1"}},
		{"IPv6 without a path", "[::1]", "", []string{"::1"}},
		{"localhost", "localhost", "/cb", []string{"127.0.0.1", "::1"}},
		{"localhost without a path", "localhost", "", []string{"127.0.0.1", "::1"}},
		{"encoded slash", "127.0.0.1", "/a%2Fb/cb", []string{"127.0.0.1"}},
		{"encoded blank and letters", "127.0.0.1", "/my%20app/%C3%A9", []string{"127.0.0.1"}},
	}
	for i, tt := range tests {
		for j, dial := range tt.dial {
			t.Run(tt.name+" at "+dial, func(t *testing.T) {
				t.Parallel()
				port := portForTest(t, i*4+j)
				redirect := "http://" + tt.host + ":" + itoa(port) + tt.path
				r := webRig(t, redirect)
				prompts := &promptLog{}
				web := dialed(net.JoinHostPort(dial, itoa(port)))
				r.cfg.OpenBrowser = func(ctx context.Context, start string) error {
					r.opens.Add(1)
					return fakegoogle.Consent(ctx, web, start, "")
				}
				a := r.signIn(func(c *Config) { c.Prompter = prompts })
				// The prompt names the address as it is, and a paste of it works.
				must(t, a.Close())
				p := newPasting()
				b := r.open(func(c *Config) {
					c.Mode, c.Prompter, c.OpenBrowser, c.Store = ModeManual, p, nil,
						MemoryStore()
				})
				done := make(chan error, 1)
				go func() { done <- b.Ensure(t.Context()) }()
				var shown Prompt
				select {
				case shown = <-p.shown:
				case err := <-done:
					t.Fatalf("the sign-in ended before it asked: %v", err)
				}
				r.shown(shown.URL)
				if shown.RedirectURI != redirect || !strings.Contains(promptText(shown, true), redirect+"\n") {
					t.Errorf("the prompt says %q; want %q", shown.RedirectURI, redirect)
				}
				catch := &http.Client{Transport: web.Transport}
				var ended string
				catch.CheckRedirect = func(req *http.Request, _ []*http.Request) error {
					if strings.HasPrefix(req.URL.String(), "http://"+tt.host+":"+itoa(port)) {
						ended = req.URL.String()
						return http.ErrUseLastResponse
					}
					return nil
				}
				must(t, fakegoogle.Consent(t.Context(), catch, shown.URL, ""))
				p.text <- ended
				must(t, <-p.result)
				must(t, <-done)
			})
		}
	}
}

// portsFrom is the first of the ports from which a test chooses. The run over HTTP/2 goes on beside the other one.
func portsFrom(first int) int {
	if *overHTTP2 {
		return first + 1000
	}
	return first
}

// portForTest is a port that no other test and no system uses.
func portForTest(t *testing.T, n int) int {
	t.Helper()
	port := portsFrom(18700) + n
	ln, err := net.Listen("tcp", ":"+itoa(port))
	if err != nil {
		t.Skipf("port %d is in use", port)
	}
	ln.Close()
	return port
}

// S51: both families of localhost or none; another program at one of them is an
// error that says so.
func TestLocalhostTaken(t *testing.T) {
	t.Parallel()
	needIPv6(t)
	for i, taken := range []string{"127.0.0.1", "[::1]"} {
		port := portForTest(t, 60+i)
		ln, err := net.Listen("tcp", taken+":"+itoa(port))
		must(t, err)
		defer ln.Close()
		r := webRig(t, "http://localhost:"+itoa(port)+"/cb")
		a := r.open(nil)
		err = a.Ensure(t.Context())
		if !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), itoa(port)) ||
			!strings.Contains(err.Error(), strings.Trim(taken, "[]")) {
			t.Errorf("%s is taken: got %v; want ErrClientConfig that names address and port", taken, err)
		}
		if n := r.opens.Load(); n != 0 {
			t.Errorf("%s is taken: the browser was opened", taken)
		}
	}
}

// S51: what the machine does not have is not needed.
func TestLocalhostOfOneFamily(t *testing.T) {
	t.Parallel()
	for _, missing := range []string{"tcp4", "tcp6"} {
		listen := func(network, address string) (net.Listener, error) {
			if network == missing {
				return nil, &net.OpError{Op: "listen", Net: network,
					Err: os.NewSyscallError("bind", syscall.EADDRNOTAVAIL)}
			}
			return net.Listen("tcp4", "127.0.0.1:0")
		}
		listeners, err := redirectListeners(listen, &url.URL{Scheme: "http", Host: "localhost:8085"})
		if err != nil || len(listeners) != 1 {
			t.Errorf("without %s: got %d listeners, %v; want 1", missing, len(listeners), err)
		}
		for _, ln := range listeners {
			ln.Close()
		}
	}
}

// A port below 1024 without the right to it says that.
func TestReservedPort(t *testing.T) {
	t.Parallel()
	listen := func(network, address string) (net.Listener, error) {
		if strings.HasSuffix(address, ":80") {
			return nil, &net.OpError{Op: "listen", Net: network, Err: os.NewSyscallError("bind", syscall.EACCES)}
		}
		return net.Listen(network, address)
	}
	for _, redirect := range []string{"http://localhost", "http://127.0.0.1:80/cb", "http://[::1]"} {
		r := webRig(t, redirect)
		err := r.open(func(c *Config) { c.listen = listen }).Ensure(t.Context())
		if !errors.Is(err, ErrClientConfig) || !strings.Contains(err.Error(), "below 1024") {
			t.Errorf("%s: got %v; want ErrClientConfig that explains the port", redirect, err)
		}
	}
}

// A browser leaves the default port out of the Host header.
func TestSameHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"localhost", "localhost:80", true},
		{"LOCALHOST:8085", "localhost:8085", true},
		{"localhost:8080", "localhost", false},
		{"localhost:8085", "127.0.0.1:8085", false},
		{"[::1]", "[::1]:80", true},
		{"evil.example:80", "localhost", false},
		{"", "localhost", false},
	} {
		if got := sameHost(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: got %v; want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
