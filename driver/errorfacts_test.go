package driver_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// advice is the text that the driver adds to the service's message, for the error facts that have any.
var advice = map[string]string{
	"table that is not there":     "name the location of the data, such as location=EU in the DSN",
	"table that may not be there": "check the name and the location; the signed-in account needs read access to",
	"jobs may not be created":     "needs the role BigQuery Job User (bigquery.jobs.create) in project my-project",
	"policy tag":                  "needs the role Fine-Grained Reader on the policy tag of the column",
	"file in Cloud Storage":       "needs the permission storage.objects.list there",
	"COMMIT outside of a session": "use BeginTx, or create_session=always in the DSN and one sql.Conn",
	"billing":                     "enable billing for project my-project, or name another in the DSN",
}

// TestErrorFacts feeds each error of the service to the driver, as the answer to jobs.query and as the end of a job
// that was polled: the reason, the service's text and the HTTP status reach the caller, with the advice.
func TestErrorFacts(t *testing.T) {
	t.Parallel()
	left := maps.Clone(advice)
	defer func() {
		for name := range left {
			t.Errorf("the advice of %q is of no error fact", name)
		}
	}()
	for _, fact := range fakebq.ErrorFacts() {
		delete(left, fact.Name)
		if fact.Begun != fakebq.Refused {
			continue // these are sent again: see the campaign
		}
		for _, polled := range []bool{false, true} {
			if polled && !fact.Job {
				continue
			}
			name := fact.Name
			if polled {
				name += ", polled"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				answer := fakebq.Answer{StatementType: "SELECT", Fields: numbers.Fields, Err: &fact.Error}
				if polled {
					answer.Incomplete = 1
				}
				server.On("SELECT 1", answer)
				if !fact.Job {
					server.Inject(fakebq.Query, fakebq.Fail(fact.Error))
				}
				_, err := open(t, server).QueryContext(t.Context(), "SELECT 1")
				e, ok := errors.AsType[*driver.Error](err)
				if !ok || string(e.Reason) != fact.Error.Reason {
					t.Fatalf("got %v; want a *driver.Error with the reason %s", err, fact.Error.Reason)
				}
				if text := err.Error(); !strings.Contains(text, strings.TrimSuffix(fact.Error.Message, ".")) ||
					!strings.Contains(text, advice[fact.Name]) {
					t.Errorf("got %q; want the service's text and %q", text, advice[fact.Name])
				}
				if none := advice[fact.Name] == ""; none != (e.Message == "" || strings.HasSuffix(err.Error(), ")")) {
					t.Errorf("got %q; want advice: %t", err, !none)
				}
				if api, ok := errors.AsType[*googleapi.Error](err); ok && api.Code != fact.Error.Status {
					t.Errorf("got HTTP status %d; want %d", api.Code, fact.Error.Status)
				}
			})
		}
	}
}
