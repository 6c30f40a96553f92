package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/grpc/codes"

	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// scoreboard has the defects that users of other BigQuery drivers hit, a test for each that
// fails if this driver has it. Where a part of the driver has tests of its own, they go
// further.
var scoreboard = []struct {
	defect string
	test   func(*testing.T, *fakebq.Server)
}{
	{"a retried INSERT is executed twice", func(t *testing.T, server *fakebq.Server) {
		server.On(insert, fakebq.Answer{DML: &fakebq.DML{Inserted: 1}})
		server.Inject(fakebq.Query, fakebq.Drop().After(), fakebq.HTML(503), fakebq.Cut(20))
		_, err := open(t, server).ExecContext(t.Context(), insert)
		if n := server.Executions(insert); err != nil || n != 1 || server.Count(fakebq.Query) != 4 {
			t.Errorf("got %d executions, %v", n, err)
		}
	}},
	{"transactions are no-ops", func(t *testing.T, server *fakebq.Server) {
		server.OnFunc(func(st fakebq.Statement) (fakebq.Answer, bool) {
			return fakebq.Answer{StatementType: strings.ReplaceAll(st.SQL, " ", "_")}, true
		})
		tx, err := open(t, server).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.ExecContext(t.Context(), "UPDATE")
		if err = errors.Join(err, tx.Rollback()); err != nil {
			t.Error(err)
		}
		texts, sessions := statements(t, server)
		if !reflect.DeepEqual(texts, []string{begin, "UPDATE", rollback}) || sessions[0] != "new" ||
			sessions[1] == "" || sessions[1] != sessions[2] {
			t.Errorf("got %q in sessions %q", texts, sessions)
		}
	}},
	{"arguments are pasted into the SQL text", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT @a", numbers)
		if err := run(t.Context(), open(t, server), "SELECT @a", sql.Named("a", "'; DROP TABLE t; --")); err != nil {
			t.Error(err)
		}
		if p := sent(t, server).QueryParameters; len(p) != 1 || p[0].ParameterValue.Value != "'; DROP TABLE t; --" {
			t.Errorf("got %+v", p)
		}
	}},
	{"? and @ are counted inside strings, comments and backticks", func(t *testing.T, server *fakebq.Server) {
		const text = "SELECT '?@a', r'\\'?', \"\"\"?\"?\"\"\", `?@b`, ? -- ?@c\n# ?\n/* @d ? */"
		server.On(text, numbers)
		if err := run(t.Context(), open(t, server), text, 1); err != nil || len(sent(t, server).QueryParameters) != 1 {
			t.Errorf("got %v", err)
		}
	}},
	{"@@project_id is taken for a parameter", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT @@project_id", numbers)
		if err := run(t.Context(), open(t, server), "SELECT @@project_id"); err != nil ||
			sent(t, server).ParameterMode == "NAMED" {
			t.Errorf("got %v", err)
		}
	}},
	{"@a used twice is refused", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT @a, @A", numbers)
		if err := run(t.Context(), open(t, server), "SELECT @a, @A", sql.Named("a", 1)); err != nil ||
			len(sent(t, server).QueryParameters) != 1 {
			t.Errorf("got %v", err)
		}
	}},
	{"NUMERIC goes through float64", func(t *testing.T, server *fakebq.Server) {
		const exact = "12345678901234567890.123456789"
		for _, v := range cells(t, server, fakebq.Field{Type: "NUMERIC"}, exact) {
			if v != exact {
				t.Errorf("got %#v", v)
			}
		}
		server.On("SELECT ?", numbers)
		if err := run(t.Context(), open(t, server), "SELECT ?", bigRat(exact)); err != nil ||
			sent(t, server).QueryParameters[0].ParameterValue.Value != exact {
			t.Errorf("as an argument: got %v", err)
		}
	}},
	{"TIMESTAMP goes through float seconds", func(t *testing.T, server *fakebq.Server) {
		first := utc(1, 1, 1, 0, 0, 0, 1)
		for _, v := range cells(t, server, fakebq.Field{Type: "TIMESTAMP"}, first) {
			if v != first {
				t.Errorf("got %v", v)
			}
		}
		if !sent(t, server).FormatOptions.UseInt64Timestamp {
			t.Error("did not ask for whole microseconds")
		}
	}},
	{"a NULL DATE is 0001-01-01", func(t *testing.T, server *fakebq.Server) {
		for _, v := range cells(t, server, fakebq.Field{Type: "DATE"}, nil) {
			if v != nil {
				t.Errorf("got %v", v)
			}
		}
		for _, dest := range []any{new(time.Time), new(civil.Date)} {
			if err := open(t, server).QueryRowContext(t.Context(), "SELECT c").Scan(dest); err == nil {
				t.Errorf("into a %T: got no error", dest)
			}
		}
	}},
	{"a NULL STRUCT is an empty one", func(t *testing.T, server *fakebq.Server) {
		record := fakebq.Field{Type: "RECORD", Fields: []fakebq.Field{{Name: "a", Type: "INTEGER"}}}
		for _, v := range cells(t, server, record, nil) {
			if v != nil {
				t.Errorf("got %v", v)
			}
		}
	}},
	{"struct fields and columns of one name are lost", func(t *testing.T, server *fakebq.Server) {
		twice := []fakebq.Field{{Name: "a", Type: "INTEGER"}, {Name: "a", Type: "STRING"}}
		for _, v := range cells(t, server, fakebq.Field{Type: "RECORD", Fields: twice}, []any{1, "x"}) {
			if want := structOf("a", int64(1), "a", "x"); !same(v, want) {
				t.Errorf("got %v; want %v", v, want)
			}
		}
		server.On("SELECT twice", fakebq.Answer{Fields: twice, Rows: [][]any{{1, "x"}}})
		var n int
		var s string
		if err := open(t, server).QueryRowContext(t.Context(), "SELECT twice").Scan(&n, &s); err != nil ||
			n != 1 || s != "x" {
			t.Errorf("got %d, %q, %v", n, s, err)
		}
	}},
	{"REQUIRED columns are refused", func(t *testing.T, server *fakebq.Server) {
		for _, v := range cells(t, server, fakebq.Field{Type: "INTEGER", Mode: "REQUIRED"}, 7) {
			if v != int64(7) {
				t.Errorf("got %v", v)
			}
		}
	}},
	{"RowsAffected is 0", func(t *testing.T, server *fakebq.Server) {
		server.On("MERGE", fakebq.Answer{
			StatementType: "MERGE",
			DML:           &fakebq.DML{Inserted: 1, Updated: 20, Deleted: 300},
			Incomplete:    1,
		})
		res, err := open(t, server).ExecContext(t.Context(), "MERGE")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != 321 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}},
	{"an empty page in the middle panics", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT *", fakebq.Answer{
			Fields:     numbers.Fields,
			Rows:       numbers.Rows,
			PageSize:   1,
			EmptyPages: []int{0, 1, 2},
		})
		if got := readAllOf(t, open(t, server), "SELECT *"); got != 3 {
			t.Errorf("got %d rows", got)
		}
	}},
	{"a uint64 above MaxInt64 is sent as -1", func(t *testing.T, server *fakebq.Server) {
		if err := run(t.Context(), open(t, server), "SELECT ?", uint64(math.MaxUint64)); err == nil || server.Count() != 0 {
			t.Errorf("got %v after %d requests", err, server.Count())
		}
	}},
	{"the deadline of a ctx is ignored", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT slow", numbers)
		server.Inject(fakebq.Query, fakebq.Hang(nil))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		db, done := open(t, server), make(chan error, 1)
		go func() { done <- run(ctx, db, "SELECT slow") }()
		select {
		case err := <-done:
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Error("the statement is still waited for 5 s after its deadline")
		}
	}},
	{"jobs are never cancelled", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: 1, Until: make(chan struct{})})
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			server.WaitFor(t, fakebq.GetQueryResults, 1)
			cancel()
		}()
		if err := run(ctx, open(t, server), "SELECT slow"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		server.WaitFor(t, fakebq.Cancel, 1)
	}},
	{"errors of a storage stream are swallowed", func(t *testing.T, _ *fakebq.Server) {
		server := bigTable(t)
		server.InjectStream(fakebq.ReadRows, fakebq.StreamFault{Code: codes.DataLoss, Message: "cannot read", After: 2})
		if got, err := readInts(t.Context(), open(t, server, overStorage(server)), ordered); err == nil {
			t.Errorf("got %d of %d rows and no error", len(got), bigRows)
		}
	}},
	{"the end of a storage stream that comes early is silent truncation", func(t *testing.T, _ *fakebq.Server) {
		server := bigTable(t)
		server.InjectStream(fakebq.ReadRows, fakebq.StreamFault{End: true, After: 2})
		if got, err := readInts(t.Context(), open(t, server, overStorage(server)), ordered); err == nil {
			t.Errorf("got %d of %d rows and no error", len(got), bigRows)
		}
	}},
	{"the location is hard-coded", func(t *testing.T, _ *fakebq.Server) {
		server := fakebq.Run(t, fakebq.Options{Location: "europe-west6"})
		server.On("SELECT *", fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, PageSize: 1, Incomplete: 1})
		if got := readAllOf(t, open(t, server), "SELECT *"); got != 3 {
			t.Errorf("got %d rows", got)
		}
		if got := sent(t, server).Location; got != "" {
			t.Errorf("asked for %q, which was never said", got)
		}
	}},
	{"a 403 of the Storage API is fatal", func(t *testing.T, _ *fakebq.Server) {
		server := bigTable(t)
		server.InjectStream(fakebq.CreateReadSession, fakebq.StreamFault{
			Code:    codes.PermissionDenied,
			Message: "bigquery.readsessions.create",
		})
		if got, err := readInts(t.Context(), open(t, server, overStorage(server)), unordered); err != nil ||
			everyRowOnce(got, false) != "" {
			t.Errorf("got %d rows, %v", len(got), err)
		}
	}},
	{"polling does not sleep", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT slow", fakebq.Answer{Fields: numbers.Fields, Incomplete: math.MaxInt32})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := run(ctx, open(t, server), "SELECT slow"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if got := server.Count(fakebq.GetQueryResults); got > 10 {
			t.Errorf("got %d polls in 0.3 s of a server that answers at once", got)
		}
	}},
	{"each pooled connection opens a browser tab", func(t *testing.T, _ *fakebq.Server) {
		signIn, server := google(t)
		p := &counted{consenter: consenter{t: t}}
		db := openSignedIn(t, signIn, server, filepath.Join(t.TempDir(), "tokens"), p)
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				if err := query(t.Context(), db); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		p.consents.Wait()
		if got := p.prompts.Load(); got != 1 {
			t.Errorf("got %d prompts", got)
		}
	}},
	{"the refresh is bound to the ctx of the first query", func(t *testing.T, _ *fakebq.Server) {
		signIn, server := google(t)
		p := &counted{consenter: consenter{t: t}}
		db := openSignedIn(t, signIn, server, t.TempDir(), p)
		first, cancel := context.WithCancel(t.Context())
		if err := query(first, db); err != nil {
			t.Fatal(err)
		}
		cancel()
		p.consents.Wait()
		signIn.ExpireAccessTokens()
		if err := query(t.Context(), db); err != nil || signIn.Counts().Refreshes != 1 {
			t.Errorf("got %v after %d refreshes", err, signIn.Counts().Refreshes)
		}
	}},
}

