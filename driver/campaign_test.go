package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

var (
	campaignSize = flag.Int("campaign", 0, "how many scenarios TestCampaign plays; 0 means 300, or 60 with -short")
	campaignSeed = flag.Uint64("seed", 1, "seed of TestCampaign")
	campaignOnly = flag.Int("scenario", -1, "the only scenario that TestCampaign plays")
	campaignOp   = flag.String("operation", "", "the only operation that TestCampaign plays, such as transaction")
)

// TestCampaign plays operations against faults at random points, over HTTP/1 and HTTP/2, and holds what the caller
// was told against what the server counted: exact rows or an error; a change that was told done is done once, one that
// was told failed is not, unless the outcome is unknown; nothing is left running, open or connected.
//
//	go test ./driver -run Campaign -campaign=5000 -seed=7        a long run
//	go test ./driver -run Campaign -seed=7 -scenario=1234        one of its scenarios again
func TestCampaign(t *testing.T) {
	skipOverHTTP2(t)
	n := *campaignSize
	if n == 0 {
		n = 300
		if testing.Short() {
			n = 60
		}
	}
	first := 0
	if *campaignOnly >= 0 {
		first, n = *campaignOnly, *campaignOnly+1
	}
	var next, all atomic.Int64
	next.Store(int64(first))
	report := newCampaignReport()
	var workers sync.WaitGroup
	for range 12 * runtime.GOMAXPROCS(0) { // most of them wait
		workers.Go(func() {
			for i := int(next.Add(1) - 1); i < n && t.Context().Err() == nil; i = int(next.Add(1) - 1) {
				s := newScenario(*campaignSeed, i)
				if *campaignOp != "" && *campaignOp != s.op.name {
					continue
				}
				s.play(t)
				report.add(s)
				all.Add(1)
			}
		})
	}
	workers.Wait()
	t.Log(report.figures(int(all.Load())))
	report.fail(t)
}

// scenario is one operation against some faults.
type scenario struct {
	seed   uint64
	number int
	rng    *rand.Rand

	http2    bool
	op       operation
	location string        // of the jobs
	listedIn time.Duration // until jobs.list knows a job
	faults   []plannedFault
	endAfter time.Duration // of ctx; 0 = never
	deadline bool          // ctx ends by a deadline
	close    time.Duration // db.Close meanwhile; 0 = not
	polls    int           // answers that say that the job runs
	lasts    time.Duration // how long a long job runs
	cancelIn time.Duration
	conns    []faultproxy.ConnFault // of the first connections
	fails    int                    // how often the job fails by BigQuery's fault
	endless  bool                   // long jobs run until they are cancelled, which the end of ctx must do
	exists   bool                   // the first jobs.insert is told that there is such a job
	labels   bool                   // jobs are labelled, so that lost ones can be found
	leaves   time.Duration          // when the ctx of a statement ends that is left
	overdue  bool                   // that ends by a deadline
	silent   bool                   // the connection falls silent
	commits  bool                   // a transaction although a statement of it has failed
	slow     bool                   // the pauses between tries are long: ctx ends in them

	server  *fakebq.Server
	rest    *faultproxy.Proxy
	storage *faultproxy.Proxy

	answer     string                   // what the call returned
	expect     map[string][]expectation // by statement
	appended   func()                   // checks what an Append has written; nil without one
	violations []violation
	took       time.Duration
}

// plannedFault is a fault of the n-th request of a method.
type plannedFault struct {
	method fakebq.Method
	n      int
	fault  faultproxy.Fault
	name   string
	// may reports that an error is right, because repeating does not help.
	may bool
}

type violation struct{ kind, text string }

