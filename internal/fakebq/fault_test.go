package fakebq

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	isAPI := func(code int, reason string) func(*testing.T, error) {
		return func(t *testing.T, err error) { wantError(t, err, code, reason) }
	}
	wantCode := func(code int) func(*testing.T, error) {
		return func(t *testing.T, err error) {
			e, ok := errors.AsType[*googleapi.Error](err)
			if !ok || e.Code != code || !strings.Contains(e.Body, "<html") {
				t.Errorf("got %v; want %d with a body in HTML", err, code)
			}
		}
	}
	isEOF := func(t *testing.T, err error) {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v; want an EOF", err)
		}
	}
	isSyntax := func(t *testing.T, err error) {
		_, ok := errors.AsType[*json.SyntaxError](err)
		if !ok && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v; want a syntax error", err)
		}
	}
	for _, tc := range []struct {
		name  string
		fault Fault
		runs  int
		check func(*testing.T, error)
	}{
		{"error", Fail(Error{Reason: "backendError"}), 0, isAPI(503, "backendError")},
		{"status", Fail(Error{Reason: "rateLimitExceeded", Status: 429}), 0, isAPI(429, "rateLimitExceeded")},
		{"error after", Fail(Error{Reason: "internalError"}).After(), 1, isAPI(500, "internalError")},
		{"html", HTML(502), 0, wantCode(502)},
		{"garbage", Garbage(`{"kind":`), 0, isSyntax},
		{"not JSON", Garbage(`]`), 0, isSyntax},
		{"drop", Drop(), 0, isEOF},
		{"drop after", Drop().After(), 1, isEOF},
		{"cut", Cut(30), 1, isEOF},
		{"truncate", Truncate(30), 1, isSyntax},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := Run(t, Options{})
			s.On("SELECT people", people())
			s.Inject(Query, Pass(), tc.fault)
			svc := rest(t, s)
			if _, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do(); err != nil {
				t.Fatalf("passed request: %v", err)
			}
			r, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
			if err == nil {
				t.Fatalf("got %+v; want an error", r)
			}
			tc.check(t, err)
			if got := s.Executions("SELECT people"); got != 1+tc.runs {
				t.Errorf("got %d executions; want %d", got, 1+tc.runs)
			}
			if s.Faults() != 0 {
				t.Errorf("got %d faults left; want none", s.Faults())
			}
			if _, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do(); err != nil {
				t.Errorf("after the fault: %v", err)
			}
		})
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.On("SELECT people", people())
	s.Inject(Insert, Exists())
	svc := rest(t, s)
	_, err := svc.Jobs.Insert("p", inserted("SELECT people", "mine")).Do()
	if e := wantError(t, err, 409, "duplicate"); e.Message != "Already Exists: Job p:US.mine" {
		t.Errorf("got %q; want the job's id", e.Message)
	}
	if _, err := svc.Jobs.Get("p", "mine").Do(); err != nil {
		t.Errorf("the job: %v", err)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	s := Run(t, Options{})
	s.Inject(Query, FailRetryAfter(Error{Reason: "rateLimitExceeded", Status: 429}, "7"))
	_, err := rest(t, s).Jobs.Query("p", googleSQL("SELECT 1")).Do()
	if e := wantError(t, err, 429, "rateLimitExceeded"); e.Header.Get("Retry-After") != "7" {
		t.Errorf("got headers %v; want Retry-After: 7", e.Header)
	}
}

func TestHang(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		fault func(<-chan struct{}) Fault
		ok    bool
		runs  int
	}{
		{"hang", Hang, true, 1},
		{"hang before", HangBefore, false, 0},
		{"stall", func(ch <-chan struct{}) Fault { return Stall(20, ch) }, true, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := Run(t, Options{})
			s.On("SELECT people", people())
			svc := rest(t, s)

			// Released.
			ch := make(chan struct{})
			s.Inject(Query, tc.fault(ch))
			done := make(chan error)
			go func() {
				_, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
				done <- err
			}()
			s.WaitFor(t, Query, 1)
			close(ch)
			if err := <-done; (err == nil) != tc.ok {
				t.Errorf("released: got %v; want success: %v", err, tc.ok)
			}
			if got := s.Executions("SELECT people"); got != tc.runs {
				t.Errorf("got %d executions; want %d", got, tc.runs)
			}

			// Given up by the client: nothing is left on the server.
			s.Inject(Query, tc.fault(nil))
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				_, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Context(ctx).Do()
				done <- err
			}()
			s.WaitFor(t, Query, 2)
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: got %v; want context.Canceled", err)
			}
			s.WaitIdle(t)

			// Ended by Close.
			s.Inject(Query, tc.fault(nil))
			go func() {
				_, err := svc.Jobs.Query("p", googleSQL("SELECT people")).Do()
				done <- err
			}()
			s.WaitFor(t, Query, 3)
			s.Close()
			if err := <-done; err == nil {
				t.Error("closed: got an answer; want an error")
			}
		})
	}
}

func TestWaitFailsInsteadOfHanging(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	if s.until(func() bool { return true }) != true {
		t.Error("until: got false for what is true")
	}
	rec := httptestRequest(t, "/projects/p/jobs")
	s.ServeHTTP(discard{http.Header{}}, rec)
	if s.Count(List) != 1 || s.Counts()[List] != 1 || len(s.Requests(List)) != 1 {
		t.Errorf("got counts %v; want one jobs.list", s.Counts())
	}
	s.ResetLog()
	if s.Count() != 0 {
		t.Errorf("got %d requests after ResetLog; want 0", s.Count())
	}
}

// discard is a ResponseWriter for answers that are not read.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func httptestRequest(t testing.TB, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
