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
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// closeGrace is how long Close waits for cancel requests that are on their way: the
// person pays for a job that goes on.
const closeGrace = 3 * time.Second

// Connector holds what all connections of a *sql.DB share: one sign-in, one BigQuery
// client and what has been learnt about statements. It is safe for concurrent use.
type Connector struct {
	cfg    dsn.Config          // never changed
	signIn *auth.Authenticator // nil if the tokens come from elsewhere
	tokens *tokenSource        // nil if there are none
	types  *typeCache

	observer Observer // nil without

	newClient func(context.Context) (*client, error)

	mu     sync.Mutex
	client *client
	conns  int  // open connections
	closed bool // no more connections
	down   bool // closed, and the last connection is gone

	// connecting ends with Close: nobody needs to sign in any more.
	connecting     context.Context
	stopConnecting context.CancelFunc
	// background are requests that outlive their statement: cancels, and answers that
	// are awaited only to learn which job to cancel. stop ends them.
	background    sync.WaitGroup
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
	c := &Connector{cfg: copyConfig(cfg), types: newTypeCache(typeCacheSize), observer: o.observer}
	if err := c.chooseTokens(&o); err != nil {
		return nil, err
	}
	c.newClient = func(ctx context.Context) (*client, error) { return newClient(ctx, &c.cfg, c.tokens) }
	c.connecting, c.stopConnecting = context.WithCancel(context.Background())
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
	return &Conn{connector: c}, nil
}

func (c *Connector) ensure(ctx context.Context) error {
	if c.signIn == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.connecting, cancel)()
	err := c.signIn.Ensure(ctx)
	if err != nil && c.connecting.Err() != nil {
		return errClosed
	}
	return err
}

// Driver returns the driver, for sql.DB.Driver.
func (c *Connector) Driver() driver.Driver { return &Driver{} }

// Close ends a sign-in that waits for the person, and makes Connect fail. When the last
// connection has been closed, by Close itself if there is none, cancel requests that are on their way go
// out, within a moment, and network connections and the sign-in are closed. It may be called
// more than once.
func (c *Connector) Close() error {
	c.stopConnecting()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	return c.shutdown()
}

// release is called once for each connection that Connect made.
func (c *Connector) release() error {
	c.mu.Lock()
	c.conns--
	c.mu.Unlock()
	return c.shutdown()
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
	grace := time.AfterFunc(closeGrace, c.stop)
	c.background.Wait()
	grace.Stop()
	c.stop()
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
	c.background.Go(func() {
		ctx, cancel := context.WithTimeout(c.backgroundCtx, limit)
		defer cancel()
		f(ctx)
	})
	return true
}
