package driver

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

const proxyAdvice = "give the proxy's user and password in HTTPS_PROXY"

// advice returns what to do, if BigQuery's own text does not say it.
func (e *Error) advice() string {
	switch e.Reason {
	case "accessDenied":
		return e.access()
	case "insufficientPermissions":
		return "the sign-in lacks a scope: add it to scopes in the DSN"
	case "accessNotConfigured":
		return "enable the BigQuery API in the project of the client secrets, " +
			"or name one that has it with quota_project"
	case "billingNotEnabled":
		return fmt.Sprintf("enable billing for project %s, or name another in the DSN", e.Project)
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return "the sign-in was refused: connect again"
	case http.StatusProxyAuthRequired:
		return proxyAdvice
	}
	for _, a := range adviceByText {
		if strings.Contains(e.Message, a.text) {
			return a.advice
		}
	}
	return ""
}

// adviceByText is the advice for messages whose reason does not say enough.
var adviceByText = []struct{ text, advice string }{
	{"was not found in location", "name the location of the data, such as location=EU in the DSN"},
	{"requires a script or session", "use BeginTx, or create_session=always in the DSN and one sql.Conn"},
	{"supported only in scripts or sessions", "use BeginTx, or create_session=always in the DSN and one sql.Conn"},
}

var permission = regexp.MustCompile(`\b(bigquery|storage|datacatalog)\.\w+\.\w+`)

// access returns the advice for a missing permission: the account and the role that it needs. It
// depends on the message.
func (e *Error) access() string {
	who := "the signed-in account"
	if e.Account != "" {
		who = oneLine(e.Account)
	}
	needed := permission.FindString(e.Message)
	switch {
	case strings.Contains(e.Message, "Drive credentials"):
		return fmt.Sprintf("add scopes=bigquery,drive.readonly to the DSN, and have the file shared with %s", who)
	case strings.Contains(e.Message, "policy tag") || strings.Contains(e.Message, "access policy"):
		return fmt.Sprintf(
			"%s needs the role Fine-Grained Reader on the policy tag of the column, or select other columns",
			who,
		)
	case needed == "bigquery.jobs.create":
		return e.jobUser(who)
	case needed != "":
		return fmt.Sprintf(
			"%s needs the permission %s there; the statement ran in project %s",
			who,
			needed,
			e.Project,
		)
	case strings.Contains(e.Message, "perhaps it does not exist") || strings.Contains(e.Message, "may not exist"):
		return fmt.Sprintf(
			"check the name and the location; %s needs read access to the tables (role BigQuery Data Viewer); "+
				"the statement ran in project %s",
			who,
			e.Project,
		)
	}
	return e.jobUser(who)
}

func (e *Error) jobUser(who string) string {
	return fmt.Sprintf(
		"%s needs the role BigQuery Job User (bigquery.jobs.create) in project %s, and read access to the tables",
		who,
		e.Project,
	)
}
