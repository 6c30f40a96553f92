package faultproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/http2"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// front is a fake with a proxy before it and a client of its own.
type front struct {
	*Proxy
	bq     *fakebq.Server
	client *http.Client
}

const insert = "INSERT INTO t VALUES (1)"

func newFront(t *testing.T, http2 bool) *front {
	t.Helper()
	bq := fakebq.Run(t, fakebq.Options{HTTP2: http2})
	bq.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
	transport := &http.Transport{TLSClientConfig: fakecert.Client(), ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	f := &front{Run(t, bq.URL()), bq, &http.Client{Transport: transport}}
	return f
}

// post sends the INSERT once. A body that net/http can't rewind is one that it does not send again by itself.
func (f *front) post(ctx context.Context) (int, string, error) {
	body := io.MultiReader(strings.NewReader(`{"useLegacySql":false,"query":"` + insert + `"}`))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL()+"/bigquery/v2/projects/p/queries", body)
	if err != nil {
		return 0, "", err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

func both(t *testing.T, f func(*testing.T, bool)) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint("HTTP2=", http2), func(t *testing.T) { t.Parallel(); f(t, http2) })
	}
}

// TestCatalogue: each fault ends the exchange otherwise than the service would have, the service has run the
// statement exactly where the phase says so, and the next exchange works.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, http2 bool) {
		for _, nf := range append(Catalogue(), Final()...) {
			t.Run(nf.Name, func(t *testing.T) {
				t.Parallel()
				f := newFront(t, http2)
				f.Inject(fakebq.Query, nf.Fault)
				status, text, err := f.post(t.Context())
				f.bq.WaitIdle(t)
				whole := err == nil && status == 200 && json.Valid([]byte(text))
				if whole != nf.graceful() {
					t.Errorf("got %d %.40q, %v; want a whole answer: %t", status, text, err, nf.graceful())
				}
				want := 0
				if nf.graceful() || nf.MayHaveRun() {
					want = 1
				}
				if got := f.bq.Executions(insert); got != want {
					t.Errorf("got %d executions; want %d", got, want)
				}
				if got := f.Played(); len(got) != 1 || got[0].Method != fakebq.Query || f.Waiting() != 0 {
					t.Errorf("got faults %v; want one", got)
				}
				if status, text, err := f.post(t.Context()); status != 200 || err != nil {
					t.Errorf("after the fault: got %d %s, %v", status, text, err)
				}
			})
		}
	})
}

func TestErrorsOfHTTP2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault Fault
		want  string
	}{
		{"reset stream", Fault{Kind: ResetStream, Code: http2.ErrCodeInternal, At: After}, "INTERNAL_ERROR"},
		{"refused stream", Fault{Kind: ResetStream, Code: http2.ErrCodeRefusedStream}, "REFUSED_STREAM"},
		{"GOAWAY", Fault{Kind: GoAway, Debug: "max_age", Close: true, At: After}, `GOAWAY and closed the connection`},
		{"debug text", Fault{Kind: GoAway, Debug: "session_timed_out", Close: true, At: Middle}, `session_timed_out`},
		{"GOAWAY below", Fault{Kind: GoAway, Debug: "max_age", Below: true}, "Client.Body"},
	} {
		f := newFront(t, true)
		if _, _, err := f.post(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Inject(fakebq.Query, tt.fault)
		_, _, err := f.post(t.Context())
		if tt.fault.Below { // net/http would send it again if it could rewind the body
			if err == nil || f.bq.Executions(insert) != 1 {
				t.Errorf("%s: got %v, %d executions; want an error and 1", tt.name, err, f.bq.Executions(insert))
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v; want %s", tt.name, err, tt.want)
		}
	}
}

// TestLasting: nothing but the client's patience ends the exchange.
func TestLasting(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, http2 bool) {
		for _, nf := range Lasting() {
			f := newFront(t, http2)
			f.Inject(fakebq.Query, nf.Fault)
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, _, err := f.post(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v; want the end of the context", nf.Name, err)
			}
			want := 0
			if nf.MayHaveRun() {
				want = 1
			}
			if got := f.bq.Executions(insert); got != want {
				t.Errorf("%s: got %d executions; want %d", nf.Name, got, want)
			}
		}
	})
}

// TestPings: a connection on which a request is never answered answers pings; one of a network that has vanished
// does not.
func TestPings(t *testing.T) {
	t.Parallel()
	for kind, lost := range map[Kind]bool{Never: false, Vanish: true} {
		f := newFront(t, true)
		f.client.Transport.(*http.Transport).HTTP2 = &http.HTTP2Config{
			SendPingTimeout: 30 * time.Millisecond, PingTimeout: 200 * time.Millisecond}
		f.Inject(fakebq.Query, Fault{Kind: kind, At: After})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := f.post(ctx)
		if got := err != nil && strings.Contains(err.Error(), "client connection lost"); got != lost {
			t.Errorf("%s: got %v; want a lost connection: %t", kind, err, lost)
		}
	}
}

func TestConnections(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, http2 bool) {
		f := newFront(t, http2)
		f.NextConns(ConnReset, ConnHang)
		if _, _, err := f.post(t.Context()); err == nil {
			t.Error("reset connection: got no error")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, _, err := f.post(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("hanging connection: got %v; want the end of the context", err)
		}
		f.Down()
		if _, _, err := f.post(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nothing listens: got %v; want refused", err)
		}
		if err := f.Up(); err != nil {
			t.Fatal(err)
		}
		if status, _, err := f.post(t.Context()); status != 200 || err != nil {
			t.Errorf("listening again: got %d, %v", status, err)
		}
		f.Vanish()
		ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, _, err := f.post(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("vanished network: got %v; want the end of the context", err)
		}
		f.Restore()
		f.CutAll()
		if status, _, err := f.post(t.Context()); status != 200 || err != nil {
			if status, _, err = f.post(t.Context()); status != 200 || err != nil { // the cut was not noticed yet
				t.Errorf("restored: got %d, %v", status, err)
			}
		}
		f.client.CloseIdleConnections()
		for end := time.Now().Add(5 * time.Second); f.Conns() > 0; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d of %d connections are still open", f.Conns(), f.Accepted())
			}
		}
	})
}

func TestChoose(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, http2 bool) {
		f := newFront(t, http2)
		f.Choose(func(e Exchange) Fault {
			if e.Method == fakebq.Query && e.N == 2 && e.HTTP2 == http2 {
				return HTML(503, Before)
			}
			return Fault{}
		})
		for n, want := range []int{200, 503, 200} {
			if got, _, err := f.post(t.Context()); got != want || err != nil {
				t.Errorf("request %d: got %d, %v; want %d", n+1, got, err, want)
			}
		}
		if f.Count(fakebq.Query) != 3 {
			t.Errorf("got %d requests; want 3", f.Count(fakebq.Query))
		}
	})
}
