package driver_test

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// often says how many times a statement may have taken effect.
type often int

const (
	never often = iota
	once
	onceAtMost
)

// expectation is what the caller may conclude from the result of one statement.
type expectation struct {
	is  often
	err error
	at  time.Time
}

func outcomeUnknown(err error) bool { return errors.Is(err, driver.ErrOutcomeUnknown) }

// recordResult records the result of a statement that can change data.
func (s *scenario) recordResult(text string, err error) {
	is := once
	switch {
	case outcomeUnknown(err):
		is = onceAtMost
	case err != nil && strings.Contains(err.Error(), "has run"):
		is = once
	case err != nil:
		is = never
	}
	s.record(text, is, err)
}

// record notes what the caller may conclude. Statements with the same text are recorded in the order in which they ran.
func (s *scenario) record(text string, is often, err error) {
	s.expect[text] = append(s.expect[text], expectation{is, err, time.Now()})
}

// check compares the results with what the server counted.
func (o *operation) check(s *scenario) {
	if s.appended != nil {
		s.appended()
	}
	for text, all := range s.expect {
		least, most := 0, 0
		var failed error
		for _, e := range all {
			switch e.is {
			case once:
				least, most = least+1, most+1
			case onceAtMost:
				if most++; outcomeUnknown(e.err) && s.known() {
					s.violate("reported unknown, but is known", "%q: %v", text, e.err)
				}
			case never:
				failed = e.err
			}
		}
		switch n := s.server.Succeeded(text); {
		case n > len(all):
			s.violate("done more than once", "%q has taken effect %d times, sent %d times", text, n, len(all))
		case n > most:
			s.violate("reported failed, but was done", "%q: %v", text, failed)
		case n < least:
			s.violate("reported done, but was not", "%q: %d of %d", text, n, least)
		}
	}
	if n := s.server.Cancelled(commit); n > 0 {
		s.violate("a COMMIT is cancelled", "%d times", n)
	}
	if o.commits && s.server.Executions(commit) > 0 && s.server.Succeeded(commit) == 0 {
		s.violate("a COMMIT is not awaited", "its session was ended")
	}
}

// late is how long after an error a request that was already sent may still arrive on a busy machine.
const late = 400 * time.Millisecond

// nothingStartedLate checks that a statement that was reported as failed is not sent again, under its id or another.
func (s *scenario) nothingStartedLate() {
	for text, all := range s.expect {
		if last := all[len(all)-1]; s.slow && last.err != nil {
			time.Sleep(time.Until(last.at.Add(slowPause + late))) // when the next try would have come
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			continue // a string
		}
		owners := map[string]int{} // by id: which of the statements ran when the id first came
		for _, r := range s.server.Requests(fakebq.Query, fakebq.Insert) {
			id, ok := idOf(&r, string(quoted))
			if !ok {
				continue
			}
			owner, known := owners[id]
			if !known {
				for owner < len(all)-1 && r.At.After(all[owner].at) {
					owner++
				}
				if owners[id] = owner; len(owners) == 1 {
					continue // it may have been sent long before
				}
			}
			if e := all[owner]; e.err != nil && r.At.After(e.at.Add(late)) {
				s.violate("sent after its error was returned", "%q came %s after", text, r.At.Sub(e.at).Round(time.Millisecond))
			}
		}
		if (s.op.session || s.op.unpromised) && len(owners) > len(all) {
			s.violate("sent under a new id", "%q under %d", text, len(owners))
		}
	}
}

// idOf returns the id under which a request sends a statement, and false if it sends a different statement.
func idOf(r *fakebq.Request, quoted string) (string, bool) {
	if !strings.Contains(string(r.Body), quoted) {
		return "", false
	}
	if q, err := r.QueryRequest(); err == nil && q.RequestId != "" {
		return q.RequestId, true
	}
	if j, err := r.Job(); err == nil && j.JobReference != nil {
		return j.JobReference.JobId, true
	}
	return "", true
}