// TestScoreboard is green as long as the driver has none of the defects.
func TestScoreboard(t *testing.T) {
	t.Parallel()
	for _, tt := range slices.Concat(scoreboard, lifeDefects) {
		t.Run(tt.defect, func(t *testing.T) {
			t.Parallel()
			tt.test(t, fakebq.Run(t, fakebq.Options{}))
		})
	}
}

// cells reads a column of a value, twice by REST and twice by the Storage Read API.
func cells(t *testing.T, server *fakebq.Server, field fakebq.Field, value any) (got []any) {
	t.Helper()
	field.Name = "c"
	server.On("SELECT c", fakebq.Answer{Fields: []fakebq.Field{field}, Rows: [][]any{{value}, {value}}, PageSize: 1})
	for _, api := range []string{"rest", "storage"} {
		db := open(t, server, overStorage(server), func(c *dsn.Config) { c.ReadAPI = api })
		rows, err := db.QueryContext(t.Context(), "SELECT c")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range readAll(t, rows) {
			got = append(got, row[0])
		}
	}
	if len(got) != 4 || server.Count(fakebq.ReadRows) == 0 {
		t.Errorf("got %d values by %v; want 4, by both ways", len(got), server.Counts())
	}
	return got
}

// sent is the last statement that was sent.
func sent(t *testing.T, server *fakebq.Server) *bq.QueryRequest {
	t.Helper()
	all := server.Requests(fakebq.Query)
	if len(all) == 0 {
		t.Fatal("nothing was sent")
	}
	req, err := all[len(all)-1].QueryRequest()
	if err != nil {
		t.Fatal(err)
	}
	return req
}
