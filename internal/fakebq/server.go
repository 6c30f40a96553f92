package fakebq

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
)

// Options configure a Server. The zero value is usable.
type Options struct {
	// Location is the location of jobs that request none. "" means US.
	Location string
	// Projects are the projects in which jobs may run; in others the answer is 403 accessDenied.
	// Nil allows all projects.
	Projects []string
	// Verify returns the owner of an access token, and whether the token is valid. A request
	// without a valid token gets a 401. Nil checks nothing.
	Verify func(token string) (email string, ok bool)
	// Now is the clock of the job statistics; nil means time.Now.
	Now func() time.Time
	// CancelDelay is how long a job runs on after jobs.cancel; 12 s were recorded. 0 means 20 ms.
	CancelDelay time.Duration
	// MinHold is how long jobs.query holds a running job, even with a shorter timeoutMs; 0.7 s were
	// recorded.
	MinHold time.Duration
	// ListDelay is how long a new job is missing from jobs.list; the service needs up to 2 s.
	ListDelay time.Duration
	// MaxListed bounds a page of jobs.list, whatever its maxResults; 0 means no bound.
	MaxListed int
	// Latency is added to each request of the REST API, besides the time that it is held.
	Latency time.Duration
	// NoGzip leaves answers uncompressed even if the client accepts gzip.
	NoGzip bool
	// HTTP2 serves HTTP/2 over TLS, as the service does, with the certificate of package fakecert.
	// Clients that ask for HTTP/1.1 get it. The Storage Read API then uses TLS too.
	HTTP2 bool
}

// Server is a scripted BigQuery. It is an http.Handler, and Start makes it listen. Its methods may
// be called from several goroutines.
type Server struct {
	opts Options
	done chan struct{} // closed by Close: nothing waits any more

	mu       sync.Mutex
	changed  *sync.Cond // signals a change of the log or of a job
	closed   bool
	script   script
	faults   map[Method][]Fault
	log      []*Request
	counts   map[Method]int
	inFlight int
	unknown  []string
	jobs     map[string]*job // by key
	order    []*job
	byID     map[string]*job // by requestId and statement
	sessions map[string]*session
	serial   int

	readSessions map[string]*readSession
	streamFaults map[Method][]StreamFault
	reads        []Read
	openStreams  int

	stored       map[string]*stored      // tables, by their path
	writeStreams map[string]*writeStream // by name
	loads        map[string]*loadJob     // by key
	uploads      map[string]*loadJob     // begun, by id

	url  string
	http *http.Server

	storageURL string
	grpc       *grpc.Server
}

// New returns a server that does not listen yet: use it as another server's handler, or call Start.
func New(opts Options) *Server {
	if opts.Location == "" {
		opts.Location = "US"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.CancelDelay == 0 {
		opts.CancelDelay = 20 * time.Millisecond
	}
	s := &Server{
		opts:     opts,
		done:     make(chan struct{}),
		faults:   map[Method][]Fault{},
		counts:   map[Method]int{},
		jobs:     map[string]*job{},
		byID:     map[string]*job{},
		sessions: map[string]*session{},

		readSessions: map[string]*readSession{},
		streamFaults: map[Method][]StreamFault{},

		stored: map[string]*stored{}, writeStreams: map[string]*writeStream{},
		loads: map[string]*loadJob{}, uploads: map[string]*loadJob{},
	}
	s.changed = sync.NewCond(&s.mu)
	return s
}

// TB is the part of testing.TB that Run and the Wait methods use.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// HTTP2 makes Run set Options.HTTP2, so that a TestMain can run the tests of a package over both
// protocols. Set it before the first Run.
var HTTP2 bool

// Run returns a server that listens until the test ends. The test fails if a request had a member
// that the API does not have.
func Run(t TB, opts Options) *Server {
	t.Helper()
	opts.HTTP2 = opts.HTTP2 || HTTP2
	s := New(opts)
	if _, err := s.Start(); err != nil {
		t.Fatalf("fakebq: %v", err)
	}
	t.Cleanup(func() {
		s.Close()
		if unknown := s.Unknown(); len(unknown) > 0 {
			t.Fatalf("fakebq: requests had the members %q, which BigQuery ignores", unknown)
		}
	})
	return s
}

// Start listens on a free port of 127.0.0.1 and returns the root URL, without a slash at its end.
func (s *Server) Start() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("fakebq: listen: %w", err)
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	serve := s.http.Serve
	if s.opts.HTTP2 {
		s.url = "https://" + l.Addr().String()
		s.http.TLSConfig = fakecert.Server("h2", "http/1.1")
		s.http.ErrorLog = log.New(io.Discard, "", 0) // from handshakes that clients give up
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	go func() { _ = serve(l) }() // ends with ErrServerClosed in Close
	return s.url, nil
}

// URL returns the root URL of a started server.
func (s *Server) URL() string { return s.url }

// Close ends all hanging answers and stops listening. It waits for all handlers.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	close(s.done)
	s.changed.Broadcast()
	s.mu.Unlock()
	if s.http != nil {
		_ = s.http.Close()
	}
	if s.grpc != nil {
		s.grpc.Stop()
	}
	s.mu.Lock()
	for s.inFlight > 0 {
		s.changed.Wait()
	}
	s.mu.Unlock()
}

// wait waits until ch is closed. It returns false if the request or the server ends first.
func (s *Server) wait(ctx context.Context, ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

// sleep waits for d. It returns false if the request or the server has ended before.
func (s *Server) sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}
