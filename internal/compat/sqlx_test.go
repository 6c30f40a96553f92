package compat

import (
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
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

func TestSqlxMapScan(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	rows, err := db.QueryxContext(t.Context(), "SELECT * FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := []map[string]any{
		{
			"id":      int64(1),
			"name":    "Ada",
			"email":   "ada@example.com",
			"joined":  users[0].Joined,
			"seen":    *users[0].Seen,
			"balance": "12345678901234567890.5",
			"photo":   []byte{0, 255},
			"tags":    []string{"a", "b"},
			"home": driver.Struct{Fields: []driver.StructField{
				{Name: "city", Value: "London"},
				{Name: "zip", Value: int64(1)},
			}},
			"orders": []driver.Struct{
				{Fields: []driver.StructField{{Name: "item", Value: "pen"}, {Name: "price", Value: "1.5"}}},
				{Fields: []driver.StructField{{Name: "item", Value: "ink"}, {Name: "price", Value: "20"}}},
			},
		},
		{
			"id":      int64(2),
			"name":    "Grace",
			"email":   nil,
			"joined":  users[1].Joined,
			"seen":    nil,
			"balance": nil,
			"photo":   nil,
			"tags":    []string{},
			"home":    nil,
			"orders":  []driver.Struct{},
		},
	}
	for i := 0; rows.Next(); i++ {
		m := map[string]any{}
		if err := rows.MapScan(m); err != nil || !reflect.DeepEqual(m, want[i]) {
			t.Errorf("MapScan: got %v, %v; want %v", m, err, want[i])
		}
		list, err := rows.SliceScan()
		if err != nil || len(list) != len(m) || !reflect.DeepEqual(list[:2], []any{m["id"], m["name"]}) {
			t.Errorf("SliceScan: got %v, %v", list, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// properties is a map that is kept as JSON text. Its Value is []byte, as that of most such types is.
type properties map[string]string

func (p properties) Value() (sqldriver.Value, error) {
	if len(p) == 0 {
		return nil, nil
	}
	return json.Marshal(p)
}

func (p *properties) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("properties are text, not a %T", src)
	}
	return json.Unmarshal([]byte(text), p)
}

// TestSqlxEmbeddedMaps keeps maps in columns of text and of JSON, through embedded structs and
// named parameters.
func TestSqlxEmbeddedMaps(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	for _, typ := range []string{"STRING", "JSON"} {
		table := "maps_" + strings.ToLower(typ)
		db.MustExecContext(t.Context(), "CREATE TABLE "+table+" (id INT64, properties "+typ+")")
		type Base struct {
			Properties properties `db:"properties"`
		}
		type row struct {
			ID int64 `db:"id"`
			Base
		}
		want := []row{{1, Base{properties{"one": "1", "two": "2"}}}, {2, Base{properties{"three": "3"}}}}
		for _, r := range want {
			if _, err := db.NamedExecContext(
				t.Context(),
				"INSERT INTO "+table+" (id, properties) VALUES (:id, :properties)",
				r,
			); err != nil {
				t.Fatal(err)
			}
		}
		var got []row
		if err := db.SelectContext(
			t.Context(),
			&got,
			"SELECT id, properties FROM "+table+" ORDER BY id",
		); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v; want %v", typ, got, want)
		}
		if _, err := db.ExecContext(
			t.Context(),
			"INSERT INTO "+table+" (id, properties) VALUES (?, ?)",
			3,
			properties{},
		); err != nil {
			t.Errorf("%s: no properties: %v", typ, err)
		}
	}
}
