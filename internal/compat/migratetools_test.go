package compat

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	gomigrate "github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	dt "github.com/golang-migrate/migrate/v4/database/testing"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/pressly/goose/v3"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/migrate/golangmigrate"
	"github.com/bigqueryuser/bigqueryuser/driver/migrate/goosestore"
)

// dsnInto is dsnOf with the keys of golang-migrate's driver.
func dsnInto(t testing.TB, more string) string {
	t.Helper()
	name := dsnOf(t)
	if more != "" {
		name += "&" + more
	}
	return name
}

// TestGolangMigrateDriver are golang-migrate's own tests of a database driver.
func TestGolangMigrateDriver(t *testing.T) {
	t.Parallel()
	d, err := (&golangmigrate.Driver{}).Open(dsnInto(t, "x-lock-expiry=30s"))
	check(t, err)
	defer func() { check(t, d.Close()) }()
	dt.Test(t, d, []byte("CREATE TABLE a (x INT64); INSERT INTO a VALUES (1)"))
}

var steps = fstest.MapFS{
	"1_a.up.sql":   {Data: []byte("CREATE TABLE a (x INT64);\nINSERT INTO a VALUES (1), (2);")},
	"1_a.down.sql": {Data: []byte("DROP TABLE a")},
	"2_b.up.sql": {
		Data: []byte("ALTER TABLE a ADD COLUMN y STRING;\nUPDATE a SET y = 'it\\'s; not the end' WHERE x = 1"),
	},
	"2_b.down.sql": {Data: []byte("ALTER TABLE a DROP COLUMN y")},
}

func golangMigrate(t testing.TB, db *sql.DB, files fs.FS) *gomigrate.Migrate {
	t.Helper()
	d, err := golangmigrate.WithInstance(db, golangmigrate.Config{LockTimeout: time.Minute})
	check(t, err)
	files, err = fs.Sub(files, ".")
	check(t, err)
	source, err := iofs.New(files, ".")
	check(t, err)
	m, err := gomigrate.NewWithInstance("iofs", source, "bigqueryuser", d)
	check(t, err)
	m.LockTimeout = 2 * time.Minute
	return m
}

// TestGolangMigrate are golang-migrate's own tests of migrations, up and drop.
func TestGolangMigrate(t *testing.T) {
	t.Parallel()
	dt.TestMigrate(t, golangMigrate(t, open(t), steps))
}

func TestGolangMigrateUpDown(t *testing.T) {
	t.Parallel()
	db := open(t)
	m := golangMigrate(t, db, steps)
	version := func(want uint, wantDirty bool) {
		t.Helper()
		if v, dirty, err := m.Version(); err != nil || v != want || dirty != wantDirty {
			t.Errorf("got version %d, dirty %v, %v; want %d, %v", v, dirty, err, want, wantDirty)
		}
	}
	check(t, m.Up())
	version(2, false)
	if err := m.Up(); !errors.Is(err, gomigrate.ErrNoChange) {
		t.Errorf("again: got %v", err)
	}
	var y string
	check(t, db.QueryRowContext(t.Context(), "SELECT y FROM a WHERE x = 1").Scan(&y))
	check(t, m.Steps(-1))
	version(1, false)
	check(t, m.Down())
	if _, _, err := m.Version(); !errors.Is(err, gomigrate.ErrNilVersion) || y != "it's; not the end" {
		t.Errorf("got %v, %q; want ErrNilVersion", err, y)
	}
	// A migration that fails leaves a dirty version, and nothing goes on until a user has looked.
	broken := fstest.MapFS{
		"3_c.up.sql": {
			Data: []byte("CREATE TABLE c (x INT64);\nINSERT INTO c VALUES (1);\nINSERT INTO nowhere VALUES (1)"),
		},
	}
	for name, file := range steps {
		broken[name] = file
	}
	m = golangMigrate(t, db, broken)
	if err := m.Up(); !errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("a broken migration: got %v; want ErrNotFound", err)
	}
	version(3, true)
	err := m.Up()
	dirty, ok := errors.AsType[gomigrate.ErrDirty](err)
	if !ok || dirty.Version != 3 {
		t.Errorf("after it: got %v; want ErrDirty", err)
	}
	check(t, m.Force(2))
	version(2, false)
	check(t, m.Down())
}

