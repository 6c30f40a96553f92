// Sqlx shows sqlx: rows into structs, named parameters, IN, and a transaction.
//
//	go run ./examples/sqlx
//
// runs against a local BigQuery. With -project and -client-secrets it runs against the real service.
// On the real service it needs the right to create the dataset bigqueryuser_example. It drops its table again;
// the dataset stays.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jmoiron/sqlx"

	_ "github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

const names = "`bigquery-public-data.usa_names.usa_1910_current`"

type name struct {
	Name  string
	Total int64
}

func main() {
	ctx, cfg := context.Background(), local.Flags("fills structs with sqlx")
	stop, err := local.Start(ctx, os.Stdout, cfg) // the sandbox, without -project
	local.Check(err)
	defer stop()
	db, err := sqlx.ConnectContext(ctx, "bigqueryuser", cfg.Format()) // your own DSN is bigqueryuser://my-project?...
	local.Check(err)
	defer db.Close()

	var top []name
	local.Check(db.SelectContext(ctx, &top, "SELECT name, SUM(number) AS total FROM "+names+
		" WHERE year >= ? GROUP BY name ORDER BY total DESC LIMIT 3", 2000))
	fmt.Println("since 2000:", top)

	rows, err := db.NamedQueryContext(ctx,
		"SELECT name, SUM(number) AS total FROM "+names+" WHERE name = :name GROUP BY name", name{Name: "William"})
	local.Check(err)
	defer rows.Close()
	for rows.Next() {
		var n name
		local.Check(rows.StructScan(&n))
		fmt.Println("named:", n)
	}
	local.Check(rows.Err())

	query, args, err := sqlx.In("SELECT SUM(number) FROM "+names+" WHERE name IN (?)", []string{"Ada", "Grace"})
	local.Check(err)
	var total int64
	local.Check(db.GetContext(ctx, &total, db.Rebind(query), args...))
	fmt.Println("Ada and Grace:", total)

	kept, err := keep(ctx, db, top)
	local.Check(err)
	fmt.Println("kept:", kept)
}

// keep writes the names into a table in one transaction, reads them back and drops the table.
func keep(ctx context.Context, db *sqlx.DB, top []name) (kept []string, err error) {
	for _, ddl := range []string{
		"CREATE SCHEMA IF NOT EXISTS bigqueryuser_example",
		"CREATE OR REPLACE TABLE bigqueryuser_example.top (name STRING, total INT64)",
	} {
		if _, err := db.ExecContext(ctx, ddl); err != nil {
			return nil, err
		}
	}
	defer func() {
		_, dropErr := db.ExecContext(ctx, "DROP TABLE bigqueryuser_example.top")
		err = errors.Join(err, dropErr)
	}()
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() // of no effect after Commit
	_, err = tx.NamedExecContext(ctx,
		"INSERT INTO bigqueryuser_example.top (name, total) VALUES (:name, :total)", top)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	err = db.SelectContext(ctx, &kept, "SELECT name FROM bigqueryuser_example.top ORDER BY total DESC")
	return kept, err
}
