package main

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"cloud.google.com/go/bigquery"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

type shell struct {
	db               *sql.DB
	connector        *driver.Connector
	held             *sql.Conn // one connection, and so one session
	project, dataset string
	out, errOut      io.Writer
	stdin            *os.File
	format           string
	askAbove         int64
	interactive      bool // a user types
	terminal         bool // a user reads the output
	colours          bool
	yes              bool
	expanded, timing bool
	last             *result // for \chart
}

// Exit codes.
const (
	exitError       = 1
	exitRefused     = 3
	exitInterrupted = 130
)

var errRefused = errors.New("not run")

// script runs statements until one fails, and returns the exit code.
func (s *shell) script(ctx context.Context, text string) int {
	for _, statement := range all(text) {
		err := s.run(ctx, statement)
		switch {
		case err == nil:
		case errors.Is(err, io.EOF): // \q
			return 0
		case errors.Is(err, errRefused):
			return exitRefused
		case errors.Is(err, context.Canceled):
			return exitInterrupted
		default:
			return exitError
		}
	}
	return 0
}

// run runs one statement or command and prints its error.
func (s *shell) run(ctx context.Context, text string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	err := s.command(ctx, text)
	if errors.Is(err, errNoCommand) {
		err = s.statement(ctx, text)
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, errRefused) && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(s.errOut, "%s%+v%s\n", s.colour(red), err, s.colour(plain)) // %+v shows the line and a caret
	}
	return err
}

// statement runs a statement of SQL.
func (s *shell) statement(ctx context.Context, text string) error {
	conn, err := s.conn(ctx)
	if err != nil {
		return err
	}
	if err := s.agree(ctx, conn, text); err != nil {
		return err
	}
	var stats driver.Stats
	bar := &bar{out: s.errOut, shown: s.interactive}
	started := time.Now()
	rows, err := conn.QueryContext(driver.WithStats(driver.WithProgress(ctx, bar.tell), &stats), text)
	bar.clear()
	if err == nil {
		err = s.print(rows, &stats)
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}
	if errors.Is(err, context.Canceled) {
		if stats.JobID == "" {
			stats.JobID = bar.job
		}
		s.cancelled(stats)
	}
	if errors.Is(err, sqldriver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		s.held = nil // the session is over
	}
	if s.timing && err == nil {
		cost := size(stats.BytesBilled) + " billed"
		if stats.CacheHit {
			cost = "from the cache"
		}
		fmt.Fprintf(
			s.errOut,
			"Time: %v, read %s, %s, slots %v\n",
			time.Since(started).Round(time.Millisecond),
			size(stats.BytesProcessed),
			cost,
			stats.SlotTime.Round(time.Millisecond),
		)
	}
	return err
}

// conn returns the connection, or a new one after it was lost.
func (s *shell) conn(ctx context.Context) (*sql.Conn, error) {
	if s.held != nil {
		return s.held, nil
	}
	var err error
	s.held, err = s.db.Conn(ctx)
	return s.held, err
}

func (s *shell) close() {
	if s.held != nil {
		s.held.Close()
	}
}

// agree asks before a statement that would read more than the limit. A statement that can't be
// estimated, such as a script that creates its own tables, is run.
func (s *shell) agree(ctx context.Context, conn *sql.Conn, text string) error {
	if s.yes {
		return nil
	}
	bytes, err := driver.Estimate(ctx, conn, text)
	if err != nil || bytes <= s.askAbove {
		return nil
	}
	question := fmt.Sprintf("this will read %s (about $%.4f on demand): run?", size(bytes), price(bytes))
	if !s.interactive {
		fmt.Fprintln(s.errOut, "shell:", question, "Say so with -yes, or raise -ask-above")
		return errRefused
	}
	fmt.Fprint(s.errOut, question, " [y/N] ")
	if answer := strings.ToLower(s.line()); answer != "y" && answer != "yes" {
		fmt.Fprintln(s.errOut, "not run")
		return errRefused
	}
	return nil
}

// line reads a line of the terminal, and nothing after it.
func (s *shell) line() string {
	var text []byte
	for one := make([]byte, 1); ; {
		n, err := s.stdin.Read(one)
		if n == 0 || err != nil || one[0] == '\n' || one[0] == '\r' {
			return strings.TrimSpace(string(text))
		}
		text = append(text, one[0])
	}
}

// price returns BigQuery's on-demand price in US dollars: $6.25 for each TiB
// (https://cloud.google.com/bigquery/pricing), and more in some regions.
func price(bytes int64) float64 { return float64(bytes) / (1 << 40) * 6.25 }

// size formats a number of bytes.
func size(bytes int64) string {
	value, unit := float64(bytes), "B"
	for _, next := range []string{"kB", "MB", "GB", "TB", "PB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, next
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.3g %s", value, unit)
}

// cancelled prints the cost of a statement that Ctrl-C has ended. The driver cancels the job, which
// can take BigQuery some seconds.
func (s *shell) cancelled(stats driver.Stats) {
	if stats.JobID == "" {
		fmt.Fprintln(s.errOut, "cancelled, before its job was known")
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	conn, err := s.db.Conn(ctx) // the statement may still use the held connection
	if err != nil {
		return
	}
	defer conn.Close()
	err = driver.Raw(conn, func(raw driver.RawConn) error {
		client, err := raw.Client(ctx)
		if err != nil {
			return err
		}
		job, err := client.JobFromProject(ctx, s.project, stats.JobID, stats.Location)
		if err != nil {
			return err
		}
		status, err := job.Status(ctx) // not Wait, which fails for a job that was cancelled
		for ; err == nil && !status.Done(); status, err = job.Status(ctx) {
			time.Sleep(200 * time.Millisecond)
		}
		if err != nil {
			return err
		}
		billed := int64(0)
		if q, ok := status.Statistics.Details.(*bigquery.QueryStatistics); ok {
			billed = q.TotalBytesBilled
		}
		fmt.Fprintf(
			s.errOut,
			"cancelled job %s: read %s, billed %s\n",
			stats.JobID,
			size(status.Statistics.TotalBytesProcessed),
			size(billed),
		)
		return nil
	})
	if err != nil {
		fmt.Fprintf(s.errOut, "cancelled job %s; its cost is not known: %v\n", stats.JobID, err)
	}
}

const (
	red   = "\x1b[31m"
	bold  = "\x1b[1m"
	plain = "\x1b[0m"
)

func (s *shell) colour(code string) string {
	if !s.colours {
		return ""
	}
	return code
}
