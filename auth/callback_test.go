package auth

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// enc is a query of the given pairs, in their order.
func enc(pairs ...string) string {
	var parts []string
	for i := 0; i < len(pairs); i += 2 {
		parts = append(parts, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(parts, "&")
}

// other is a text of the same length that differs in its first character.
func other(text string) string {
	if text[0] == 'x' {
		return "y" + text[1:]
	}
	return "x" + text[1:]
}

// T7, T46: what does not carry the state, once, changes nothing.
func TestCallbackRefusesForeignAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	for name, query := range map[string]string{
		"wrong state":            enc("state", other(w.state), "code", "c"),
		"missing state":          enc("code", "c"),
		"empty state":            enc("state", "", "code", "c"),
		"state twice":            enc("state", w.state, "state", w.state, "code", "c"),
		"wrong and right state":  enc("state", "x", "state", w.state, "code", "c"),
		"code twice":             enc("state", w.state, "code", "c", "code", "d"),
		"no code":                enc("state", w.state),
		"empty code":             enc("state", w.state, "code", ""),
		"code and error":         enc("state", w.state, "code", "c", "error", "access_denied"),
		"code with a line break": enc("state", w.state, "code", "c\r\nd"),
		"huge code":              enc("state", w.state, "code", strings.Repeat("c", 5000)),
		"foreign issuer":         enc("state", w.state, "code", "c", "iss", "https://evil.example"),
		"empty issuer":           enc("state", w.state, "code", "c", "iss", ""),
		"bad escape":             enc("state", w.state) + "&code=%zz",
		"semicolon":              "state=" + w.state + ";code=c",
	} {
		if status, body, _ := w.get(t, query, nil); status != http.StatusBadRequest ||
			strings.Contains(body, w.state) {
			t.Errorf("%s: got %d; want 400 and no state in the page", name, status)
		}
	}
	if n := r.google.Counts().Exchanges; n != 0 {
		t.Errorf("%d codes were sent to the token endpoint; want 0", n)
	}
	w.consent(t)
}

// T46: an answer without iss is accepted.
func TestCallbackWithoutIssuer(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	r.google.EditCallback(func(q url.Values) { q.Del("iss") })
	r.signIn(nil)
}

// T8: only an error that carries the state is believed, and all hear of it once.
func TestCallbackDenied(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	others := make(chan error, 5)
	for range cap(others) {
		go func() { others <- w.a.Ensure(t.Context()) }()
	}
	waitFor(t, func() bool {
		w.a.mu.Lock()
		defer w.a.mu.Unlock()
		return w.a.consent != nil && w.a.consent.waiters == 6
	})
	for name, query := range map[string]string{
		"without state": enc("error", "access_denied"),
		"wrong state":   enc("error", "access_denied", "state", "x"),
	} {
		if status, _, _ := w.get(t, query, nil); status != http.StatusBadRequest {
			t.Errorf("%s: got %d; want 400", name, status)
		}
	}
	status, body, _ := w.get(t, enc("error", "access_denied", "state", w.state), nil)
	if status != 200 || !strings.Contains(body, "Sign-in refused") {
		t.Errorf("page after the refusal: got %d %q", status, body)
	}
	for i := range 6 {
		var err error
		if i == 0 {
			err = w.wait(t)
		} else {
			err = <-others
		}
		if e, ok := errors.AsType[*Error](err); !errors.Is(err, ErrConsentDenied) || !ok ||
			e.Code != "access_denied" {
			t.Errorf("waiter %d: got %v; want ErrConsentDenied", i, err)
		}
	}
	if n := r.opens.Load(); n != 1 {
		t.Errorf("the browser was opened %d times; want 1", n)
	}
	r.wantCounts(fakegoogle.Counts{})
}

func TestCallbackAdminPolicy(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	w.get(t, enc("error", "admin_policy_enforced", "state", w.state), nil)
	if err := w.wait(t); !errors.Is(err, ErrConsentDenied) || !strings.Contains(err.Error(), "administrator") {
		t.Errorf("got %v; want ErrConsentDenied that names the administrator", err)
	}
}

// T9: a name that was made to resolve to this machine is refused.
func TestCallbackHost(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	_, port, _ := net.SplitHostPort(w.addr)
	for _, host := range []string{"evil.example", "evil.example:" + port, "localhost:" + port, "127.0.0.1",
		"127.0.0.1:1", "[::1]:" + port} {
		status, _, _ := w.get(t, enc("state", w.state, "code", "c"), func(req *http.Request) { req.Host = host })
		if status != http.StatusMisdirectedRequest {
			t.Errorf("Host %q: got %d; want 421", host, status)
		}
	}
	old := "GET /oauth2/callback?" + enc("state", w.state, "code", "c") + " HTTP/1.0\r\n\r\n"
	if got := rawRequest(t, w.addr, old); !strings.Contains(got, "421") {
		t.Errorf("HTTP/1.0 without Host: got %q; want 421", firstLine(got))
	}
	w.consent(t)
}

// T10: whatever else arrives at the port leaves the sign-in alone.
func TestCallbackNoise(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	answer := "?" + enc("state", w.state, "code", "c")
	host := "Host: " + w.addr + "\r\n\r\n"
	for _, tt := range []struct{ name, request, want string }{
		{"favicon", "GET /favicon.ico HTTP/1.1\r\n" + host, "404"},
		{"root", "GET / HTTP/1.1\r\n" + host, "404"},
		{"robots", "GET /robots.txt HTTP/1.1\r\n" + host, "404"},
		{"longer path", "GET /oauth2/callback/" + answer + " HTTP/1.1\r\n" + host, "404"},
		{"double slash", "GET //oauth2/callback" + answer + " HTTP/1.1\r\n" + host, "404"},
		{"escaped path", "GET /oauth2%2fcallback" + answer + " HTTP/1.1\r\n" + host, "404"},
		{"POST", "POST /oauth2/callback" + answer + " HTTP/1.1\r\nContent-Length: 0\r\n" + host, "405"},
		{"HEAD", "HEAD /oauth2/callback" + answer + " HTTP/1.1\r\n" + host, "405"},
		{"OPTIONS", "OPTIONS /oauth2/callback" + answer + " HTTP/1.1\r\n" + host, "405"},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host, "405"},
		{"CONNECT", "CONNECT " + w.addr + " HTTP/1.1\r\n" + host, "405"},
		{"absolute form", "GET http://" + w.addr + "/oauth2/callback" + answer + " HTTP/1.1\r\n" + host, "404"},
		{"20 KiB address", "GET /oauth2/callback?x=" + strings.Repeat("x", 20<<10) + " HTTP/1.1\r\n" + host, ""},
		{"1 MiB headers", "GET /oauth2/callback" + answer + " HTTP/1.1\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n" +
			host, "431"},
		{"garbage", "\x00\x01\x02 nothing\r\n\r\n", "400"},
		{"HTTP/0.9", "GET /oauth2/callback\r\n\r\n", "400"},
		{"two Host headers", "GET /oauth2/callback" + answer + " HTTP/1.1\r\nHost: x\r\n" + host, "400"},
	} {
		if got := firstLine(rawRequest(t, w.addr, tt.request)); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q; want status %s", tt.name, got, tt.want)
		}
	}
	if conn, err := tls.Dial("tcp", w.addr, &tls.Config{InsecureSkipVerify: true}); err == nil {
		conn.Close()
		t.Error("TLS: the handshake went well")
	}
	if n := r.google.Counts().Exchanges; n != 0 {
		t.Errorf("%d exchanges; want 0", n)
	}
	w.consent(t)
}

