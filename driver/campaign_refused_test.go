package driver_test

import (
	"net/http"
	"slices"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// Faults of an operation whose requests BigQuery refuses, or whose job it fails.

// refuse refuses an INSERT for its rate: a few times, or each time that it is sent.
func refuse(method fakebq.Method) func(*scenario) {
	return func(s *scenario) {
		const tries = 8
		n := 1 + s.rng.IntN(4)
		if s.rng.IntN(4) == 0 {
			n = tries
		}
		refusals := []faultproxy.Fault{fact("rate limit", faultproxy.Before),
			fact("too many requests", faultproxy.Before), faultproxy.HTML(429, faultproxy.Before)}
		for i := range n {
			f := refusals[s.rng.IntN(len(refusals))]
			if i == 0 && n < tries {
				f.Header = f.Header.Clone()
				f.Header.Set("Retry-After", []string{
					"0", "1", time.Now().Add(time.Second).UTC().Format(http.TimeFormat), "soon"}[s.rng.IntN(4)])
			}
			s.faults = append(s.faults, plannedFault{method, i + 1, f, f.String(), n == tries})
		}
	}
}

// refuseToken refuses the access token of an INSERT, once for each method, also after a lost answer.
func refuseToken(s *scenario) {
	s.polls = 1 + s.rng.IntN(2)
	f := fact("wrong access token", faultproxy.Before)
	add := func(m fakebq.Method, n int) {
		s.faults = append(s.faults, plannedFault{m, n, f, f.String(), false})
	}
	first := 1
	if s.rng.IntN(2) == 0 {
		s.lose(fakebq.Query, 1)
		first = 2
	}
	add(fakebq.Query, first)
	add(fakebq.GetQueryResults, 1)
	if s.rng.IntN(2) == 0 { // the job is looked up
		quota := fact("quota", faultproxy.Before)
		s.faults = append(s.faults, plannedFault{fakebq.GetQueryResults, 2, quota, quota.String(), false})
		add(fakebq.Get, 1)
	}
}

// failJob lets the job of an INSERT fail with an error of BigQuery's own, so that the next try needs a new id. The
// answer with that error can be lost; the answer to the repeated request does not have it.
func failJob(method fakebq.Method) func(*scenario) {
	return func(s *scenario) {
		s.fails = 1 + s.rng.IntN(3)
		if s.rng.IntN(2) == 0 {
			s.lose(method, 1+s.rng.IntN(s.fails))
		}
	}
}

// known reports whether all refusals and faults mean that no job has begun, so that no outcome is unknown.
func (s *scenario) known() bool {
	if s.endAfter > 0 || s.close > 0 || s.leaves > 0 || len(s.conns) > 0 {
		return false
	}
	return !slices.ContainsFunc(s.rest.Played(), func(p faultproxy.Played) bool {
		refused := p.Fault.Kind == faultproxy.Respond && slices.Contains([]int{400, 403}, p.Fault.Status) &&
			p.Fault.Header.Get("Content-Type") != "application/json; charset=UTF-8" // of a front end
		return (p.Method == fakebq.Query || p.Method == fakebq.Insert) && (refused || p.Fault.Unclear(s.http2))
	})
}
