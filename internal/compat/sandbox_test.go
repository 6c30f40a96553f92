package compat

import (
	"context"
	"database/sql"
	"regexp"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// consenter presses Allow.
type consenter struct{ t testing.TB }

func (p consenter) Prompt(ctx context.Context, prompt auth.Prompt) error {
	go func() {
		if err := sandbox.Consent(context.WithoutCancel(ctx), prompt.URL); err != nil {
			p.t.Errorf("consent: %v", err)
		}
	}()
	return nil
}

// together are the tests in which goroutines meet: two programs that migrate, the renewal of a lock, callbacks, the
// end of a context.
var together = regexp.MustCompile(`^Test(GolangMigrate|Goose|Bun(Lock|Migrate)|GormRunTransaction|Otel|PortDeadline)`)

// start starts a sandbox of the test's own, with the table shop.users, and returns where it is. With -short, which CI
// adds for the race detector, it skips the tests that compare values in one goroutine.
func start(t testing.TB) (*sandbox.Server, *dsn.Config) {
	t.Helper()
	if testing.Short() && !together.MatchString(t.Name()) {
		t.Skip("this test compares values in one goroutine, which is not for -short")
	}
	s, err := sandbox.Start(t.Context(), sandbox.Config{NoData: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Exec(t.Context(), sandbox.DefaultProject,
		"CREATE SCHEMA shop",
		`CREATE TABLE shop.users (id INT64 NOT NULL, name STRING, email STRING, joined DATE, seen TIMESTAMP,
			balance NUMERIC, photo BYTES, tags ARRAY<STRING>, home STRUCT<city STRING, zip INT64>,
			orders ARRAY<STRUCT<item STRING, price NUMERIC>>)`,
		`INSERT INTO shop.users VALUES
			(1, 'Ada', 'ada@example.com', DATE '2020-01-01', TIMESTAMP '2024-05-06 07:08:09.123456+00',
			 NUMERIC '12345678901234567890.5', b'\x00\xff',
			 ['a', 'b'], STRUCT('London', 1), [STRUCT('pen', NUMERIC '1.5'), STRUCT('ink', NUMERIC '20')]),
			(2, 'Grace', NULL, DATE '2021-02-03', NULL, NULL, NULL, [], NULL, [])`,
	); err != nil {
		t.Fatal(err)
	}
	return s, &dsn.Config{
		Project:    sandbox.DefaultProject,
		Dataset:    "shop",
		Endpoint:   s.Endpoint(),
		TokenStore: "memory",
		Login:      "manual",
	}
}

// connector signs in to a sandbox of the test's own.
func connector(t testing.TB, options ...driver.Option) *driver.Connector {
	t.Helper()
	s, cfg := start(t)
	options = append(options, driver.WithClientSecrets(s.ClientSecrets()), driver.WithPrompter(consenter{t}))
	c, err := driver.NewConnector(cfg, options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// open is connector for a test that is done with database/sql's own DB.
func open(t testing.TB) *sql.DB {
	t.Helper()
	db := sql.OpenDB(connector(t))
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return db
}

// dsnOf makes a DSN that asks no user: a user has signed in before, as at an earlier start of
// the program.
func dsnOf(t testing.TB) string {
	t.Helper()
	s, cfg := start(t)
	cfg.TokenStore, cfg.TokenDir, cfg.ClientSecrets = "file", t.TempDir(), s.ClientSecretsFile()
	c, err := driver.NewConnector(cfg, driver.WithPrompter(consenter{t}))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	cfg.Login = "never"
	return cfg.Format()
}

// home is how a STRUCT column becomes a field of a Go struct in any library: by three lines of
// its own.
type home struct {
	City string
	Zip  int64
}

func (h *home) Scan(v any) error {
	type plain home // without Scan
	return driver.As((*plain)(h)).Scan(v)
}

// orders is an ARRAY of STRUCTs, the same way.
type orders []struct {
	Item  string
	Price float64
}

func (o *orders) Scan(v any) error {
	type plain orders
	return driver.As((*plain)(o)).Scan(v)
}

// user has a field for each column of the table.
type user struct {
	ID      int64
	Name    string
	Email   *string
	Joined  time.Time
	Seen    *time.Time
	Balance sql.NullString
	Photo   []byte
	Tags    []string
	Home    *home
	Orders  orders
}

func pointer[T any](v T) *T { return &v }

// users are the rows of the table.
var users = []user{
	{
		1, "Ada", pointer("ada@example.com"), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		pointer(time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC)),
		sql.NullString{String: "12345678901234567890.5", Valid: true},
		[]byte{0, 255},
		[]string{"a", "b"},
		&home{"London", 1},
		orders{{"pen", 1.5}, {"ink", 20}},
	},
	{ID: 2, Name: "Grace", Joined: time.Date(2021, 2, 3, 0, 0, 0, 0, time.UTC), Tags: []string{}, Orders: orders{}},
}
