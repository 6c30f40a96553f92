package dsn

import (
	"log/slog"
	"strings"
	"time"
)

// Config is the content of a DSN. The zero value of every field but Project means
// "not given" and has the default named at the field. A Config may also be built in
// Go; [Config.Validate] applies the rules of [Parse] to it.
type Config struct {
	// Project is the id of the project that runs the jobs and is billed. It is
	// required. It may be a legacy id such as "example.com:proj".
	Project string
	// Dataset is the default dataset, which resolves table names without one. ""
	// means none. It belongs to Project, unless it names another project, as in
	// "bigquery-public-data.samples".
	Dataset string

	// Auth selects the credentials. "user" (or "") means those of the user who
	// signs in. "adc" means the application-default credentials of this machine,
	// of a user or of a service account. "none" sends no credentials, for an
	// Endpoint without sign-in, such as an emulator. With "adc" and "none" the
	// fields of the sign-in have no effect.
	Auth string
	// ClientSecrets is the path of the client_secrets.json of an OAuth client of
	// type "Desktop app", downloaded from the Google Cloud console. The driver
	// expands a leading "~/". "" means the path in the environment variable
	// BIGQUERYUSER_CLIENT_SECRETS.
	ClientSecrets string
	// Scopes are the OAuth scopes to request: short names (bigquery,
	// drive.readonly) or full ones (https://www.googleapis.com/auth/bigquery).
	// Empty means bigquery.
	Scopes []string
	// User is the e-mail address of the Google account that must sign in; another
	// account is refused. "" accepts every account.
	User string
	// HostedDomain is the Workspace domain that the account must belong to. ""
	// accepts every account.
	HostedDomain string
	// Profile is a label that keeps several sign-ins of one user apart.
	Profile string
	// Login says how the user may be asked to sign in: "auto" (or ""), "browser",
	// "manual" or "never". Package auth describes them.
	Login string
	// RedirectPort is the port on 127.0.0.1 to which the browser returns after
	// the sign-in, 0 to 65535. 0 means any free port.
	RedirectPort int
	// LoginTimeout limits how long a sign-in may take. 0 means the default of
	// package auth.
	LoginTimeout time.Duration
	// TokenStore says where the sign-in is kept: "file" (or ""), "keyring" (the
	// platform's secure storage) or "memory" (until the program ends).
	TokenStore string
	// TokenDir is the directory in which sign-ins are kept. The driver expands a
	// leading "~/". "" means the default of package auth.
	TokenDir string
	// QuotaProject is the project whose API quota the requests count against (the
	// X-Goog-User-Project header). "" means the project in the environment
	// variable GOOGLE_CLOUD_QUOTA_PROJECT, else that of the application-default
	// credentials, else that of the OAuth client.
	QuotaProject string

	// Location is where jobs run, such as "US", "EU" or "europe-west1". "" lets
	// BigQuery choose it by the datasets of the statement.
	Location string
	// CreateSession says when a connection gets a BigQuery session. "auto" (or ""):
	// for transactions. "always": for every statement, so that temporary tables,
	// variables and SET @@... last as long as an sql.Conn is held.
	CreateSession string
	// MaximumBytesBilled makes BigQuery refuse a statement that would bill more
	// bytes, before it costs anything. 0 sets no limit.
	MaximumBytesBilled int64
	// UseQueryCache lets BigQuery answer from cached results, which costs nothing.
	// nil means BigQuery's default, true.
	UseQueryCache *bool
	// Labels are attached to every job, for the bill and the logs.
	Labels map[string]string
	// JobTimeout is how long a job may run before BigQuery ends it, in whole
	// milliseconds. 0 sets no limit.
	JobTimeout time.Duration
	// Priority says when a job runs. "interactive" (or ""): as soon as possible.
	// "batch": when there are idle resources, within 24 hours.
	Priority string
	// Reservation is the reservation whose slots jobs use, as in
	// "projects/P/locations/L/reservations/R". "none" bills by bytes even if a
	// reservation is assigned to the project. "" uses the project's assignment.
	Reservation string
	// KMSKey is the Cloud KMS key that encrypts results and the tables that
	// statements create, as in "projects/P/locations/L/keyRings/R/cryptoKeys/K".
	// "" uses the key of the dataset, of the project, or Google's.
	KMSKey string
	// JobCreation says whether BigQuery must create a job for every query.
	// "required" (or ""): yes. "optional": BigQuery may answer a short query
	// without a job, which is faster.
	JobCreation string
	// JobIDPrefix is the first part of the ids of jobs, before a random part:
	// letters, digits, _ and -. "" leaves the ids to BigQuery.
	JobIDPrefix string
	// LabelJobs puts the label bigqueryuser:connection on each job. The driver
	// finds a job whose answer was lost by it, and cancels the job. Labels appear
	// in billing exports.
	LabelJobs bool
	// DestinationTable keeps the results of queries in a table: "table" of Dataset,
	// "dataset.table" or "project.dataset.table". "" keeps them for a day in a
	// temporary table of BigQuery's.
	DestinationTable string
	// WriteDisposition says what happens to rows that DestinationTable already has.
	// "empty" (or ""): the table must have none. "append": they stay. "truncate":
	// the table is replaced. "truncate_data": its rows are replaced, its columns
	// stay.
	WriteDisposition string
	// CreateDisposition says whether DestinationTable is created if it does not
	// exist. "if_needed" (or ""): yes. "never": the query fails.
	CreateDisposition string
	// DryRun makes BigQuery check statements without running them, which bills
	// nothing.
	DryRun bool
	// TimeZone is the default time zone of statements, such as "Europe/Zurich". ""
	// means BigQuery's, UTC. It is sent with every statement, so leave it out where
	// a session runs SET @@time_zone. It does not change how values are read.
	TimeZone string
	// ReadAPI says how rows are read. "auto" (or ""): small results over REST,
	// large ones through the Storage Read API. "rest": always over REST. "storage":
	// every result of more than one page through the Storage Read API. Where that
	// API is not allowed, rows are read over REST. With an Endpoint and no
	// StorageEndpoint, "auto" reads over REST, and "storage" is an error.
	ReadAPI string
	// MaxResults is the number of rows in a page of results. 0 means 10,000 in the
	// first page and BigQuery's choice after it. BigQuery ends a page at 10 to
	// 20 MB in any case.
	MaxResults int64
	// Endpoint is the base URL of the REST service; "" means Google's. With "user"
	// and "adc" as Auth, the driver sends access tokens to BigQuery's hosts at
	// googleapis.com over https, to a loopback address only if the OAuth client
	// is a loopback client, such as a sandbox's, and to other hosts only if Go code
	// (driver.WithTrustedEndpoint) or BIGQUERYUSER_TRUSTED_HOSTS names them. With
	// "none" no token is sent, and any http or https URL is allowed.
	Endpoint string
	// StorageEndpoint is the base URL of the Storage Read API, under the rules of
	// Endpoint. "" means Google's.
	StorageEndpoint string
	// Application is added to the User-Agent header of the requests, such as
	// "sales-report/1.2". Printable ASCII. "" adds nothing.
	Application string
}

