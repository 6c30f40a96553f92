package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/storageapi"
)

// Server is a running sandbox. It is safe for concurrent use.
type Server struct {
	cfg      Config
	log      *slog.Logger
	db       *engine.DB
	catalog  *catalog.Catalog
	jobs     *jobs.Runner
	uploads  uploads
	inserted insertIDs
	google   *fakegoogle.Server
	state    *state
	mux      *http.ServeMux

	addr  string
	moved string
	http  *http.Server

	storageAddr string
	grpc        *grpc.Server
	storage     *storageapi.Server

	ctx  context.Context // ends when the sandbox closes
	stop context.CancelCauseFunc
	work sync.WaitGroup // the listeners

	// open is held for reading by a request, and for writing by Close.
	open   sync.RWMutex
	closed bool

	countMu sync.Mutex
	counts  map[string]int
}

// Start makes a sandbox and serves it on a loopback address. ctx limits the
// start alone; Close ends the sandbox.
func Start(ctx context.Context, cfg Config) (_ *Server, err error) {
	cfg.setDefaults()
	s := &Server{cfg: cfg, log: cfg.Logger, uploads: uploads{byID: map[string]*upload{}},
		inserted: insertIDs{seen: map[string]time.Time{}}, google: fakegoogle.New(cfg.Google), counts: map[string]int{}}
	s.ctx, s.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	s.mux = s.routes()
	if s.state, err = openState(cfg.StateDir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.state.close()
			s.stop(nil)
		}
	}()
	listener, err := s.listen(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = listener.Close() // the first error counts
		}
	}()
	storage, err := s.listenStorage(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			_ = storage.Close() // the first error counts
		}
	}()
	s.addr, s.storageAddr = listener.Addr().String(), storage.Addr().String()
	s.google.SetURL(s.Endpoint())
	if err := s.state.begin(s.google, s.addr); err != nil {
		return nil, err
	}
	if s.catalog, err = catalog.Open(ctx, catalog.Config{Dir: cfg.DataDir, Location: cfg.Location,
		MemoryLimit: cfg.MemoryLimit, Now: cfg.Now, Log: cfg.Logger}); err != nil {
		return nil, err
	}
	s.db = s.catalog.DB()
	s.jobs = jobs.New(s.ctx, s.catalog, jobs.Config{Projects: cfg.Projects, Location: cfg.Location,
		PageBytes: cfg.PageBytes, ResultBytes: cfg.ResultBytes, SessionIdle: cfg.SessionIdle, Endpoint: s.Endpoint(),
		Now: cfg.Now, Log: cfg.Logger})
	if err := s.load(ctx); err != nil {
		s.db.Close()
		return nil, err
	}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 1 << 18,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	serve := s.http.Serve
	if cfg.TLS != nil {
		s.http.TLSConfig = cfg.TLS.Clone()
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	s.serveStorage(storage)
	s.work.Go(func() {
		if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("the sandbox does not listen any more", "error", err)
		}
	})
	return s, nil
}

// load makes the public dataset and the tables of files, and then bars DuckDB from files.
func (s *Server) load(ctx context.Context) error {
	if !s.cfg.NoData {
		if err := s.loadNames(ctx); err != nil {
			return fmt.Errorf("loading the names: %w", err)
		}
	}
	if err := s.loadFiles(ctx); err != nil {
		return err
	}
	return s.db.Lock()
}

// listen takes the address that is asked for, the one that was kept, or a free one.
func (s *Server) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	if s.cfg.Addr != "" {
		if err := checkLoopback(s.cfg.Addr); err != nil {
			return nil, err
		}
		return lc.Listen(ctx, "tcp", s.cfg.Addr)
	}
	if kept := s.state.addr; kept != "" {
		if l, err := lc.Listen(ctx, "tcp", kept); err == nil {
			return l, nil
		}
		s.moved = kept
	}
	return lc.Listen(ctx, "tcp", "127.0.0.1:0")
}

// listenStorage takes the address of the Storage APIs that is asked for, or a free one.
func (s *Server) listenStorage(ctx context.Context) (net.Listener, error) {
	addr := cmp.Or(s.cfg.StorageAddr, "127.0.0.1:0")
	if err := checkLoopback(addr); err != nil {
		return nil, err
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", addr)
}

// checkLoopback refuses to serve a network: the sandbox has no passwords.
func checkLoopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("sandbox: address %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("sandbox: address %q is not a loopback address such as 127.0.0.1:0", addr)
	}
	return nil
}

// Endpoint returns the base URL of the service, http://127.0.0.1:PORT, or https with
// Config.TLS.
func (s *Server) Endpoint() string { return s.url(s.addr) }

// StorageEndpoint returns the URL of the Storage Read and Write APIs, which speak gRPC:
// http://127.0.0.1:PORT, or https with Config.TLS. It is for storage_endpoint= in a DSN.
func (s *Server) StorageEndpoint() string { return s.url(s.storageAddr) }

func (s *Server) url(addr string) string {
	if s.cfg.TLS != nil {
		return "https://" + addr
	}
	return "http://" + addr
}

// MovedFrom returns the address that was kept in StateDir, if something else
// listens there now and the sandbox had to take a new one; else "". Sign-ins
// that programs keep under the old address are of no use then.
func (s *Server) MovedFrom() string { return s.moved }

// Google returns the sandbox's sign-in.
func (s *Server) Google() *fakegoogle.Server { return s.google }

// ClientSecrets returns the client_secrets.json of the sandbox's OAuth client.
func (s *Server) ClientSecrets() []byte { return s.google.ClientSecrets() }

// ClientSecretsFile returns the path of a file with ClientSecrets: in StateDir,
// or in a temporary folder that Close removes.
func (s *Server) ClientSecretsFile() string { return s.state.secretsFile }

// Requests counts the requests so far by method, such as "bigquery.jobs.query".
// Requests without a valid token count, too.
func (s *Server) Requests() map[string]int {
	s.countMu.Lock()
	defer s.countMu.Unlock()
	return maps.Clone(s.counts)
}

func (s *Server) count(method string) {
	s.countMu.Lock()
	defer s.countMu.Unlock()
	s.counts[method]++
}

func (s *Server) now() time.Time { return s.cfg.Now() }

// Close ends the sandbox: running jobs are stopped, connections are closed. It
// may be called twice.
func (s *Server) Close() error {
	s.stop(apierror.ErrShutdown)
	s.jobs.Stop()
	s.grpc.Stop()
	err := errors.Join(s.google.Close(), s.http.Close())
	s.open.Lock()
	defer s.open.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.work.Wait()
	s.jobs.Close()
	s.catalog.Keep()
	s.db.Close()
	s.state.close()
	return err
}
