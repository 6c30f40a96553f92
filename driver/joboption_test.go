package driver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// jobOptions are the options: a good value and a bad one, each as text of the DSN and as a JobOption, and where the good
// one lies in the bodies of jobs.query and jobs.insert.
var jobOptions = []struct {
	key           string
	text, badText string // "" for what the DSN has no key for
	opt, bad      driver.JobOption
	query, insert string // path in the body; "" for what the method has no member for
	want          string
}{
	{"dataset", "other-project.d", "d-x", driver.DefaultDataset("other-project.d"), driver.DefaultDataset("d-x"),
		"defaultDataset", "configuration.query.defaultDataset", `{"datasetId":"d","projectId":"other-project"}`},
	{"location", "EU", "here!", driver.Location("EU"), driver.Location("here!"),
		"location", "jobReference.location", `"EU"`},
	{"maximum_bytes_billed", "1000", "-1", driver.MaximumBytesBilled(1000), driver.MaximumBytesBilled(-1),
		"maximumBytesBilled", "configuration.query.maximumBytesBilled", `"1000"`},
	{"priority", "batch", "low", driver.Priority("batch"), driver.Priority("low"),
		"", "configuration.query.priority", `"BATCH"`},
	{"use_query_cache", "false", "no", driver.UseQueryCache(false), nil,
		"useQueryCache", "configuration.query.useQueryCache", `false`},
	{"labels", "team:sales", "Team:sales", driver.Labels(map[string]string{"team": "sales"}), driver.Labels(map[string]string{"Team": "sales"}),
		"labels", "configuration.labels", `{"team":"sales"}`},
	{"job_timeout", "90s", "1us", driver.JobTimeout(90 * time.Second), driver.JobTimeout(time.Microsecond),
		"jobTimeoutMs", "configuration.jobTimeoutMs", `"90000"`},
	{"reservation", "projects/p/locations/US/reservations/r", "r", driver.Reservation("projects/p/locations/US/reservations/r"), driver.Reservation("r"),
		"reservation", "configuration.reservation", `"projects/p/locations/US/reservations/r"`},
	{"kms_key", "projects/p/locations/us/keyRings/r/cryptoKeys/k", "k", driver.KMSKey("projects/p/locations/us/keyRings/r/cryptoKeys/k"), driver.KMSKey("k"),
		"destinationEncryptionConfiguration.kmsKeyName", "configuration.query.destinationEncryptionConfiguration.kmsKeyName", `"projects/p/locations/us/keyRings/r/cryptoKeys/k"`},
	{"job_creation", "optional", "never", driver.JobCreation("optional"), driver.JobCreation("never"),
		"jobCreationMode", "", `"JOB_CREATION_OPTIONAL"`},
	{"job_id_prefix", "report_", "report.", driver.JobIDPrefix("report_"), driver.JobIDPrefix("report."),
		"", "jobReference.jobId", `"report_`},
	{"time_zone", "Europe/Zurich", "here and now", driver.TimeZone("Europe/Zurich"), driver.TimeZone("here and now"),
		"connectionProperties", "configuration.query.connectionProperties", `[{"key":"time_zone","value":"Europe/Zurich"}]`},
	{"destination_table", "", "", driver.DestinationTable("d.t", bigquery.WriteAppend, bigquery.CreateNever), driver.DestinationTable("t", "", ""),
		"", "configuration.query.destinationTable", `{"datasetId":"d","projectId":"my-project","tableId":"t"}`},
	{"write_disposition", "", "", driver.DestinationTable("d.t", bigquery.WriteAppend, ""), driver.DestinationTable("d.t", "APPEND", ""),
		"", "configuration.query.writeDisposition", `"WRITE_APPEND"`},
	{"create_disposition", "", "", driver.DestinationTable("d.t", "", bigquery.CreateNever), driver.DestinationTable("d.t", "", "NEVER"),
		"", "configuration.query.createDisposition", `"CREATE_NEVER"`},
}

// member gives the JSON of a member of a request's body; "" if it is not there.
func member(t testing.TB, body []byte, path string) string {
	t.Helper()
	for _, name := range strings.Split(path, ".") {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(body, &object); err != nil {
			t.Fatal(err)
		}
		if body = object[name]; body == nil {
			return ""
		}
	}
	return string(body)
}

// openDSN opens a database by a DSN whose dataset and further keys are given.
func openDSN(t testing.TB, server *fakebq.Server, dataset, keys string) (*sql.DB, error) {
	t.Helper()
	db, err := sql.Open(driver.Name, "bigqueryuser://my-project/"+dataset+"?auth=none&endpoint="+server.URL()+keys)
	if err == nil {
		t.Cleanup(func() { db.Close() })
	}
	return db, err
}

