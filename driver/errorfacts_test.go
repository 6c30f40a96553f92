package driver_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/api/googleapi"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// advice is what the driver says of an error fact besides the service's text.
var advice = map[string]string{}

// TestErrorFacts feeds each error of the service to the driver, as the answer to jobs.query and as the end of a job
// that was polled: the reason, the service's text and the HTTP status reach the caller, with the advice.
func TestErrorFacts(t *testing.T) {
	t.Parallel()
	for _, fact := range fakebq.ErrorFacts() {
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
				var e *driver.Error
				if !errors.As(err, &e) || string(e.Reason) != fact.Error.Reason {
					t.Fatalf("got %v; want a *driver.Error with the reason %s", err, fact.Error.Reason)
				}
				if text := err.Error(); !strings.Contains(text, strings.TrimSuffix(fact.Error.Message, ".")) ||
					!strings.Contains(text, advice[fact.Name]) {
					t.Errorf("got %q; want the service's text and %q", text, advice[fact.Name])
				}
				var api *googleapi.Error
				if errors.As(err, &api) && api.Code != fact.Error.Status {
					t.Errorf("got HTTP status %d; want %d", api.Code, fact.Error.Status)
				}
			})
		}
	}
}
