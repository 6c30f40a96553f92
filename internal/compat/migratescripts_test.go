package compat

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gomigrate "github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/migrate/golangmigrate"
	"github.com/bigqueryuser/bigqueryuser/driver/migrate/goosestore"
)

// scripts are migrations that a splitter at semicolons would tear apart.
var scripts = []struct{ name, text string }{
	{"comments and strings", "-- first; second\n/* ; */ CREATE TABLE s (x STRING); # a ; b\nINSERT INTO s VALUES\n" +
		"('a; -- b'), (\"it's; /*\"), ('''c;\nd'''), (r'\\;'), ('it\\'s;');\n-- the end;"},
	{"Windows lines", "CREATE TABLE w (x INT64);\r\nINSERT INTO w VALUES (1);\r\n"},
	{"a transaction", "BEGIN TRANSACTION;\nINSERT INTO users (id, name) VALUES (3, 'c');\nCOMMIT TRANSACTION;"},
	{"a procedure", "CREATE PROCEDURE p(OUT n INT64)\nBEGIN\n  SET n = 1; -- one\nEND;\n" +
		"BEGIN\n  DECLARE m INT64;\n  CALL p(m);\n  CREATE TABLE called AS SELECT m AS x;\nEND;"},
	{"only comments", "-- nothing to do here;\n/* nor ; here */\n"},
	{"only a comment without an end of line", "# none"},
	{"only semicolons", " ;\n;"},
	{"nothing", " \n"},
}

// TestGolangMigrateScripts: a migration is one script, whatever stands in its comments and strings.
func TestGolangMigrateScripts(t *testing.T) {
	t.Parallel()
	db := open(t)
	d, err := golangmigrate.WithInstance(db, golangmigrate.Config{})
	check(t, err)
	for _, c := range scripts {
		if err := d.Run(strings.NewReader(c.text)); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var texts, windows, called, users int
	check(t, db.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(DISTINCT x) FROM s), (SELECT COUNT(*) FROM w), "+
		"(SELECT SUM(x) FROM called), (SELECT COUNT(*) FROM users)").Scan(&texts, &windows, &called, &users))
	if texts != 5 || windows != 1 || called != 1 || users != 3 {
		t.Errorf("got %d texts, %d rows, %d, %d users; want 5, 1, 1, 3", texts, windows, called, users)
	}
}

// TestGolangMigrateCrash: a program that dies during a migration leaves its lock until it expires, and a dirty version.
// One that was only stopped for long goes no further.
func TestGolangMigrateCrash(t *testing.T) {
	t.Parallel()
	name := dsnOf(t)
	pool, err := sql.Open(driver.Name, name)
	check(t, err)
	dead, err := golangmigrate.WithInstance(pool, golangmigrate.Config{LockExpiry: time.Second})
	check(t, err)
	check(t, dead.Lock())
	check(t, dead.SetVersion(2, true))
	check(t, dead.Run(strings.NewReader("CREATE TABLE half (x INT64)")))
	pool.Close() // nothing reaches the database from now on
	second, err := (&golangmigrate.Driver{}).Open(name + "&x-lock-expiry=1s")
	check(t, err)
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if err = second.Lock(); !errors.Is(err, database.ErrLocked) || time.Now().After(deadline) {
			break
		}
	}
	check(t, err)
	if version, dirty, err := second.Version(); err != nil || version != 2 || !dirty {
		t.Errorf("got version %d, dirty %v, %v; want 2, dirty", version, dirty, err)
	}
	if err := dead.Unlock(); err == nil {
		t.Error("the dead program released its lock")
	}
	other, err := sql.Open(driver.Name, name)
	check(t, err)
	defer other.Close()
	_, err = other.ExecContext(t.Context(), "UPDATE schema_migrations_lock SET owner = 'another' WHERE TRUE")
	check(t, err)
	for deadline := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
		err = second.SetVersion(3, true)
	}
	if run := second.Run(strings.NewReader("CREATE TABLE no (x INT64)")); err == nil || run == nil ||
		!strings.Contains(run.Error(), "expired") {
		t.Errorf("after the lock was lost: got %v and %v; want that it has expired", err, run)
	}
	if err := second.Close(); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("Close: got %v; want that the lock has expired", err)
	}
}

// TestGolangMigrateTwo: two programs that start at once apply each migration once.
func TestGolangMigrateTwo(t *testing.T) {
	t.Parallel()
	db := open(t)
	failed := make(chan error, 2)
	for range 2 {
		m := golangMigrate(t, db, steps)
		go func() { failed <- m.Up() }()
	}
	first, second := <-failed, <-failed
	for _, err := range []error{first, second} {
		if err != nil && !errors.Is(err, gomigrate.ErrNoChange) {
			t.Error(err)
		}
	}
	if (first == nil) == (second == nil) {
		t.Errorf("got %v and %v; want that one has nothing to do", first, second)
	}
	var rows int
	check(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM a").Scan(&rows))
	if rows != 2 {
		t.Errorf("got %d rows; want 2", rows)
	}
}

// TestGooseScripts: what goose takes for the statements of a file runs, with comments and strings in them.
func TestGooseScripts(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for i, c := range scripts[:4] {
		text := "-- +goose Up\n-- +goose StatementBegin\n" + c.text + "\n-- +goose StatementEnd\n"
		files["0000"+string(rune('1'+i))+"_x.sql"] = &fstest.MapFile{Data: []byte(text)}
	}
	files["00005_x.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\n-- a comment; with a semicolon\n" +
		"CREATE TABLE g (x STRING); -- after it\n/* one */\nINSERT INTO g VALUES ('a;b'), ('-- c');\n\n-- +goose Down\n" +
		"DROP TABLE g;\n")}
	db := open(t)
	p, err := goosestore.NewProvider(db, files)
	check(t, err)
	results, err := p.Up(t.Context())
	if err != nil || len(results) != 5 {
		t.Errorf("got %d migrations, %v; want 5", len(results), err)
	}
	var n int
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM g WHERE x IN ('a;b', '-- c')").Scan(&n); err != nil ||
		n != 2 {
		t.Errorf("got %d, %v; want 2", n, err)
	}
	_, err = p.Down(t.Context())
	check(t, err)
	if version, err := p.GetDBVersion(t.Context()); err != nil || version != 4 {
		t.Errorf("got version %d, %v; want 4", version, err)
	}
}