// TestJobOptionsArrive: every option, said in each way, is in the request that arrives, by jobs.query and by jobs.insert.
func TestJobOptionsArrive(t *testing.T) {
	t.Parallel()
	for _, tt := range jobOptions {
		for _, way := range []string{"DSN", "WithOptions", "argument", "argument of a prepared statement"} {
			if way == "DSN" && tt.text == "" {
				continue
			}
			t.Run(tt.key+"/"+way, func(t *testing.T) {
				t.Parallel()
				server := fakebq.Run(t, fakebq.Options{})
				server.On("SELECT name, n FROM t", numbers)
				for _, inserted := range []bool{false, true} {
					dataset, keys, ctx, args := "", "", t.Context(), []any(nil)
					if inserted && tt.key != "priority" && tt.key != "job_id_prefix" {
						ctx = driver.WithOptions(ctx, driver.Priority("batch"))
					}
					switch {
					case way == "DSN" && tt.key == "dataset":
						dataset = tt.text
					case way == "DSN":
						keys = "&" + tt.key + "=" + url.QueryEscape(tt.text)
					case way == "WithOptions":
						ctx = driver.WithOptions(ctx, tt.opt)
					default:
						args = []any{tt.opt}
					}
					db, err := openDSN(t, server, dataset, keys)
					if err != nil {
						t.Fatal(err)
					}
					var rows *sql.Rows
					if strings.Contains(way, "prepared") {
						stmt, err := db.PrepareContext(t.Context(), "SELECT name, n FROM t")
						if err != nil {
							t.Fatal(err)
						}
						defer stmt.Close()
						server.ResetLog()
						rows, err = stmt.QueryContext(ctx, args...)
						if err != nil {
							t.Fatal(err)
						}
					} else if rows, err = db.QueryContext(ctx, "SELECT name, n FROM t", args...); err != nil {
						t.Fatal(err)
					}
					if got := readAll(t, rows); len(got) != 3 {
						t.Errorf("got %d rows; want 3", len(got))
					}
					sent := server.Requests(fakebq.Query, fakebq.Insert)
					if len(sent) != 1 {
						t.Fatalf("got %d requests; want 1", len(sent))
					}
					path := tt.query
					if inserted || path == "" {
						path = tt.insert
					}
					if got := member(t, sent[0].Body, path); path != "" && !strings.HasPrefix(got, tt.want) {
						t.Errorf("%s: got %s; want %s", path, got, tt.want)
					}
					if byInsert := sent[0].Method == fakebq.Insert; byInsert != (inserted || tt.query == "") {
						t.Errorf("sent by %s", sent[0].Method)
					}
					server.ResetLog()
				}
			})
		}
	}
}

// TestJobOptionsRefused: a wrong value is refused by its name, with one text in each way, and nothing is sent.
func TestJobOptionsRefused(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	db := open(t, server)
	ctx := t.Context()
	conn, err := db.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, tt := range jobOptions {
		problem := ""
		refused := func(way string, err error) {
			t.Helper()
			var e *dsn.Error
			if !errors.As(err, &e) || e.Key != tt.key {
				t.Errorf("%s by %s: got %v; want a *dsn.Error with this key", tt.key, way, err)
				return
			}
			if problem == "" {
				problem = e.Problem
			}
			if e.Problem != problem || !strings.Contains(err.Error(), tt.key+": "+problem) {
				t.Errorf("%s by %s: got %v; want the text %q", tt.key, way, err, problem)
			}
		}
		switch {
		case tt.key == "dataset":
			_, err := openDSN(t, server, tt.badText, "")
			refused("DSN", err)
		case tt.badText != "":
			_, err := openDSN(t, server, "", "&"+tt.key+"="+url.QueryEscape(tt.badText))
			refused("DSN", err)
		}
		if tt.bad == nil {
			continue // Go's type has no other values
		}
		with := driver.WithOptions(ctx, tt.bad)
		_, err := db.QueryContext(with, "SELECT 1")
		refused("WithOptions, Query", err)
		_, err = db.ExecContext(with, "SELECT 1")
		refused("WithOptions, Exec", err)
		_, err = db.PrepareContext(with, "SELECT 1")
		refused("WithOptions, Prepare", err)
		_, err = db.BeginTx(with, nil)
		refused("WithOptions, BeginTx", err)
		_, err = driver.Estimate(with, conn, "SELECT 1")
		refused("WithOptions, Estimate", err)
		refused("WithOptions, Ping", db.PingContext(with))
		_, err = db.QueryContext(ctx, "SELECT 1", tt.bad)
		refused("argument", err)
		_, err = driver.Estimate(ctx, conn, "SELECT 1", tt.bad)
		refused("argument, Estimate", err)
	}
	if got := server.Count(); got != 0 {
		t.Errorf("got %d requests; want 0", got)
	}
}

