package compat

import (
	"context"
	"database/sql"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Masterminds/squirrel"
	"github.com/XSAM/otelsql"
	"github.com/doug-martin/goqu/v9"
	"github.com/georgysavva/scany/v2/sqlscan"
	"github.com/jmoiron/sqlx"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox"
)

// person presses Allow.
type person struct{ t testing.TB }

func (p person) Prompt(ctx context.Context, prompt auth.Prompt) error {
	go func() {
		if err := sandbox.Consent(context.WithoutCancel(ctx), prompt.URL); err != nil {
			p.t.Errorf("consent: %v", err)
		}
	}()
	return nil
}

// connector signs in to a sandbox of the test's own, with the dataset shop.
func connector(t testing.TB) *driver.Connector {
	t.Helper()
	s, err := sandbox.Start(t.Context(), sandbox.Config{NoData: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	c, err := driver.NewConnector(&dsn.Config{Project: sandbox.DefaultProject, Dataset: "shop", Endpoint: s.Endpoint(), TokenStore: "memory", Login: "manual"},
		driver.WithClientSecrets(s.ClientSecrets()), driver.WithPrompter(person{t}))
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	for _, text := range []string{
		"CREATE SCHEMA shop",
		"CREATE TABLE users (id INT64 NOT NULL, name STRING, email STRING, joined DATE, tags ARRAY<STRING>, home STRUCT<city STRING, zip INT64>)",
		"INSERT INTO users VALUES (1, 'Ada', 'ada@example.com', DATE '2020-01-01', ['a', 'b'], STRUCT('London', 1)), (2, 'Grace', NULL, DATE '2021-02-03', [], STRUCT('Arlington', 2))",
	} {
		if _, err := db.ExecContext(t.Context(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	// db is not closed here: it shares the connector.
	return c
}

type home struct {
	City string
	Zip  int64
}

// Scan lets a STRUCT column be a field of a Go struct in any library.
func (h *home) Scan(v any) error {
	type plain home // without Scan
	return driver.As((*plain)(h)).Scan(v)
}

type user struct {
	ID     int64
	Name   string
	Email  *string
	Joined time.Time
	Tags   []string `db:"-"`
	Home   home
}

var joined = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func TestSqlx(t *testing.T) {
	t.Parallel()
	db := sqlx.NewDb(sql.OpenDB(connector(t)), driver.Name)
	defer db.Close()
	ctx := t.Context()
	var u user
	if err := db.GetContext(ctx, &u, "SELECT id, name, email, joined, home FROM users WHERE id = ?", 1); err != nil {
		t.Fatal(err)
	}
	if u.Name != "Ada" || u.Email == nil || *u.Email != "ada@example.com" || !u.Joined.Equal(joined) || u.Home != (home{"London", 1}) {
		t.Errorf("Get: got %+v", u)
	}
	var all []user
	if err := db.SelectContext(ctx, &all, "SELECT id, name, email, joined, home FROM users ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[1].Email != nil {
		t.Errorf("Select: got %+v", all)
	}
	res, err := db.NamedExecContext(ctx, "INSERT INTO users (id, name, email, joined) VALUES (:id, :name, :email, :joined)",
		[]map[string]any{{"id": 3, "name": "Edsger", "email": nil, "joined": joined}, {"id": 4, "name": "Barbara", "email": "b@example.com", "joined": joined}})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != 2 || err != nil {
		t.Errorf("NamedExec: got %d rows, %v; want 2", n, err)
	}
	rows, err := db.NamedQueryContext(ctx, "SELECT id, name FROM users WHERE joined = :joined ORDER BY id", user{Joined: joined})
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var u user
		if err := rows.StructScan(&u); err != nil {
			t.Fatal(err)
		}
		names = append(names, u.Name)
	}
	if err := rows.Err(); err != nil || !slices.Equal(names, []string{"Ada", "Edsger", "Barbara"}) {
		t.Errorf("NamedQuery: got %q, %v", names, err)
	}
	query, args, err := sqlx.In("SELECT COUNT(*) FROM users WHERE id IN (?)", []int{1, 3, 9})
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := db.GetContext(ctx, &n, db.Rebind(query), args...); err != nil || n != 2 {
		t.Errorf("In: got %d, %v; want 2", n, err)
	}
	m := map[string]any{}
	if err := db.QueryRowxContext(ctx, "SELECT id, tags FROM users WHERE id = 1").MapScan(m); err != nil || !reflect.DeepEqual(m, map[string]any{"id": int64(1), "tags": []string{"a", "b"}}) {
		t.Errorf("MapScan: got %v, %v", m, err)
	}
}

func TestScany(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(connector(t))
	defer db.Close()
	var users []*struct {
		ID   int64
		Name string
		Tags []string
		Home home
	}
	if err := sqlscan.Select(t.Context(), db, &users, "SELECT id, name, tags, home FROM users ORDER BY id"); err != nil {
		t.Fatal(err)
	}
	if len(users) != 2 || users[0].Home.City != "London" || !slices.Equal(users[0].Tags, []string{"a", "b"}) {
		t.Errorf("got %+v", users)
	}
	var n int
	if err := sqlscan.Get(t.Context(), db, &n, "SELECT COUNT(*) FROM users WHERE email IS NULL"); err != nil || n != 1 {
		t.Errorf("got %d, %v; want 1", n, err)
	}
}

func TestSquirrel(t *testing.T) {
	t.Parallel()
	db := sql.OpenDB(connector(t))
	defer db.Close()
	build := squirrel.StatementBuilder.RunWith(db)
	if _, err := build.Insert("users").Columns("id", "name", "joined").Values(3, "Edsger", joined).Values(4, nil, nil).ExecContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := build.Update("users").Set("name", "Barbara").Where(squirrel.Eq{"id": 4}).ExecContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	rows, err := build.Select("name").From("users").Where(squirrel.And{squirrel.Gt{"id": 1}, squirrel.Eq{"name": []string{"Edsger", "Barbara"}}}).OrderBy("id").Limit(5).QueryContext(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || strings.Join(names, " ") != "Edsger Barbara" {
		t.Errorf("got %q, %v", names, err)
	}
}

func TestGoqu(t *testing.T) {
	t.Parallel()
	sqlDB := sql.OpenDB(connector(t))
	defer sqlDB.Close()
	opts := goqu.DefaultDialectOptions()
	opts.QuoteRune = '`'
	goqu.RegisterDialect("bigquery", opts)
	db := goqu.New("bigquery", sqlDB)
	var users []struct {
		ID   int64  `db:"id"`
		Name string `db:"name"`
	}
	if err := db.From("users").Select("id", "name").Where(goqu.C("joined").Gte("2021-01-01")).Prepared(true).Order(goqu.C("id").Asc()).ScanStructsContext(t.Context(), &users); err != nil {
		t.Fatal(err)
	}
	if len(users) != 1 || users[0].Name != "Grace" {
		t.Errorf("got %+v", users)
	}
	if _, err := db.Insert("users").Prepared(true).Rows(goqu.Record{"id": 3, "name": "Edsger"}).Executor().ExecContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := db.From("users").CountContext(t.Context()); n != 3 || err != nil {
		t.Errorf("got %d, %v; want 3", n, err)
	}
}

func TestOtelsql(t *testing.T) {
	t.Parallel()
	c := connector(t)
	db := otelsql.OpenDB(c)
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	stmt, err := db.PrepareContext(t.Context(), "SELECT name FROM users WHERE joined < ? AND id IN UNNEST(?)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var name string
	if err := stmt.QueryRowContext(t.Context(), time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC), []int64{1, 2}).Scan(&name); err != nil || name != "Ada" {
		t.Errorf("got %q, %v; want Ada", name, err)
	}
	if id, err := driver.Identity(t.Context(), db); err != nil || id.Account != sandbox.DefaultAccount {
		t.Errorf("Identity: got %q, %v", id.Account, err)
	}
}
