package driver_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

const (
	campaignSelect  = "SELECT name, n FROM t"
	campaignBig     = "SELECT i, s FROM big"
	campaignOrdered = "SELECT i, s FROM big ORDER BY i"
	campaignInsert  = "INSERT INTO t VALUES (1)"
	campaignScript  = "INSERT INTO t VALUES (1); SELECT i, s FROM small"
	campaignRows    = 2000
	campaignTable   = "my-project:d.t"
	campaignTarget  = "my-project.d.target"
)

// operation is what a program does with the driver.
type operation struct {
	name    string
	methods []fakebq.Method // where faults are put
	config  func(*dsn.Config)
	run     func(context.Context, *scenario, *sql.DB) error
	// unpromised says that a lost answer can't be had again: BigQuery may run it twice.
	unpromised bool
	// paged says that rows are fetched after the statement is done, which a refusal can end.
	paged bool
	// reads says that it is one SELECT: BigQuery may have run it twice where an answer was lost.
	reads bool
}

var (
	requests = []fakebq.Method{fakebq.Query, fakebq.Query, fakebq.GetQueryResults, fakebq.Cancel, fakebq.Get,
		fakebq.List}
	inserts = []fakebq.Method{fakebq.Insert, fakebq.Insert, fakebq.GetQueryResults, fakebq.Cancel, fakebq.Get,
		fakebq.List}
	pages   = []fakebq.Method{fakebq.Query, fakebq.GetQueryResults, fakebq.GetQueryResults, fakebq.Get}
	streams = []fakebq.Method{fakebq.Query, fakebq.Get, fakebq.CreateReadSession, fakebq.ReadRows, fakebq.ReadRows}
	dryRuns = []fakebq.Method{fakebq.Insert}
	appends = []fakebq.Method{fakebq.CreateWriteStream, fakebq.AppendRows, fakebq.AppendRows, fakebq.AppendRows,
		fakebq.FinalizeWriteStream, fakebq.BatchCommitWriteStreams, fakebq.BatchCommitWriteStreams}
)

func byStorage(c *dsn.Config) { c.ReadAPI = "storage" }
func byOwnID(c *dsn.Config)   { c.JobIDPrefix = "campaign_" }

// operations are those of the campaign.
var operations = []operation{
	{name: "small SELECT", methods: requests, run: readSmall, reads: true},
	{name: "big SELECT by REST", methods: pages, run: readBig(campaignBig), paged: true, reads: true},
	{name: "big ordered SELECT by REST", methods: pages, run: readBig(campaignOrdered), paged: true, reads: true},
	{name: "big SELECT by Storage", methods: streams, config: byStorage, run: readBig(campaignBig), reads: true},
	{name: "big ordered SELECT by Storage", methods: streams, config: byStorage,
		run: readBig(campaignOrdered), reads: true},
	{name: "Query by REST", methods: pages, run: readTyped(campaignBig), paged: true, reads: true},
	{name: "ordered Query by REST", methods: pages, run: readTyped(campaignOrdered), paged: true, reads: true},
	{name: "Query by Storage", methods: streams, config: byStorage, run: readTyped(campaignBig), reads: true},
	{name: "ordered Query by Storage", methods: streams, config: byStorage,
		run: readTyped(campaignOrdered), reads: true},
	{name: "QueryArrow by REST", methods: pages, run: readArrow(campaignOrdered), paged: true, reads: true},
	{name: "QueryArrow by Storage", methods: streams, config: byStorage, run: readArrow(campaignBig), reads: true},
	{name: "ordered QueryArrow by Storage", methods: streams, config: byStorage,
		run: readArrow(campaignOrdered), reads: true},
	{name: "INSERT", methods: requests, run: change(campaignInsert)},
	{name: "long INSERT", methods: requests, run: change(campaignInsert)},
	{name: "INSERT by job id", methods: inserts, config: byOwnID, run: change(campaignInsert)},
	{name: "long INSERT by job id", methods: inserts, config: byOwnID, run: change(campaignInsert)},
	{name: "Append", methods: appends, run: appendRows()},
	{name: "committed Append", methods: appends[:len(appends)-2], run: appendRows(bulk.Committed())},
	{name: "script", methods: requests, run: change(campaignScript), unpromised: true},
	{name: "script with rows", methods: requests, run: readScript, unpromised: true, paged: true},
	{name: "transaction", methods: requests, run: transact, unpromised: true},
	{name: "Prepare", methods: append(dryRuns, requests...), run: prepared},
	{name: "Ping", methods: dryRuns, run: func(ctx context.Context, _ *scenario, db *sql.DB) error {
		return db.PingContext(ctx)
	}},
	{name: "Estimate", methods: dryRuns, run: estimate},
}