// TestOptionsAmongArguments: an option may stand anywhere, and the other arguments are counted without it.
func TestOptionsAmongArguments(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT ?, ?", numbers)
	server.On("SELECT @a, @b", numbers)
	db := open(t, server)
	a, b := sql.Named("a", 1), sql.Named("b", 2)
	eu := driver.Location("EU")
	for _, tt := range []struct {
		sql  string
		args []any
		want string // part of the error; "" = none
	}{
		{"SELECT ?, ?", []any{eu, 1, 2}, ""},
		{"SELECT ?, ?", []any{1, eu, 2}, ""},
		{"SELECT ?, ?", []any{1, 2, eu}, ""},
		{"SELECT ?, ?", []any{eu, 1, driver.JobOption(nil), 2, driver.Labels(nil)}, ""},
		{"SELECT @a, @b", []any{eu, a, b}, ""},
		{"SELECT @a, @b", []any{b, eu, a}, ""},
		{"SELECT ?, ?", []any{eu, 1}, "2 placeholders and 1 arguments"},
		{"SELECT ?, ?", []any{1, 2, 3, eu}, "2 placeholders and 3 arguments"},
		{"SELECT ?, ?", []any{eu, 1, nil}, "argument 2: BigQuery does not say"},
		{"SELECT @a, @b", []any{a, eu}, "no argument of this name"},
		{"SELECT @a, @b", []any{a, sql.Named("b", eu)}, "a JobOption has no name"},
	} {
		for _, prepared := range []bool{false, true} {
			query := func() (*sql.Rows, error) { return db.QueryContext(t.Context(), tt.sql, tt.args...) }
			if prepared {
				stmt, err := db.PrepareContext(t.Context(), tt.sql)
				if err != nil {
					t.Fatal(err)
				}
				defer stmt.Close()
				query = func() (*sql.Rows, error) { return stmt.QueryContext(t.Context(), tt.args...) }
			}
			server.ResetLog()
			rows, err := query()
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v: got %v; want %q", tt.args, err, tt.want)
				}
				if got := server.Count(fakebq.Query); got != 0 {
					t.Errorf("%v: got %d requests; want 0", tt.args, got)
				}
				continue
			}
			if err != nil {
				t.Errorf("%v: %v", tt.args, err)
				continue
			}
			rows.Close()
			req, err := server.Requests(fakebq.Query)[0].QueryRequest()
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(req); req.Location != "EU" || len(got) != 2 || tt.args[0] != any(b) && !reflect.DeepEqual(got, []string{"INT64 1", "INT64 2"}) {
				t.Errorf("%v: got %q in %s", tt.args, got, req.Location)
			}
		}
	}
}

// TestOptionsAddUp: contexts in contexts, then arguments; the later one wins, labels are merged, zero takes back.
func TestOptionsAddUp(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(numbers)
	db := open(t, server, func(c *dsn.Config) {
		c.Location, c.Labels, c.MaximumBytesBilled = "US", map[string]string{"a": "dsn", "b": "dsn", "c": "dsn"}, 7
	})
	outer := driver.WithOptions(t.Context(), driver.Location("EU"), driver.Labels(map[string]string{"b": "outer", "d": "outer"}))
	inner := driver.WithOptions(outer, driver.Location("europe-west6"), driver.JobTimeout(time.Minute))
	for _, tt := range []struct {
		ctx   context.Context
		args  []any
		place string
		label string
		limit int64
	}{
		{t.Context(), nil, "US", "map[a:dsn b:dsn c:dsn]", 7},
		{outer, nil, "EU", "map[a:dsn b:outer c:dsn d:outer]", 7},
		{inner, nil, "europe-west6", "map[a:dsn b:outer c:dsn d:outer]", 7},
		{inner, []any{driver.Location("US"), driver.Labels(map[string]string{"c": "arg"}), driver.Location("EU")}, "EU", "map[a:dsn b:outer c:arg d:outer]", 7},
		{t.Context(), []any{driver.Location(""), driver.MaximumBytesBilled(0)}, "", "map[a:dsn b:dsn c:dsn]", 0},
		{t.Context(), nil, "US", "map[a:dsn b:dsn c:dsn]", 7},
	} {
		server.ResetLog()
		if _, err := db.ExecContext(tt.ctx, "SELECT 1", tt.args...); err != nil {
			t.Fatal(err)
		}
		req, err := server.Requests(fakebq.Query)[0].QueryRequest()
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(req.Labels); req.Location != tt.place || got != tt.label || req.MaximumBytesBilled != tt.limit {
			t.Errorf("got %s, %s, %d; want %s, %s, %d", req.Location, got, req.MaximumBytesBilled, tt.place, tt.label, tt.limit)
		}
	}
}

