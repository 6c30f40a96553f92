package driver

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// closeGrace is how long Close waits for requests that cancel jobs, because the user pays for a job
// that keeps running.
const closeGrace = 5 * time.Second

// Connector is shared by all connections of an sql.DB. It owns one sign-in, one BigQuery client, and
// a cache of facts about statements. It is safe for concurrent use.
type Connector struct {
	*backend
	signIn       *auth.Authenticator // nil if the tokens come from elsewhere
	signInShared bool                // signIn belongs to the program, which closes it
	observer     Observer            // may be nil
	asked        atomic.Value        // the account that BigQuery was asked for, a string

	mu     sync.Mutex
	made   int64 // connections so far
	conns  int   // open connections
	waited bool  // Close has waited for the requests under way
	shut   bool  // and the last connection is closed
}

var (
	_ driver.Connector = (*Connector)(nil)
	_ io.Closer        = (*Connector)(nil)
)

// NewConnector validates cfg, reads its client secrets, and returns a connector for sql.OpenDB. It
// makes no request; the first connection signs the user in. NewConnector copies cfg. sql.DB.Close
// closes the connector.
func NewConnector(cfg *dsn.Config, opts ...Option) (*Connector, error) {
	if cfg == nil {
		return nil, errors.New("bigqueryuser: NewConnector: the configuration is nil")
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
	c := &Connector{backend: newBackend(copyConfig(cfg), o.network), observer: o.observer}
	if err := c.chooseTokens(&o); err != nil {
		return nil, err
	}
	c.account = c.accountOf
	return c, nil
}

// newSignIn is the only place where a dsn.Config becomes an auth.Config.
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
		HTTPClient:   o.network.signInClient(),
	})
}

// copyConfig returns a deep copy of cfg.
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

// Connect signs the user in if there is no usable sign-in. It makes no BigQuery request. Errors of
// the sign-in are those of package auth.
func (c *Connector) Connect(ctx context.Context) (driver.Conn, error) {
	if err := c.ensure(ctx); err != nil {
		return nil, err
	}
	if _, err := c.clientFor(ctx); err != nil {
		return nil, err
	}
	if c.open.Err() != nil {
		return nil, errClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns++
	c.made++
	conn := &conn{connector: c, runner: runner{backend: c.backend, number: c.made}}
	conn.session.always = c.cfg.CreateSession == "always"
	return conn, nil
}

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

// Close ends a sign-in that waits for the user, all transactions, even on connections in use, and
// running statements. It waits up to five seconds for BigQuery to confirm. Rows that have arrived can
// still be read. After the last connection is closed, network connections and the sign-in are closed
// too. Close may be called more than once.
func (c *Connector) Close() error {
	if c.refuse() {
		c.backend.end(closeGrace)
	}
	c.mu.Lock()
	c.waited = true
	c.mu.Unlock()
	return c.shutdown()
}

// release is called once for each connection that Connect returned.
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
	go func() { // the caller need not wait
		c.tasks.wait(closeGrace)
		_ = c.shutdown()
	}()
	return nil
}

// shutdown does the last part of Close, once all connections are closed.
func (c *Connector) shutdown() error {
	c.mu.Lock()
	due := c.waited && c.conns == 0 && !c.shut
	c.shut = c.shut || due
	c.mu.Unlock()
	if !due {
		return nil
	}
	c.backend.shut()
	if c.signIn != nil && !c.signInShared {
		return c.signIn.Close()
	}
	return nil
}
