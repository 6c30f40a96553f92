package compat

import (
	"reflect"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

func TestSqlxNamedExec(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	insert := `INSERT INTO users (id, name, email, joined, seen, balance, photo, tags, home)
		VALUES (:id, :name, :email, :joined, :seen, :balance, :photo, :tags, :home)`
	copies := slices.Clone(users)
	for i := range copies {
		copies[i].ID += 10
		copies[i].Orders = orders{}
	}
	exec := func(want int64, query string, arg any) {
		t.Helper()
		res, err := db.NamedExecContext(t.Context(), query, arg)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != want || err != nil {
			t.Errorf("got %d rows, %v; want %d", n, err, want)
		}
	}
	exec(1, insert, copies[0])
	exec(1, insert, &copies[1])
	var got []user
	if err := db.SelectContext(t.Context(), &got, "SELECT * FROM users WHERE id > 10 ORDER BY id"); err != nil ||
		!reflect.DeepEqual(got, copies) {
		t.Errorf("what was inserted comes back: got %+v, %v; want %+v", got, err, copies)
	}
	exec(2, "INSERT INTO users (id, name, email, joined) VALUES (:id, :name, :email, :joined)", []map[string]any{
		{"id": 3, "name": "Edsger", "email": nil, "joined": users[0].Joined},
		{"id": 4, "name": "Barbara", "email": "b@example.com", "joined": nil},
	})
	exec(2, "INSERT INTO users (id, name, email, joined, seen, home) "+
		"VALUES (:id, :name, :email, :joined, :seen, :home)", []user{
		{ID: 5, Name: "Alan", Home: &home{"Wilmslow", 5}},
		{ID: 6, Name: "Kurt", Email: pointer("k@example.com")},
	})
	exec(
		1,
		"UPDATE users SET email = :email, home = :home WHERE id = :id",
		user{ID: 5, Email: pointer("a@example.com")},
	)
	exec(1, "DELETE FROM users WHERE name = :name", map[string]any{"name": "Kurt"})
	var alan user
	if err := db.GetContext(t.Context(), &alan, "SELECT * FROM users WHERE id = 5"); err != nil ||
		*alan.Email != "a@example.com" || alan.Home != nil {
		t.Errorf("got %+v, %v", alan, err)
	}
}

func TestSqlxNamedQuery(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	for name, arg := range map[string]any{
		"struct": user{Joined: users[0].Joined},
		"map":    map[string]any{"joined": users[0].Joined},
	} {
		rows, err := db.NamedQueryContext(t.Context(),
			"SELECT name, '10::20' AS email FROM users WHERE joined = :joined", arg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var names []string
		for rows.Next() {
			var u user
			if err := rows.StructScan(&u); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			names = append(names, u.Name+" "+*u.Email)
		}
		// sqlx makes one colon of two: that is how one is written in the text of a named query.
		if err := rows.Err(); err != nil || !slices.Equal(names, []string{"Ada 10:20"}) {
			t.Errorf("%s: got %q, %v", name, names, err)
		}
	}
	stmt, err := db.PrepareNamedContext(t.Context(),
		"SELECT name FROM users WHERE joined >= :joined AND (email IS NULL OR email = :email) ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	var names []string
	if err := stmt.SelectContext(
		t.Context(),
		&names,
		user{Joined: users[0].Joined, Email: users[0].Email},
	); err != nil ||
		!slices.Equal(names, []string{"Ada", "Grace"}) {
		t.Errorf("PrepareNamed: got %q, %v", names, err)
	}
}

func TestSqlxIn(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	many := make([]int, 5000)
	for i := range many {
		many[i] = i + 2
	}
	var n int
	for name, args := range map[string][]any{
		"few":     {[]int64{1, 2, 9}, []string{"Ada", "Grace"}, 2},
		"many":    {many, []string{"Grace", "Edsger"}, 1},
		"Unicode": {[]int64{1}, []string{"?", "'); DROP TABLE users; --", "Ada"}, 1},
	} {
		query, flat, err := sqlx.In("SELECT COUNT(*) FROM users WHERE id IN (?) AND name IN (?)", args[0], args[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := db.GetContext(t.Context(), &n, db.Rebind(query), flat...); err != nil || n != args[2] {
			t.Errorf("%s: got %d, %v; want %d", name, n, err, args[2])
		}
	}
	// Named and IN together, as sqlx documents it.
	query, flat, err := sqlx.Named("SELECT COUNT(*) FROM users WHERE id IN (:ids) AND joined < :before",
		map[string]any{"ids": []int{1, 2}, "before": users[1].Joined})
	if err != nil {
		t.Fatal(err)
	}
	if query, flat, err = sqlx.In(query, flat...); err != nil {
		t.Fatal(err)
	}
	if err := db.GetContext(t.Context(), &n, db.Rebind(query), flat...); err != nil || n != 1 {
		t.Errorf("Named and In: got %d, %v; want 1", n, err)
	}
	// BigQuery's own way needs no In: one ARRAY parameter.
	err = db.GetContext(t.Context(), &n, "SELECT COUNT(*) FROM users WHERE id IN UNNEST(?)", many)
	if err != nil || n != 1 {
		t.Errorf("UNNEST: got %d, %v; want 1", n, err)
	}
}

// TestSqlxRebind: sqlx leaves the ? of drivers that it does not know, which is right here.
// No call of BindDriver is needed.
func TestSqlxRebind(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	const query = "SELECT name FROM users WHERE id = ? AND name = ?"
	if got := db.Rebind(query); got != query {
		t.Errorf("got %q; want %q", got, query)
	}
	var name string
	if err := db.GetContext(t.Context(), &name, db.Rebind(query), 1, "Ada"); err != nil || name != "Ada" {
		t.Errorf("got %q, %v", name, err)
	}
	bound, args, err := db.BindNamed("SELECT name FROM users WHERE id = :id AND name = :name", users[0])
	if err != nil || bound != query || !reflect.DeepEqual(args, []any{int64(1), "Ada"}) {
		t.Errorf("BindNamed: got %q, %v, %v", bound, args, err)
	}
	// A program that says so itself changes nothing.
	sqlx.BindDriver(driver.Name, sqlx.QUESTION)
	if got := db.Rebind(query); got != query {
		t.Errorf("after BindDriver: got %q; want %q", got, query)
	}
}
