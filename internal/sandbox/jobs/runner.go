// Package jobs runs the statements of requests. It plans a statement for a user,
// with the user's rights, and runs it as a job over a catalog, also in scripts,
// sessions and transactions. Requests and answers are messages of package wire.
//
// A statement is a query when it is requested, a plan when it is translated, and
// an outcome when it has run. A job has all three. The package knows nothing of
// HTTP and of the sign-in.
package jobs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
)

// Config is what a runner is made with.
type Config struct {
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

// Runner runs jobs and statements. It is safe for concurrent use.
type Runner struct {
	cfg      Config
	log      *slog.Logger
	db       *engine.DB
	catalog  *catalog.Catalog
	jobs     *registry
	sessions *sessions

	ctx  context.Context // ends when the runner stops
	work sync.WaitGroup  // jobs
	once sync.Mutex      // see beginOnce
}

// New makes a runner over a catalog. Its jobs end with ctx.
func New(ctx context.Context, c *catalog.Catalog, cfg Config) *Runner {
	return &Runner{cfg: cfg, log: cfg.Log, db: c.DB(), catalog: c, jobs: newRegistry(cfg.ResultBytes),
		sessions: newSessions(cfg.SessionIdle), ctx: ctx}
}

func (s *Runner) now() time.Time { return s.cfg.Now() }

// Stop stops the jobs that run; Close waits for them.
func (s *Runner) Stop() { s.jobs.stopAll(apierror.ErrShutdown) }

// Close waits for the jobs, and ends the sessions. No job may begin after it.
func (s *Runner) Close() {
	s.work.Wait()
	s.closeSessions()
}

// Holding counts what a runner holds.
type Holding struct {
	Sessions, Transactions int
	ResultBytes            int64 // of the rows of jobs
}

// Held is what the runner holds now.
func (s *Runner) Held() Holding {
	var h Holding
	s.jobs.mu.Lock()
	h.ResultBytes = s.jobs.keptBytes
	s.jobs.mu.Unlock()
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	for _, sess := range s.sessions.byID {
		h.Sessions++
		if sess.tx != nil {
			h.Transactions++
		}
	}
	return h
}

// Do runs one statement without a job. Unqualified names belong to project; location is "" for that of the tables.
func (s *Runner) Do(ctx context.Context, who Caller, project, location, sql string) *apierror.Error {
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

// Read runs a query without a job. The second result are the bytes that it has read.
func (s *Runner) Read(ctx context.Context, who Caller, project, location, sql string) (*engine.Result, int64,
	*apierror.Error) {
	q := &query{sql: sql, project: project, location: location}
	p, err := s.prepare(ctx, who, q)
	if err != nil {
		return nil, 0, err
	}
	res, err := s.runSQL(ctx, q, p)
	return res, p.bytes, err
}
