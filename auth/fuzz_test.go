package auth

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// T50: whatever the file holds, the outcome is a client whose endpoints are
// trusted, or ErrClientConfig.
func FuzzParseClient(f *testing.F) {
	f.Add(clientJSON(f, "installed", nil))
	f.Add(clientJSON(f, "web", map[string]any{"redirect_uris": []string{"http://127.0.0.1:1/"}}))
	f.Add(clientJSON(f, "installed", map[string]any{"token_uri": "https://evil.example/"}))
	f.Add([]byte(`{"type": "service_account"}`))
	f.Add([]byte("\xef\xbb\xbf{}"))
	f.Add([]byte(`{"installed": {"a": [1, {"b": null}]}, "x": 1e999}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseClient(data)
		if err != nil {
			if c != nil || !errors.Is(err, ErrClientConfig) || len(err.Error()) > 600 {
				t.Errorf("got %v, %v; want nil and ErrClientConfig", c, err)
			}
			return
		}
		auth, err1 := url.Parse(c.authURL)
		token, err2 := url.Parse(c.tokenURL)
		revoke, err3 := url.Parse(c.revokeURL())
		if err := errors.Join(err1, err2, err3); err != nil {
			t.Fatalf("%v was accepted", err)
		}
		for _, u := range []*url.URL{auth, token, revoke} {
			google := u.Scheme == "https" && (u.Host == "accounts.google.com" ||
				strings.HasSuffix(u.Host, ".googleapis.com"))
			local := loopbackHost(u.Hostname()) && u.Scheme == auth.Scheme && u.Host == auth.Host
			if u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.RawPath != "" || google == local ||
				local != c.Local() {
				t.Errorf("endpoint %s was accepted beside %s", u, auth)
			}
		}
		same := &Client{id: c.id} // with no secret at all
		if c.id == "" || fmt.Sprintf("%v %+v %#v", c, c, *c) != fmt.Sprintf("%v %+v %#v", same, same, *same) {
			t.Errorf("the client has no id, or shows more than that")
		}
		for _, u := range c.redirects {
			if !loopbackHost(u.Hostname()) || u.Scheme != "http" {
				t.Errorf("redirect %q was accepted", u)
			}
		}
	})
}

// T50: nothing that lacks the state is taken, and afterwards the right answer
// still is, once.
func FuzzCallbackQuery(f *testing.F) {
	for _, q := range []string{"", "state=x&code=y", "error=access_denied", "state=&code=y", "state=STATE&code=y",
		"state=STATE&state=STATE&code=y",
		"state=STATE&error=access_denied&error_description=%3Cscript%3E", "iss=https%3A%2F%2Fevil&state=STATE&code=y",
		"%zz", "a;b", "code=%0d%0a&state=STATE"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		at := newAttempt(newAnswerSlot(), "http://127.0.0.1:1/oauth2/callback", "https://accounts.google.com", false)
		query = strings.ReplaceAll(query, "STATE", at.state)
		if err := at.offer(query); err == nil {
			if strings.Count(query, at.state) < 1 || len(at.slot.first) != 1 {
				t.Fatalf("%q was accepted", query)
			}
			got := <-at.slot.first
			if (got.code == "") == (got.err == "") {
				t.Errorf("%q: both or neither of code and error", query)
			}
			return
		}
		if len(at.slot.first) != 0 {
			t.Fatalf("%q was refused and taken", query)
		}
		if err := at.offer("state=" + at.state + "&code=right"); err != nil {
			t.Fatalf("after %q the right answer was refused: %v", query, err)
		}
		if err := at.offer("state=" + at.state + "&code=second"); err != nil || len(at.slot.first) != 1 {
			t.Fatal("a second answer was taken")
		}
		if got := <-at.slot.first; got.code != "right" {
			t.Errorf("got code %q; want right", got.code)
		}
		if err := at.offer("state=" + at.state + "&code=third"); err != nil || len(at.slot.first) != 0 {
			t.Fatal("an answer was taken after the first had been used")
		}
	})
}

// T50: what can be read can be written and read again, and is complete.
func FuzzDecodeRecord(f *testing.F) {
	good, err := testRecord().Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(recordVersion1))
	f.Add([]byte("null"))
	f.Add([]byte(`{"version":1,"client_id":"c","scopes":["s"],"refresh_token":"r","expiry":"9999-12-31T23:59:60Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := DecodeRecord(data)
		if err != nil {
			if rec != nil || errors.Is(err, ErrCorrupt) == errors.Is(err, ErrNewerRecord) || len(err.Error()) > 200 {
				t.Errorf("got %v, %v; want nil and ErrCorrupt", rec, err)
			}
			return
		}
		if rec.ClientID == "" || rec.RefreshToken == "" || len(rec.Scopes) == 0 {
			t.Error("an incomplete record was read")
		}
		again, err := rec.Encode()
		if err != nil {
			return // a year that JSON cannot hold
		}
		back, err := DecodeRecord(again)
		if err != nil {
			if len(again) > maxRecord {
				return // escapes made it longer
			}
			t.Fatalf("what was written cannot be read: %v", err)
		}
		back.Version = rec.Version
		rec.Expiry, rec.Created = rec.Expiry.UTC(), rec.Created.UTC()
		if len(rec.Granted) == 0 {
			rec.Granted, back.Granted = nil, nil
		}
		if !reflect.DeepEqual(plain(*rec), plain(*back)) {
			t.Errorf("the record changed on its way")
		}
	})
}

// T50: a paste is taken only with the state in it; whatever it is, the user
// gets a short answer without it.
func FuzzPaste(f *testing.F) {
	const redirect = "http://127.0.0.1:5555/oauth2/callback"
	for _, text := range []string{"", "4/code", redirect, redirect + "?state=STATE&code=x",
		"\"" + redirect + "?state=STATE&code=x\"\r\n",
		"https://localhost:5555/oauth2/callback?code=x&state=STATE", "http://[::1",
		redirect + "?state=STATE&error=access_denied", "\x1b[200~" + redirect + "?state=STATE&code=x\x1b[201~",
		"127.0.0.1:5555/oauth2/callback?state=STATE&code=x", "“" + redirect + "?state=STATE&code=x”"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at := newAttempt(newAnswerSlot(), redirect, "https://accounts.google.com", false)
		text = strings.ReplaceAll(text, "STATE", at.state)
		err := at.paste(text)
		if err == nil && (len(at.slot.first) != 1 || !strings.Contains(text, at.state) ||
			!strings.Contains(text, "5555") || !strings.Contains(text, "/oauth2/callback")) {
			t.Errorf("%q was accepted", text)
		}
		if err != nil && (len(at.slot.first) != 0 || len(err.Error()) > 200 ||
			strings.Contains(err.Error(), at.state)) {
			t.Errorf("%q: got %q", text, err)
		}
	})
}

