package sandbox

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/catalog"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/storageapi"
)

// The user and the project that a sandbox has by default.
const (
	DefaultAccount = "ada@example.com"
	DefaultProject = "my-billing-project"
)

// Config says how a sandbox is. The zero value is useful: everything in memory
// and on a free port.
type Config struct {
	// StateDir is a folder that keeps the address and the sign-ins, so that a
	// program that is started again finds its sign-in still known. It is made with
	// mode 0700. Empty: nothing is kept. Datasets and tables are never kept.
	StateDir string
	// DataDir is a folder that keeps datasets, tables, views and functions. It is made with mode 0700, and serves one
	// sandbox at a time. Empty: they end with the sandbox.
	DataDir string
	// Addr is the loopback address to listen on, such as "127.0.0.1:9050". Empty:
	// the address kept in StateDir, or a free port of 127.0.0.1.
	Addr string
	// StorageAddr is the loopback address of the Storage Read and Write APIs, such as "127.0.0.1:9060". Empty: a free
	// port of 127.0.0.1.
	StorageAddr string
	// Projects says who has rights in which projects: may run jobs there, and
	// read and change its datasets. Nil: DefaultAccount in DefaultProject.
	Projects map[string][]string
	// Google are the options of the sign-in. Without Accounts there is one for
	// each user in Projects.
	Google fakegoogle.Options
	// Location is where datasets are made when nothing else is said. Empty: US.
	Location string
	// PageBytes is the size that a page of rows may have. Zero: 10 MB, as BigQuery.
	PageBytes int
	// ResultBytes is the memory that all results may use; the oldest are thrown
	// away. A single result that is larger is refused. Zero: 512 MB.
	ResultBytes int64
	// MemoryLimit is DuckDB's memory_limit. Empty: 2GB.
	MemoryLimit string
	// NoData leaves the public dataset out.
	NoData bool
	// Files are read into tables at the start: a path by dataset.table or project.dataset.table. Its
	// end says what it is: .csv, .parquet, .ndjson or .jsonl.
	Files map[string]string
	// Open takes requests without a sign-in, as the first user of Projects by name.
	Open bool
	// TLS serves HTTPS, and HTTP/2 to clients that speak it, as BigQuery does. Nil: HTTP.
	TLS *tls.Config
	// CancelDelay is how long a job goes on after jobs.cancel; BigQuery took up to 12 seconds. Zero: it ends at once.
	CancelDelay time.Duration
	// SessionIdle is how long a session lives without a statement. Zero: 24 hours, as BigQuery.
	SessionIdle time.Duration
	// Logger gets what goes wrong inside. Nil: nothing is logged.
	Logger *slog.Logger
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

func (c *Config) setDefaults() {
	if c.Projects == nil {
		c.Projects = map[string][]string{DefaultAccount: {DefaultProject}}
	}
	if c.Google.Accounts == nil {
		for i, email := range slices.Sorted(maps.Keys(c.Projects)) {
			c.Google.Accounts = append(c.Google.Accounts, fakegoogle.Account{Email: email, Sub: strconv.Itoa(1001 + i)})
		}
	}
	if c.Location == "" {
		c.Location = "US"
	}
	if c.PageBytes == 0 {
		c.PageBytes = 10_000_000
	}
	if c.ResultBytes == 0 {
		c.ResultBytes = 512 << 20
	}
	if c.MemoryLimit == "" {
		c.MemoryLimit = "2GB"
	}
	if c.SessionIdle == 0 {
		c.SessionIdle = defaultSessionIdle
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Google.Now == nil {
		c.Google.Now = c.Now
	}
}

// Server is a running sandbox. It is safe for concurrent use.
type Server struct {
	cfg      Config
	log      *slog.Logger
	db       *engine.DB
	catalog  *catalog.Catalog
	run      *runner
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
	s.run = newRunner(s.ctx, s.catalog, runnerConfig{Projects: cfg.Projects, Location: cfg.Location,
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
	s.run.stop()
	s.grpc.Stop()
	err := errors.Join(s.google.Close(), s.http.Close())
	s.open.Lock()
	defer s.open.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.work.Wait()
	s.run.close()
	s.catalog.Keep()
	s.db.Close()
	s.state.close()
	return err
}
