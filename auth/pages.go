package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// page is a page that the user's browser shows at the end.
type page struct {
	Status  int
	Title   string
	Text    string
	Detail  string   // an error code; escaped, like all that follows
	Account string   // the account that signed in; "" if it is not known
	Scopes  []string // the granted scopes
}

const closeWindow = "You can close this window and go back to the application."

var (
	pageDone    = page{Status: 200, Title: "You are signed in", Text: closeWindow}
	pageUnsaved = page{Status: 200, Title: "You are signed in", Text: closeWindow +
		" The sign-in could not be saved, so you will be asked again next time."}
	pageRefused = page{Status: 200, Title: "Sign-in refused",
		Text: "You are not signed in. You can close this window."}
	pageFailed = page{Status: 200, Title: "Sign-in failed",
		Text: "You are not signed in. The application shows the reason. You can close this window."}
	pageBad = page{Status: 400, Title: "This is not the expected answer",
		Text: "The address does not belong to the sign-in that is running. " +
			"Start the sign-in again from the application."}
	pageOtherBrowser = page{Status: 403, Title: "This is another browser",
		Text: "The sign-in was started in another browser, or cookies are not allowed. " +
			"Open the address that the application shows in its terminal instead."}
	pageForeign = page{Status: 403, Title: "Not for this user",
		Text: "Only programs of the user who is signing in are answered. " +
			"If that is you, open the address that the application shows in its terminal, " +
			"and paste the address at which it ends."}
	pageStarted = page{Status: 410, Title: "The sign-in has been started already",
		Text: "Go on in the window that was opened first, " +
			"or open the address that the application shows in its terminal."}
	pageNotFound = page{Status: 404, Title: "Not found", Text: "There is nothing here."}
	pageMethod   = page{Status: 405, Title: "Method not allowed", Text: "Only GET is allowed here."}
	pageHost     = page{Status: 421, Title: "Wrong address",
		Text: "This server only answers at the address that the sign-in uses."}
	pagePrefetch = page{Status: 503, Title: "Not now", Text: "This page can't be prefetched."}
)

// The page works without scripts and loads nothing. The policy allows its style
// by a hash, and forbids everything else.
const pageStyle = `
:root { color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif }
body { max-width: 36rem; margin: 15vh auto 0; padding: 0 1.5rem; background: #fff; color: #1f1f1f }
h1 { font-size: 1.75rem; font-weight: 600 }
@media (prefers-color-scheme: dark) { body { background: #1b1b1f; color: #e6e6ea } }
`

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>` + pageStyle + `</style>
</head>
<body>
<main>
<h1>{{.Title}}</h1>
<p role="status">{{.Text}}</p>
{{with .Detail}}<p>Reason: <code>{{.}}</code></p>
{{end}}{{with .Account}}<p>Account: <strong>{{.}}</strong></p>
{{end}}{{with .Scopes}}<p>Permissions: {{range $i, $s := .}}{{if $i}}, {{end}}<code>{{$s}}</code>{{end}}</p>
{{end}}</main>
</body>
</html>
`))

var pagePolicy = func() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

func (p page) write(w http.ResponseWriter) {
	var body bytes.Buffer
	if err := pageTemplate.Execute(&body, p); err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	setPageHeaders(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", itoa(body.Len()))
	w.WriteHeader(p.Status)
	w.Write(body.Bytes())
}

// setPageHeaders keeps an answer out of caches, frames and other sites.
func setPageHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}