// S54, S55: whatever a server writes, the text is short, in one line and without
// a longer part of the secret, plain or encoded.
func FuzzPrintable(f *testing.F) {
	const secret = "4/0AX+canary-code/with=signs&more"
	for _, text := range []string{"", secret, url.QueryEscape(secret), "%25%32%35" + secret[:9], "a\u202eb\r\nc",
		"\xff%zz%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := printable(text, secret)
		if len(got) > maxDescription || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool {
			return !unicode.IsPrint(r)
		}) {
			t.Errorf("%q: got %q", text, got)
		}
		shown := got
		for range 4 {
			for i := 0; i+minSecretPart <= len(secret); i++ {
				if strings.Contains(shown, secret[i:i+minSecretPart]) {
					t.Fatalf("%q: %q shows a part of the secret", text, got)
				}
			}
			plain, err := url.PathUnescape(shown)
			if err != nil {
				break
			}
			shown = plain
		}
	})
}

// recordVersion1 is a record as the first version wrote it.
const recordVersion1 = `{"version":1,"client_id":"client","scopes":["https://www.googleapis.com/auth/bigquery"],` +
	`"refresh_token":"1//refresh","access_token":"ya29.access",` +
	`"expiry":"2026-03-01T13:00:00Z","created":"2026-03-01T12:00:00Z"}`

func TestOlderRecordsAreRead(t *testing.T) {
	t.Parallel()
	got, err := DecodeRecord([]byte(recordVersion1))
	must(t, err)
	want := testRecord()
	want.Version, want.Granted, want.Account, want.Subject = 1, nil, "", ""
	sameRecord(t, got, want)
}
