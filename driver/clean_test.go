package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode"

	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// hostile clears the screen, sets the title of the window, turns text around and begins a line of a log.
const hostile = "Access Denied\x1b[2J\x1b]0;owned\x07: \u202egnp.exe\u2028\nlevel=ERROR " +
	"msg=\"forged\"\r\tend\x00\u009b31m\u200b"

// TestForeignText: what BigQuery writes can't control the terminal, turn text around or forge lines of a log. The raw
// text stays in Message.
func TestForeignText(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 403, 404} {
		server := fakebq.Run(t, fakebq.Options{})
		server.On("SELECT \x1b[31m\u202e FROM t", fakebq.Answer{Reject: &fakebq.Error{
			Status: code, Reason: "invalidQuery\x1b[1m", Message: hostile + " at [1:8]",
		}})
		_, err := open(t, server).QueryContext(t.Context(), "SELECT \x1b[31m\u202e FROM t")
		e, ok := errors.AsType[*driver.Error](err)
		if !ok {
			t.Fatalf("%d: got %v; want an *Error", code, err)
		}
		if !strings.HasPrefix(e.Message, hostile) {
			t.Errorf("%d: Message: got %q; want the raw text", code, e.Message)
		}
		e.Account = "ada\x1b[5m@example.com\u202e"
		wantClean(t, "Error", err.Error(), "")
		wantClean(t, "%s", fmt.Sprintf("%s", err), "")
		wantClean(t, "wrapped", fmt.Errorf("query: %w", err).Error(), "")
		wantClean(t, "%+v", fmt.Sprintf("%+v", err), "\n\t")
		raw, ok := errors.AsType[*googleapi.Error](err)
		if !ok || raw.Message != e.Message {
			t.Errorf("%d: the *googleapi.Error has another text", code)
		}
	}
}

// TestForeignTextOfStorage: the same for the Storage Read API.
func TestForeignTextOfStorage(t *testing.T) {
	t.Parallel()
	server := bigTable(t)
	db := open(t, server, overStorage(server))
	server.InjectStream(fakebq.ReadRows, fakebq.StreamFault{Code: codes.InvalidArgument, Message: hostile, After: 1})
	_, err := readInts(t.Context(), db, ordered)
	if err == nil {
		t.Fatal("no error")
	}
	wantClean(t, "Error", err.Error(), "")
	wantClean(t, "%+v", fmt.Sprintf("%+v", err), "")
}

// TestForeignTextOfNetwork: the same for text that does not come from BigQuery at all.
func TestForeignTextOfNetwork(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Endpoint: server.URL(), Auth: "none"},
		driver.WithRoundTripper(func(http.RoundTripper) http.RoundTripper {
			return roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New(hostile) })
		}))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err = db.QueryContext(ctx, "SELECT 1")
	if err == nil {
		t.Fatal("no error")
	}
	wantClean(t, "Error", err.Error(), "")
	wantClean(t, "%+v", fmt.Sprintf("%+v", err), "")
}

// wantClean checks that a text has no characters that control or reorder, but those allowed.
func wantClean(t *testing.T, what, text, allowed string) {
	t.Helper()
	for _, r := range text {
		if !strings.ContainsRune(allowed, r) && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) ||
			unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)) {
			t.Errorf("%s has %U: %q", what, r, text)
			return
		}
	}
	if !strings.Contains(text, "Access Denied") || !strings.Contains(text, "end") {
		t.Errorf("%s lacks the words of the message: %q", what, text)
	}
}
