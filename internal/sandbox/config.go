package sandbox

import (
	"crypto/tls"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
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
		c.SessionIdle = jobs.DefaultSessionIdle
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