// script says what the server answers.
func (o *operation) script(s *scenario) {
	fields := []fakebq.Field{{Name: "i", Type: "INTEGER"}, {Name: "s", Type: "STRING"}}
	table := func(n int) *fakebq.Table {
		t, err := fakebq.NewTable(fields, n, func(i int) []any { return []any{i, fmt.Sprint("row ", i)} })
		if err != nil {
			panic(err) // the rows fit the fields
		}
		return t
	}
	small := fakebq.Answer{Fields: numbers.Fields, Rows: numbers.Rows, Incomplete: s.polls, Bytes: 42}
	if s.endless && o.name == "small SELECT" {
		small.Until, small.Incomplete = make(chan struct{}), 0
	}
	big := fakebq.Answer{Table: table(campaignRows), PageSize: 250, BatchRows: 100, Incomplete: s.polls}
	insert := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Tables: []string{campaignTable}, Incomplete: s.polls}
	if o.name == "long INSERT" || o.name == "long INSERT by job id" {
		until := make(chan struct{})
		if !s.endless {
			time.AfterFunc(s.lasts, func() { close(until) })
		}
		insert.Until, insert.Incomplete = until, 0
	}
	s.server.CreateTable(campaignTarget, fields...)
	on := func(sql string, a fakebq.Answer) {
		answers := []fakebq.Answer{a}
		if (sql == campaignSelect || sql == campaignInsert || sql == campaignScript) && o.name != "Estimate" {
			for range s.fails {
				failed := a
				failed.Err = &fakebq.Error{Reason: "jobBackendError", Message: "The job encountered an error during " +
					"execution."}
				answers = append([]fakebq.Answer{failed}, answers...)
			}
		}
		s.server.On(sql, answers...)
	}
	if s.exists && o.config != nil && o.name != "Prepare" {
		s.server.Inject(fakebq.Insert, fakebq.Exists())
	}
	on(campaignSelect, small)
	on(campaignBig, big)
	on(campaignOrdered, big)
	on(campaignInsert, insert)
	on(campaignScript, fakebq.Answer{Incomplete: s.polls, Children: []fakebq.Answer{
		{DML: &fakebq.DML{Inserted: 1}}, {StatementType: "SELECT", Table: table(3)}}})
	on("SELECT 1", one("f0_", 1))
	on(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
	on(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION"})
	on(rollback, fakebq.Answer{StatementType: "ROLLBACK_TRANSACTION"})
}

func readSmall(ctx context.Context, s *scenario, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, campaignSelect)
	if err != nil {
		return err
	}
	defer rows.Close()
	var got [][]any
	for rows.Next() {
		var name, n any
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		got = append(got, []any{name, n})
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if want := [][]any{{"Ada", int64(1)}, {nil, int64(2)}, {"Grace", nil}}; !same(got, want) {
		s.violate("wrong rows", "got %v", got)
	}
	return nil
}

func readBig(text string) func(context.Context, *scenario, *sql.DB) error {
	return func(ctx context.Context, s *scenario, db *sql.DB) error {
		rows, err := db.QueryContext(ctx, text)
		if err != nil {
			return err
		}
		return readNumbered(s, rows, campaignRows, text == campaignOrdered)
	}
}

// readNumbered reads rows 0 to n-1, each once, in order if they are ordered. Rows before an error are right too.
func readNumbered(s *scenario, rows *sql.Rows, n int, ordered bool) error {
	defer rows.Close()
	check := newNumberCheck(s, n, ordered)
	for rows.Next() {
		var i int
		var text string
		if err := rows.Scan(&i, &text); err != nil {
			return err
		}
		if !check.row(i, text) {
			return errUnexpected
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return check.end()
}

func change(text string) func(context.Context, *scenario, *sql.DB) error {
	return func(ctx context.Context, s *scenario, db *sql.DB) error {
		result, err := db.ExecContext(ctx, text)
		s.toldOf(text, err)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); n != 1 && (err == nil || s.mustPass()) {
			s.violate("wrong count", "got %d rows affected, %v", n, err)
		}
		return nil
	}
}

func readScript(ctx context.Context, s *scenario, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, campaignScript)
	s.toldOf(campaignScript, err)
	if err != nil {
		return err
	}
	return readNumbered(s, rows, 3, true)
}

func prepared(ctx context.Context, s *scenario, db *sql.DB) error {
	stmt, err := db.PrepareContext(ctx, campaignInsert)
	if err != nil {
		s.toldOf(campaignInsert, err)
		return err
	}
	defer stmt.Close()
	_, err = stmt.ExecContext(ctx)
	s.toldOf(campaignInsert, err)
	return err
}

func estimate(ctx context.Context, s *scenario, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	bytes, err := driver.Estimate(ctx, conn, campaignSelect)
	if err == nil && bytes != 42 {
		s.violate("wrong estimate", "got %d bytes", bytes)
	}
	return err
}

func transact(ctx context.Context, s *scenario, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		s.expect = append(s.expect, expectation{commit, never, err, time.Now()})
		return err
	}
	defer tx.Rollback() // after a Commit it does nothing
	if _, err := tx.ExecContext(ctx, campaignInsert); err != nil {
		s.expect = append(s.expect, expectation{commit, never, err, time.Now()})
		return err
	}
	err = tx.Commit()
	if errors.Is(err, sql.ErrTxDone) || err != nil && ctx.Err() != nil && !outcomeUnknown(err) {
		s.expect = append(s.expect, expectation{commit, never, err, time.Now()})
		return err
	}
	s.toldOf(commit, err)
	return err
}

