package driver_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// campaignReport collects the violations and figures of a campaign.
type campaignReport struct {
	mu     sync.Mutex
	counts map[string]*figure // by operation
	faults map[string]*figure // by fault played
	kinds  map[string]int
	texts  []string
}

type figure struct{ played, errors, violations int }

func newCampaignReport() *campaignReport {
	return &campaignReport{counts: map[string]*figure{}, faults: map[string]*figure{}, kinds: map[string]int{}}
}

func (r *campaignReport) add(s *scenario) {
	text := ""
	if len(s.violations) > 0 {
		text = s.String() // while its server is still known
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	note := func(m map[string]*figure, name string) {
		if m[name] == nil {
			m[name] = &figure{}
		}
		m[name].played++
		if s.answer != "<nil>" {
			m[name].errors++
		}
		m[name].violations += len(s.violations)
	}
	note(r.counts, fmt.Sprintf("%s, HTTP2=%t", s.op.name, s.http2))
	for _, p := range append(s.rest.Played(), s.storage.Played()...) {
		note(r.faults, p.Fault.String())
	}
	for _, v := range s.violations {
		r.kinds[v.kind+" ("+s.op.name+")"]++
		r.texts = append(r.texts, v.kind+": "+v.text+"\n\t"+text)
	}
}

// figures returns how often each operation and each fault was played.
func (r *campaignReport) figures(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d scenarios, %d violations\n", n, len(r.texts))
	for _, m := range []map[string]*figure{r.counts, r.faults} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			f := m[name]
			fmt.Fprintf(&b, "%6d played %5d errors %4d violations  %s\n", f.played, f.errors, f.violations, name)
		}
	}
	return b.String()
}

// shownViolations limits the violations that are printed. All of them are counted.
const shownViolations = 25

func (r *campaignReport) fail(t *testing.T) {
	if len(r.texts) == 0 {
		return
	}
	for _, kind := range slices.Sorted(maps.Keys(r.kinds)) {
		t.Errorf("%4d x %s", r.kinds[kind], kind)
	}
	slices.Sort(r.texts)
	step := max(1, len(r.texts)/shownViolations)
	for i := 0; i < len(r.texts); i += step {
		t.Error(r.texts[i])
	}
}

func (s *scenario) String() string {
	var played []string
	for _, p := range append(s.rest.Played(), s.storage.Played()...) {
		played = append(played, fmt.Sprintf("%s #%d: %s", p.Method, p.N, p.Fault))
	}
	slices.Sort(played)
	end := "no end of ctx"
	if s.endAfter > 0 {
		end = fmt.Sprintf("ctx ends after %s (deadline: %t)", s.endAfter, s.deadline)
	}
	if s.close > 0 {
		end += fmt.Sprintf(", db.Close after %s", s.close)
	}
	if s.fails > 0 {
		end += fmt.Sprintf(", the job fails %d times", s.fails)
	}
	if s.endless {
		end += ", endless jobs"
	}
	if s.exists {
		end += ", 409 at first"
	}
	if s.pageRows > 0 {
		end += fmt.Sprintf(", pages of %d rows side by side", s.pageRows)
	}
	if s.labels {
		end += ", labels"
	}
	if len(s.conns) > 0 {
		played = append(played, fmt.Sprintf("first connections: %v", s.conns))
	}
	return fmt.Sprintf("-seed=%d -scenario=%d: %s, HTTP2=%t, polls=%d, %s\n\tfaults: %s\n\treturned after %s: "+
		"%s\n\tcounted: %s",
		s.seed, s.number, s.op.name, s.http2, s.polls, end, strings.Join(played, "; "), s.took.Round(time.Millisecond),
		s.answer,
		s.counted())
}

// counted returns the requests and statements that the server has seen.
func (s *scenario) counted() string {
	var parts []string
	counts := s.server.Counts()
	for _, m := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", m, counts[m]))
	}
	for _, text := range []string{campaignSelect, campaignBig, campaignOrdered, campaignInsert, campaignNext,
		campaignScript, campaignResults, begin, commit, rollback} {
		if n := s.server.Executions(text); n > 0 {
			parts = append(parts, fmt.Sprintf("%.25q ran %d and took effect %d times", text, n,
				s.server.Succeeded(text)))
		}
	}
	return strings.Join(parts, ", ")
}
