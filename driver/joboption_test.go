package driver_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// jobOptions are the options: a good value and a bad one, each as text of the DSN and as a
// JobOption, and where the good one lies in the bodies of jobs.query and jobs.insert.
var jobOptions = []struct {
	key           string
	text, badText string
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
	{"labels", "team:sales", "Team:sales", driver.Labels(map[string]string{"team": "sales"}),
		driver.Labels(map[string]string{"Team": "sales"}),
		"labels", "configuration.labels", `{"team":"sales"}`},
	{"job_timeout", "90s", "1us", driver.JobTimeout(90 * time.Second), driver.JobTimeout(time.Microsecond),
		"jobTimeoutMs", "configuration.jobTimeoutMs", `"90000"`},
	{"reservation", "projects/p/locations/US/reservations/r", "r",
		driver.Reservation("projects/p/locations/US/reservations/r"), driver.Reservation("r"),
		"reservation", "configuration.reservation", `"projects/p/locations/US/reservations/r"`},
	{"kms_key", "projects/p/locations/us/keyRings/r/cryptoKeys/k", "k",
		driver.KMSKey("projects/p/locations/us/keyRings/r/cryptoKeys/k"), driver.KMSKey("k"),
		"destinationEncryptionConfiguration.kmsKeyName", "configuration.query.destinationEncryptionConfiguration.kmsKeyName",
		`"projects/p/locations/us/keyRings/r/cryptoKeys/k"`},
	{"job_creation", "optional", "never", driver.JobCreation("optional"), driver.JobCreation("never"),
		"jobCreationMode", "", `"JOB_CREATION_OPTIONAL"`},
	{"job_id_prefix", "report_", "report.", driver.JobIDPrefix("report_"), driver.JobIDPrefix("report."),
		"", "jobReference.jobId", `"report_`},
	{"time_zone", "Europe/Zurich", "here and now", driver.TimeZone("Europe/Zurich"), driver.TimeZone("here and now"),
		"connectionProperties", "configuration.query.connectionProperties", `[{"key":"time_zone","value":"Europe/Zurich"}]`},
	{"destination_table", "d.t", "d.t!", driver.DestinationTable("d.t", bigquery.WriteAppend, bigquery.CreateNever),
		driver.DestinationTable("d.t!", "", ""),
		"", "configuration.query.destinationTable", `{"datasetId":"d","projectId":"my-project","tableId":"t"}`},
	{"write_disposition", "append", "WRITE_APPEND", driver.DestinationTable("d.t", bigquery.WriteAppend, ""),
		driver.DestinationTable("d.t", "APPEND", ""),
		"", "configuration.query.writeDisposition", `"WRITE_APPEND"`},
	{"create_disposition", "never", "always", driver.DestinationTable("d.t", "", bigquery.CreateNever),
		driver.DestinationTable("d.t", "", "NEVER"),
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

// TestJobOptionsArrive: every option, said in each way, is in the request that arrives, by
// jobs.query and by jobs.insert.
func TestJobOptionsArrive(t *testing.T) {
	t.Parallel()
	for _, tt := range jobOptions {
		for _, way := range []string{"DSN", "WithOptions", "argument", "argument of a prepared statement"} {
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
						if strings.HasSuffix(tt.key, "_disposition") {
							keys += "&destination_table=d.t"
						}
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

// TestJobOptionsRefused: a wrong value is refused by its name, with one text in each way, and
// nothing is sent.
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
			e, ok := errors.AsType[*dsn.Error](err)
			if !ok || e.Key != tt.key {
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
