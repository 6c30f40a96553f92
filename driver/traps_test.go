package driver_test

import (
	"database/sql"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// traps are behaviours of the official Go client that a driver on top of it would inherit, each with its
// test.
var traps = []struct {
	trap string
	test func(*testing.T, *fakebq.Server)
}{
	{"a statement in a session runs outside of it", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT 1", numbers)
		conn, err := open(t, server, func(c *dsn.Config) { c.CreateSession = "always" }).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		for range 2 {
			rows, err := conn.QueryContext(t.Context(), "SELECT 1")
			if err != nil {
				t.Fatal(err)
			}
			readAll(t, rows)
		}
		if _, sessions := statements(t, server); sessions[0] != "new" ||
			len(server.Sessions()) != 1 || sessions[1] != server.Sessions()[0] {
			t.Errorf("got sessions %q; want a new one and the same again", sessions)
		}
	}},
	{"the types of undeclared parameters are hidden", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT ?", fakebq.Answer{Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "DATE"}}}})
		if err := run(t.Context(), open(t, server), "SELECT ?", utc(2024, 2, 29, 1, 2, 3, 0)); err != nil {
			t.Error(err)
		}
		if p := sent(t, server).QueryParameters[0]; p.ParameterType.Type != "DATE" || p.ParameterValue.Value != "2024-02-29" {
			t.Errorf("got %+v", p)
		}
	}},
	{"the rows of a result are taken for affected ones", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT 1", numbers)
		res, err := open(t, server).ExecContext(t.Context(), "SELECT 1")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != 0 || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}},
	{"a failed job is taken for a failed poll", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT 1", fakebq.Answer{Incomplete: 1, Err: &fakebq.Error{Reason: "backendError"}})
		if err := run(t.Context(), open(t, server), "SELECT 1"); err == nil {
			t.Error("got no error")
		}
		if got := server.Count(fakebq.GetQueryResults); got != 1 || server.Executions("SELECT 1") != 1 {
			t.Errorf("got %d polls", got)
		}
	}},
	{"rows that are left early leave workers behind", func(t *testing.T, _ *fakebq.Server) {
		server := bigTable(t)
		rows, err := open(t, server, overStorage(server)).QueryContext(t.Context(), unordered)
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() || rows.Close() != nil {
			t.Errorf("got %v", rows.Err())
		}
		server.WaitStreams(t) // goleak has the goroutines
	}},
	{"reading a result costs one more request", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT 1", numbers)
		if err := run(t.Context(), open(t, server), "SELECT 1"); err != nil || server.Count() != 1 {
			t.Errorf("got %v after %d requests", err, server.Count())
		}
	}},
	{"timestamps of later pages are floats", func(t *testing.T, server *fakebq.Server) {
		at := utc(2024, 2, 29, 1, 2, 3, 123457)
		server.On("SELECT 1", fakebq.Answer{
			Fields:   []fakebq.Field{{Name: "t", Type: "TIMESTAMP"}},
			Rows:     [][]any{{at}, {at}},
			PageSize: 1,
		})
		rows, err := open(t, server).QueryContext(t.Context(), "SELECT 1")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := readAll(t, rows), [][]any{{at}, {at}}; !same(got, want) {
			t.Errorf("got %v; want %v", got, want)
		}
	}},
	{"an untyped nil is an error", func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT ?", fakebq.Answer{Parameters: []fakebq.Parameter{{Type: &bq.QueryParameterType{Type: "STRING"}}}})
		if err := run(t.Context(), open(t, server), "SELECT ?", nil); err != nil ||
			sent(t, server).QueryParameters[0].ParameterType.Type != "STRING" {
			t.Errorf("got %v", err)
		}
	}},
	{
		"a range without a bound is an error",
		wire(driver.Range{End: civil.Date{Year: 2024, Month: 1, Day: 1}}, "RANGE<DATE> [UNBOUNDED, 2024-01-01)"),
	},
	{"a time.Duration is sent as 5ns", wire(5*time.Nanosecond, "INT64 5")},
	{"a nil []byte is an empty one", wire([]byte(nil), "BYTES NULL")},
	{"an empty []byte is NULL", wire([]byte{}, "BYTES ")},
	{
		"a *big.Rat is a NUMERIC whatever it holds",
		wire(bigRat("0.00000000000000000001"), "BIGNUMERIC 0.00000000000000000001"),
	},
	{"civil dates are text", wire(civil.Date{Year: 2024, Month: 2, Day: 29}, "DATE 2024-02-29")},
	{
		"civil dates in a sql.Null are text",
		wire(sql.Null[civil.DateTime]{V: civil.DateTime{Date: civil.Date{Year: 2024, Month: 2, Day: 29}}, Valid: true},
			"DATETIME 2024-02-29 00:00:00"),
	},
	{
		"a civil time is rounded up to 60 seconds",
		wire(civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999999}, "TIME 23:59:59.999999"),
	},
	{"an interval loses its sign", wire(bigquery.IntervalValue{Months: -3, Minutes: -5}, "INTERVAL -0-3 0 -0:5:0")},
}

// TestTraps is green as long as the driver has inherited none of the traps.
func TestTraps(t *testing.T) {
	t.Parallel()
	for _, tt := range traps {
		t.Run(tt.trap, func(t *testing.T) {
			t.Parallel()
			tt.test(t, fakebq.Run(t, fakebq.Options{}))
		})
	}
}

// wire tests how one argument travels.
func wire(arg any, want string) func(*testing.T, *fakebq.Server) {
	return func(t *testing.T, server *fakebq.Server) {
		server.On("SELECT ?", numbers)
		if err := run(t.Context(), open(t, server), "SELECT ?", arg); err != nil {
			t.Fatal(err)
		}
		if got := sentArguments(t, server); !reflect.DeepEqual(got, []string{want}) {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}

// sentArguments writes the arguments of the last statement that was sent, each as its type and
// its value.
func sentArguments(t *testing.T, server *fakebq.Server) (texts []string) {
	t.Helper()
	var req struct {
		QueryParameters []struct {
			ParameterType  *bq.QueryParameterType
			ParameterValue *wireValue
		}
	}
	all := server.Requests(fakebq.Query)
	if err := json.Unmarshal(all[len(all)-1].Body, &req); err != nil {
		t.Fatal(err)
	}
	for _, p := range req.QueryParameters {
		texts = append(texts, typeText(p.ParameterType)+" "+p.ParameterValue.text(p.ParameterType))
	}
	return texts
}
