package driver_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// inTime checks that a call returned as soon as its ctx ended.
func (s *scenario) inTime(ctx context.Context, begin time.Time) {
	const slow = 5 * time.Second // on a busy machine
	if took := time.Since(begin); s.endAfter > 0 && ctx.Err() != nil && took > s.endAfter+slow &&
		!s.op.session {
		s.violate(endLate, "%s after %s", took, s.endAfter)
	}
}

// lasting reports whether a fault is planned that lasts until a limit of the driver ends it.
func (s *scenario) lasting() bool {
	return slices.ContainsFunc(s.faults, func(f plannedFault) bool {
		return f.fault.Kind == faultproxy.Vanish || f.fault.Kind == faultproxy.Never
	})
}

// unpromised reports whether an error is right although all faults pass. BigQuery promises to de-duplicate single
// statements only, so it is unknown whether a script or a COMMIT whose answer was lost has run.
func (s *scenario) unpromised(err error) bool {
	if !s.op.unpromised || !outcomeUnknown(err) {
		return false
	}
	return len(s.conns) > 0 || slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		return p.Method == fakebq.Query && p.Fault.Unclear(s.http2)
	})
}

// mustPass reports whether the call must succeed.
func (s *scenario) mustPass() bool {
	if s.fails > 0 && s.op.unpromised {
		return false // a part of it may have taken effect, so it is not run again
	}
	refused := map[fakebq.Method]int{} // access tokens: one is renewed, a second refusal is an error
	for _, p := range s.rest.Played() {
		if p.Fault.Status == 401 {
			if refused[p.Method]++; refused[p.Method] > 1 {
				return false
			}
		}
	}
	return s.endAfter == 0 && s.close == 0 && !slices.ContainsFunc(s.faults, func(f plannedFault) bool { return f.may })
}

// patience returns how long the operation and its cleanup may take. A vanished network is noticed within 20 s on REST
// and 40 s on Storage, and a request that is not answered 15 s after BigQuery's hold.
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

// settle waits until nothing is left of the operation, and records what stays.
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

// closedBlind reports whether Close was called while requests were not answered. Close does not wait until the driver
// notices that.
func (s *scenario) closedBlind() bool {
	return s.close > 0 && slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		return p.Fault.Kind == faultproxy.Vanish || p.Fault.Kind == faultproxy.Never
	})
}

// lostAnswer reports whether the answer to a jobs.query that had begun a job was lost.
func (s *scenario) lostAnswer() bool {
	return slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		return p.Method == fakebq.Query && p.Fault.MayHaveRun()
	})
}

// lostJob reports whether the driver could not know which job to cancel: no further try named it, and it had no label,
// or there can be two such jobs. A job whose id the driver chose is never lost, nor is one in the session of a
// transaction, which ends with the session.
func (s *scenario) lostJob() bool {
	last := s.endAfter > 0 || s.close > 0 || s.op.unpromised
	return s.closedBlind() ||
		s.lostAnswer() && !s.op.session && (s.op.reads || last && !s.labels)
}

// lostSession reports whether the answer to a BEGIN can have been lost. Such a session is empty and ends by itself.
func (s *scenario) lostSession() bool { return s.closedBlind() || s.lostAnswer() }
