// Quickstart signs a user in and runs one query through database/sql.
//
//	go run ./examples/quickstart
//
// runs against a sandbox: a local replacement for Google's sign-in and for BigQuery in this
// process, with real SQL and the names of children born in Texas. With your own project and client
// secrets, the same code runs against the real service and is billed to the project:
//
//	go run ./examples/quickstart -project my-project -client-secrets client_secrets.json
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

const names = "SELECT name, SUM(number) AS total FROM `bigquery-public-data.usa_names.usa_1910_current` " +
	"WHERE name = 'William' GROUP BY name"

func main() {
	query := flag.String("query", names, "the `SQL` to run")
	remote := flag.Bool("remote", false,
		"sign in through the terminal, as over SSH: paste the address that the browser ends at")
	cfg := local.Flags("signs in, runs a query and prints its rows")
	if *remote {
		cfg.Login = "manual"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	local.Check(run(ctx, os.Stdout, cfg, *query))
}

// run uses the sandbox if cfg names no project.
func run(ctx context.Context, out io.Writer, cfg *dsn.Config, query string) error {
	stop, err := local.Start(ctx, out, cfg)
	if err != nil {
		return err
	}
	defer stop()
	db, err := sql.Open(driver.Name, cfg.Format())
	if err != nil {
		return err
	}
	defer db.Close()
	return report(ctx, out, db, query)
}

// report is the part that your own program would have.
func report(ctx context.Context, out io.Writer, db *sql.DB, query string) error {
	var stats driver.Stats
	rows, err := db.QueryContext(driver.WithStats(ctx, &stats), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if err := printRows(out, rows); err != nil {
		return err
	}
	for rows.NextResultSet() { // of a script
		fmt.Fprintln(out)
		if err := printRows(out, rows); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	who, err := driver.Identity(ctx, db)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nsigned in as %s, billed to project %s, %d bytes processed\n",
		who.Account, stats.Project, stats.BytesProcessed)
	return err
}

func printRows(out io.Writer, rows *sql.Rows) error {
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	values := make([]any, len(columns))
	targets := make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			if i > 0 {
				fmt.Fprint(out, ": ")
			}
			fmt.Fprint(out, text(v))
		}
		fmt.Fprintln(out)
	}
	return rows.Err()
}

func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("%x", v)
	}
	return fmt.Sprint(v)
}
