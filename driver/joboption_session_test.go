package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestOptionsInTransactions: BEGIN and COMMIT take what makes sense for them, and a session
// stays in its place.
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
			ctx = driver.WithOptions(ctx, driver.Location(place), driver.Labels(map[string]string{"team": "sales"}),
				driver.DestinationTable("d.t", "", ""))
		}
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), insert); err != nil { // where the session is
			t.Fatal(err)
		}
		before := server.Count(fakebq.Query, fakebq.Insert)
		_, err = tx.ExecContext(t.Context(), insert, driver.Location("asia-east1"))
		e, ok := errors.AsType[*dsn.Error](err)
		if !ok || e.Key != "location" {
			t.Errorf("another location: got %v", err)
		}
		elsewhere := driver.WithOptions(t.Context(), driver.Location("asia-east1"))
		_, err = tx.PrepareContext(elsewhere, insert)
		if e, ok := errors.AsType[*dsn.Error](err); !ok || e.Key != "location" {
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

// TestLocatedSessions: a session that an option has put somewhere does not reach the
// connection's next user, and who holds the connection gets another one for another place.
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
