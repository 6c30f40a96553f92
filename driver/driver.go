// Package driver is a database/sql driver for Google BigQuery that works with
// the user's own Google account. It registers itself as "bigqueryuser":
//
//	import _ "github.com/bigqueryuser/bigqueryuser/driver"
//
//	db, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
//
// The first connection signs the user in: it opens Google's consent page in the
// browser, or prints its address in the terminal. The sign-in is stored and
// renewed silently. Queries run as the user, see only the data that the user
// may see, and are billed to the project in the DSN. Package dsn documents the
// keys of a DSN, package auth the sign-in and where it is stored. To choose the
// moment of the sign-in, call db.PingContext when the program starts. Ping
// signs the user in if necessary and checks, without cost, that the user may
// run queries in the project.
//
// [NewConnector] takes the same configuration without a DSN. Options add what
// text can't express: client secrets embedded in the program, a source of
// tokens, a prompter, a logger, an observer of statements.
//
//	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project"}, driver.WithClientSecrets(secrets))
//	db := sql.OpenDB(connector)
//
// [Identity] returns who is signed in. [Connector.Authenticator] returns the
// sign-in, to log out or to revoke it.
//
// # Trust
//
// A DSN alone can't choose which hosts get the user's access tokens. They go to
// BigQuery's hosts at googleapis.com, over https; to a loopback endpoint only
// with an OAuth client whose authorization server is on loopback too, such as
// the sandbox's; and to other hosts, such as a company's gateway, only with
// [WithTrustedEndpoint] or the environment variable [TrustedHostsEnv]. With
// auth=none there is no token, and any endpoint is allowed. Never build a DSN
// by joining strings. Put values that come from outside the program into the
// fields of a dsn.Config.
//
//	cfg := &dsn.Config{Project: project, Dataset: dataset} // neither can set an endpoint
//	connector, err := driver.NewConnector(cfg, driver.WithClientSecrets(secrets))
//
// # Networks
//
// The sign-in, REST and the Storage Read API use the same proxy, certificate
// authorities and dialers: those of http.DefaultTransport, or of
// [WithHTTPTransport]. Add a company's certificate authority to the system's
// store or, on Linux and BSD, to the file that SSL_CERT_FILE names, or add it
// in the program:
//
//	pool, err := x509.SystemCertPool()
//	pool.AppendCertsFromPEM(companyCA)
//	connector, err := driver.NewConnector(cfg, driver.WithTLSConfig(&tls.Config{RootCAs: pool}))
//
// The sign-in verifies certificates even if InsecureSkipVerify turns that off
// for the other requests. [WithRoundTripper] wraps the HTTP transport, and
// [WithAuthenticator] uses a sign-in that the program has configured itself.
// The quota project is the DSN's quota_project, else
// GOOGLE_CLOUD_QUOTA_PROJECT, else the one of the application-default
// credentials.
//
// # Results
//
//	BigQuery             value in an any       also scans into
//	INT64                int64
//	FLOAT64              float64               NaN and the infinities are kept
//	BOOL                 bool
//	STRING               string
//	BYTES                []byte
//	NUMERIC, BIGNUMERIC  string                exact decimal, without zeros at its end
//	TIMESTAMP            time.Time             in UTC, microseconds
//	TIMESTAMP(12)        time.Time             in UTC, nanoseconds; a string of twelve digits by As
//	DATE                 time.Time             midnight in UTC; civil.Date
//	DATETIME             time.Time             its clock in UTC; civil.DateTime
//	TIME                 string                15:04:05[.ffffff]; civil.Time
//	INTERVAL             string                canonical, Y-M D H:M:S[.F]; bigquery.IntervalValue by As
//	GEOGRAPHY            string                WKT
//	JSON                 string                the JSON text; []byte; structs, maps and slices by As
//	RANGE<T>             Range                 string by As, as BigQuery prints it
//	ARRAY<T>             []int64, []string ...  a slice of the T above; NULL is an empty one
//	STRUCT<...>          Struct                names and values in their order
//
// NULL is nil. The scan type of ColumnTypes is sql.Null[T] for a column that
// can be NULL, and T for a REQUIRED column or an ARRAY. A destination of the
// value's type needs nothing else: var tags []string; rows.Scan(&tags). [As]
// decodes into Go structs, slices and maps.
//
// BigQuery's own text of a DATE, DATETIME or TIMESTAMP(12), such as 2024-02-29,
// 2024-02-29T15:04:05 or 2024-02-29T15:04:05.123456789012Z, is in the JSON of a
// [Struct], in a string scanned by [As] and, from Go 1.27 on, in a string
// scanned directly. Before Go 1.27, database/sql converts a time.Time to a
// string itself, in the format of RFC 3339: use driver.As(&text). A result with
// a TIMESTAMP(12) takes one more request. Its time.Time holds nanoseconds. If
// the value is passed on as an argument unchanged, as an any, all twelve digits
// are written.
//
// # Arguments
//
// Placeholders are ? or @name (with sql.Named), never both in one statement.
// Arguments are sent as typed query parameters and never become part of the
// statement's text:
//
//	Go                                         BigQuery
//	bool                                       BOOL
//	int, int8 ... int64, uint ... uint64       INT64 (a uint64 above 9223372036854775807 is an error)
//	float32, float64                           FLOAT64
//	string                                     STRING (valid UTF-8), or another type that is text in Go, as below
//	[]byte                                     BYTES (nil is NULL)
//	time.Time                                  TIMESTAMP, DATETIME, DATE or TIME, as the statement needs it
//	civil.Date, civil.DateTime, civil.Time     DATE, DATETIME, TIME
//	*big.Rat                                   NUMERIC, or BIGNUMERIC if it has more digits
//	*big.Int                                   INT64, or NUMERIC, or BIGNUMERIC
//	*bigquery.IntervalValue                    INTERVAL
//	json.RawMessage                            JSON
//	Range                                      RANGE<T>
//	bigquery.NullInt64 ...                     the type in its name, also for NULL
//	bigquery.QueryParameterValue               its Type
//	nil, nil pointers, sql.NullString{} ...    NULL, of the type that the statement needs
//	[]T                                        ARRAY<T>; a nil slice is an empty one
//	Go structs, Struct                         STRUCT of the exported fields; a tag bigquery:"name" renames one
//	pointers, sql.Null[T], driver.Valuer       the type of the value in them
//
// If the Go type of an argument does not determine its BigQuery type, the
// driver asks BigQuery, in a dry run, which bills nothing, once for each text
// of a statement. BigQuery's answer takes precedence, so a nil *string goes
// into a DATE column. The Go type is used if BigQuery finds no type, finds
// several, or guesses INT64 because nothing in the statement says more. It is
// also used if BigQuery can't be asked, as for a script. The elements of a
// slice have one type, which is merged from all elements, field by field. If
// they do not determine it, the Go type of the element or field is used.
//
//	Go value                           BigQuery is asked           else
//	nil *string, sql.NullString{},     yes                         STRING
//	  sql.Null[string]{}
//	nil *int64, sql.NullInt64{} ...    yes                         INT64
//	nil *float64, sql.NullFloat64{}    yes                         FLOAT64
//	nil *bool, sql.NullBool{}          yes                         BOOL
//	time.Time, nil *time.Time,         yes                         TIMESTAMP
//	  sql.NullTime{}
//	nil *civil.Date ...                yes                         DATE, DATETIME, TIME
//	nil pointer to a struct            yes                         STRUCT of its fields' types
//	[]T{} and nil elements of []*T     unless T determines it      ARRAY of T's type
//	a Valuer that returns nil          yes                         the type that its zero value returns
//	nil                                yes                         an error
//	nil *big.Int                       after a refusal             INT64, which goes where a NUMERIC does
//	nil *big.Rat, nil []byte,          after a refusal             NUMERIC, BYTES, JSON
//	  nil json.RawMessage
//	string                             after a refusal             STRING; or another type that is text in Go
//	[]byte that is UTF-8               after a refusal             BYTES; or STRING, JSON
//	float64, float32                   after a refusal             FLOAT64; or a NUMERIC, in the shortest text
//	any other                          no                          its type in the table above
//
// For a DATE, DATETIME or TIME parameter the driver sends the wall-clock time
// in the value's own location; otherwise it sends the instant as a TIMESTAMP,
// cut to microseconds unless BigQuery finds a TIMESTAMP(12).
//
// "After a refusal" means that the driver first sends the statement with the Go
// type. If BigQuery refuses it, the driver asks for the types and sends the
// statement once more. In a transaction it does not, because a transaction can
// only be rolled back after an error: prepare the statement, which asks first,
// or write CAST(? AS NUMERIC). If a server has no dry runs, the statement is
// sent with the Go types. All this holds for the elements of slices and the
// fields of structs too.
//
// Errors name the place, as in argument 1: [3].Name. A statement can have
// 10,000 arguments, and a request 10 MB.
//
// Libraries that write arguments into the text of a statement (bun, goqu by
// default, the Interpolate functions of query builders) need a dialect with
// GoogleSQL's escaping. With the escaping of another database a value can end
// its literal and inject SQL.
//
// # Transactions and sessions
//
// BeginTx begins a real transaction, with snapshot isolation, in a BigQuery
// session. The connection keeps the session for its next transaction.
// Statements outside of transactions run in no session. BigQuery has no
// read-only transactions and no other isolation levels, does not nest
// transactions, and refuses DDL on permanent tables in them. When another
// statement has changed the same table, the transaction fails with
// [ErrConcurrentUpdate] and can be tried again as a whole, which
// [RunTransaction] does:
//
//	err := driver.RunTransaction(ctx, db, nil, func(ctx context.Context, tx *sql.Tx) error { ... })
//
// When the context of BeginTx ends, the statement that runs in the transaction
// ends with it, and the transaction is rolled back. Statements of one
// transaction run one after the other, whichever goroutine they come from; rows
// may stay open meanwhile. After a statement has failed, BigQuery keeps the
// transaction open, with its locks. The driver then accepts only Rollback:
// other statements and Commit return an error, and Commit ends the transaction
// without committing.
//
// With create_session=always every statement of an sql.Conn runs in one
// session, for temporary tables, variables and SET @@... statements. They do
// not reach the next user of the connection.
//
// # Scripts
//
// A text with several statements runs as one job. Every SELECT in it is a
// result set, in order. Rows.NextResultSet fetches the next one. RowsAffected
// is the sum over the DML statements. A script takes one more request than a
// statement, and one for each result set except the last. The error of a script
// names its line.
//
// # Job options
//
// A [JobOption] changes a setting of the DSN for one statement: its priority,
// location, limits, labels and others. Pass it among the arguments, also to
// prepared statements, or in the context, which libraries pass on:
//
//	rows, err := db.QueryContext(ctx, "SELECT ...", 5, driver.Priority("batch"), driver.MaximumBytesBilled(1<<30))
//	ctx = driver.WithOptions(ctx, driver.Labels(map[string]string{"report": "daily"}))
//
// An invalid value is an error before anything is sent. The location can't
// change in a transaction. BeginTx, Commit and Rollback ignore priority and
// destination.
//
// # What a statement costs
//
// A query whose rows fit the first page is one request. So are DML with
// RowsAffected, DDL, Prepare, Ping, BeginTx, Commit and Rollback. A statement
// that takes longer than two seconds costs one more request, and another one if
// its Stats are asked for. RowsAffected of CREATE TABLE AS SELECT makes two
// requests of its own. Batch priority, a job id prefix and a destination table
// cost one more request, for the result.
//
// BigQuery holds the first request until the statement ends, but for 2 seconds
// at most if the context can end, and for 10 seconds if it can't. A longer
// statement is polled, with requests of up to 25 seconds. The answer comes when
// the statement ends; polling adds no pause. Requests by how long a statement
// takes, measured with a fake BigQuery, which answered within 25 ms of the end
// in each case:
//
//	statement takes                        0.3 s   1 s   5 s   30 s
//	context can end                          1      1     2      3
//	context can end, with Stats              1      1     3      4
//	context.Background()                     1      1     1      2
//	context.Background(), with Stats         1      1     1      3
//
// [Estimate] returns how many bytes a statement would read. [WithStats] returns
// what a statement has read and cost, with its job and the job's page in the
// console. [WithObserver] does so for every statement, and [WithProgress]
// reports the progress of a long one.
//
// # When something goes wrong
//
// A request that fails for a temporary reason is sent again under the same id:
// eight tries, with pauses that follow Retry-After and together take 30 seconds
// at most. Temporary reasons are broken connections, HTTP/2 resets, a network
// that vanishes, 408, 429, 5xx and pages of proxies. BigQuery recognizes the id
// of a single statement that changes something, and runs the statement once. It
// guarantees nothing for scripts, so the driver does not send a script that
// changes something again once it may have begun.
//
// When the context of a statement ends, the caller gets its error at once and
// the job is cancelled. Cleaning up never starts a statement. If a statement
// that can change something was sent, and its outcome can't be learnt, the
// error matches [ErrOutcomeUnknown] as well as its cause. For a Commit it also
// matches [ErrCommitUnknown]. For writes that must not run twice, set
// job_id_prefix: the driver then chooses the id of the job, which BigQuery
// accepts once and by which the driver finds the job again. With
// label_jobs=true every job has a label, by which a job whose answer was lost
// is found and cancelled.
//
// Closing the database ends open transactions, cancels running jobs and waits
// up to five seconds for BigQuery. If a program exits without closing the
// database, its jobs go on; job_timeout limits them.
//
// # Large results
//
// The first page has at most 10,000 rows, or max_results. The pages after it
// are fetched and decoded while the program reads: up to six at a time, each
// for as many rows as fit 7 MB, in the order of the result. BigQuery ends a
// page at about 10 MB; rows that it leaves out are fetched before the next
// page. If it refuses a page because of a quota, the connector fetches one page
// at a time for a minute. The pages of a result in a destination table, where
// rows can change, and those from a gateway are always fetched one after the
// other.
//
// If more than 20 MB follow the first page, the driver uses the Storage Read
// API, which sends compressed Arrow. Opening it takes three requests, about as
// long as one page. Ordered results are read over one stream, which starts
// after the first page. Unordered results are read over several streams at
// once, one per CPU and at most 8, in no particular order. The first page is
// dropped and read again, because its rows can be in any of the streams. A
// stream that breaks is opened again after the last row that arrived. A result
// that ends early is an error.
//
// The Storage Read API needs the permission bigquery.readsessions.create (role
// BigQuery Read Session User). Without it, or if the API can't be reached, the
// rows come over REST, and Stats.ReadAPI and Stats.Fallback say so. The
// destination table of write_disposition=append is always read over REST,
// because it also holds other rows. read_api=rest never uses the Storage Read
// API; read_api=storage uses it for every result of more than one page.
//
// A result is never in memory as a whole. REST holds seven pages, about 50 MB,
// and six batches of decoded rows. The Storage Read API holds, for each stream,
// one message, up to 4 MB in the network's buffers and three batches. A batch
// has at most 1,024 rows and 32,768 values. Either way ten million rows of an
// INT64 and a STRING are read within 160 MB. For timings see internal/bench.
//
// # Many rows
//
// To read many rows, [Query] decodes them straight into structs, maps or
// scalars, and [QueryArrow] returns them as Arrow record batches. Both use REST
// and the Storage Read API as rows.Next does, with less work per row: Query
// needs about half of Scan's time for a wide row.
//
// To write rows, choose by their number:
//
//	rows         way                                requests  limits
//	1            INSERT ... VALUES (?, ?)           1         a statement takes a second or more
//	to 10,000    INSERT ... SELECT FROM UNNEST(?)   1         10 MB a request; the argument is a []struct
//	any number   bulk.Append, see package bulk      4         10 MB a row; no transaction
//	a file       bulk.Append, or LOAD DATA          4, 1      a table takes 1,500 load jobs a day
//
// One of Append's requests is a stream of messages of 1 MiB. A statement can
// have 10,000 parameters, so an INSERT with a list of VALUES is limited to
// 2,000 rows of five columns. Package
// [github.com/bigqueryuser/bigqueryuser/driver/bulk] has no such limit: it
// sends rows while the program produces them, and its memory does not grow with
// their number. The guide docs/many-rows.md has examples, internal/bench
// timings.
//
// # Errors
//
// A refusal by BigQuery, or the failure of a job, is an [*Error] with the
// reason, the place in the statement, the job and the project. %+v adds the
// line and a caret. errors.Is compares it with [ErrInvalidQuery] and the other
// reasons. Errors of the sign-in are those of package auth. When a context
// ends, the error is the context's; if an attempt had failed before, it wraps
// that error too.
//
// # Below database/sql
//
// [Raw] gives access to the official client, with the connector's sign-in and
// network connections, and to the session of a connection. It also works under
// libraries that wrap drivers; [Queryer] lists them.
//
// # Limits
//
// BigQuery has no LastInsertId. Before Go 1.27, database/sql can't scan a
// string into a json.RawMessage: scan JSON into a string, a []byte or, with As,
// a type that the JSON decodes into.
package driver

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"github.com/bigqueryuser/bigqueryuser/dsn"
)