// often is how often a statement has taken effect.
type often int

const (
	never often = iota
	once
	onceAtMost
)

// expectation is what the caller may conclude from what it was told.
type expectation struct {
	text string
	is   often
	err  error
	at   time.Time
}

func outcomeUnknown(err error) bool { return errors.Is(err, driver.ErrOutcomeUnknown) }

// toldOf notes what the caller was told of a statement that can change something.
func (s *scenario) toldOf(text string, err error) {
	is := once
	switch {
	case outcomeUnknown(err):
		is = onceAtMost
	case err != nil && strings.Contains(err.Error(), "has run"):
		is = once
	case err != nil:
		is = never
	}
	s.expect = append(s.expect, expectation{text, is, err, time.Now()})
}

// check holds what was told against what the server counted.
func (o *operation) check(s *scenario) {
	if s.appended != nil {
		s.appended()
	}
	for _, e := range s.expect {
		n := s.server.Succeeded(e.text)
		switch {
		case n > 1:
			s.violate("done more than once", "%q has taken effect %d times", e.text, n)
		case e.is == once && n == 0:
			s.violate("told done and was not", "%q", e.text)
		case e.is == never && n > 0:
			s.violate("told failed and was done", "%q: %v", e.text, e.err)
		}
	}
}

// late is how long after an error a request may still come in that was on its way, on a busy machine.
const late = 400 * time.Millisecond

// nothingStartedLate: what was told failed is not sent any more.
func (s *scenario) nothingStartedLate() {
	for _, e := range s.expect {
		if e.err == nil {
			continue
		}
		if s.slow {
			time.Sleep(time.Until(e.at.Add(slowPause + late))) // when the next try would have come
		}
		text, err := json.Marshal(e.text)
		if err != nil {
			continue // a string
		}
		came := 0
		for _, r := range s.server.Requests(fakebq.Query, fakebq.Insert) {
			if !bytes.Contains(r.Body, text) {
				continue
			}
			if came++; came > 1 && r.At.After(e.at.Add(late)) { // the first one can have been on its way for long
				s.violate("sent after its error was told", "%q came %s after", e.text,
					r.At.Sub(e.at).Round(time.Millisecond))
			}
		}
	}
}