// TestGolangMigrateLock: of two programs one migrates; a lock whose program died is free after its time.
func TestGolangMigrateLock(t *testing.T) {
	t.Parallel()
	db := open(t)
	config := golangmigrate.Config{LockExpiry: 3 * time.Second, LockTimeout: time.Millisecond}
	first, err := golangmigrate.WithInstance(db, config)
	check(t, err)
	second, err := golangmigrate.WithInstance(db, config)
	check(t, err)
	check(t, first.Lock())
	for range 8 { // longer than its expiry: it is renewed
		if err := second.Lock(); !errors.Is(err, database.ErrLocked) {
			t.Fatalf("a second program: got %v; want ErrLocked", err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	check(t, first.Unlock())
	if err := first.Unlock(); !errors.Is(err, database.ErrNotLocked) {
		t.Errorf("unlocked twice: got %v; want ErrNotLocked", err)
	}
	check(t, second.Lock())
	// As if the program had stopped for longer than that, and another one had taken the lock.
	_, err = db.ExecContext(t.Context(), "UPDATE schema_migrations_lock SET owner = 'another' WHERE TRUE")
	check(t, err)
	if err := second.Unlock(); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a lock that was lost: got %v", err)
	}
	_, err = db.ExecContext(
		t.Context(),
		"UPDATE schema_migrations_lock SET expires = TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 SECOND) WHERE TRUE",
	)
	check(t, err)
	check(t, first.Lock())
	check(t, first.Unlock())
}

func TestGolangMigrateOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", "bigqueryuser://p/d?auth=none&endpoint=http://127.0.0.1:1&x-nothing=1", `"x-nothing"`},
		{"a wrong duration", "bigqueryuser://p/d?auth=none&endpoint=http://127.0.0.1:1&x-lock-expiry=soon", `"soon"`},
		{"a wrong timeout", "bigqueryuser://p/d?auth=none&endpoint=http://127.0.0.1:1&x-lock-timeout=soon", "x-lock-timeout"},
		{"a short duration", "bigqueryuser://p/d?auth=none&endpoint=http://127.0.0.1:1&x-lock-expiry=1ms",
			"a second or more"},
		{"a wrong DSN", "bigqueryuser://p/d?nothing=1", "nothing"},
		{"no URL, and a secret in it", "bigqueryuser://p:s3cret%/d", ""},
	} {
		_, err := (&golangmigrate.Driver{}).Open(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: got %v; want %q", c.name, err, c.want)
		}
	}
	// By the registry, as the command line of golang-migrate does it.
	m, err := gomigrate.New("file://"+filepath.ToSlash(t.TempDir()), dsnInto(t, "x-migrations-table=versions"))
	if err == nil {
		m.Close()
	} else if !strings.Contains(err.Error(), "file") { // the file source is not linked in here
		t.Errorf("got %v", err)
	}
}

var gooseSteps = fstest.MapFS{
	"00001_a.sql": {
		Data: []byte(
			"-- +goose Up\nCREATE TABLE a (x INT64);\nINSERT INTO a VALUES (1), (2);\n-- +goose Down\nDROP TABLE a;\n",
		),
	},
	"00002_b.sql": {
		Data: []byte(
			"-- +goose Up\n-- +goose StatementBegin\nBEGIN\n  ALTER TABLE a ADD COLUMN y STRING;\n  UPDATE a SET y = " +
				"'b' WHERE x = 1;\nEND;\n-- +goose StatementEnd\n" +
				"-- +goose Down\nALTER TABLE a DROP COLUMN y;\n",
		),
	},
}

func TestGoose(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), open(t)
	provider := func(files fs.FS) *goose.Provider {
		t.Helper()
		p, err := goosestore.NewProvider(db, files)
		check(t, err)
		return p
	}
	p := provider(gooseSteps)
	if pending, err := p.HasPending(ctx); err != nil || !pending {
		t.Errorf("before: got %v, %v", pending, err)
	}
	results, err := p.Up(ctx)
	check(t, err)
	if len(results) != 2 {
		t.Errorf("Up: got %v", results)
	}
	version := func(p *goose.Provider, want int64) {
		t.Helper()
		if v, err := p.GetDBVersion(ctx); err != nil || v != want {
			t.Errorf("got version %d, %v; want %d", v, err, want)
		}
	}
	version(p, 2)
	var n int
	check(t, db.QueryRowContext(ctx, "SELECT COUNT(*) + COUNT(y) FROM a").Scan(&n))
	if n != 3 {
		t.Errorf("got %d; want 3", n)
	}
	p = provider(gooseSteps) // another start of the program
	if results, err = p.Up(ctx); err != nil || len(results) != 0 {
		t.Errorf("again: got %v, %v", results, err)
	}
	status, err := p.Status(ctx)
	if err != nil || len(status) != 2 || status[1].State != goose.StateApplied || status[1].AppliedAt.IsZero() {
		t.Errorf("Status: got %v, %v", status, err)
	}
	if result, err := p.Down(ctx); err != nil || result.Source.Version != 2 {
		t.Errorf("Down: got %v, %v", result, err)
	}
	version(p, 1)
	if results, err = p.DownTo(ctx, 0); err != nil || len(results) != 1 {
		t.Errorf("DownTo: got %v, %v", results, err)
	}
	version(p, 0)
	broken := fstest.MapFS{
		"00003_c.sql": {Data: []byte("-- +goose Up\nCREATE TABLE c (x INT64);\nINSERT INTO nowhere VALUES (1);\n")},
	}
	for name, file := range gooseSteps {
		broken[name] = file
	}
	p = provider(broken)
	_, err = p.Up(ctx)
	partial, ok := errors.AsType[*goose.PartialError](err)
	if !ok || len(partial.Applied) != 2 ||
		!errors.Is(err, driver.ErrNotFound) {
		t.Errorf("a broken migration: got %v; want two applied and ErrNotFound", err)
	}
	version(p, 2)
}

// TestGooseTwo: two programs that start at once apply each migration once.
func TestGooseTwo(t *testing.T) {
	t.Parallel()
	db := open(t)
	applied := make(chan []int64, 2)
	for range 2 {
		go func() {
			var versions []int64
			defer func() { applied <- versions }()
			p, err := goosestore.NewProvider(db, gooseSteps)
			if err != nil {
				t.Error(err)
				return
			}
			results, err := p.Up(context.WithoutCancel(t.Context()))
			if err != nil {
				t.Error(err)
			}
			for _, r := range results {
				versions = append(versions, r.Source.Version)
			}
		}()
	}
	all := append(<-applied, <-applied...)
	slices.Sort(all)
	if !slices.Equal(all, []int64{1, 2}) {
		t.Errorf("got %v; want each once", all)
	}
	var rows int
	check(t, db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM a").Scan(&rows))
	if rows != 2 {
		t.Errorf("got %d rows; want 2", rows)
	}
}
