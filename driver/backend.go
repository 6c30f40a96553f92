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

// backend is BigQuery as the connections of a connector share it: one client, what has been learnt
// about statements, and what is under way. It is safe for concurrent use.
type backend struct {
	cfg    dsn.Config   // never changed
	name   string       // in the labels of jobs
	tokens *tokenSource // nil if there are none
	types  *typeCache
	// account says who an error is about; nil if that can't be known.
	account   func(context.Context, *Error) string
	newClient func(context.Context) (*client, error)

	mu           sync.Mutex
	client       *client
	closed       bool              // no more statements
	down         bool              // no more requests
	transactions map[string]string // the sessions in which one is open, and their locations
	running      []string          // ids of jobs that an answer has named and that run

	// open ends when the connector is closed, and with it sign-ins and statements.
	open    context.Context
	endOpen context.CancelFunc
	// tasks are statements, and requests that outlive them: cancels, and answers that are awaited
	// only to learn which job to cancel. stop ends the latter, by background.
	tasks      tasks
	background context.Context
	stop       context.CancelFunc
}

func newBackend(cfg dsn.Config, n network) *backend {
	b := &backend{
		cfg: cfg, name: strings.ToLower(rand.Text()[:12]), types: newTypeCache(typeCacheSize),
		transactions: map[string]string{},
	}
	b.newClient = func(ctx context.Context) (*client, error) { return newClient(ctx, &b.cfg, b.tokens, n) }
	b.open, b.endOpen = context.WithCancel(context.Background())
	b.background, b.stop = context.WithCancel(context.Background())
	return b
}

// ready returns when a token is at hand.
func (b *backend) ready(ctx context.Context) error { return b.tokens.ready(ctx) }

// clientFor returns the one client, made at the first use. Its lifetime is the backend's: nothing
// of ctx but its values reaches it.
func (b *backend) clientFor(ctx context.Context) (*client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		if b.down {
			return nil, errClosed
		}
		cl, err := b.newClient(context.WithoutCancel(ctx))
		if err != nil {
			return nil, fmt.Errorf("bigqueryuser: making the BigQuery client: %w", err)
		}
		b.client = cl
	}
	return b.client, nil
}

// begin counts a statement in, and refuses it when the connector is closed. It returns what counts
// the statement out.
func (b *backend) begin() (end func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	return b.tasks.begin(), nil
}

// inBackground runs f with a context that ends soon after the connector is closed, at the latest
// after limit. It reports false, and does nothing, after that.
func (b *backend) inBackground(limit time.Duration, f func(ctx context.Context)) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return false
	}
	end := b.tasks.begin()
	go func() {
		defer end()
		ctx, cancel := context.WithTimeout(b.background, limit)
		defer cancel()
		f(ctx)
	}()
	return true
}

// refuse refuses statements from now on. It reports whether it is the first to do so.
func (b *backend) refuse() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := !b.closed
	b.closed = true
	return first
}

// end ends statements whose end is awaited. It returns when BigQuery knows, or after the grace.
func (b *backend) end(grace time.Duration) {
	b.endOpen()
	b.tasks.wait(grace)
}

// stopGrace is how long requests take at most that are told to end.
const stopGrace = time.Minute

// shut makes no more requests, and closes the network connections.
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

// knows reports whether an answer has named a job that runs.
func (b *backend) knows(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.running, id)
}

// runs notes a job that an answer has named, until the returned function is called.
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

// openTransaction notes a session with an open transaction, which is ended when the connector is
// closed.
func (b *backend) openTransaction(id, location string) {
	b.mu.Lock()
	b.transactions[id] = location
	closed := b.closed
	b.mu.Unlock()
	if closed { // meanwhile
		b.endTransactions()
	}
}

// closeTransaction forgets a session with an open transaction.
func (b *backend) closeTransaction(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.transactions, id)
}

// takeTransactions returns the sessions with an open transaction, and forgets them.
func (b *backend) takeTransactions() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := b.transactions
	b.transactions = map[string]string{}
	return open
}
