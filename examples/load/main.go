// Load writes a CSV or NDJSON file into a table, however large the file is: all of its rows or none.
//
//	go run ./examples/load                                   # a small file, into a local BigQuery
//	go run ./examples/load -file events.ndjson -table my_dataset.events -project my-project \
//		-client-secrets client_secrets.json
//
// If the table does not exist, the program creates it, with the columns of -schema or with column
// types guessed from the first rows.
package main

import (
	"bufio"
	"context"
	"database/sql"
	_ "embed"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

//go:embed planets.csv
var planets string

// loading has the settings of the command line.
type loading struct {
	file   string // "" for planets.csv
	table  string // dataset.table
	schema string // columns of CREATE TABLE; "" to find them
	bar    bool
}

func main() {
	var l loading
	flag.StringVar(&l.file, "file", "", "the `path` of a .csv file with a header, or of a .ndjson or .jsonl file")
	flag.StringVar(&l.table, "table", "demo.planets", "the `dataset.table` to write to")
	flag.StringVar(&l.schema, "schema", "", "the `columns` of a new table, such as 'id INT64 NOT NULL, name STRING'")
	cfg := local.Flags("loads a CSV or NDJSON file into a table")
	l.bar = term.IsTerminal(int(os.Stderr.Fd()))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	local.Check(run(ctx, os.Stdout, os.Stderr, cfg, l))
}

// run uses the sandbox if cfg names no project.
func run(ctx context.Context, out, errOut io.Writer, cfg *dsn.Config, l loading) error {
	stop, err := local.Start(ctx, errOut, cfg)
	if err != nil {
		return err
	}
	defer stop()
	db, err := sql.Open(driver.Name, cfg.Format())
	if err != nil {
		return err
	}
	defer db.Close()
	return l.load(ctx, out, errOut, db)
}

// load is the part that your own program would have.
func (l *loading) load(ctx context.Context, out, errOut io.Writer, db *sql.DB) error {
	columns, err := l.prepare(ctx, db)
	if err != nil {
		return err
	}
	input, size, err := l.open()
	if err != nil {
		return err
	}
	defer input.Close()
	bar := progressbar.NewOptions64(size, progressbar.OptionSetWriter(errOut), progressbar.OptionSetVisibility(l.bar),
		progressbar.OptionShowBytes(true), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	begun := time.Now()
	result, err := bulk.Append(ctx, db, l.table, l.rows(io.TeeReader(input, bar), columns),
		bulk.WithProgress(func(p bulk.Progress) { bar.Describe(fmt.Sprintf("%d rows", p.Rows)) }))
	_ = bar.Clear() // of a terminal
	if err != nil {
		return err
	}
	took := time.Since(begun)
	way := "the Storage Write API"
	if result.JobID != "" {
		way = "a load job, because of: " + fmt.Sprint(result.Fallback)
	}
	var total int64
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quoted(l.table)).Scan(&total); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d rows, %d bytes in %.1f s (%.0f rows a second) by %s; %s has %d rows now\n",
		result.Rows, result.Bytes, took.Seconds(), float64(result.Rows)/took.Seconds(), way, l.table, total)
	return err
}

// prepare returns the columns of the table, by name in lower case. It creates the table if it does
// not exist.
func (l *loading) prepare(ctx context.Context, db *sql.DB) (map[string]string, error) {
	columns, err := columnsOf(ctx, db, l.table)
	if !errors.Is(err, driver.ErrNotFound) {
		return columns, err
	}
	schema := l.schema
	if schema == "" {
		input, _, err := l.open()
		if err != nil {
			return nil, err
		}
		defer input.Close()
		names, err := l.header()
		if err == nil {
			schema, err = l.guess(input, names)
		}
		if err != nil {
			return nil, fmt.Errorf("%w; say the columns with -schema", err)
		}
	}
	dataset, _, ok := strings.Cut(l.table, ".")
	if !ok {
		return nil, fmt.Errorf("-table %s is not of the form dataset.table", l.table)
	}
	for _, ddl := range []string{
		"CREATE SCHEMA IF NOT EXISTS " + quoted(dataset),
		"CREATE TABLE " + quoted(l.table) + " (" + schema + ")",
	} {
		if _, err := db.ExecContext(ctx, ddl); err != nil {
			return nil, err
		}
	}
	return columnsOf(ctx, db, l.table)
}

// columnsOf returns the types of a table's columns. It asks in a dry run, which costs
// nothing.
func columnsOf(ctx context.Context, db *sql.DB, table string) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+quoted(table), driver.DryRun())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, err
	}
	columns := map[string]string{}
	for _, t := range types {
		columns[strings.ToLower(t.Name())] = t.DatabaseTypeName()
	}
	return columns, rows.Err()
}

func quoted(name string) string { return "`" + name + "`" }

// open opens the file, or by default the one that is embedded in the program.
func (l *loading) open() (io.ReadCloser, int64, error) {
	if l.file == "" {
		return io.NopCloser(strings.NewReader(planets)), int64(len(planets)), nil
	}
	f, err := os.Open(l.file)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	in := bufio.NewReader(f)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" { // as Excel writes CSV
		_, _ = in.Discard(3)
	}
	return struct {
		io.Reader
		io.Closer
	}{in, f}, info.Size(), nil
}

// header reads the names of the columns of CSV.
func (l *loading) header() ([]string, error) {
	if l.lines() {
		return nil, nil
	}
	input, _, err := l.open()
	if err != nil {
		return nil, err
	}
	defer input.Close()
	return csv.NewReader(input).Read()
}

// lines reports whether the file is NDJSON.
func (l *loading) lines() bool {
	ext := strings.ToLower(filepath.Ext(l.file))
	return ext == ".ndjson" || ext == ".jsonl" || ext == ".json"
}