// TestDryRunOption: the statement is checked and not run.
func TestDryRunOption(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t WHERE n > ?", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Bytes: 12345})
	server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 3}})
	server.On("SELECT 1; SELECT 2", fakebq.Answer{Fields: numbers.Fields, Children: []fakebq.Answer{numbers, numbers}})
	db := open(t, server)
	var stats driver.Stats
	ctx := driver.WithStats(driver.WithOptions(t.Context(), driver.DryRun(), driver.Labels(map[string]string{"team": "sales"})), &stats)
	rows, err := db.QueryContext(ctx, "SELECT name, n FROM t WHERE n > ?", 1)
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if got := readAll(t, rows); err != nil || !reflect.DeepEqual(columns, []string{"name", "n"}) || len(got) != 0 {
		t.Errorf("Query: got columns %v and rows %v, %v", columns, got, err)
	}
	if stats.BytesProcessed != 12345 || stats.StatementType != "SELECT" || stats.JobID != "" || stats.BytesBilled != 0 {
		t.Errorf("Query: got %+v", stats)
	}
	if got, want := server.Counts(), (map[fakebq.Method]int{fakebq.Insert: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got requests %v; want %v", got, want)
	}
	body := server.Requests(fakebq.Insert)[0].Body
	if member(t, body, "configuration.dryRun") != "true" || member(t, body, "configuration.labels") != `{"team":"sales"}` || member(t, body, "jobReference.jobId") != "" {
		t.Errorf("got %s", body)
	}
	if _, err := db.ExecContext(t.Context(), insert, driver.DryRun(), driver.MaximumBytesBilled(1)); err != nil || member(t, server.Requests(fakebq.Insert)[1].Body, "configuration.query.maximumBytesBilled") != "" {
		t.Errorf("with a limit: got %v and %s; want to be told what it would read", err, server.Requests(fakebq.Insert)[1].Body)
	}
	res, err := db.ExecContext(t.Context(), insert, driver.DryRun())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 0 || err != nil {
		t.Errorf("Exec: got %d rows, %v; want 0", n, err)
	}
	rows, err = db.QueryContext(ctx, "SELECT 1; SELECT 2")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 0 || rows.NextResultSet() {
		t.Errorf("a script: got %v", got)
	}
	if _, err := db.ExecContext(ctx, "SELECT nonsense"); !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("a wrong statement: got %v; want invalidQuery", err)
	}
	if got := server.Count(fakebq.Query); got != 0 {
		t.Errorf("got %d statements sent; want 0", got)
	}
}

// TestOptionsInTransactions: BEGIN and COMMIT take what makes sense for them, and a session stays in its place.
func TestOptionsInTransactions(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server, func(c *dsn.Config) { c.Location, c.Priority, c.JobIDPrefix = "US", "batch", "x_" })
	db.SetMaxOpenConns(1)
	if _, err := db.BeginTx(driver.WithOptions(t.Context(), driver.DryRun()), nil); err == nil || server.Count() != 0 {
		t.Errorf("a dry run: got %v and %d requests; want an error before any", err, server.Count())
	}
	for _, place := range []string{"EU", ""} {
		server.ResetLog()
		ctx := t.Context()
		if place != "" {
			ctx = driver.WithOptions(ctx, driver.Location(place), driver.Labels(map[string]string{"team": "sales"}), driver.DestinationTable("d.t", "", ""))
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), insert); err != nil { // where the session is
			t.Fatal(err)
		}
		before := server.Count(fakebq.Query, fakebq.Insert)
		var e *dsn.Error
		if _, err := tx.ExecContext(t.Context(), insert, driver.Location("asia-east1")); !errors.As(err, &e) || e.Key != "location" {
			t.Errorf("another location: got %v", err)
		}
		if _, err := tx.PrepareContext(driver.WithOptions(t.Context(), driver.Location("asia-east1")), insert); !errors.As(err, &e) || e.Key != "location" {
			t.Errorf("Prepare in another location: got %v", err)
		}
		if got := server.Count(fakebq.Query, fakebq.Insert); got != before {
			t.Errorf("another location: got %d requests; want 0", got-before)
		}
		if _, err := tx.ExecContext(t.Context(), insert, driver.Location(strings.ToLower(place))); err != nil {
			t.Errorf("the session's own location: %v", err)
		}
		if err := tx.Commit(); err != nil {
			t.Error(err)
		}
		var own []string
		for _, r := range server.Requests(fakebq.Query) {
			if req, err := r.QueryRequest(); err == nil && strings.HasSuffix(req.Query, "TRANSACTION") {
				own = append(own, req.Query+" "+req.Location+" "+req.Labels["team"])
			}
		}
		want := []string{"BEGIN TRANSACTION US ", "COMMIT TRANSACTION US "}
		if place != "" {
			want = []string{"BEGIN TRANSACTION EU sales", "COMMIT TRANSACTION EU sales"}
		}
		if !reflect.DeepEqual(own, want) {
			t.Errorf("got %q; want %q", own, want)
		}
	}
	wantNoSessions(t, db, server)
}

