package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestOptionsAmongArguments: an option may stand anywhere, and the other arguments are counted
// without it.
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
		{"SELECT ?, ?", []any{eu, 1}, "placeholders: 2, arguments: 1"},
		{"SELECT ?, ?", []any{1, 2, 3, eu}, "placeholders: 2, arguments: 3"},
		{"SELECT ?, ?", []any{eu, 1, nil}, "argument 2: BigQuery found no type"},
		{"SELECT @a, @b", []any{a, eu}, "no argument has this name"},
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
			if got := parameters(req); req.Location != "EU" || len(got) != 2 ||
				tt.args[0] != any(b) && !reflect.DeepEqual(got, []string{"INT64 1", "INT64 2"}) {
				t.Errorf("%v: got %q in %s", tt.args, got, req.Location)
			}
		}
	}
}

// TestOptionsAddUp: contexts in contexts, then arguments; the later one wins, labels are
// merged, zero takes back.
func TestOptionsAddUp(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(numbers)
	db := open(t, server, func(c *dsn.Config) {
		c.Location, c.Labels, c.MaximumBytesBilled = "US", map[string]string{"a": "dsn", "b": "dsn", "c": "dsn"}, 7
	})
	outer := driver.WithOptions(t.Context(), driver.Location("EU"),
		driver.Labels(map[string]string{"b": "outer", "d": "outer"}))
	inner := driver.WithOptions(outer, driver.Location("europe-west6"), driver.JobTimeout(time.Minute))
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		args  []any
		place string
		label string
		limit int64
	}{
		{"the DSN's", t.Context(), nil, "US", "map[a:dsn b:dsn c:dsn]", 7},
		{"a context's", outer, nil, "EU", "map[a:dsn b:outer c:dsn d:outer]", 7},
		{"those of two contexts", inner, nil, "europe-west6", "map[a:dsn b:outer c:dsn d:outer]", 7},
		{
			"arguments as well",
			inner,
			[]any{driver.Location("US"), driver.Labels(map[string]string{"c": "arg"}), driver.Location("EU")},
			"EU",
			"map[a:dsn b:outer c:arg d:outer]",
			7,
		},
		{
			"zeros that take back",
			t.Context(),
			[]any{driver.Location(""), driver.MaximumBytesBilled(0)},
			"",
			"map[a:dsn b:dsn c:dsn]",
			0,
		},
		{"the DSN's again", t.Context(), nil, "US", "map[a:dsn b:dsn c:dsn]", 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server.ResetLog()
			if _, err := db.ExecContext(tt.ctx, "SELECT 1", tt.args...); err != nil {
				t.Fatal(err)
			}
			req, err := server.Requests(fakebq.Query)[0].QueryRequest()
			if err != nil {
				t.Fatal(err)
			}
			label, limit := fmt.Sprint(req.Labels), req.MaximumBytesBilled
			if req.Location != tt.place || label != tt.label || limit != tt.limit {
				t.Errorf("got %s, %s, %d; want %s, %s, %d", req.Location, label, limit, tt.place, tt.label, tt.limit)
			}
		})
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
	ctx := driver.WithStats(driver.WithOptions(t.Context(), driver.DryRun(),
		driver.Labels(map[string]string{"team": "sales"})), &stats)
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
	if got, want := server.Counts(), (counts{fakebq.Insert: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("got requests %v; want %v", got, want)
	}
	body := server.Requests(fakebq.Insert)[0].Body
	if member(t, body, "configuration.dryRun") != "true" ||
		member(t, body, "configuration.labels") != `{"team":"sales"}` || member(t, body, "jobReference.jobId") != "" {
		t.Errorf("got %s", body)
	}
	if _, err := db.ExecContext(t.Context(), insert, driver.DryRun(), driver.MaximumBytesBilled(1)); err != nil ||
		member(t, server.Requests(fakebq.Insert)[1].Body, "configuration.query.maximumBytesBilled") != "" {
		t.Errorf("with a limit: got %v and %s; want to be told what it would read",
			err, server.Requests(fakebq.Insert)[1].Body)
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

// TestDestinationTable: the name of the table is read as SQL would read it, and "" is none.
func TestDestinationTable(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(numbers)
	for _, tt := range []struct{ dataset, table, want string }{
		{"d", "t", `{"datasetId":"d","projectId":"my-project","tableId":"t"}`},
		{"other.d", "t", `{"datasetId":"d","projectId":"other","tableId":"t"}`},
		{"d", "e.t$20240101", `{"datasetId":"e","projectId":"my-project","tableId":"t$20240101"}`},
		{"", "other.e.Tische und Stühle-1", `{"datasetId":"e","projectId":"other","tableId":"Tische und Stühle-1"}`},
		{"", "example.com:proj.e.t", `{"datasetId":"e","projectId":"example.com:proj","tableId":"t"}`},
		{"d", "", ""},
		{"", "t", "names no dataset"},
		{"", ".t", "want table, dataset.table"},
		{"d", "e.", "want table, dataset.table"},
		{"d", "e-x.t", "want table, dataset.table"},
		{"d", "a.b.e.t", "want table, dataset.table"},
		{"d", "e.t*", "want table, dataset.table"},
		{"d", strings.Repeat("t", 1025), "want table, dataset.table"},
	} {
		server.ResetLog()
		db := open(t, server, func(c *dsn.Config) { c.Dataset = tt.dataset })
		_, err := db.ExecContext(driver.WithOptions(t.Context(), driver.DestinationTable("x.y", "", "")), "SELECT 1",
			driver.DestinationTable(tt.table, "", ""))
		switch sent := server.Requests(fakebq.Insert); {
		case strings.Contains(tt.want, " ") && !strings.HasPrefix(tt.want, "{"):
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(sent) > 0 {
				t.Errorf("%.50q: got %v; want %q", tt.table, err, tt.want)
			}
		case err != nil:
			t.Errorf("%q: %v", tt.table, err)
		case tt.want == "" && len(sent) > 0:
			t.Errorf("none: got a job")
		case tt.want != "":
			if got := member(t, sent[0].Body, "configuration.query.destinationTable"); got != tt.want {
				t.Errorf("%q: got %s; want %s", tt.table, got, tt.want)
			}
		}
	}
}

// TestTypesDependOnOptions: what BigQuery said of one default dataset is not taken for another.
func TestTypesDependOnOptions(t *testing.T) {
	t.Parallel()
	const text = "INSERT INTO t VALUES (?)"
	server := fakebq.Run(t, fakebq.Options{})
	server.OnAny(fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Parameters: []fakebq.Parameter{{Type: typeOf("DATE")}}})
	db := open(t, server)
	for i, opt := range []driver.JobOption{
		driver.DefaultDataset("a"), driver.DefaultDataset("b"), driver.DefaultDataset("a"), driver.Location("EU"),
	} {
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
	if got := readAll(t, rows); len(got) != 3 || stats.JobID != "" || stats.Location != "EU" ||
		stats.BytesProcessed != 100 || stats.StatementType != "SELECT" || stats.ConsoleURL() != "" {
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
