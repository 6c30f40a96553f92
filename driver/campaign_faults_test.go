package driver_test

import (
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// fault returns a fault at a random point of the operation.
func (s *scenario) fault() plannedFault {
	m := s.op.methods[s.rng.IntN(len(s.op.methods))]
	p := plannedFault{method: m, n: []int{1, 1, 1, 2, 2, 3}[s.rng.IntN(6)]}
	if s.pageRows > 0 && m == fakebq.GetQueryResults {
		p.n = 1 + s.rng.IntN(12) // of the pages
	}
	list := campaignFaults(m)
	p.name, p.fault, p.may = list[s.rng.IntN(len(list))].unpack()
	p.may = p.may && (m != fakebq.GetQueryResults || s.op.paged)
	if p.fault.At == faultproxy.Middle {
		p.fault.Skip = s.rng.IntN(3)
	}
	return p
}

// fact returns an error answer of [fakebq.ErrorFacts].
func fact(name string, at faultproxy.Phase) faultproxy.Fault {
	all := fakebq.ErrorFacts()
	i := slices.IndexFunc(all, func(f fakebq.ErrorFact) bool { return f.Name == name })
	return faultproxy.Error(all[i].Error, at)
}

type campaignFault struct {
	faultproxy.NamedFault
	may bool
}

func (f campaignFault) unpack() (string, faultproxy.Fault, bool) { return f.Name, f.Fault, f.may }

// campaignFaults returns the faults that requests of a method can meet.
var campaignFaults = func() func(fakebq.Method) []campaignFault {
	var passing, polls, network []campaignFault
	for _, f := range faultproxy.Catalogue() {
		passing = append(passing, campaignFault{NamedFault: f})
	}
	network = slices.Clone(passing)
	add := func(list *[]campaignFault, may bool, at faultproxy.Phase, names ...string) {
		for _, name := range names {
			f := fact(name, at)
			*list = append(*list, campaignFault{faultproxy.NamedFault{Name: f.String(), Fault: f}, may})
		}
	}
	add(&passing, false, faultproxy.Before, "backend error", "internal error", "rate limit", "too many requests",
		"wrong access token")
	add(&passing, false, faultproxy.After, "backend error", "internal error")
	all := slices.Clone(passing)
	for _, f := range faultproxy.Final() {
		all = append(all, campaignFault{f, true})
	}
	polls = slices.Clone(passing)
	add(&polls, true, faultproxy.Before, "quota", "table that may not be there", "table that is not there")
	return func(m fakebq.Method) []campaignFault {
		switch m {
		case fakebq.CreateReadSession, fakebq.ReadRows, fakebq.CreateWriteStream, fakebq.AppendRows,
			fakebq.FinalizeWriteStream, fakebq.BatchCommitWriteStreams: // gRPC has errors of its own
			return network
		case fakebq.GetQueryResults:
			return polls
		case fakebq.Query, fakebq.Insert:
			return all
		}
		return passing
	}
}()
