package driver_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// inTime holds a call that ctx may have ended to its end: the caller has the error at once.
func (s *scenario) inTime(ctx context.Context, begin time.Time) {
	const slow = 5 * time.Second // of a busy machine
	if took := time.Since(begin); s.endAfter > 0 && ctx.Err() != nil && took > s.endAfter+slow &&
		!s.op.session {
		s.violate(endLate, "%s after %s", took, s.endAfter)
	}
}

// lasting reports whether a request is to meet a fault that only the driver's own patience ends.
func (s *scenario) lasting() bool {
	return slices.ContainsFunc(s.faults, func(f plannedFault) bool {
		return f.fault.Kind == faultproxy.Vanish || f.fault.Kind == faultproxy.Never
	})
}

// unpromised reports whether an error is right although all faults pass: BigQuery promises to de-duplicate single
// statements alone, so that a script or a COMMIT whose answer was lost is not known to have run.
func (s *scenario) unpromised(err error) bool {
	if !s.op.unpromised || !outcomeUnknown(err) {
		return false
	}
	return len(s.conns) > 0 || slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		return p.Method == fakebq.Query && p.Fault.Unclear(s.http2)
	})
}

// mustPass reports whether the caller may be told of no error.
func (s *scenario) mustPass() bool {
	if s.fails > 0 && s.op.unpromised {
		return false // a part of it may stand: it is not run again
	}
	refused := map[fakebq.Method]int{} // access tokens: one is renewed, a second refusal is told
	for _, p := range s.rest.Played() {
		if p.Fault.Status == 401 {
			if refused[p.Method]++; refused[p.Method] > 1 {
				return false
			}
		}
	}
	return s.endAfter == 0 && s.close == 0 && !slices.ContainsFunc(s.faults, func(f plannedFault) bool { return f.may })
}

// patience bounds the operation, and what is left of it. A network that vanishes is noticed in 20 s on REST and 40 s
// on Storage, a request that is not answered 15 s after BigQuery's hold.
func (s *scenario) patience() time.Duration {
	if s.silent {
		return 32 * time.Second // without pings it would be 40
	}
	limit := 20 * time.Second // on a busy machine too
	if slices.Contains(s.conns, faultproxy.ConnHang) {
		limit = 40 * time.Second // over HTTP/1 25 s, 10 of them BigQuery's hold
		if s.lasting() {
			limit = 65 * time.Second
		}
	}
	for _, p := range s.rest.Played() {
		if p.Fault.Kind == faultproxy.Vanish || p.Fault.Kind == faultproxy.Never {
			limit = max(limit, 45*time.Second)
		}
	}
	for _, p := range s.storage.Played() {
		if p.Fault.Kind == faultproxy.Vanish || p.Fault.Kind == faultproxy.Never {
			limit = 60 * time.Second
		}
	}
	return limit
}

// settle waits for what must not be left, and tells what is.
func (s *scenario) settle() {
	left := func() (kind, text string) {
		switch {
		case len(s.server.Running()) > 0 && !s.lostJob():
			return "a job is left running", fmt.Sprintf("%.60q", s.server.Running())
		case len(s.server.HeldTables()) > 0 && !s.closedBlind():
			return "tables are held", fmt.Sprint(s.server.HeldTables())
		case len(s.server.Sessions()) > 0 && !s.lostSession():
			return "a session is left open", fmt.Sprint(s.server.Sessions())
		case s.rest.Conns()+s.storage.Conns() > 0:
			return "connections are left open", fmt.Sprintf("%d to REST, %d to Storage", s.rest.Conns(),
				s.storage.Conns())
		}
		return "", ""
	}
	kind, text := left()
	for end := time.Now().Add(s.patience()); kind != "" && time.Now().Before(end); kind, text = left() {
		time.Sleep(5 * time.Millisecond)
	}
	if kind != "" {
		s.violate(kind, "%s", text)
	}
	s.op.check(s)
	s.nothingStartedLate()
}

// closedBlind reports whether Close came while requests were not answered: it does not wait until that is noticed.
func (s *scenario) closedBlind() bool {
	return s.close > 0 && slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		return p.Fault.Kind == faultproxy.Vanish || p.Fault.Kind == faultproxy.Never
	})
}

// lostAnswer reports whether the answer to a jobs.query was lost that had begun something.
func (s *scenario) lostAnswer() bool {
	return slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		return p.Method == fakebq.Query && p.Fault.MayHaveRun()
	})
}

// lostJob reports whether nothing could tell the driver which job to end: no further try followed that would have named
// it, and it had no label, or there can be two of it. A job with an id of our own is never lost, nor one in the session
// of a transaction, which takes it along.
func (s *scenario) lostJob() bool {
	last := s.endAfter > 0 || s.close > 0 || s.op.unpromised
	return s.closedBlind() ||
		s.lostAnswer() && !s.op.session && (s.op.reads || last && !s.labels)
}

// lostSession reports whether the answer to a BEGIN can have been lost: its session is empty and ends by itself.
func (s *scenario) lostSession() bool { return s.closedBlind() || s.lostAnswer() }
