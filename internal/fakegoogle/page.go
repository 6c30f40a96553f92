package fakegoogle

import (
	"html/template"
	"net/http"
	"strings"
)

// The page works without scripts, so that a browser, a driven browser and Consent all use the same
// form.
var consentPage = template.Must(template.New("consent").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in - local test server</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 32rem; margin: 3rem auto; padding: 0 1rem }
fieldset { border: 1px solid; border-radius: .5rem; margin: 1rem 0 }
label { display: block; padding: .25rem 0; overflow-wrap: anywhere }
button { font: inherit; padding: .5rem 1.5rem; margin-right: .5rem }
.note { font-size: .875rem }
</style>
</head>
<body>
<main>
<h1>Choose an account</h1>
<p>to continue to <strong>{{.App}}</strong></p>
<form method="post" action="{{.Action}}">
<input type="hidden" name="request" value="{{.Request}}">
<fieldset>
<legend>Account</legend>
{{range .Accounts}}<label>
<input type="radio" name="account" value="{{.Email}}"{{if .Chosen}} checked{{end}} required> {{.Email}}
</label>
{{end}}</fieldset>
<fieldset>
<legend>{{.App}} wants to</legend>
{{range .Scopes}}<label>
{{if .Optional}}<input type="checkbox" name="scope" value="{{.Name}}" checked> {{end}}use {{.Name}}
</label>
{{end}}</fieldset>
<button type="submit" name="decision" value="cancel">Cancel</button>
<button type="submit" name="decision" value="allow">Allow</button>
</form>
<p class="note">This is a local test server, not Google. It asks for no password.</p>
</main>
</body>
</html>
`))

var errorPage = template.Must(template.New("error").Parse(`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Access blocked - local test server</title></head>
<body><main><h1>Access blocked</h1><p>Error {{.Status}}: <code>{{.Code}}</code></p></main></body>
</html>
`))

type accountChoice struct {
	Email  string
	Chosen bool
}

type scopeChoice struct {
	Name     string
	Optional bool
}

func (s *Server) writeConsentPage(w http.ResponseWriter, action, id string, req authRequest) {
	chosen := s.opts.Accounts[0].Email
	if a, ok := s.account(req.loginHint); ok {
		chosen = a.Email
	}
	data := struct {
		App, Action, Request string
		Accounts             []accountChoice
		Scopes               []scopeChoice
	}{App: req.client.ProjectID, Action: action, Request: id}
	if data.App == "" {
		data.App = req.client.ClientID
	}
	for _, a := range s.opts.Accounts {
		data.Accounts = append(data.Accounts, accountChoice{a.Email, a.Email == chosen})
	}
	boxes := granular(req.scopes)
	for _, scope := range req.scopes {
		data.Scopes = append(data.Scopes, scopeChoice{scope, boxes && !signInScope(scope)})
	}
	setPageHeaders(w)
	consentPage.Execute(w, data)
}

// writeErrorPage writes Google's error page, which does not redirect to the application.
func writeErrorPage(w http.ResponseWriter, code string) {
	status := http.StatusBadRequest
	switch code {
	case "invalid_client", "deleted_client":
		status = http.StatusUnauthorized
	case "org_internal":
		status = http.StatusForbidden
	}
	setPageHeaders(w)
	w.WriteHeader(status)
	errorPage.Execute(w, struct {
		Status int
		Code   string
	}{status, strings.TrimSpace(code)})
}

func setPageHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