func newScenario(seed uint64, number int) *scenario {
	rng := rand.New(rand.NewPCG(seed, uint64(number)))
	s := &scenario{seed: seed, number: number, rng: rng, expect: map[string][]expectation{}}
	s.http2 = untrusted == nil && rng.IntN(2) == 0
	s.op = operations[rng.IntN(len(operations))]
	if s.op.rare && rng.IntN(2) == 0 {
		s.op = operations[rng.IntN(len(operations))]
	}
	s.location = []string{"US", "US", "EU", "asia-northeast1"}[rng.IntN(4)]
	s.commits = rng.IntN(2) == 0
	s.polls = max(0, rng.IntN(5)-2)
	s.lasts = time.Duration(20+rng.IntN(300)) * time.Millisecond
	s.cancelIn = time.Duration(1+rng.IntN(200)) * time.Millisecond
	if s.op.arrange != nil {
		s.op.arrange(s)
		return s
	}
	for range 1 + rng.IntN(3) {
		s.faults = append(s.faults, s.fault())
	}
	if rng.IntN(4) == 0 {
		s.endAfter = time.Duration(1+rng.IntN(250)) * time.Millisecond
		s.deadline = rng.IntN(2) == 0
		s.endless = rng.IntN(2) == 0
		s.slow = rng.IntN(2) == 0
		if rng.IntN(3) == 0 { // what only the end of ctx ends
			all := faultproxy.Lasting()
			f := all[rng.IntN(len(all))]
			m := s.op.methods[rng.IntN(len(s.op.methods))]
			s.faults = append(s.faults, plannedFault{m, 1 + rng.IntN(2), f.Fault, f.Name, true})
		}
	}
	if rng.IntN(8) == 0 {
		s.fails = 1 + rng.IntN(3)
	}
	s.exists = rng.IntN(4) == 0
	s.labels = rng.IntN(2) == 0
	switch rng.IntN(24) {
	case 0, 1:
		s.conns = []faultproxy.ConnFault{faultproxy.ConnReset}
	case 2:
		s.conns = []faultproxy.ConnFault{faultproxy.ConnHang}
	}
	if rng.IntN(50) == 0 && s.endAfter == 0 { // what the driver's own patience ends
		f := faultproxy.Lasting()[rng.IntN(4)]
		s.faults = append(s.faults, plannedFault{s.op.methods[rng.IntN(len(s.op.methods))], 1, f.Fault, f.Name, false})
	}
	if rng.IntN(12) == 0 {
		s.close = time.Duration(1+rng.IntN(200)) * time.Millisecond
	}
	return s
}

// fault is one at a random point of the operation.
func (s *scenario) fault() plannedFault {
	m := s.op.methods[s.rng.IntN(len(s.op.methods))]
	p := plannedFault{method: m, n: []int{1, 1, 1, 2, 2, 3}[s.rng.IntN(6)]}
	list := campaignFaults(m)
	p.name, p.fault, p.may = list[s.rng.IntN(len(list))].unpack()
	p.may = p.may && (m != fakebq.GetQueryResults || s.op.paged)
	if p.fault.At == faultproxy.Middle {
		p.fault.Skip = s.rng.IntN(3)
	}
	return p
}

type campaignFault struct {
	faultproxy.NamedFault
	may bool
}

func (f campaignFault) unpack() (string, faultproxy.Fault, bool) { return f.Name, f.Fault, f.may }

