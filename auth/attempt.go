package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"sync"

	"golang.org/x/oauth2"
)

// attempt is one authorization request. A sign-in has one for the terminal,
// whose address the user can open in any browser. If a browser is opened, it
// has another one for that browser alone. They share only the slot for the
// answer.
type attempt struct {
	redirectURI string
	state       string
	verifier    string
	nonce       string // "" if no ID token is asked for
	issuer      string
	slot        *answerSlot
}

// answer is the answer of the authorization server.
type answer struct {
	attempt *attempt // the request that it answers; nil with failed
	code    string
	err     string // the OAuth error code; "" with a code
	text    string // error_description
	failed  error  // why no answer can be trusted any more
}

// answerSlot takes the first answer of a sign-in, wherever it comes from.
type answerSlot struct {
	mu    sync.Mutex
	taken bool
	first chan answer // of capacity 1; gets one value at most
}

func newAnswerSlot() *answerSlot { return &answerSlot{first: make(chan answer, 1)} }

// take keeps the first answer and drops later ones.
func (s *answerSlot) take(got answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.taken {
		s.taken = true
		s.first <- got
	}
}

var (
	errBadState  = errors.New("the address does not belong to this sign-in")
	errBadAnswer = errors.New("the address is not an answer of the sign-in page")
)

func newAttempt(slot *answerSlot, redirectURI, issuer string, withID bool) *attempt {
	at := &attempt{
		redirectURI: redirectURI,
		state:       randomText(),
		verifier:    oauth2.GenerateVerifier(), // 43 characters
		issuer:      issuer,
		slot:        slot,
	}
	if withID {
		at.nonce = randomText()
	}
	return at
}

// randomText returns 256 random bits as text.
func randomText() string {
	var raw [32]byte
	rand.Read(raw[:]) // never fails; it ends the program if the system has no randomness
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// authURL returns the address of the consent page (RFC 6749, section 4.1.1,
// with RFC 7636). Google always issues a refresh token only with
// access_type=offline and prompt=consent.
func (at *attempt) authURL(client *Client, scopes []string, account, hostedDomain string) string {
	prompt := "consent"
	if account == "" {
		prompt = "select_account consent"
	}
	q := url.Values{
		"client_id":             {client.id},
		"redirect_uri":          {at.redirectURI},
		"response_type":         {"code"},
		"scope":                 {strings.Join(scopes, " ")},
		"state":                 {at.state},
		"code_challenge":        {oauth2.S256ChallengeFromVerifier(at.verifier)},
		"code_challenge_method": {"S256"},
		"access_type":           {"offline"},
		"prompt":                {prompt},
	}
	if account != "" {
		q.Set("login_hint", account)
	}
	if hostedDomain != "" {
		q.Set("hd", hostedDomain)
	}
	if at.nonce != "" {
		q.Set("nonce", at.nonce)
	}
	return client.authURL + "?" + q.Encode()
}

// stateIn reports whether a query carries this request's state.
func (at *attempt) stateIn(rawQuery string) bool {
	q, err := url.ParseQuery(rawQuery)
	return err == nil && subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(at.state)) == 1
}

// offer takes the parameters of a redirect. The first valid ones end the wait.
// Later valid ones are ignored and are no error. Anything else does not change
// the attempt: a sender that does not know the state can neither finish nor stop
// it.
func (at *attempt) offer(rawQuery string) error {
	q, err := url.ParseQuery(rawQuery)
	if err != nil {
		return errBadAnswer
	}
	for _, values := range q {
		if len(values) != 1 {
			return errBadAnswer
		}
	}
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(at.state)) != 1 {
		return errBadState
	}
	if q.Has("iss") && q.Get("iss") != at.issuer {
		return errBadAnswer
	}
	got := answer{attempt: at, code: q.Get("code"), err: q.Get("error"), text: q.Get("error_description")}
	if (got.code == "") == (got.err == "") || len(got.code) > 4096 || !headerSafe(got.code) {
		return errBadAnswer
	}
	at.slot.take(got)
	return nil
}