// T11: many idle connections and a slow one do not keep the browser out.
func TestCallbackUnderLoad(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	for range 200 {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	slow, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	io.WriteString(slow, "GET /oauth2/ca")
	start := time.Now()
	w.consent(t)
	if d := time.Since(start); d > headerWindow { // alone it takes milliseconds
		t.Errorf("the answer took %v beside 201 idle connections", d)
	}
}

// S11: a connection that sends no header is closed, and the oldest have to go
// when there are too many.
func TestListenerLimitsConnections(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	first, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for range maxConns + 1 {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	first.SetReadDeadline(time.Now().Add(headerWindow - time.Second))
	if _, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest connection is still open (%v)", err)
	}
	w.cancel()
}

// T12: a page that is loaded ahead does not use the code up.
func TestCallbackPrefetch(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	w := r.startWaiting(nil)
	code := w.code(t)
	for _, h := range [][2]string{{"Sec-Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"},
		{"Purpose", "prefetch"}, {"X-Moz", "prefetch"}} {
		status, _, _ := w.get(t, enc("state", w.state, "code", code),
			func(req *http.Request) { req.Header.Set(h[0], h[1]) })
		if status != http.StatusServiceUnavailable {
			t.Errorf("%s: got %d; want 503", h[0], status)
		}
	}
	if status, _, _ := w.get(t, enc("state", w.state, "code", code), nil); status != 200 {
		t.Errorf("the real request: got %d; want 200", status)
	}
	if err := w.wait(t); err != nil {
		t.Error(err)
	}
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
}

// T13, T14: reloads and races lead to one exchange, and all see the final page.
func TestCallbackTwice(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]string{"the same code": "", "another code": "4/other"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, fakegoogle.Options{})
			r.google.ScriptToken(fakegoogle.Reply{Delay: 2 * time.Second})
			w := r.startWaiting(nil)
			code := w.code(t)
			codes := []string{code, code, code}
			if second != "" {
				codes = []string{code, second}
			}
			var wg sync.WaitGroup
			pages := make(chan string, len(codes))
			for i, c := range codes {
				if i == 1 {
					// The first is being exchanged now.
					waitFor(t, func() bool { return r.google.Counts().Exchanges == 1 })
				}
				wg.Go(func() {
					status, body, _ := w.get(t, enc("state", w.state, "code", c), nil)
					pages <- fmt.Sprint(status, strings.Contains(body, "You are signed in"))
				})
			}
			wg.Wait()
			close(pages)
			for p := range pages {
				if p != "200 true" {
					t.Errorf("page: got %s; want the final page", p)
				}
			}
			if err := w.wait(t); err != nil {
				t.Error(err)
			}
			r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
		})
	}
}

// T14: two answers at the very same time.
func TestCallbackRace(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	r.google.ScriptToken(fakegoogle.Reply{Delay: 2 * time.Second}) // so that both find the port open
	w := r.startWaiting(nil)
	codes := []string{w.code(t), "4/other"}
	var wg sync.WaitGroup
	for _, c := range codes {
		wg.Go(func() { w.get(t, enc("state", w.state, "code", c), nil) })
	}
	wg.Wait()
	w.wait(t) // well or not, as the race went
	if n := r.google.Counts().Exchanges; n != 1 {
		t.Errorf("%d exchanges; want 1", n)
	}
}

func rawRequest(t *testing.T, addr, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	// A server that has seen enough closes before all is written.
	io.WriteString(conn, request)
	answer, _ := io.ReadAll(io.LimitReader(bufio.NewReader(conn), 64<<10))
	return string(answer)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\r\n")
	return line
}

// waitFor polls for a condition.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the condition did not come true")
		}
	}
}
