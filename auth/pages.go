package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
)

// page is what the person's browser shows at the end.
type page struct {
	Status int
	Title  string
	Text   string
	Detail string // an error code; escaped, and the only foreign text on a page
}

var (
	pageDone    = page{200, "You are signed in", "You can close this window and go back to the application.", ""}
	pageUnsaved = page{200, "You are signed in",
		"You can close this window and go back to the application. The sign-in could not be saved, so you will be " +
			"asked again next time.", ""}
	pageRefused = page{200, "Sign-in refused",
		"Nothing was signed in. You can close this window; the application has been told.", ""}
	pageFailed = page{200, "Sign-in failed",
		"Nothing was signed in. You can close this window; the application tells the reason.", ""}
	pageBad = page{400, "This is not the expected answer",
		"The address does not belong to the sign-in that is running. Start the sign-in again from the application.",
		""}
	pageNotFound = page{404, "Not found", "There is nothing here.", ""}
	pageMethod   = page{405, "Method not allowed", "Only GET is answered here.", ""}
	pageHost     = page{421, "Wrong address", "This server answers under its numeric loopback address only.", ""}
	pagePrefetch = page{503, "Not now", "This page is not for loading ahead.", ""}
)

// The page works without scripts and loads nothing. Its style is allowed by
// its hash, so that the policy can forbid everything else.
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
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", itoa(body.Len()))
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	w.WriteHeader(p.Status)
	w.Write(body.Bytes())
}
