package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
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

// TestCampaign runs operations against faults at random points, over HTTP/1 and HTTP/2, and compares the results
// that the caller got with what the server counted. A query returns exactly its rows, or an error. A change that was
// reported as done took effect once; one that was reported as failed did not, unless its outcome is unknown. No job,
// session or connection is left.
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
	var numbers []int
	for i := first; i < n; i++ {
		if *campaignOp == "" || *campaignOp == newScenario(*campaignSeed, i).op.name {
			numbers = append(numbers, i)
		}
	}
	report := newCampaignReport()
	// Most scenarios wait most of the time, so many run at once. One that was too slow runs again with fewer others.
	slow := playAll(t, numbers, 12*runtime.GOMAXPROCS(0), report, (*scenario).onlySlow)
	playAll(t, slow, runtime.GOMAXPROCS(0), report, func(*scenario) bool { return false })
	t.Log(report.figures(len(numbers)))
	if len(slow) > 0 {
		t.Logf("played twice, because they were slow: %d", len(slow))
	}
	report.fail(t)
}

// playAll plays scenarios with a number of workers. It reports them, except those that are to be played
// again, which it returns.
func playAll(t *testing.T, numbers []int, workers int, report *campaignReport, again func(*scenario) bool) []int {
	var mu sync.Mutex
	var left []int
	var next atomic.Int64
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(numbers)) && t.Context().Err() == nil; i = next.Add(1) - 1 {
				s := newScenario(*campaignSeed, numbers[i])
				s.play(t)
				if !again(s) {
					report.add(s)
					continue
				}
				mu.Lock()
				left = append(left, numbers[i])
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return left
}

// scenario is one operation against some faults.
type scenario struct {
	seed   uint64
	number int
	rng    *rand.Rand

	http2    bool
	op       operation
	location string        // of the jobs
	listedIn time.Duration // how long after its start jobs.list has a job
	faults   []plannedFault
	endAfter time.Duration // of ctx; 0 = never
	deadline bool          // ctx ends by a deadline
	close    time.Duration // when db.Close is called meanwhile; 0 = never
	polls    int           // how many answers say that the job still runs
	lasts    time.Duration // how long a long job runs
	cancelIn time.Duration
	conns    []faultproxy.ConnFault // of the first connections
	fails    int                    // how often the job fails with an error of BigQuery's own
	endless  bool                   // long jobs run until the end of ctx cancels them
	exists   bool                   // the first jobs.insert is answered with 409, Already Exists
	short    bool                   // the first answer of a SELECT has no schema
	labels   bool                   // jobs are labelled, so that lost ones can be found
	leaves   time.Duration          // when ctx ends while a statement runs
	overdue  bool                   // that ctx ends by its deadline
	silent   bool                   // the connection falls silent
	commits  bool                   // Commit is called although a statement of the transaction has failed
	slow     bool                   // the pauses between tries are so long that ctx ends in one
	pageRows int64                  // max_results, and pages are requested side by side; 0 = neither

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
	// may reports whether an error is right, because a second try does not help.
	may bool
}

type violation struct{ kind, text string }

// The kinds of violations that a busy machine can cause.
const (
	tooLong = "takes too long"
	endLate = "the end of ctx is late"
)

// onlySlow reports whether all violations are about time.
func (s *scenario) onlySlow() bool {
	return len(s.violations) > 0 && !slices.ContainsFunc(s.violations, func(v violation) bool {
		return v.kind != tooLong && v.kind != endLate
	})
}

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
	if s.op.paged && rng.IntN(2) == 0 {
		s.pageRows = int64(30 + rng.IntN(300))
	}
	for range 1 + rng.IntN(3) {
		s.faults = append(s.faults, s.fault())
	}
	if rng.IntN(4) == 0 {
		s.endAfter = time.Duration(1+rng.IntN(250)) * time.Millisecond
		s.deadline = rng.IntN(2) == 0
		s.endless = rng.IntN(2) == 0
		s.slow = rng.IntN(2) == 0
		if rng.IntN(3) == 0 { // a fault that lasts until ctx ends
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
	s.short = rng.IntN(3) == 0
	s.labels = rng.IntN(2) == 0
	switch rng.IntN(24) {
	case 0, 1:
		s.conns = []faultproxy.ConnFault{faultproxy.ConnReset}
	case 2:
		s.conns = []faultproxy.ConnFault{faultproxy.ConnHang}
	}
	if rng.IntN(50) == 0 && s.endAfter == 0 { // a fault that lasts until a limit of the driver ends it
		f := faultproxy.Lasting()[rng.IntN(4)]
		s.faults = append(s.faults, plannedFault{s.op.methods[rng.IntN(len(s.op.methods))], 1, f.Fault, f.Name, false})
	}
	if rng.IntN(12) == 0 {
		s.close = time.Duration(1+rng.IntN(200)) * time.Millisecond
	}
	return s
}

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
	if s.pageRows > 0 {
		driver.QuickAnswer(connector, 0)
	}
	db := sql.OpenDB(connector)
	s.run(db)
	s.settle()
}

// slowPause is longer than a request that was sent before ctx ended can take to arrive.
const slowPause = late + 200*time.Millisecond

func (s *scenario) config() *dsn.Config {
	cfg := &dsn.Config{Project: "my-project", Endpoint: s.rest.URL(), StorageEndpoint: s.storage.URL(), ReadAPI: "rest"}
	cfg.LabelJobs, cfg.MaxResults = s.labels, s.pageRows
	if s.op.config != nil {
		s.op.config(cfg)
	}
	return cfg
}

// choose returns the fault of a request that reaches a proxy.
func (s *scenario) choose(e faultproxy.Exchange) faultproxy.Fault {
	for _, f := range s.faults {
		if f.method == e.Method && f.n == e.N {
			return f.fault
		}
	}
	return faultproxy.Fault{}
}

// run plays the operation and records its result.
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
	if s.op.reads && err == nil && s.pageRows > 0 && byRow(s.server) == 0 {
		s.violate("no pages side by side", "%d rows of %d at a time", campaignRows, s.pageRows)
	}
	s.answer = fmt.Sprint(err)
	if err != nil && s.mustPass() && !s.unpromised(err) {
		s.violate("a passing fault is reported as an error", "%v", err)
	}
	s.inTime(ctx, begin)
	if limit := s.patience(); s.took > limit {
		s.violate(tooLong, "%s", s.took)
	}
	if s.lasting() && s.close == 0 && err != nil {
		// The cancel arrives once the driver has noticed the fault. Close does not wait for that.
		const way = time.Second // that a request can take to arrive on a busy machine
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

func (s *scenario) violate(kind, format string, args ...any) {
	s.violations = append(s.violations, violation{kind, fmt.Sprintf(format, args...)})
}

var errUnexpected = errors.New("wrong rows")

func skipOverHTTP2(t *testing.T) {
	t.Helper()
	if *overHTTP2 {
		t.Skip("-http2: half of the campaign is over HTTP/2 in any case")
	}
}
