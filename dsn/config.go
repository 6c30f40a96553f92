package dsn

import (
	"log/slog"
	"strings"
	"time"
)

// Config is what a DSN says. The zero value of every field but Project means
// "not given" and leaves the choice to the default named at the field. A Config
// may as well be built in Go; [Config.Validate] holds it to the rules of
// [Parse].
type Config struct {
	// Project is the id of the project that is billed and runs the jobs.
	// It is required. It may be a legacy id such as "example.com:proj".
	Project string
	// Dataset is the default dataset, in which table names without one are
	// looked up; "" means there is none. It lies in Project, unless it names
	// another one, as in "bigquery-public-data.samples".
	Dataset string

	// Auth says whose credentials are used. "user" (and ""): those of the user
	// who signs in. "adc": the application-default credentials of this machine,
	// whoever they belong to. "none": none at all, for an Endpoint that wants none,
	// such as that of an emulator.
	// With adc and none the keys of the sign-in have no effect.
	Auth string
	// ClientSecrets is the path of the client_secrets.json that the Cloud
	// console gives out for an OAuth client of type "Desktop app". A leading
	// "~/" is expanded by the driver, not here. "" leaves it to the driver, which
	// looks at the environment variable BIGQUERYUSER_CLIENT_SECRETS.
	ClientSecrets string
	// Scopes are the OAuth scopes to ask the user for: short names
	// (bigquery, drive.readonly) or full ones
	// (https://www.googleapis.com/auth/bigquery). Empty means bigquery.
	Scopes []string
	// User is the e-mail address of the Google account that must sign in; with
	// another one the connection fails. "" takes whoever signs in.
	User string
	// HostedDomain is the Workspace domain that the account must belong to. ""
	// takes any.
	HostedDomain string
	// Profile is a free label that keeps several sign-ins of one user apart.
	Profile string
	// Login says how the user may be asked to sign in: "auto", "browser",
	// "manual" or "never". "" means auto.
	Login string
	// RedirectPort is the port on 127.0.0.1 to which the browser returns after
	// the sign-in, 0 to 65535. 0 means any free one.
	RedirectPort int
	// LoginTimeout is how long the user may take to sign in. 0 means the
	// default of package auth.
	LoginTimeout time.Duration
	// TokenStore is where the sign-in is kept: "file" (and ""), "keyring" (the
	// platform's secure storage) or "memory" (it ends with the program).
	TokenStore string
	// TokenDir is the folder in which sign-ins are kept. "" means the default
	// of package auth. A leading "~/" is expanded by the driver, not here.
	TokenDir string
	// QuotaProject is the project whose API quota the requests count against
	// (the X-Goog-User-Project header). "" sends no such header.
	QuotaProject string

	// Location is where jobs run, such as "US", "EU" or "europe-west1". ""
	// lets BigQuery choose it by the datasets of the statement.
	Location string
	// CreateSession says when a connection gets a BigQuery session. "auto" (and
	// ""): for transactions. "always": for every statement, so that temporary
	// tables, variables and SET @@... last as long as an sql.Conn is held.
	CreateSession string
	// MaximumBytesBilled makes BigQuery refuse a statement that would bill more
	// bytes than this, before it costs anything. 0 sets no limit of its own.
	MaximumBytesBilled int64
	// UseQueryCache lets BigQuery answer from results that it has kept, which
	// costs nothing. nil is its default, true.
	UseQueryCache *bool
	// Labels are put on every job, for the bill and the logs. nil adds none.
	Labels map[string]string
	// JobTimeout is how long a job may run before BigQuery ends it, in whole
	// milliseconds. 0 sets no limit of its own.
	JobTimeout time.Duration
	// Priority is when a job runs. "interactive" (and ""): as soon as it can.
	// "batch": when there are idle resources, within 24 hours.
	Priority string
	// Reservation is the reservation whose slots jobs use, as in
	// "projects/P/locations/L/reservations/R". "none" is billed by the bytes
	// whatever is assigned to the project. "" leaves it to those assignments.
	Reservation string
	// KMSKey is the Cloud KMS key that encrypts results and the tables that
	// statements make, as in "projects/P/locations/L/keyRings/R/cryptoKeys/K". ""
	// leaves it to the dataset, the project or Google.
	KMSKey string
	// JobCreation says whether BigQuery must make a job of every query.
	// "required" (and ""): yes. "optional": it may answer a short one without a
	// job, which is faster.
	JobCreation string
	// JobIDPrefix is what the ids of jobs begin with, before a random part:
	// letters, digits, _ and -. "" leaves the ids to BigQuery.
	JobIDPrefix string
	// LabelJobs puts a label on each job, bigqueryuser:connection, by which a job is found and
	// cancelled whose answer was lost. Labels are in billing exports.
	LabelJobs bool
	// DestinationTable keeps the results of queries in a table: "table" of Dataset,
	// "dataset.table" or "project.dataset.table". "" leaves them in a table of
	// BigQuery's own, for a day.
	DestinationTable string
	// WriteDisposition is what becomes of the rows that a DestinationTable has
	// already. "empty" (and ""): there must be none. "append": they stay.
	// "truncate": the table is made anew. "truncate_data": its columns stay.
	WriteDisposition string
	// CreateDisposition says whether the DestinationTable is made if it is not
	// there. "if_needed" (and ""): yes. "never": no, that is an error.
	CreateDisposition string
	// DryRun has statements checked and not run, which bills nothing.
	DryRun bool
	// TimeZone is the default time zone of statements, as in "Europe/Zurich". ""
	// means BigQuery's, UTC. It goes with every statement, so leave it out where a
	// session says SET @@time_zone, and has no effect on how values are read.
	TimeZone string
	// ReadAPI is how rows are read. "auto" (and ""): small results over REST, big
	// ones through the Storage Read API. "rest": always over REST. "storage":
	// every result of more than one page through the Storage Read API. Where that
	// may not be used, rows come over REST after all. With an Endpoint and no
	// StorageEndpoint auto reads over REST, and storage is an error.
	ReadAPI string
	// MaxResults is the number of rows in a page of results. 0 means 10,000 in the
	// first page and leaves the others to BigQuery, which ends pages at 10 to 20 MB
	// in any case.
	MaxResults int64
	// Endpoint is the base URL of the REST service; "" means Google's. With an Auth
	// of "user" or "adc" the driver sends access tokens to BigQuery's hosts at
	// googleapis.com, over https; to a loopback address only if the OAuth client
	// is of loopback itself, as a sandbox's; and to other hosts only if Go code
	// (driver.WithTrustedEndpoint) or BIGQUERYUSER_TRUSTED_HOSTS says so. With
	// "none" no token is sent, and any http or https URL is allowed.
	Endpoint string
	// StorageEndpoint is the base URL of the Storage Read API, under the rule of
	// Endpoint. "" means Google's.
	StorageEndpoint string
	// Application is put into the User-Agent header of the requests, as in
	// "sales-report/1.2". Printable ASCII. "" adds nothing.
	Application string
}

