// Report queries the most frequent names and their numbers in each year. It writes the answers as a
// page with charts and tables, names.html, and as totals.csv and years.csv.
//
//	go run ./examples/report -o report
//
// runs against a local BigQuery. With -project and -client-secrets it runs against the real service. The
// page shows what the queries read and cost. It contains its chart library and loads nothing.
package main

import (
	"context"
	"database/sql"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

const totals = "SELECT name, SUM(number) AS total FROM `bigquery-public-data.usa_names.usa_1910_current` GROUP BY " +
	"name ORDER BY total DESC, name LIMIT 10"

const years = "SELECT name, year, SUM(number) FROM `bigquery-public-data.usa_names.usa_1910_current` WHERE name IN " +
	"UNNEST(?) GROUP BY name, year ORDER BY name, year"

type total struct {
	name   string
	number int64
}

type year struct {
	total
	year int64
}

func main() {
	dir := flag.String("o", ".", "the `folder` to write into, created if it does not exist")
	ctx, cfg := context.Background(), local.Flags("runs queries and writes a page with charts")
	local.Check(os.MkdirAll(*dir, 0o777))         // before anything is queried and billed
	stop, err := local.Start(ctx, os.Stdout, cfg) // the sandbox, without -project
	local.Check(err)
	defer stop()
	db, err := sql.Open("bigqueryuser", cfg.Format()) // your own DSN is bigqueryuser://my-project?...
	local.Check(err)
	defer db.Close()

	source := "bigquery-public-data.usa_names.usa_1910_current: names on Social Security applications by year of birth"
	if cfg.Endpoint != "" {
		source += "; the local BigQuery has only Texas, 1910 to 2023"
	}
	var costs [2]driver.Stats // of the two queries
	top := query(driver.WithStats(ctx, &costs[0]), db, func(t *total) []any { return []any{&t.name, &t.number} },
		totals)
	var names []string
	table := [][]string{{"name", "total"}}
	for _, t := range top {
		table = append(table, []string{t.name, strconv.FormatInt(t.number, 10)})
		names = append(names, t.name)
	}
	names = names[:min(3, len(names))]
	series := query(driver.WithStats(ctx, &costs[1]), db,
		func(y *year) []any { return []any{&y.name, &y.year, &y.number} }, years, names)
	perYear := [][]string{{"name", "year", "number"}}
	for _, y := range series {
		perYear = append(perYear, []string{y.name, strconv.FormatInt(y.year, 10), strconv.FormatInt(y.number, 10)})
	}

	write := func(name string, fill func(*os.File) error) {
		file, err := os.Create(filepath.Join(*dir, name))
		local.Check(err)
		local.Check(fill(file))
		local.Check(file.Close())
		fmt.Println("wrote", file.Name())
	}
	write("totals.csv", func(f *os.File) error { return csv.NewWriter(f).WriteAll(table) })
	write("years.csv", func(f *os.File) error { return csv.NewWriter(f).WriteAll(perYear) })
	write("names.html", func(f *os.File) error { return render(f, source, top, series, costs) })
}

// query reads all rows of a query into the destinations that the function returns.
func query[T any](ctx context.Context, db *sql.DB, fields func(*T) []any, text string, args ...any) (list []T) {
	rows, err := db.QueryContext(ctx, text, args...)
	local.Check(err)
	defer rows.Close()
	for rows.Next() {
		var row T
		local.Check(rows.Scan(fields(&row)...))
		list = append(list, row)
	}
	local.Check(rows.Err())
	return list
}
