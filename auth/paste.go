package auth

import (
	"errors"
	"net/url"
	"strings"
	"unicode"
)

// maxPaste limits the size of a paste; a redirect address has a few hundred
// bytes.
const maxPaste = 16 << 10

// pasteMarks are the sequences that a terminal puts around pasted text
// (bracketed paste).
var pasteMarks = strings.NewReplacer("\x1b[200~", "", "\x1b[201~", "", "\u009b200~", "", "\u009b201~", "")

// isLoopbackAddr reports whether a text is a loopback host, with a port or without.
func isLoopbackAddr(text string) bool {
	u, err := url.Parse("http://" + text)
	return err == nil && loopbackHost(u.Hostname()) && u.Host == text
}

// paste takes the address at which the browser ended. It needs the whole
// address: a bare code has no state, so nothing shows which sign-in it belongs
// to. Its errors are meant for the user.
func (at *attempt) paste(text string) error {
	query, err := at.pasteQuery(text)
	if err != nil {
		return err
	}
	if err := at.offer(query); err != nil {
		return errors.New(err.Error() + "; copy it again from the browser's address bar, all of it")
	}
	return nil
}

// pasteQuery returns the query of a pasted address.
func (at *attempt) pasteQuery(text string) (string, error) {
	if len(text) > maxPaste {
		return "", errors.New("this is too long to be the address; it begins with " + at.redirectURI)
	}
	// Terminals mark pasted text and wrap long lines, text copied from a mail
	// can have quotes, and browsers hide the scheme.
	text = pasteMarks.Replace(text)
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
	text = strings.Trim(text, `"'<>`+"`“”‘’„«»‹›")
	if host, _, ok := strings.Cut(text, "/"); ok && !strings.Contains(text, "://") && isLoopbackAddr(host) {
		text = "http://" + text
	}
	switch {
	case text == "":
		return "", errors.New("nothing was pasted; the address begins with " + at.redirectURI)
	case !strings.Contains(text, "://"):
		return "", errors.New("this is not the whole address; it begins with " + at.redirectURI +
			" (a code alone is not accepted)")
	}
	want, err := url.Parse(at.redirectURI)
	if err != nil {
		return "", errBadAnswer
	}
	got, err := url.Parse(text)
	// A browser may have changed http to https, and a user 127.0.0.1 to
	// localhost. Neither matters, because the state is the proof.
	if err != nil || got.Scheme != "http" && got.Scheme != "https" || !loopbackHost(got.Hostname()) ||
		portOf(got) != portOf(want) || slashed(got) != slashed(want) || got.User != nil {
		return "", errors.New("this is the address of another page; it begins with " + at.redirectURI)
	}
	return got.RawQuery, nil
}
