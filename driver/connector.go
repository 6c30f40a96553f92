package driver

import (
	"context"
	"crypto/rand"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// closeGrace is how long Close waits for what is on its way: the user pays for a job that goes on.
const closeGrace = 5 * time.Second

// stopGrace is how long requests take at most that are told to end.
const stopGrace = time.Minute

// Connector holds what all connections of a *sql.DB share: one sign-in, one BigQuery
// client and what has been learnt about statements. It is safe for concurrent use.
type Connector struct {
	cfg    dsn.Config          // never changed
	signIn *auth.Authenticator // nil if the tokens come from elsewhere
	tokens *tokenSource        // nil if there are none
	types  *typeCache

	observer Observer // nil without

	newClient func(context.Context) (*client, error)

	name string // in the labels of jobs

	mu     sync.Mutex
	client *client
	made   int64 // connections so far
	conns  int   // open connections
	closed bool  // no more connections and statements
	waited bool  // Close has waited for what was on its way
	down   bool  // closed, and the last connection is gone

	transactions map[string]string // the sessions in which one is open, and their locations
	running      []string          // ids of jobs that run

	// open ends with Close, and with it sign-ins and statements.
	open    context.Context
	endOpen context.CancelFunc
	// tasks are statements, and requests that outlive them: cancels, and answers that
	// are awaited only to learn which job to cancel. stop ends the latter.
	tasks         tasks
	backgroundCtx context.Context
	stop          context.CancelFunc
}

var (
	_ driver.Connector = (*Connector)(nil)
	_ io.Closer        = (*Connector)(nil)
)

// NewConnector checks cfg, reads its client secrets and returns a connector for
// sql.OpenDB. It makes no request: the sign-in happens at the first connection. The
// configuration is copied. sql.DB.Close closes the connector.
func NewConnector(cfg *dsn.Config, opts ...Option) (*Connector, error) {
	if cfg == nil {
		return nil, errors.New("bigqueryuser: NewConnector needs a configuration, got nil")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	var o options
	for _, opt := range opts {
		if opt != nil {
			opt(&o)
		}
	}
	c := &Connector{
		cfg: copyConfig(cfg), types: newTypeCache(typeCacheSize), observer: o.observer,
		name: strings.ToLower(rand.Text()[:12]), transactions: map[string]string{},
	}
	if err := c.chooseTokens(&o); err != nil {
		return nil, err
	}
	c.newClient = func(ctx context.Context) (*client, error) { return newClient(ctx, &c.cfg, c.tokens) }
	c.open, c.endOpen = context.WithCancel(context.Background())
	c.backgroundCtx, c.stop = context.WithCancel(context.Background())
	return c, nil
}

// newSignIn is the one place where a dsn.Config becomes an auth.Config.
func newSignIn(cfg *dsn.Config, o *options) (*auth.Authenticator, error) {
	client, err := loadClient(cfg, o)
	if err != nil {
		return nil, err
	}
	mode, err := auth.ParseMode(cfg.Login)
	if err != nil {
		return nil, fmt.Errorf("bigqueryuser: login: %w", err)
	}
	store, err := openStore(cfg)
	if err != nil {
		return nil, err
	}
	return auth.New(auth.Config{
		Client:       client,
		Scopes:       cfg.Scopes,
		Account:      cfg.User,
		HostedDomain: cfg.HostedDomain,
		Profile:      cfg.Profile,
		Mode:         mode,
		RedirectPort: cfg.RedirectPort,
		LoginTimeout: cfg.LoginTimeout,
		Store:        store,
		Prompter:     o.prompter,
		Logger:       o.logger,
	})
}

// copyConfig leaves the caller nothing by which to change a connector later.
func copyConfig(cfg *dsn.Config) dsn.Config {
	c := *cfg
	c.Scopes = slices.Clone(cfg.Scopes)
	c.Labels = maps.Clone(cfg.Labels)
	if cfg.UseQueryCache != nil {
		use := *cfg.UseQueryCache
		c.UseQueryCache = &use
	}
	return c
}

// Connect makes sure that somebody is signed in, asking the person if there is no
// usable sign-in yet. It makes no BigQuery request. Errors of the sign-in are those of
// package auth.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.ensure(ctx); err != nil {
		return nil, err
	}
	if _, err := c.clientFor(ctx); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errClosed
	}
	c.conns++
	c.made++
	conn := &Conn{connector: c, number: c.made}
	conn.session.always = c.cfg.CreateSession == "always"
	return conn, nil
}

// ready returns when a token is at hand.
func (c *Connector) ready(ctx context.Context) error { return c.tokens.ready(ctx) }

func (c *Connector) ensure(ctx context.Context) error {
	if c.signIn == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.open, cancel)()
	err := c.signIn.Ensure(ctx)
	if err != nil && c.open.Err() != nil {
		return errClosed
	}
	return err
}

// Driver returns the driver, for sql.DB.Driver.
func (c *Connector) Driver() driver.Driver { return &Driver{} }

// Close ends what is under way: a sign-in that waits for the user, transactions, also those whose connections are in use,
// and statements whose end is awaited. It waits up to five seconds until BigQuery knows. Rows that are there can
// still be read. When the last connection has been closed, network connections and the sign-in are closed too. It may be
// called more than once.
func (c *Connector) Close() error {
	c.mu.Lock()
	first := !c.closed
	c.closed = true
	c.mu.Unlock()
	if first {
		c.endTransactions()
		c.endOpen()
		c.tasks.wait(closeGrace)
	}
	c.mu.Lock()
	c.waited = true
	c.mu.Unlock()
	return c.shutdown()
}

// release is called once for each connection that Connect made.
func (c *Connector) release() error {
	c.mu.Lock()
	c.conns--
	last := c.waited && c.conns == 0
	c.mu.Unlock()
	if !last {
		return nil
	}
	if c.tasks.idle() {
		return c.shutdown()
	}
	go func() { // the caller has no reason to wait
		c.tasks.wait(closeGrace)
		_ = c.shutdown()
	}()
	return nil
}

// shutdown does the last part of Close when its time has come.
func (c *Connector) shutdown() error {
	c.mu.Lock()
	due := c.closed && c.conns == 0 && !c.down
	c.down = c.down || due
	c.mu.Unlock()
	if !due {
		return nil
	}
	c.stop()
	c.tasks.wait(stopGrace)
	c.mu.Lock()
	cl := c.client
	c.client = nil
	c.mu.Unlock()
	if cl != nil {
		cl.close()
	}
	if c.signIn != nil {
		return c.signIn.Close()
	}
	return nil
}

// clientFor returns the connector's one client, made at the first use. Its lifetime is the
// connector's: nothing of ctx but its values reaches it.
func (c *Connector) clientFor(ctx context.Context) (*client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client == nil {
		if c.down {
			return nil, errClosed
		}
		cl, err := c.newClient(context.WithoutCancel(ctx))
		if err != nil {
			return nil, fmt.Errorf("bigqueryuser: making the BigQuery client: %w", err)
		}
		c.client = cl
	}
	return c.client, nil
}

// inBackground runs f with a context that ends soon after the connector is closed, at the
// latest after limit. It reports false, and does nothing, after that.
func (c *Connector) inBackground(limit time.Duration, f func(ctx context.Context)) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		return false
	}
	end := c.tasks.begin()
	go func() {
		defer end()
		ctx, cancel := context.WithTimeout(c.backgroundCtx, limit)
		defer cancel()
		f(ctx)
	}()
	return true
}
