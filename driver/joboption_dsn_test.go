package driver_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestDestinationOfTheDSN: the destination in the DSN applies to queries, and to no request that the driver
// makes by itself. An option applies to its statement, of any kind.
func TestDestinationOfTheDSN(t *testing.T) {
	t.Parallel()
	server := transactions(t)
	for _, text := range []string{
		"SELECT name, n FROM t", "WITH x AS (SELECT 1) SELECT * FROM x", "-- all\n(SELECT 1)",
		"/* all */ FROM t", " # all\n\tselect 1",
	} {
		server.On(text, numbers)
	}
	others := []string{
		insert, "CREATE TABLE t (a INT64)", "SELECT 1; SELECT 2", "CALL p()", "DECLARE x INT64",
		"SET @@time_zone = 'UTC'", "-- nothing but SELECT",
	}
	for _, text := range others {
		server.On(text, fakebq.Answer{StatementType: "INSERT", DML: &fakebq.DML{}})
	}
	db, err := openDSN(t, server, "d", "&destination_table=kept&write_disposition=append&create_disposition=never")
	if err != nil {
		t.Fatal(err)
	}
	const kept = `{"datasetId":"d","projectId":"my-project","tableId":"kept"}`
	destinations := func() (all []string) {
		for _, r := range server.Requests(fakebq.Query, fakebq.Insert) {
			if table := member(t, r.Body, "configuration.query.destinationTable"); table != "" {
				all = append(all, table)
			}
		}
		return all
	}
	for _, text := range []string{
		"SELECT name, n FROM t", "WITH x AS (SELECT 1) SELECT * FROM x", "-- all\n(SELECT 1)",
		"/* all */ FROM t", " # all\n\tselect 1",
	} {
		server.ResetLog()
		rows, err := db.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, rows); len(got) != 3 {
			t.Errorf("%s: got %d rows; want 3", text, len(got))
		}
		if got := destinations(); len(got) != 1 || got[0] != kept {
			t.Errorf("%s: got destinations %q; want %s", text, got, kept)
		}
	}
	server.ResetLog()
	for _, text := range others {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := db.PrepareContext(t.Context(), insert); err != nil {
		t.Error(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if err := db.PingContext(t.Context()); err != nil && !strings.Contains(err.Error(), "no answer") {
		t.Error(err)
	}
	if got := destinations(); len(got) != 0 {
		t.Errorf("statements that are no queries: got destinations %q", got)
	}
	_, err = db.ExecContext(t.Context(), insert, driver.DestinationTable("mine", "", ""))
	if !errors.Is(err, driver.ErrInvalidQuery) {
		t.Errorf("an option with DML: got %v; want BigQuery's refusal", err)
	}
	if got := destinations(); len(got) != 1 || !strings.Contains(got[0], "mine") {
		t.Errorf("an option: got destinations %q; want its own", got)
	}
}

// TestDryRunOfTheDSN: no statement is run.
func TestDryRunOfTheDSN(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT name, n FROM t", numbers)
	db, err := openDSN(t, server, "", "&dry_run=true")
	if err != nil {
		t.Fatal(err)
	}
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(t.Context(), &stats), "SELECT name, n FROM t")
	if err != nil {
		t.Fatal(err)
	}
	columns, err := rows.Columns()
	if got := readAll(t, rows); len(got) != 0 || len(columns) != 2 || err != nil || stats.StatementType != "SELECT" {
		t.Errorf("got %v, %q, %v, %+v; want the columns and no rows", got, columns, err, stats)
	}
	if _, err := db.BeginTx(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "dry run") {
		t.Errorf("BeginTx: got %v", err)
	}
	for _, r := range server.Requests(fakebq.Query, fakebq.Insert) {
		if member(t, r.Body, "configuration.dryRun") != "true" {
			t.Errorf("got %s; want dry runs only", r.Body)
		}
	}
}
