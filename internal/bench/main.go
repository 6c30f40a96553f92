// Command bench reads the same results in several ways: with this driver over
// REST and over the Storage Read API, with the official client both ways, and
// with loops that do less than any reader can. internal/fakebq answers as
// BigQuery in a separate process. Each read also runs in its own process. The
// rounds are interleaved, so that other work of the machine affects all readers
// alike. The command prints a Markdown table of medians.
//
//	go run ./internal/bench -rounds 5 -rows 1,1000,100000,1000000 -shapes narrow,wide,nested
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := runMain(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func runMain(ctx context.Context) error {
	rounds := flag.Int("rounds", 5, "how often each read is measured; the table has the medians")
	sizes := flag.String("rows", "1,1000,10000,100000,1000000", "rows of the results, comma separated")
	names := flag.String("shapes", "narrow,wide,nested", "shapes of the rows, comma separated")
	only := flag.String("readers", "", "measure only the readers whose names contain one of these, comma separated")
	server := flag.Bool("serve", false, "be the server")
	one := flag.String("measure", "", "make one measurement")
	appends := flag.Int("append", 0,
		"measure writers with this many narrow rows and a tenth of it wide rows, and no readers")
	image := flag.String("picture", "", "file for a picture of the largest results, as SVG")
	latency := flag.Duration("latency", 0, "how long each request of the REST API takes")
	profiles := flag.String("profiles", "", "folder for a CPU profile of each reader's last round")
	flag.Parse()
	switch {
	case *server:
		return serve(os.Stdout, os.Stdin, *latency)
	case *one != "":
		return child(ctx, *one)
	}
	var all []shape
	for name := range strings.SplitSeq(*names, ",") {
		s, err := shapeNamed(name)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	at, stop, err := startServer(*latency)
	if err != nil {
		return err
	}
	defer stop()
	if *appends > 0 {
		return compareWriters(ctx, at, *appends, *rounds, *profiles)
	}
	var panels []panel
	for text := range strings.SplitSeq(*sizes, ",") {
		panels = panels[:0] // of the last size
		rows, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-rows %s: %w", text, err)
		}
		for _, s := range all {
			got, err := compare(ctx, at, s, rows, *rounds, chosen(*only), *profiles)
			if err != nil {
				return err
			}
			panels = append(panels, newPanel(s, rows, got))
		}
	}
	if *image != "" {
		return writePicture(*image, panels)
	}
	return nil
}

// statementRows is the number of rows for the writers that use statements.
const statementRows = 5_000

// compareWriters measures the writers for any number of rows, and then all of them with fewer rows.
func compareWriters(ctx context.Context, at addresses, rows, rounds int, profiles string) error {
	for _, c := range []struct {
		shape   shape
		rows    int
		writers []reader
	}{
		{shapes[0], rows, writers[:streamWriters]},
		{shapes[1], max(rows/10, 1), writers[:streamWriters]},
		{shapes[0], min(rows, statementRows), writers},
		{shapes[1], min(rows, statementRows), writers},
	} {
		if _, err := compare(ctx, at, c.shape, c.rows, rounds, c.writers, profiles); err != nil {
			return err
		}
	}
	return nil
}

// chosen returns the readers whose names contain one of the comma separated
// parts.
func chosen(parts string) []reader {
	var out []reader
	for _, r := range readers {
		for part := range strings.SplitSeq(parts, ",") {
			if strings.Contains(r.name, part) {
				out = append(out, r)
				break
			}
		}
	}
	return out
}

// compare measures the readers on one result and prints their table.
func compare(
	ctx context.Context, at addresses, s shape, rows, rounds int, readers []reader, profiles string,
) (map[string][]measurement, error) {
	got := make(map[string][]measurement)
	for round := range rounds + 1 {
		for _, r := range readers {
			j := job{At: at, Reader: r.name, Shape: s.name, Rows: rows}
			if profiles != "" && round == rounds {
				name := strings.NewReplacer(" ", "-", ",", "", "/", "-").Replace(r.name)
				j.Profile = filepath.Join(profiles, fmt.Sprintf("%s-%s-%d.prof", name, s.name, rows))
			}
			m, err := inChild(ctx, j)
			if err != nil {
				return nil, err
			}
			if round > 0 { // in the first the server makes its pages and batches
				got[r.name] = append(got[r.name], m)
			}
		}
	}
	return got, printTable(os.Stdout, s, rows, readers, got)
}