// Validate returns an [*Error] for the first field that breaks a rule of [Parse],
// with the key of the field. Parse calls it too.
func (c Config) Validate() error {
	for i := range params {
		p := &params[i]
		if problem := p.check(&c); problem != "" {
			return &Error{Key: p.key, Problem: problem}
		}
	}
	for _, e := range [...]struct{ key, url string }{
		{"endpoint", c.Endpoint},
		{"storage_endpoint", c.StorageEndpoint},
	} {
		if c.Auth != "none" && e.url != "" && !isPrivate(e.url) {
			return &Error{Key: e.key, Problem: "is an http URL of another machine, which would show the access token " +
				"to the network; want an https URL, an http URL of a loopback address, " +
				"or auth=none for a server without sign-in"}
		}
	}
	if c.Auth == "none" && c.Endpoint == "" {
		return &Error{Key: "auth", Problem: "is none, which needs an endpoint without sign-in, " +
			"such as an endpoint on this machine: endpoint=http://127.0.0.1:9050"}
	}
	if c.DestinationTable != "" && c.Dataset == "" && !strings.Contains(c.DestinationTable, ".") {
		return &Error{Key: "destination_table",
			Problem: "names no dataset, and there is no default dataset; want dataset.table"}
	}
	if c.DestinationTable == "" && c.WriteDisposition+c.CreateDisposition != "" {
		key := "write_disposition"
		if c.WriteDisposition == "" {
			key = "create_disposition"
		}
		return &Error{Key: key, Problem: "has no effect without a destination_table; add one, or leave it out"}
	}
	if c.ReadAPI == "storage" && c.Endpoint != "" && c.StorageEndpoint == "" {
		return &Error{Key: "read_api", Problem: "is storage, which needs a storage_endpoint in addition to the " +
			"endpoint; add one, or leave read_api out"}
	}
	return nil
}

// Format returns c as a DSN in canonical form: keys are sorted, those with a zero
// value are left out, words are in lowercase letters, and sizes are in bytes. For every
// c that [Config.Validate] accepts, Parse(c.Format()) returns c again, with an empty
// Scopes as nil.
//
// The text has no secrets, but it names files and directories of the user. Use
// [Config.String] in logs.
func (c Config) Format() string {
	return c.write(func(_ *param, text string) string { return escape(text) })
}

// String returns c as [Config.Format] does, for logs and error texts. It masks
// client_secrets, token_dir and user, which tell something about the user and the
// machine, and every value that [Config.Validate] refuses, because it could be
// anything. The result can't be parsed.
func (c Config) String() string {
	return c.write(func(p *param, text string) string {
		if p.personal || p.check(&c) != "" {
			return mask
		}
		return escape(text)
	})
}

// mask replaces a hidden value in Config.String.
const mask = "***"

// GoString returns [Config.String], so that %#v hides what %v hides.
func (c Config) GoString() string { return c.String() }

// LogValue returns [Config.String], for package log/slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
