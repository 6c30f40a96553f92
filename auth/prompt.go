package auth

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
)

// Prompter shows the address of the consent page to the user.
//
// Prompt may return at once, or wait for a pasted address until ctx ends. An
// error ends the sign-in unless a browser was opened.
type Prompter interface {
	Prompt(ctx context.Context, p Prompt) error
}

// Notifier is implemented by a Prompter that can also show a message, such as
// that another process is signing in.
type Notifier interface {
	Notify(ctx context.Context, text string)
}

// Prompt is a request to the user to sign in.
type Prompt struct {
	// URL is the address of the consent page. It belongs to this one sign-in:
	// show it to the user and nowhere else.
	URL string
	// RedirectAddr is the loopback host:port that receives the answer.
	RedirectAddr string
	// RedirectURI is the address to which Google sends the browser, as it is
	// registered.
	RedirectURI string
	// Opened reports whether a browser is being opened, at another address. URL
	// is for a user who does not see that browser.
	Opened bool
	// Trouble says why the address is shown again, such as that no browser
	// could be opened; "" the first time.
	Trouble string
	// Reason says why the user has to sign in again; "" the first time.
	Reason string
	// Paste takes the address at which the browser ended. It returns when the
	// sign-in has ended, nil if it succeeded. If the address is wrong it returns an
	// error at once, and the user may try again. The text of the error is meant for
	// the user.
	Paste func(redirectURL string) error
}

// String returns the prompt without its address.
func (p Prompt) String() string { return "auth.Prompt(answer at " + p.RedirectAddr + ")" }

// Format prints String for every verb.
func (p Prompt) Format(f fmt.State, _ rune) { io.WriteString(f, p.String()) }

// promptText returns the text for the user. reads reports whether an address
// can be pasted where the text is shown.
func promptText(p Prompt, reads bool) string {
	var b strings.Builder
	b.WriteString("\n")
	switch {
	case p.Trouble != "":
		b.WriteString("There is a problem with the browser: " + p.Trouble + ".\n\n")
	case p.Reason != "":
		b.WriteString("You need to sign in again: " + p.Reason + ".\n\n")
	}
	if p.Opened {
		b.WriteString("Your browser is being opened to sign in to Google. " +
			"If it does not appear, open this address on this machine:\n\n    " + p.URL + "\n\n")
		return b.String()
	}
	b.WriteString("To sign in to Google, open this address in a browser:\n\n    " + p.URL + "\n\n" +
		"A browser on this machine brings the answer by itself. A browser on another machine ends at a page that\n" +
		"it cannot show; the address of that page begins with " + p.RedirectURI + "\n")
	if reads {
		b.WriteString("Copy that whole address from the browser's address bar, paste it here and press Enter.\n" +
			"What you paste is not shown. Paste only what came from a sign-in that you started yourself just now.\n\n")
		return b.String()
	}
	_, port, _ := net.SplitHostPort(p.RedirectAddr) // it came from a listener
	b.WriteString("There is no terminal to paste that address into, " +
		"so forward the port first, on the machine with the browser:\n\n" +
		"    ssh -L " + port + ":" + p.RedirectAddr + " <this machine>\n\n")
	return b.String()
}
