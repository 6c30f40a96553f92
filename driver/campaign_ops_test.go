package driver_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

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
	campaignResults = "SELECT i, s FROM small; INSERT INTO t VALUES (2); SELECT i, s FROM small; SELECT i, s FROM small"
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
	// unpromised: BigQuery does not promise to answer a repeated request with the first answer, and may run it twice.
	unpromised bool
	// paged: rows are fetched after the statement is done, and a refusal can end that.
	paged bool
	// reads: it is one SELECT, which BigQuery may have run twice if an answer was lost.
	reads bool
	// session: its INSERT runs in a session.
	session bool
	// commits: its COMMIT, once sent, succeeds unless it is ended.
	commits bool
	// rare: it takes long, and is played half as often.
	rare bool
	// arrange chooses the faults; nil leaves them to chance.
	arrange func(*scenario)
	// answers adds answers to those of each scenario; it may be nil.
	answers func(*scenario)
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
	{name: "INSERT refused for its rate", arrange: refuse(fakebq.Query), run: change(campaignInsert)},
	{name: "INSERT by job id refused for its rate", arrange: refuse(fakebq.Insert), config: byOwnID,
		run: change(campaignInsert)},
	{name: "INSERT with refused tokens", arrange: refuseToken, run: change(campaignInsert)},
	{name: "INSERT whose job fails", arrange: failJob(fakebq.Query), run: change(campaignInsert)},
	{name: "INSERT by job id whose job fails", arrange: failJob(fakebq.Insert), config: byOwnID,
		run: change(campaignInsert)},
	{name: "script", methods: requests, run: change(campaignScript), unpromised: true},
	{name: "script with rows", methods: requests, run: readScript, unpromised: true, paged: true},
	{name: "script of several results", methods: requests, run: readResults, unpromised: true, paged: true},
	{name: "script of several results by Exec", methods: requests, run: changeTwice, unpromised: true},
	{name: "transaction", methods: requests, run: transact, unpromised: true, session: true},
	{name: "transaction that db.Close ends", arrange: closeInTransaction, run: leaveTransaction, unpromised: true, session: true},
	{name: "COMMIT that is left", arrange: leaveCommit, answers: longCommit, run: transact, unpromised: true,
		session: true, commits: true},
	{name: "COMMIT whose answer is lost", arrange: loseCommit, run: transact, unpromised: true, session: true},
	{name: "the same again", arrange: loseAndRepeat, run: repeat},
	{name: "another one in the session", config: inSession, arrange: leaveInSession, run: goOnInSession,
		session: true},
	{name: "silent connection", arrange: silence, run: change(campaignInsert), rare: true},
	{name: "Prepare", methods: append(dryRuns, requests...), run: prepared},
	{name: "Ping", methods: dryRuns, run: func(ctx context.Context, _ *scenario, db *sql.DB) error {
		return db.PingContext(ctx)
	}},
	{name: "Estimate", methods: dryRuns, run: estimate},
}

// script sets the answers of the server.
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
		small.Until, small.Incomplete = after(endless), 0
	}
	big := fakebq.Answer{Table: table(campaignRows), PageSize: 250, BatchRows: 100, Incomplete: s.polls}
	insert := fakebq.Answer{DML: &fakebq.DML{Inserted: 1}, Tables: []string{campaignTable}, Incomplete: s.polls}
	if o.name == "long INSERT" || o.name == "long INSERT by job id" {
		lasts := s.lasts
		if s.endless {
			lasts = endless
		}
		insert.Until, insert.Incomplete = after(lasts), 0
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
	if s.short && s.fails == 0 && o.name == "small SELECT" && small.Until == nil && small.Incomplete == 0 {
		s.server.Inject(fakebq.Query, fakebq.Garbage(fmt.Sprintf(`{"jobComplete":true,"statementType":"SELECT",`+
			`"jobReference":{"projectId":"my-project","jobId":"job_fake00000001","location":%q}}`, s.location)).After())
	}
	on(campaignSelect, small)
	on(campaignBig, big)
	on(campaignOrdered, big)
	on(campaignInsert, insert)
	on(campaignResults, fakebq.Answer{Incomplete: s.polls, Children: []fakebq.Answer{
		{StatementType: "SELECT", Table: table(3)}, {DML: &fakebq.DML{Inserted: 1}},
		{StatementType: "SELECT", Table: table(2)}, {StatementType: "SELECT", Table: table(4)}}})
	on(campaignScript, fakebq.Answer{Incomplete: s.polls, Children: []fakebq.Answer{
		{DML: &fakebq.DML{Inserted: 1}}, {StatementType: "SELECT", Table: table(3)}}})
	on("SELECT 1", one("f0_", 1))
	on(begin, fakebq.Answer{StatementType: "BEGIN_TRANSACTION"})
	on(commit, fakebq.Answer{StatementType: "COMMIT_TRANSACTION"})
	on(rollback, fakebq.Answer{StatementType: "ROLLBACK_TRANSACTION"})
	if o.answers != nil {
		o.answers(s)
	}
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

// readNumbered reads rows 0 to n-1. Each must come once, and in order if the query orders. The rows before an error
// must be right too.
func readNumbered(s *scenario, rows *sql.Rows, n int, ordered bool) error {
	defer rows.Close()
	return readSet(s, rows, n, ordered)
}

func readSet(s *scenario, rows *sql.Rows, n int, ordered bool) error {
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
		s.recordResult(text, err)
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
	s.recordResult(campaignScript, err)
	if err != nil {
		return err
	}
	return readNumbered(s, rows, 3, true)
}

// readResults reads all results of a script.
func readResults(ctx context.Context, s *scenario, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, campaignResults)
	s.recordResult(campaignResults, err)
	if err != nil {
		return err
	}
	defer rows.Close()
	for i, n := range []int{3, 2, 4} {
		if i > 0 && !rows.NextResultSet() {
			if rows.Err() == nil {
				s.violate("results are lost", "got %d of 3 without an error", i)
			}
			return rows.Err()
		}
		if err := readSet(s, rows, n, true); err != nil {
			return err
		}
	}
	if rows.NextResultSet() {
		s.violate("wrong rows", "got more than 3 results")
	}
	return rows.Err()
}

// changeTwice runs two scripts. A statement of one must not be taken for a statement of the other.
func changeTwice(ctx context.Context, s *scenario, db *sql.DB) error {
	if err := change(campaignScript)(ctx, s, db); err != nil {
		return err
	}
	return change(campaignResults)(ctx, s, db)
}

func prepared(ctx context.Context, s *scenario, db *sql.DB) error {
	stmt, err := db.PrepareContext(ctx, campaignInsert)
	if err != nil {
		s.recordResult(campaignInsert, err)
		return err
	}
	defer stmt.Close()
	_, err = stmt.ExecContext(ctx)
	s.recordResult(campaignInsert, err)
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
		s.record(commit, never, err)
		return err
	}
	defer tx.Rollback() // after a Commit it does nothing
	_, err = tx.ExecContext(ctx, campaignInsert)
	if s.record(campaignInsert, onceAtMost, err); err != nil {
		if s.commits && tx.Commit() == nil {
			s.violate("committed after an error", "%v", err)
		}
		s.record(commit, never, err)
		return err
	}
	err = tx.Commit()
	if errors.Is(err, sql.ErrTxDone) || err != nil && ctx.Err() != nil && !outcomeUnknown(err) {
		s.record(commit, never, err)
		return err
	}
	s.recordResult(commit, err)
	return err
}
