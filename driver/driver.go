// Package driver is a database/sql driver for Google BigQuery that works with the person's
// own Google account. It registers itself as "bigqueryuser":
//
//	import _ "github.com/bigqueryuser/bigqueryuser/driver"
//
//	db, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
//
// The first connection signs the person in: it opens Google's consent page in the browser, or
// shows its address in the terminal. From then on the sign-in is kept and renewed silently.
// Queries run as that person, see what that person may see and are billed to the project of the
// DSN. Package dsn has the DSN's keys, package auth what is kept where. A program that would
// rather choose the moment calls db.PingContext at its start: it signs the person in if need
// be, and asks BigQuery, without billing anything, whether that person may run queries in the project.
//
// Without a DSN, a [Connector] is made of the same configuration and of what text can't carry:
// client secrets embedded in the program, a source of tokens, a prompter, a logger, an observer of
// statements.
//
//	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project"}, driver.WithClientSecrets(secrets))
//	db := sql.OpenDB(connector)
//
// [Identity] tells who is signed in. [Connector.SignIn] gives that sign-in, to log out or to revoke it.
//
// # Trust
//
// A DSN is trusted input, yet it can't choose who gets the user's access tokens. They go to
// BigQuery's hosts at googleapis.com, over https; to a loopback endpoint only with an OAuth client
// of loopback, such as the sandbox's; and to other hosts, such as a company's gateway, only with
// [WithTrustedEndpoint] or by the environment variable [TrustedHostsEnv]. With auth=none there is
// no token, and any endpoint is allowed. Never join texts to make a DSN: what comes from elsewhere
// belongs into the fields of a dsn.Config.
//
//	cfg := &dsn.Config{Project: project, Dataset: dataset} // whatever they hold, they name no endpoint
//	connector, err := driver.NewConnector(cfg, driver.WithClientSecrets(secrets))
//
// # Networks
//
// The sign-in, REST and the Storage Read API share one setting: the proxy, the certificate
// authorities and the dialer of http.DefaultTransport, or of [WithHTTPTransport]. A company's
// certificate authority belongs into the system's store, or, on Linux and BSD, into a file that
// SSL_CERT_FILE names, or into the program:
//
//	pool, err := x509.SystemCertPool()
//	pool.AppendCertsFromPEM(companyCA)
//	connector, err := driver.NewConnector(cfg, driver.WithTLSConfig(&tls.Config{RootCAs: pool}))
//
// The sign-in verifies certificates even where that is turned off for the others.
// [WithRoundTripper] wraps the HTTP transport, and [WithAuthenticator] brings a sign-in that the
// program has configured itself. The quota project is quota_project of the DSN, else
// GOOGLE_CLOUD_QUOTA_PROJECT, else what the application-default credentials name.
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
//	DATE                 time.Time             midnight in UTC; civil.Date
//	DATETIME             time.Time             its clock in UTC; civil.DateTime
//	TIME                 string                15:04:05[.ffffff]; civil.Time
//	INTERVAL             string                BigQuery's canonical form, Y-M D H:M:S[.F]; bigquery.IntervalValue by As
//	GEOGRAPHY            string                WKT
//	JSON                 string                the JSON text; []byte
//	RANGE<T>             Range                 string by As, as BigQuery prints it
//	ARRAY<T>             []int64, []string ...  a slice of the T above; NULL is an empty one
//	STRUCT<...>          Struct                names and values in their order
//
// NULL is nil. ColumnTypes reports sql.Null[T] as the scan type of columns that can be NULL and T
// for REQUIRED ones and ARRAYs. A destination of the exact type just works: var tags []string;
// rows.Scan(&tags). [As] decodes into Go structs, slices and maps.
//
// # Arguments
//
// Placeholders are ? or @name (with sql.Named), never both in one statement. Arguments go to
// BigQuery as typed query parameters, never as text of the statement:
//
//	Go                                         BigQuery
//	bool                                       BOOL
//	int, int8 ... int64, uint ... uint64       INT64 (a uint64 above 9223372036854775807 is an error)
//	float32, float64                           FLOAT64
//	string                                     STRING (valid UTF-8), or what is text in Go too, as below
//	[]byte                                     BYTES (nil is NULL)
//	time.Time                                  TIMESTAMP, DATETIME, DATE or TIME, as the statement needs it
//	civil.Date, civil.DateTime, civil.Time     DATE, DATETIME, TIME
//	*big.Rat                                   NUMERIC, or BIGNUMERIC if it has more digits
//	*big.Int                                   INT64, or NUMERIC, or BIGNUMERIC
//	*bigquery.IntervalValue                    INTERVAL
//	json.RawMessage                            JSON
//	Range                                      RANGE<T>
//	bigquery.NullInt64 ...                     the type of the name, also when it is NULL
//	bigquery.QueryParameterValue               the type that it names
//	nil, nil pointers, sql.NullString{} ...    NULL, of the type that the statement needs
//	[]T                                        ARRAY<T>; a nil slice is an empty one
//	Go structs, Struct                         STRUCT, of the exported fields or of what bigquery:"name" tags say
//	pointers, sql.Null[T], driver.Valuer       what they hold
//
// A NULL without a type and a time.Time fit several BigQuery types. Which one is meant is asked
// of BigQuery, in a dry run that bills nothing, once for each text of a statement. Where BigQuery
// finds a DATE, DATETIME or TIME, it is given the time's own clock, in its own location; elsewhere the
// instant, as a TIMESTAMP. What is below microseconds is cut off.
//
// Text that is read from a NUMERIC, BIGNUMERIC, INTERVAL, GEOGRAPHY or JSON column can be written
// into one: when BigQuery refuses it as a STRING, it is asked the same question, once, and the
// statement sent again. Not so inside an ARRAY or a STRUCT, nor in a transaction, which BigQuery
// rolls back at the first error: prepare the statement there, which asks before, or write CAST(? AS
// NUMERIC).
//
// # Transactions and sessions
//
// BeginTx begins a real transaction, with snapshot isolation, in a BigQuery session that the
// connection keeps for its next one. Statements outside of transactions run in no session. BigQuery
// has no read-only transactions and no other isolation levels, does not nest transactions and
// refuses DDL on permanent tables in them. A transaction that met another one's change of the same
// table fails with [ErrConcurrentUpdate] and can be tried again as a whole:
//
//	if err := tx.Commit(); errors.Is(err, driver.ErrConcurrentUpdate) { /* begin again */ }
//
// When the context of BeginTx ends, the transaction is rolled back; if it ends while Commit waits,
// nobody knows the outcome, and the error matches [ErrCommitUnknown]. Statements of one transaction
// run one after the other, whichever goroutine they come from; its rows may stay open meanwhile.
// After a statement that failed, BigQuery has rolled back the transaction: what comes next is an
// error, and Commit too. With create_session=always every statement of an sql.Conn runs in one
// session, for temporary tables, variables and SET @@...; they do not reach the next user of the
// connection.
//
// # Scripts
//
// A text of several statements runs as one job. Every SELECT in it is a result set, in order, which
// Rows.NextResultSet fetches when it is asked for; RowsAffected is the sum over its DML. It costs
// one request more than a statement, and one for each result but the last. The error of a script
// has its line.
//
// # Job options
//
// What the DSN says of priority, location, limits, labels and the like, a [JobOption] changes for
// one statement. It is an argument beside the others, of prepared statements too, or comes by the
// context, which reaches through libraries:
//
//	rows, err := db.QueryContext(ctx, "SELECT ...", 5, driver.Priority("batch"), driver.MaximumBytesBilled(1<<30))
//	ctx = driver.WithOptions(ctx, driver.Labels(map[string]string{"report": "daily"}))
//
// A wrong value is an error before anything is sent. In a
// transaction the location can't change, and BEGIN, COMMIT and ROLLBACK always run at once.
//
// # What a statement costs
//
// A query whose rows fit the first page is one request, and so are DML with RowsAffected, DDL,
// Prepare, Ping, BeginTx, Commit and Rollback. RowsAffected of CREATE TABLE AS SELECT makes two of
// its own. Batch priority, a job id prefix and a destination table cost one request more, for the
// result.
//
// When the context of a statement ends, the caller has its error at once and the job is cancelled
// at BigQuery, where the person would pay for it. A request that failed for a passing reason is
// sent again with the same request id, so that BigQuery does not run it twice; Retry-After is
// heeded.
//
// [Estimate] tells what would be read, [WithStats] what was, with the job, its cost and its page in
// the console, and [WithObserver] tells it of every statement. [WithProgress] tells how far a long
// one is.
//
// # Large results
//
// The first page has 10,000 rows at most, or max_results; those after it are as large as BigQuery
// makes them, 10 to 20 MB, and the next one is fetched and decoded while one is scanned. Where more
// than 20 MB are still to come after the first page, they come by the Storage Read API instead, as
// compressed Arrow. That opens with three requests, which take about as long as a page does. Rows
// that the statement orders come over one stream, which goes on where the first page ended. Others
// come over several streams at a time, one for each processor and 8 at most, in no order, and
// without the first page, since nobody knows in which of them its rows are. The account needs the
// permission bigquery.readsessions.create, which is in the role BigQuery Read Session User. Where
// it is missing, or the API is not to be had, the rows come by REST, and Stats.ReadAPI and
// Stats.Fallback say so. A stream that breaks is opened again after the last row that came, and a
// result that ends early is an error. A table that results are appended to is read by REST, since
// its other rows are not the result. read_api=rest never asks the Storage Read API,
// read_api=storage does for every result of more than a page.
//
// A result is never in memory as a whole. Over REST it takes two pages and six runs of decoded
// rows; over the Storage Read API for each stream one message, up to 4 MB that the network holds
// ready and three runs. A run has 1,024 rows at most, and 32,768 values. Ten million rows of an
// INT64 and a STRING are read within 128 MB by either. What takes how long is in internal/bench.
//
// # Errors
//
// What BigQuery refuses is an [*Error], with the reason, the place in the statement, the job and
// the project; %+v shows the line and a caret. errors.Is compares it with [ErrInvalidQuery] and the
// other reasons. Errors of the sign-in are those of package auth. The end of a context is the
// context's own error, with what the last try failed with, if one did.
//
// # Below database/sql
//
// [Raw] gives the official client, with the sign-in and the network connections of the connector,
// and the session that a connection's statements run in.
//
// # Limits
//
// LastInsertId does not exist in BigQuery. Before Go 1.27 database/sql lets no driver scan a string
// into a json.RawMessage: JSON scans into string, []byte and, through As, whatever the JSON decodes
// into.
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
