package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/jobs"
)

// resultSets reads all results of a statement: the columns of each and then its rows.
func resultSets(ctx context.Context, t testing.TB, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var sets []string
	for more := true; more; more = rows.NextResultSet() {
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		set := []string{strings.Join(columns, ",")}
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				t.Fatal(err)
			}
			set = append(set, strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
		}
		sets = append(sets, strings.Join(set, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	return sets
}

// TestDriverScript reads what a script's statements give, in the order in which they ran.
func TestDriverScript(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	db := openDriver(t, s, DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	for _, tt := range []struct {
		sql  string
		args []any
		want []string
	}{
		{`CREATE OR REPLACE TABLE t (id INT64, name STRING);
		  INSERT INTO t VALUES (1, 'one'), (2, 'two');
		  SELECT name FROM t ORDER BY id;
		  SELECT COUNT(*) AS n FROM t`, nil, []string{"name|one|two", "n|2"}},
		{`DECLARE i INT64 DEFAULT 0;
		  DECLARE top INT64 DEFAULT (SELECT MAX(id) FROM t);
		  IF top = 2 THEN SELECT 'two' AS top; ELSE SELECT 'other'; END IF;
		  WHILE i < 3 DO
		    SET i = i + 1;
		    SELECT i, i * i AS square;
		  END WHILE;
		  INSERT INTO t VALUES (3, 'three');
		  SELECT id, name FROM t WHERE id > ? ORDER BY id`, []any{1},
			[]string{"top|two", "i,square|1 1", "i,square|2 4", "i,square|3 9", "id,name|2 two|3 three"}},
		{"SELECT 1 AS a; DELETE FROM t WHERE id = 3", nil, []string{"a|1"}},
		{"SELECT @a AS a; SELECT @b AS b; ROLLBACK_NOT_HERE: BEGIN END", []any{sql.Named("a", "x"), sql.Named("b", 5)},
			[]string{"a|x", "b|5"}},
		{"BEGIN SELECT 1 AS a; SELECT 1 / 0 AS b; EXCEPTION WHEN ERROR THEN SELECT @@error.message AS message; END",
			nil,
			[]string{"a|1", "message|Query error: division by zero: 1 / 0 at [1:22]"}},
		{"DECLARE n INT64; EXECUTE IMMEDIATE 'SELECT COUNT(*) FROM t' INTO n; EXECUTE IMMEDIATE 'SELECT ? AS n, ? " +
			"AS s' USING n, ?", []any{"x"}, []string{"n,s|2 x"}},
		{"EXECUTE IMMEDIATE 'SELECT 5 AS five'", nil, []string{"five|5"}},
		{"FOR r IN (SELECT name FROM t ORDER BY id DESC) DO SELECT r.name AS n; END FOR", nil,
			[]string{"n|two", "n|one"}},
		{"BEGIN TRANSACTION; UPDATE t SET name = 'uno' WHERE id = 1; SELECT name FROM t WHERE id = 1; COMMIT", nil,
			[]string{"name|uno"}},
		{"BEGIN TRANSACTION; UPDATE t SET name = 'eins' WHERE id = 1; SELECT name FROM t WHERE id = 1; ROLLBACK; " +
			"SELECT name FROM t WHERE id = 1", nil, []string{"name|eins", "name|uno"}},
		{"DECLARE x INT64; SET x = 1", nil, []string{""}},
	} {
		if got := resultSets(t.Context(), t, db, tt.sql, tt.args...); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\ngot  %q\nwant %q", tt.sql, got, tt.want)
		}
	}
	// A result of more pages than one, in the middle and at the end.
	sets := resultSets(t.Context(), t, db, "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 250)) AS x ORDER BY x; SELECT x "+
		"FROM UNNEST(GENERATE_ARRAY(1, 350)) AS x ORDER BY x")
	if len(sets) != 2 || strings.Count(sets[0], "|") != 250 || strings.Count(sets[1], "|") != 350 ||
		!strings.HasSuffix(sets[1], "|349|350") {
		t.Errorf("got %d sets; want 250 and 350 rows", len(sets))
	}
	// An answer that comes by jobs.insert and a poll does not say that it is a script's.
	polled := driver.WithOptions(t.Context(), driver.JobIDPrefix("polled"))
	if got, want := resultSets(polled, t, db, "IF TRUE THEN SELECT 1 AS a; SELECT 2 AS b; END IF"),
		[]string{"a|1", "b|2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("polled: got %q; want %q", got, want)
	}
}

// TestDriverScriptExec sums what the DML of a script changes.
func TestDriverScriptExec(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d; CREATE TABLE d.t (x INT64)")
	for _, tt := range []struct {
		sql  string
		args []any
		want int64
	}{
		{"INSERT INTO t VALUES (1), (2), (3); UPDATE t SET x = x + 1 WHERE x > 1; DELETE FROM t WHERE x = 1; SELECT 1",
			nil, 6},
		{"DECLARE i INT64 DEFAULT 0; WHILE i < ? DO INSERT INTO t VALUES (i); SET i = i + 1; END WHILE", []any{4}, 4},
		{"EXECUTE IMMEDIATE 'DELETE FROM t WHERE x < ?' USING @x", []any{sql.Named("x", 2)}, 2},
		{"BEGIN INSERT INTO t VALUES (9); INSERT INTO t SELECT 1 / 0; EXCEPTION WHEN ERROR THEN INSERT INTO t " +
			"VALUES (10), (11); END", nil, 3},
		{"DECLARE x INT64", nil, 0},
	} {
		if got := execSQL(t, db, tt.sql, tt.args...); got != tt.want {
			t.Errorf("%s: got %d rows affected; want %d", tt.sql, got, tt.want)
		}
	}
}

// TestDriverScriptError: an error says where in the whole script it is.
func TestDriverScriptError(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d; CREATE TABLE d.t (x INT64); INSERT INTO d.t VALUES (0)")
	for _, tt := range []struct{ sql, location, message string }{
		{"SELECT 1;\nINSERT INTO t VALUES (1);\n  SELECT 1 / x FROM t;\nSELECT 2", "3:3",
			"Query error: division by zero"},
		{"SELECT 1;\nSELECT 2;\nSELECT\tnosuch FROM t", "3:9", "Unrecognized name: nosuch"},
		{"SELECT 1;\nSELECT 2;\nSELEC 3", "3:1", "Syntax error"},
		{"SELECT 1;\nBEGIN\n  RAISE USING MESSAGE = 'mine [9:9]';\nEND", "3:3", "Query error: mine [9:9]"},
		{"SELECT 1;\n\nEXECUTE IMMEDIATE 'SELECT nosuch'", "3:1", "Unrecognized name: nosuch at [1:8]"},
	} {
		_, err := db.ExecContext(t.Context(), tt.sql)
		e, ok := errors.AsType[*driver.Error](err)
		if !ok || !errors.Is(err, driver.ErrInvalidQuery) || e.Location != tt.location ||
			!strings.Contains(e.Message, tt.message) {
			t.Errorf("%s: got %v; want %s at %s", tt.sql, err, tt.message, tt.location)
			continue
		}
		line, _, _ := strings.Cut(tt.location, ":")
		if shown := strings.Split(fmt.Sprintf("%+v", err), "\n"); line != "3" ||
			!strings.Contains(strings.ReplaceAll(shown[len(shown)-2], " ", ""),
				strings.ReplaceAll(strings.TrimSpace(strings.Split(tt.sql, "\n")[2]), " ", "")) {
			t.Errorf("%s: got %+v; want its third line", tt.sql, err)
		}
	}
}

// TestDriverScriptCancel ends loops that would not end by themselves.
func TestDriverScriptCancel(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	db := openDriver(t, s, DefaultProject)
	// Who wants to know the progress is answered after a second, and can cancel from then on.
	soon := driver.WithProgress(t.Context(), func(driver.Progress) {})
	for name, script := range endlessScripts {
		ctx, cancel := context.WithTimeout(soon, 100*time.Millisecond)
		_, err := db.ExecContext(ctx, script)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v; want the end of ctx", name, err)
		}
	}
	// The driver cancels in the background; nothing goes on after that.
	deadline := time.Now().Add(20 * time.Second)
	for _, j := range s.jobs.Newest(DefaultProject, "") {
		found, err := s.jobs.Find(jobs.Caller{Admin: true}, DefaultProject, j.JobReference.JobID, "")
		if err != nil {
			t.Fatal(err)
		}
		if !found.Wait(t.Context(), time.Until(deadline)) {
			t.Fatalf("%s still runs", j.Configuration.Query.Query)
		}
		if e := s.jobs.Describe(found).Status.ErrorResult; e == nil || e.Reason != "stopped" {
			t.Errorf("got %v; want stopped", e)
		}
	}
}

// TestDriverScriptInSession keeps variables from one statement of a connection to the next.
func TestDriverScriptInSession(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d; CREATE TABLE d.t (x INT64)")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(t.Context(), "DECLARE n INT64 DEFAULT 1; INSERT INTO t VALUES (n), (?)",
		2); err != nil {
		t.Fatal(err)
	}
	var sum int64
	if err := tx.QueryRowContext(t.Context(), "SELECT SUM(x) + n FROM t").Scan(&sum); err != nil || sum != 4 {
		t.Errorf("got %d, %v; want 4", sum, err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRowContext(t.Context(), "SELECT SUM(x) FROM t").Scan(&sum); err != nil || sum != 3 {
		t.Errorf("got %d, %v; want 3", sum, err)
	}
}
