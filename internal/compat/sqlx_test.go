package compat

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

func openSqlx(t testing.TB) *sqlx.DB { return sqlx.NewDb(open(t), driver.Name) }

func TestSqlxConnect(t *testing.T) {
	t.Parallel()
	db, err := sqlx.ConnectContext(t.Context(), driver.Name, dsnOf(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.GetContext(t.Context(), &n, "SELECT 1"); err != nil || n != 1 {
		t.Errorf("got %d, %v; want 1", n, err)
	}
	if _, err := sqlx.ConnectContext(t.Context(), driver.Name, "bigqueryuser://"); err == nil {
		t.Error("a DSN without a project: got no error")
	}
}

func TestSqlxGet(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	var u user
	if err := db.GetContext(t.Context(), &u, "SELECT * FROM users WHERE id = ?", 1); err != nil ||
		!reflect.DeepEqual(u, users[0]) {
		t.Errorf("a struct: got %+v, %v; want %+v", u, err, users[0])
	}
	var joined time.Time
	if err := db.GetContext(t.Context(), &joined, "SELECT MAX(joined) FROM users"); err != nil ||
		!joined.Equal(users[1].Joined) {
		t.Errorf("a time: got %v, %v; want %v", joined, err, users[1].Joined)
	}
	var email sql.NullString
	err := db.GetContext(t.Context(), &email, "SELECT email FROM users WHERE id = @id", sql.Named("id", 2))
	if err != nil || email.Valid {
		t.Errorf("a NULL: got %v, %v", email, err)
	}
	var tags []string
	if err := db.QueryRowxContext(t.Context(), "SELECT tags FROM users WHERE id = 1").Scan(&tags); err != nil ||
		!slices.Equal(tags, users[0].Tags) {
		t.Errorf("an ARRAY: got %q, %v", tags, err)
	}
	if err := db.GetContext(t.Context(), &u, "SELECT * FROM users WHERE id = ?", 9); !errors.Is(err, sql.ErrNoRows) {
		t.Errorf("no such row: got %v; want sql.ErrNoRows", err)
	}
	if err := db.GetContext(t.Context(), &u, "SELECT id, 1 AS other FROM users"); err == nil ||
		err.Error() != "missing destination name other in *compat.user" {
		t.Errorf("a column without a field: got %v", err)
	}
}

func TestSqlxSelect(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	var all []user
	if err := db.SelectContext(t.Context(), &all, "SELECT * FROM users ORDER BY id"); err != nil ||
		!reflect.DeepEqual(all, users) {
		t.Errorf("structs: got %+v, %v; want %+v", all, err, users)
	}
	var pointers []*user
	if err := db.SelectContext(t.Context(), &pointers, "SELECT id, name FROM users ORDER BY id DESC"); err != nil ||
		len(pointers) != 2 || pointers[0].Name != "Grace" {
		t.Errorf("pointers to structs: got %v, %v", pointers, err)
	}
	// Not []*string: sqlx scans the elements of that into strings, which hold no NULL, with any
	// driver.
	var emails []sql.NullString
	if err := db.SelectContext(t.Context(), &emails, "SELECT email FROM users ORDER BY id"); err != nil ||
		len(emails) != 2 || emails[0].String != *users[0].Email || emails[1].Valid {
		t.Errorf("one column with a NULL: got %v, %v", emails, err)
	}
	var none []user
	if err := db.SelectContext(
		t.Context(),
		&none,
		"SELECT * FROM users WHERE id > ?",
		5,
	); err != nil ||
		len(none) != 0 {
		t.Errorf("no rows: got %v, %v", none, err)
	}
	if err := db.SelectContext(
		t.Context(),
		&all,
		"SELECT nothing FROM users",
	); !errors.Is(
		err,
		driver.ErrInvalidQuery,
	) {
		t.Errorf("no such column: got %v; want ErrInvalidQuery", err)
	}
}

// TestSqlxStructScan: nested Go types, by embedding, by STRUCT and ARRAY columns, by sqlx's
// names with dots.
func TestSqlxStructScan(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	type base struct {
		ID   int64
		Name string
	}
	type row struct {
		base
		Address *home  `db:"home"`
		Bought  orders `db:"orders"`
		Labels  []string
		Last    sql.NullTime
		Sum     sql.Null[float64]
	}
	rows, err := db.QueryxContext(t.Context(),
		"SELECT id, name, home, orders, tags AS labels, seen AS last, "+
			"(SELECT SUM(price) FROM UNNEST(orders)) AS sum FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []row
	for rows.Next() {
		var r row
		if err := rows.StructScan(&r); err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := []row{
		{
			base{1, "Ada"},
			users[0].Home,
			users[0].Orders,
			users[0].Tags,
			sql.NullTime{Time: *users[0].Seen, Valid: true},
			sql.Null[float64]{V: 21.5, Valid: true},
		},
		{base: base{2, "Grace"}, Bought: orders{}, Labels: []string{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v; want %+v", got, want)
	}
}

func TestSqlxTransaction(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	count := func(q sqlx.QueryerContext) (n int) {
		t.Helper()
		if err := sqlx.GetContext(t.Context(), q, &n, "SELECT COUNT(*) FROM users"); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, commit := range []bool{false, true} {
		tx, err := db.BeginTxx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = tx.NamedExecContext(t.Context(), "INSERT INTO users (id, name) VALUES (:id, :name)",
			[]user{{ID: 3, Name: "Edsger"}, {ID: 4, Name: "Barbara"}})
		if err != nil {
			t.Fatal(err)
		}
		stmt, err := tx.PreparexContext(t.Context(), "UPDATE users SET joined = ? WHERE id = ?")
		if err != nil {
			t.Fatal(err)
		}
		for id := 3; id <= 4; id++ {
			if _, err := stmt.ExecContext(t.Context(), time.Now(), id); err != nil {
				t.Fatal(err)
			}
		}
		if in, out := count(tx), count(db); in != 4 || out != 2 {
			t.Errorf("before the end: got %d rows inside and %d outside; want 4 and 2", in, out)
		}
		var names []string
		query := tx.Rebind("SELECT name FROM users WHERE joined > ? ORDER BY id")
		err = tx.SelectContext(t.Context(), &names, query, users[1].Joined)
		if err != nil || fmt.Sprint(names) != "[Edsger Barbara]" {
			t.Errorf("inside: got %q, %v", names, err)
		}
		end, want := tx.Rollback, 2
		if commit {
			end, want = tx.Commit, 4
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if got := count(db); got != want {
			t.Errorf("%d: after the end: got %d rows; want %d", i, got, want)
		}
	}
}

func TestSqlxPrepared(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	stmt, err := db.PreparexContext(t.Context(), "SELECT * FROM users WHERE joined >= ? ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for i, u := range users {
		var got []user
		if err := stmt.SelectContext(t.Context(), &got, u.Joined); err != nil || !reflect.DeepEqual(got, users[i:]) {
			t.Errorf("since %v: got %+v, %v", u.Joined, got, err)
		}
	}
	if _, err := db.PreparexContext(
		t.Context(),
		"SELECT nothing FROM users",
	); !errors.Is(
		err,
		driver.ErrInvalidQuery,
	) {
		t.Errorf("a wrong statement: got %v; want ErrInvalidQuery", err)
	}
}
