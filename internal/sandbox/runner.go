package sandbox

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
)

// runnerConfig is what a runner is made with.
type runnerConfig struct {
	// Projects says who has rights in which projects.
	Projects map[string][]string
	// Location is where queries run that say nothing of it.
	Location string
	// PageBytes is the size that a page of rows may have, ResultBytes the memory that all results may use.
	PageBytes   int
	ResultBytes int64
	// SessionIdle is how long a session lives without a statement.
	SessionIdle time.Duration
	// Endpoint is the base URL of the service, for links in metadata.
	Endpoint string
	Now      func() time.Time
	Log      *slog.Logger
}

// runner runs jobs and statements. It is safe for concurrent use.
type runner struct {
	cfg      runnerConfig
	log      *slog.Logger
	db       *engine.DB
	catalog  *catalog.Catalog
	jobs     *registry
	sessions *sessions

	ctx  context.Context // ends when the runner stops
	work sync.WaitGroup  // jobs
	once sync.Mutex      // see beginOnce
}

// newRunner makes a runner over a catalog. Its jobs end with ctx.
func newRunner(ctx context.Context, c *catalog.Catalog, cfg runnerConfig) *runner {
	return &runner{cfg: cfg, log: cfg.Log, db: c.DB(), catalog: c, jobs: newRegistry(cfg.ResultBytes),
		sessions: newSessions(cfg.SessionIdle), ctx: ctx}
}

func (s *runner) now() time.Time { return s.cfg.Now() }

// stop stops the jobs that run; close waits for them.
func (s *runner) stop() { s.jobs.stopAll(apierror.ErrShutdown) }

// close waits for the jobs, and ends the sessions. No job may begin after it.
func (s *runner) close() {
	s.work.Wait()
	s.closeSessions()
}

// held counts what a runner holds.
type held struct {
	sessions, transactions int
	resultBytes            int64 // of the rows of jobs
}

// held is what the runner holds now.
func (s *runner) held() held {
	var h held
	s.jobs.mu.Lock()
	h.resultBytes = s.jobs.keptBytes
	s.jobs.mu.Unlock()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for _, sess := range s.sessions.byID {
		h.sessions++
		if sess.tx != nil {
			h.transactions++
		}
	}
	return h
}

// do runs one statement without a job. Unqualified names belong to project; location is "" for that of the tables.
func (s *runner) do(ctx context.Context, who caller, project, location, sql string) *apierror.Error {
	q := &query{sql: sql, project: project, location: location}
	p, err := s.prepare(ctx, who, q)
	switch {
	case err != nil:
		return err
	case p.script != nil:
		return apierror.Errorf("invalid", "One statement is taken at a time, and no script.")
	}
	_, err = s.execute(ctx, q, p)
	return err
}

// read runs a query without a job. The second result are the bytes that it has read.
func (s *runner) read(ctx context.Context, who caller, project, location, sql string) (*engine.Result, int64,
	*apierror.Error) {
	q := &query{sql: sql, project: project, location: location}
	p, err := s.prepare(ctx, who, q)
	if err != nil {
		return nil, 0, err
	}
	res, err := s.runSQL(ctx, q, p)
	return res, p.bytes, err
}
