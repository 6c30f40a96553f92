// Shell is a prompt for SQL with history, tables, other formats, charts, and the cost of
// statements.
//
//	go run ./examples/shell                                  # against a local BigQuery
//	go run ./examples/shell -project my-project -client-secrets client_secrets.json
//	go run ./examples/shell -format csv -c 'SELECT 1 AS x'   # one statement, for scripts
//	go run ./examples/shell -f report.sql -format parquet -o report.parquet
//
// Statements end with a semicolon and may have several lines. \? lists the commands. Without a
// terminal, statements come from stdin, the first error ends the program, and there are no colours.
// The exit code is 0, or 1 after an error, 2 for an invalid command line, 3 if the user refused a
// statement that would read more than -ask-above, or 130 after Ctrl-C.
package main

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

func main() { os.Exit(run()) }

func run() int {
	command := flag.String("c", "", "the `statements` to run, instead of asking for them")
	file := flag.String("f", "", "the `path` of a file with statements to run")
	format := flag.String("format", "table", "`how` rows are printed: "+strings.Join(formats(), ", "))
	output := flag.String("o", "", "the `path` of a file to write the rows into, instead of stdout")
	askAbove := flag.Float64("ask-above", 1, "ask before a statement that would read more than this many `GB`")
	yes := flag.Bool("yes", false, "run every statement without asking")
	ctx, cfg := context.Background(), local.Flags("is a prompt for SQL")
	if !slices.Contains(formats(), *format) {
		fmt.Fprintf(os.Stderr, "shell: there is no format %q; there are %s\n", *format, strings.Join(formats(), ", "))
		return 2
	}
	stop, err := local.Start(ctx, os.Stderr, cfg) // the sandbox, without -project
	if err != nil {
		return failed(err)
	}
	defer stop()
	cfg.CreateSession = "always" // variables and temporary tables stay until the end
	connector, err := driver.NewConnector(cfg)
	if err != nil {
		return failed(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()

	s := &shell{
		db: db, connector: connector, project: cfg.Project, dataset: cfg.Dataset, out: os.Stdout, errOut: os.Stderr,
		format: *format, askAbove: int64(*askAbove * 1e9), yes: *yes,
		terminal: term.IsTerminal(int(os.Stdout.Fd())), stdin: os.Stdin,
	}
	s.interactive = *command == "" && *file == "" && term.IsTerminal(int(os.Stdin.Fd()))
	s.colours = s.terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	defer s.close()
	if *output != "" {
		f, err := os.Create(*output)
		if err != nil {
			return failed(err)
		}
		defer f.Close()
		s.out, s.terminal, s.colours = f, false, false
	}
	switch {
	case *command != "":
		return s.script(ctx, *command)
	case *file != "":
		text, err := os.ReadFile(*file)
		if err != nil {
			return failed(err)
		}
		return s.script(ctx, string(text))
	case s.interactive:
		return s.prompt(ctx)
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return failed(err)
	}
	return s.script(ctx, string(text))
}

func failed(err error) int {
	fmt.Fprintln(os.Stderr, "shell:", err)
	return 1
}
