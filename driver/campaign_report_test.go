package driver_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
)

// campaignReport collects what a campaign has found.
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

// figures is what was played, by operation and by fault.
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

// shownViolations bounds the output; the kinds are all counted.
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