// Name is the name under which the driver is registered with database/sql.
const Name = "bigqueryuser"

func init() { sql.Register(Name, &Driver{}) }

// Driver is the database/sql driver. sql.Open(Name, dsn) is the usual way to it;
// [NewConnector] with sql.OpenDB is the other.
type Driver struct{}

var (
	_ driver.Driver        = (*Driver)(nil)
	_ driver.DriverContext = (*Driver)(nil)
)

// OpenConnector parses the DSN and reads the client secrets that it names, so that a mistake in
// either is reported by sql.Open. It makes no request. An empty DSN is an error of the first
// connection: libraries that wrap drivers, such as otelsql, open one with it to ask for its Driver.
func (d *Driver) OpenConnector(name string) (driver.Connector, error) {
	cfg, err := dsn.Parse(name)
	if err != nil && name == "" {
		return noDSN{d, err}, nil
	}
	if err != nil {
		return nil, err
	}
	return NewConnector(cfg)
}

// Open connects without a context. database/sql calls OpenConnector instead.
func (d *Driver) Open(name string) (driver.Conn, error) {
	c, err := d.OpenConnector(name)
	if err != nil {
		return nil, err
	}
	return c.Connect(context.Background())
}

// noDSN connects to nothing.
type noDSN struct {
	driver *Driver
	err    error
}

func (c noDSN) Connect(context.Context) (driver.Conn, error) { return nil, c.err }
func (c noDSN) Driver() driver.Driver                        { return c.driver }