// campaignFaults are the faults that a method can meet.
var campaignFaults = func() func(fakebq.Method) []campaignFault {
	var passing, polls, network []campaignFault
	for _, f := range faultproxy.Catalogue() {
		passing = append(passing, campaignFault{NamedFault: f})
	}
	network = slices.Clone(passing)
	facts := map[string]fakebq.Error{}
	for _, f := range fakebq.ErrorFacts() {
		facts[f.Name] = f.Error
	}
	add := func(list *[]campaignFault, may bool, at faultproxy.Phase, names ...string) {
		for _, name := range names {
			f := faultproxy.Error(facts[name], at)
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

// play runs the scenario.
func (s *scenario) play(t *testing.T) {
	s.server = fakebq.New(fakebq.Options{HTTP2: s.http2, CancelDelay: s.cancelIn, Location: s.location,
		ListDelay: s.listedIn})
	if _, err := s.server.Start(); err != nil {
		t.Error(err)
		return
	}
	defer s.server.Close()
	storageURL := s.server.StorageURL()
	var err error
	if s.rest, err = faultproxy.New(s.server.URL()); err == nil {
		defer s.rest.Close()
		s.storage, err = faultproxy.New(storageURL)
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer s.storage.Close()
	for _, p := range []*faultproxy.Proxy{s.rest, s.storage} {
		p.Choose(s.choose)
		p.NextConns(s.conns...)
	}
	connector, err := driver.NewConnector(s.config(),
		driver.WithTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: "token"})))
	if err != nil {
		t.Error(err)
		return
	}
	driver.PauseWith(connector, func(limit time.Duration) time.Duration {
		if s.slow {
			return slowPause
		}
		return limit / 50
	})
	db := sql.OpenDB(connector)
	s.run(db)
	s.settle()
}

// slowPause is longer than a request of before the end of ctx is on its way.
const slowPause = late + 200*time.Millisecond

func (s *scenario) config() *dsn.Config {
	cfg := &dsn.Config{Project: "my-project", Endpoint: s.rest.URL(), StorageEndpoint: s.storage.URL(), ReadAPI: "rest"}
	cfg.LabelJobs = s.labels
	if s.op.config != nil {
		s.op.config(cfg)
	}
	return cfg
}

// choose is the fault of a request of the proxies.
func (s *scenario) choose(e faultproxy.Exchange) faultproxy.Fault {
	for _, f := range s.faults {
		if f.method == e.Method && f.n == e.N {
			return f.fault
		}
	}
	return faultproxy.Fault{}
}

// run plays the operation and notes what was told.
func (s *scenario) run(db *sql.DB) {
	ctx, cancel := context.WithCancel(context.Background())
	if s.deadline {
		ctx, cancel = context.WithTimeout(context.Background(), s.endAfter)
	}
	defer cancel()
	var others sync.WaitGroup
	defer others.Wait()
	done := make(chan struct{})
	defer close(done)
	later := func(d time.Duration, f func()) {
		others.Go(func() {
			select {
			case <-time.After(d):
				f()
			case <-done:
			}
		})
	}
	if s.endAfter > 0 && !s.deadline {
		later(s.endAfter, cancel)
	}
	if s.close > 0 {
		later(s.close, func() { _ = db.Close() }) // it is closed again below
	}
	s.op.script(s)
	begin := time.Now()
	err := s.op.run(ctx, s, db)
	s.took = time.Since(begin)
	s.answer = fmt.Sprint(err)
	if err != nil && s.mustPass() && !s.unpromised(err) {
		s.violate("a passing fault is told", "%v", err)
	}
	s.inTime(ctx, begin)
	if limit := s.patience(); s.took > limit {
		s.violate("takes too long", "%s", s.took)
	}
	if s.lasting() && s.close == 0 && err != nil {
		// A cancel gets through once the driver has noticed; Close would not wait for that.
		const way = time.Second // that a request can be on, on a busy machine
		for ended := time.Now(); time.Since(ended) < way || len(s.server.Running())+len(s.server.Sessions()) > 0; {
			if time.Sleep(20 * time.Millisecond); time.Since(ended) > s.patience() {
				break
			}
		}
	}
	if err := db.Close(); err != nil {
		s.violate("Close", "%v", err)
	}
}

// inTime holds a call that ctx may have ended to its end: the caller has the error at once.
func (s *scenario) inTime(ctx context.Context, begin time.Time) {
	const slow = 5 * time.Second // of a busy machine
	if took := time.Since(begin); s.endAfter > 0 && ctx.Err() != nil && took > s.endAfter+slow &&
		!s.op.session {
		s.violate("the end of ctx is late", "%s after %s", took, s.endAfter)
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

func (s *scenario) violate(kind, format string, args ...any) {
	s.violations = append(s.violations, violation{kind, fmt.Sprintf(format, args...)})
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
	if s.labels {
		end += ", labels"
	}
	if len(s.conns) > 0 {
		played = append(played, fmt.Sprintf("first connections: %v", s.conns))
	}
	return fmt.Sprintf("-seed=%d -scenario=%d: %s, HTTP2=%t, polls=%d, %s\n\tfaults: %s\n\ttold after %s: "+
		"%s\n\tcounted: %s",
		s.seed, s.number, s.op.name, s.http2, s.polls, end, strings.Join(played, "; "), s.took.Round(time.Millisecond),
		s.answer,
		s.counted())
}

// counted is what the server has seen.
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

var errUnexpected = errors.New("wrong rows")

func skipOverHTTP2(t *testing.T) {
	t.Helper()
	if *overHTTP2 {
		t.Skip("-http2: half of the campaign is over HTTP/2 in any case")
	}
}