// TestLocatedSessions: a session that an option has put somewhere does not reach the connection's next user, and who holds the
// connection gets another one for another place.
func TestLocatedSessions(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server)
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begin := func(from interface {
		BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error)
	}, opts ...driver.JobOption) {
		t.Helper()
		tx, err := from.BeginTx(driver.WithOptions(t.Context(), opts...), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	begin(conn, driver.Location("EU"))
	begin(conn)                        // wants no other place
	begin(conn, driver.Location("eu")) // nor does this
	begin(conn, driver.Location("asia-east1"))
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	begin(db)
	begin(db)
	var made []string
	for _, r := range server.Requests(fakebq.Query) {
		if req, err := r.QueryRequest(); err == nil && req.CreateSession {
			made = append(made, req.Location)
		}
	}
	if want := []string{"EU", "asia-east1", ""}; !reflect.DeepEqual(made, want) {
		t.Errorf("got sessions in %q; want %q", made, want)
	}
	wantNoSessions(t, db, server)
}

// TestTimeZoneInSession: a session's statements carry both properties, each once.
func TestTimeZoneInSession(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	db := open(t, server, func(c *dsn.Config) { c.TimeZone = "Europe/Zurich" })
	tx := beginTx(t, db)
	if _, err := tx.ExecContext(t.Context(), insert); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for i, r := range server.Requests(fakebq.Query) {
		want := `[{"key":"time_zone","value":"Europe/Zurich"},{"key":"session_id","value":`
		if i == 0 {
			want = `[{"key":"time_zone","value":"Europe/Zurich"}]`
		}
		if got := member(t, r.Body, "connectionProperties"); !strings.HasPrefix(got, want) {
			t.Errorf("request %d: got %s; want %s", i, got, want)
		}
	}
	wantNoSessions(t, db, server)
}

// TestTypesDependOnOptions: what BigQuery said of one default dataset is not taken for another.
func TestTypesDependOnOptions(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO t VALUES (?)"
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: typeOf("DATE")}}})
	db := open(t, server)
	for i, opt := range []driver.JobOption{driver.DefaultDataset("a"), driver.DefaultDataset("b"), driver.DefaultDataset("a"), driver.Location("EU")} {
		if _, err := db.ExecContext(t.Context(), text, time.Now(), opt); err != nil {
			t.Fatal(err)
		}
		if got, want := server.Count(fakebq.Insert), []int{1, 2, 2, 3}[i]; got != want {
			t.Errorf("statement %d: got %d dry runs; want %d", i, got, want)
		}
	}
}

// TestJobCreationOptional: an answer without a job has rows and statistics.
func TestJobCreationOptional(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{Location: "EU"})
	server.On("SELECT name, n FROM t", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Bytes: 100, NoJob: true})
	server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, NoJob: true, Until: make(chan struct{}), Incomplete: 1})
	server.Inject(fakebq.GetQueryResults, fakebq.Hang(nil))
	db := open(t, server, func(c *dsn.Config) { c.JobCreation = "optional" })
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(t.Context(), &stats), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, rows); len(got) != 3 || stats.JobID != "" || stats.Location != "EU" || stats.BytesProcessed != 100 || stats.StatementType != "SELECT" || stats.ConsoleURL() != "" {
		t.Errorf("got %d rows, %+v", len(got), stats)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.WaitFor(t, fakebq.GetQueryResults, 1)
		cancel()
	}()
	if _, err := db.ExecContext(ctx, "SELECT slow"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v; want context.Canceled", err)
	}
	server.WaitFor(t, fakebq.Cancel, 1)
}
