package auth

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// T47, S12, S13: the pages say what happened and let nothing foreign in.
func TestPages(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, body string, h http.Header) {
		t.Helper()
		for key, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"Content-Type": "text/html; charset=utf-8",
		} {
			if got := h.Get(key); got != want {
				t.Errorf("%s: got %q; want %q", key, got, want)
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none';") ||
			strings.Contains(csp, "unsafe") {
			t.Errorf("Content-Security-Policy: got %q", csp)
		}
		for _, bad := range []string{"<script", "http://", "https://", "src=", "href="} {
			if strings.Contains(body, bad) {
				t.Errorf("the page contains %q", bad)
			}
		}
	}
	t.Run("done", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		code := w.code(t)
		_, body, h := w.get(t, enc("state", w.state, "code", code), nil)
		check(t, body, h)
		if !strings.Contains(body, "You are signed in") || strings.Contains(body, code) ||
			strings.Contains(body, w.state) {
			t.Errorf("page: got %q", body)
		}
	})
	t.Run("exchange fails", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		_, body, h := w.get(t, enc("state", w.state, "code", "4/wrong"), nil)
		check(t, body, h)
		if !strings.Contains(body, "Sign-in failed") || strings.Contains(body, "4/wrong") {
			t.Errorf("page: got %q", body)
		}
		if err := w.wait(t); err == nil {
			t.Error("Ensure succeeded")
		}
	})
	t.Run("hostile description", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		_, body, h := w.get(t, enc("state", w.state, "error", "<script>alert(1)</script>", "error_description",
			"<script>alert(2)</script>"), nil)
		check(t, body, h)
		if !strings.Contains(body, "&lt;script&gt;alert(1)") || strings.Contains(body, "alert(2)") {
			t.Errorf("page: got %q", body)
		}
	})
	t.Run("bad answer", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		_, body, h := w.get(t, "x=y", nil)
		check(t, body, h)
	})
}

// The page is shown however fast the end comes: a refusal needs no exchange.
func TestPageOfFastEnd(t *testing.T) {
	t.Parallel()
	for range 50 {
		r := newRig(t, fakegoogle.Options{})
		w := r.startWaiting(nil)
		_, body, _ := w.get(t, enc("state", w.state, "error", "access_denied"), nil)
		if !strings.Contains(body, "Sign-in refused") {
			t.Fatalf("page: got %q", body)
		}
		w.wait(t)
	}
}
