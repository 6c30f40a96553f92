package driver

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// backend is what the connections of a connector share: one client, a cache of facts about statements,
// and the requests under way. It is safe for concurrent use.
type backend struct {
	cfg    dsn.Config   // never changed
	name   string       // part of the labels of jobs
	tokens *tokenSource // nil with auth=none
	types  *typeCache
	// account returns the account that an error concerns. It may be nil.
	account   func(context.Context, *Error) string
	newClient func(context.Context) (*client, error)

	mu           sync.Mutex
	client       *client
	closed       bool              // no more statements
	down         bool              // no more requests
	transactions map[string]string // sessions with an open transaction, and their locations
	running      []string          // ids of running jobs that an answer has named
	ends         map[*func()]bool  // end the contexts of statements

	// open ends when the connector is closed, which ends sign-ins and statements.
	open    context.Context
	endOpen context.CancelFunc
	// tasks are the statements, and the requests that outlive them: cancellations, and answers that are
	// awaited only to learn which job to cancel. stop ends the latter through background.
	tasks      tasks
	background context.Context
	stop       context.CancelFunc
}

func newBackend(cfg dsn.Config, n network) *backend {
	b := &backend{
		cfg: cfg, name: strings.ToLower(rand.Text()[:12]), types: newTypeCache(typeCacheSize),
		transactions: map[string]string{}, ends: map[*func()]bool{},
	}
	b.newClient = func(ctx context.Context) (*client, error) { return newClient(ctx, &b.cfg, b.tokens, n) }
	b.open, b.endOpen = context.WithCancel(context.Background())
	b.background, b.stop = context.WithCancel(context.Background())
	return b
}

// ready waits until a valid token is available.
func (b *backend) ready(ctx context.Context) error { return b.tokens.ready(ctx) }

// clientFor returns the client, which it creates at the first use. The client lives as long as the
// backend; it gets the values of ctx, but not its end.
func (b *backend) clientFor(ctx context.Context) (*client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		if b.down {
			return nil, errClosed
		}
		cl, err := b.newClient(context.WithoutCancel(ctx))
		if err != nil {
			return nil, fmt.Errorf("bigqueryuser: creating the BigQuery client: %w", err)
		}
		b.client = cl
	}
	return b.client, nil
}

// begin registers a statement, whose end tasks.end takes. It returns an error if the connector is closed.
func (b *backend) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return errClosed
	}
	b.tasks.begin()
	return nil
}

// inBackground runs f with a context that ends after limit, or soon after the connector is closed. After
// that it does nothing and returns false.
func (b *backend) inBackground(limit time.Duration, f func(ctx context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return false
	}
	b.tasks.begin()
	go func() {
		defer b.tasks.end()
		ctx, cancel := context.WithTimeout(b.background, limit)
		defer cancel()
		f(ctx)
	}()
	return true
}

// refuse makes begin refuse statements. It returns true the first time.
func (b *backend) refuse() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := !b.closed
	b.closed = true
	return first
}

// end ends the running statements, then the transactions, so that no statement is told of the end of its
// transaction. It waits for BigQuery to confirm, but not longer than grace.
func (b *backend) end(grace time.Duration) {
	b.mu.Lock()
	b.endOpen()
	for f := range b.ends {
		(*f)()
	}
	b.mu.Unlock()
	b.endTransactions()
	b.tasks.wait(grace)
}

// atEnd calls f when the connector is closed, or now if it is. f does not wait. The returned function
// removes it.
func (b *backend) atEnd(f func()) (remove func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open.Err() != nil {
		f()
	}
	b.ends[&f] = true
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.ends, &f)
	}
}

// stopGrace limits the wait for requests that have been cancelled.
const stopGrace = time.Minute

// shut ends all requests and closes the network connections.
func (b *backend) shut() {
	b.mu.Lock()
	b.down = true
	b.mu.Unlock()
	b.stop()
	b.tasks.wait(stopGrace)
	b.mu.Lock()
	cl := b.client
	b.client = nil
	b.mu.Unlock()
	if cl != nil {
		cl.close()
	}
}

// knows reports whether an answer has named the running job with this id.
func (b *backend) knows(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.running, id)
}

// runs records a running job that an answer has named, until the returned function is called.
func (b *backend) runs(id string) (ended func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = append(b.running, id)
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if i := slices.Index(b.running, id); i >= 0 {
			b.running = slices.Delete(b.running, i, i+1)
		}
	}
}

// openTransaction records a session with an open transaction, which is ended when the connector is
// closed. It returns false if the connector is closed already.
func (b *backend) openTransaction(id, location string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.transactions[id] = location
	return true
}

// closeTransaction removes a session from those with an open transaction.
func (b *backend) closeTransaction(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.transactions, id)
}

// takeTransactions returns the sessions with an open transaction, and removes them.
func (b *backend) takeTransactions() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := b.transactions
	b.transactions = map[string]string{}
	return open
}