// Validate reports the first field that [Parse] would not have returned, as an
// [*Error] with the key of the field. Parse calls it as well, so both ways to a
// Config share one set of rules.
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
			return &Error{Key: e.key, Problem: "is an http URL of another machine, where others on the way could " +
				"read the access token; want an https URL, an http URL of a loopback address, " +
				"or auth=none for a server without sign-in"}
		}
	}
	if c.Auth == "none" && c.Endpoint == "" {
		return &Error{Key: "auth", Problem: "is none, which needs an endpoint without sign-in, " +
			"such as the endpoint on this machine that endpoint=http://127.0.0.1:9050 names"}
	}
	if c.DestinationTable != "" && c.Dataset == "" && !strings.Contains(c.DestinationTable, ".") {
		return &Error{Key: "destination_table",
			Problem: "names no dataset, and there is no default one; want dataset.table"}
	}
	if c.DestinationTable == "" && c.WriteDisposition+c.CreateDisposition != "" {
		key := "write_disposition"
		if c.WriteDisposition == "" {
			key = "create_disposition"
		}
		return &Error{Key: key, Problem: "says nothing without a destination_table; give one, or leave it out"}
	}
	if c.ReadAPI == "storage" && c.Endpoint != "" && c.StorageEndpoint == "" {
		return &Error{Key: "read_api", Problem: "is storage, which needs a storage_endpoint beside the endpoint; " +
			"give one, or leave read_api out"}
	}
	return nil
}

// Format writes c as a DSN. The text is canonical: keys are sorted and those
// with a zero value are left out. For every c that [Config.Validate] accepts,
// Parse(c.Format()) gives c again, with an empty Scopes as nil.
//
// The text has no secrets, but it names files and folders of the user; use
// [Config.String] for logs.
func (c Config) Format() string {
	return c.write(func(_ *param, text string) string { return escape(text) })
}

// String is [Config.Format] for logs and error texts. Masked as "***" are the
// values that say something of the user and their machine rather than of the
// connection (client_secrets, token_dir, user), and any value that
// [Config.Validate] would refuse, since nobody knows what it is. The result is
// not meant to be parsed.
func (c Config) String() string {
	return c.write(func(p *param, text string) string {
		if p.personal || p.check(&c) != "" {
			return mask
		}
		return escape(text)
	})
}

// mask stands for a hidden value in Config.String.
const mask = "***"

// GoString is [Config.String], so that %#v hides what %v hides.
func (c Config) GoString() string { return c.String() }

// LogValue is [Config.String] for package log/slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
