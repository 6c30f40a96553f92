package driver_test

import (
	"context"
	"database/sql"
	"time"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq/faultproxy"
)

// Operations whose context or database ends while a statement runs, and their faults.

const campaignNext = "INSERT INTO t VALUES (3)"

func inSession(c *dsn.Config) { c.CreateSession = "always" }

// between returns a random duration.
func (s *scenario) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.rng.Int64N(int64(most-least)))
}

// endless is longer than any operation may take, so that waiting for a job that is never cancelled is noticed.
const endless = 90 * time.Second

// after returns a channel that is closed after a duration.
func after(d time.Duration) <-chan struct{} {
	until := make(chan struct{})
	time.AfterFunc(d, func() { close(until) })
	return until
}

// left returns a context that ends while the statement runs: at a deadline, or some time after the statement
// has begun.
func (s *scenario) left(ctx context.Context, underWay func() bool) (context.Context, context.CancelFunc) {
	if s.overdue {
		return context.WithTimeout(ctx, 300*time.Millisecond+s.leaves)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for !underWay() && sleepFor(ctx, time.Millisecond) {
		}
		sleepFor(ctx, s.leaves)
		cancel()
	}()
	return ctx, cancel
}

// sleepFor sleeps, and reports whether ctx is still alive.
func sleepFor(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// passing adds faults that a further try overcomes.
func (s *scenario) passing(n int, methods ...fakebq.Method) {
	for range n {
		m := methods[s.rng.IntN(len(methods))]
		all := campaignFaults(m)
		if f := all[s.rng.IntN(len(all))]; !f.may {
			s.faults = append(s.faults, plannedFault{method: m, n: 1 + s.rng.IntN(2), fault: f.Fault, name: f.Name})
		}
	}
}

func closeInTransaction(s *scenario) { s.passing(s.rng.IntN(3), requests...) }

// leaveTransaction closes the database while a transaction holds its table.
func leaveTransaction(ctx context.Context, s *scenario, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // the session has ended
	_, err = tx.ExecContext(ctx, campaignInsert)
	if s.record(campaignInsert, onceAtMost, err); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		s.violate("Close", "%v", err)
	}
	if held := s.server.HeldTables(); len(held) > 0 {
		s.violate("tables are held after Close", "%v", held)
	}
	return nil
}

// leaveCommit ends ctx while COMMIT runs, which must not be cancelled.
func leaveCommit(s *scenario) {
	s.endAfter, s.deadline = s.between(100*time.Millisecond, 400*time.Millisecond), s.rng.IntN(2) == 0
	s.lasts = s.endAfter + s.between(100*time.Millisecond, 800*time.Millisecond)
	s.passing(s.rng.IntN(3), fakebq.GetQueryResults, fakebq.Get)
}

// loseCommit loses the answer to a COMMIT, and refuses the COMMIT when it is sent again.
func loseCommit(s *scenario) { s.lose(fakebq.Query, 3) }

// lose plans to lose the answer to the n-th request of a method.
func (s *scenario) lose(m fakebq.Method, n int) {
	var lost []faultproxy.NamedFault
	for _, f := range faultproxy.Catalogue() {
		if f.MayHaveRun() && f.At == faultproxy.After {
			lost = append(lost, f)
		}
	}
	f := lost[s.rng.IntN(len(lost))]
	s.faults = append(s.faults, plannedFault{m, n, f.Fault, f.Name, false})
}

func longCommit(s *scenario) {
	s.server.On(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION", Incomplete: s.polls, Until: after(s.lasts)})
}

// loseAndRepeat loses the answer to an INSERT and ends its ctx before the next try, so that its job must be found by
// its label. Meanwhile the same statement runs again.
func loseAndRepeat(s *scenario) {
	s.labels, s.slow = true, true
	s.overdue, s.endless = s.rng.IntN(2) == 0, s.rng.IntN(2) == 0
	s.leaves = s.between(100*time.Millisecond, 300*time.Millisecond)
	s.listedIn = []time.Duration{0, 0, 700 * time.Millisecond, 1500 * time.Millisecond}[s.rng.IntN(4)]
	s.lose(fakebq.Query, 1)
}

// repeat ends the ctx of an INSERT and runs the INSERT again.
func repeat(ctx context.Context, s *scenario, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	lasts := s.lasts
	if s.endless {
		lasts = endless
	}
	s.server.On(campaignInsert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1, Until: after(lasts)})
	short, cancel := s.left(ctx, func() bool { return len(s.rest.Played()) > 0 })
	defer cancel()
	_, err = conn.ExecContext(short, campaignInsert)
	s.recordResult(campaignInsert, err)
	lasts = s.between(1500*time.Millisecond, 2500*time.Millisecond)
	s.server.On(campaignInsert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Until: after(lasts)})
	_, err = conn.ExecContext(ctx, campaignInsert)
	s.recordResult(campaignInsert, err)
	return err
}

// leaveInSession ends the ctx of an INSERT in a session. The INSERT runs on for a while after its cancel.
func leaveInSession(s *scenario) {
	s.overdue, s.endless = s.rng.IntN(2) == 0, s.rng.IntN(4) > 0
	s.leaves = s.between(50*time.Millisecond, 300*time.Millisecond)
	s.cancelIn = s.between(300*time.Millisecond, 1500*time.Millisecond)
	s.passing(s.rng.IntN(3), fakebq.Cancel, fakebq.GetQueryResults, fakebq.Get)
}

// goOnInSession ends the ctx of an INSERT and runs another statement in its session.
func goOnInSession(ctx context.Context, s *scenario, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT 1"); err != nil { // this begins the session
		return err
	}
	lasts := s.lasts
	if s.endless {
		lasts = endless
	}
	s.server.On(campaignInsert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: 1, Until: after(lasts)})
	s.server.On(campaignNext, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Incomplete: s.polls})
	short, cancel := s.left(ctx, func() bool { return s.server.Executions(campaignInsert) > 0 })
	defer cancel()
	_, err = conn.ExecContext(short, campaignInsert)
	s.recordResult(campaignInsert, err)
	_, err = conn.ExecContext(ctx, campaignNext)
	s.recordResult(campaignNext, err)
	return err
}

// silence lets the connection fall silent during a poll that BigQuery holds for longer than pings need to notice it.
func silence(s *scenario) {
	s.http2 = untrusted == nil
	s.polls, s.silent = 1, s.http2
	s.faults = []plannedFault{{fakebq.GetQueryResults, 1, faultproxy.Fault{Kind: faultproxy.Vanish}, "silence", false}}
}
