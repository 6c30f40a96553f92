package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// takeBackWindow is how long after its success a second visitor of the start
// page still undoes a sign-in, if the platform does not show whose process has
// a connection.
const takeBackWindow = 10 * time.Second

var (
	errOtherBrowser = errors.New("the answer came without the cookie of the start page")
	errStartedTwice = &Error{
		Op: "sign-in",
		Description: "the start page of the sign-in was opened by two browsers, " +
			"so another user of this machine may have tried to sign this program in with an account of their own",
		Hint: "sign in again with login=manual, and look at who else uses this machine",
	}
)

// startPage is the page at which the browser is opened. The opener does not get
// the address of the consent page, because every user of the machine can read
// its command line, and another user could consent there with their own
// account. The page sends the first browser on to the consent page, with a
// cookie that the answer must bring back.
//
// On Linux the kernel shows whose process has a connection, and only the user's
// own are answered. On other systems two visitors end the sign-in, because one
// of them may be another user.
type startPage struct {
	path    string
	attempt *attempt
	consent string // address of the consent page
	cookie  http.Cookie
	made    time.Time
	window  time.Duration // see takeBackWindow
	visited chan struct{} // closed at the first visit
	spied   chan struct{} // closed when a second visitor came

	mu           sync.Mutex
	once, second bool
	blind        bool // the platform did not show whose process the first visitor was
}

func newStartPage(rc *receiver, at *attempt, cfg *Config) *startPage {
	return &startPage{
		path:    rc.below("start"),
		attempt: at,
		consent: at.authURL(cfg.Client, cfg.requestScopes(), cfg.Account, cfg.HostedDomain),
		// Lax: the browser comes back from Google's site, where it would not
		// send a Strict one. Without Max-Age it ends with the browser.
		cookie: http.Cookie{
			Name: "bigqueryuser-" + randomText()[:16], Value: randomText(), Path: cookiePath(rc.path()),
			HttpOnly: true, SameSite: http.SameSiteLaxMode,
		},
		made:    time.Now(),
		window:  cfg.takeBack,
		visited: make(chan struct{}),
		spied:   make(chan struct{}),
	}
}

// cookiePath returns the part of a path before its first encoded character,
// because clients differ in how they compare such characters.
func cookiePath(path string) string {
	plain, _, encoded := strings.Cut(path, "%")
	if !encoded {
		return path
	}
	return plain[:strings.LastIndexByte(plain, '/')+1]
}

// serve sends the first visitor on to the consent page.
func (s *startPage) serve(w http.ResponseWriter, r *http.Request, who peer) {
	s.mu.Lock()
	first := !s.once
	if first {
		s.once, s.blind = true, who == peerUnknown
		close(s.visited)
	} else if who == peerUnknown && !s.hasCookie(r) && !s.second {
		s.second = true
		close(s.spied)
		s.attempt.slot.take(answer{failed: errStartedTwice})
	}
	s.mu.Unlock()
	if !first {
		pageStarted.write(w)
		return
	}
	http.SetCookie(w, &s.cookie)
	setPageHeaders(w.Header())
	w.Header().Set("Location", s.consent)
	w.WriteHeader(http.StatusSeeOther)
}

func (s *startPage) hasCookie(r *http.Request) bool {
	got, err := r.Cookie(s.cookie.Name)
	return err == nil && subtle.ConstantTimeCompare([]byte(got.Value), []byte(s.cookie.Value)) == 1
}

// offer takes an answer from the browser that has the cookie.
func (s *startPage) offer(r *http.Request) error {
	if s.hasCookie(r) {
		return s.attempt.offer(r.URL.RawQuery)
	}
	if s.attempt.stateIn(r.URL.RawQuery) {
		return errOtherBrowser
	}
	return errBadState
}

// owns reports whether a pasted address is an answer to this page's request.
func (s *startPage) owns(text string) bool {
	query, err := s.attempt.pasteQuery(text)
	return err == nil && s.attempt.stateIn(query)
}

// forget removes the cookie from the browser.
func (s *startPage) forget(w http.ResponseWriter) {
	gone := s.cookie
	gone.Value, gone.MaxAge = "", -1
	http.SetCookie(w, &gone)
}

// blindFor reports whether got is this page's request and the platform did not
// show whose browser the first visitor was.
func (s *startPage) blindFor(got *attempt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempt == got && s.blind
}

// guard waits for a second visitor of the start page and reports whether one
// came. When ctx ends, because the program closes the sign-in, guard waits only
// until the user's own browser would have come. A user takes longer than that
// to consent, so that the program waits only after a visitor that was faster.
func (s *startPage) guard(ctx context.Context) bool {
	timer := time.NewTimer(s.window)
	defer timer.Stop()
	select {
	case <-s.spied:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
	}
	timer.Reset(time.Until(s.made.Add(s.window)))
	select {
	case <-s.spied:
		return true
	case <-timer.C:
		return false
	}
}
