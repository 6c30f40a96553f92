package compat

import (
	"context"
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

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// These are idioms of programs written for other databases, with nothing but database/sql.

// TestPortDump prints any table, as command-line clients do: all columns into sql.RawBytes, or
// into an any.
func TestPortDump(t *testing.T) {
	t.Parallel()
	db := open(t)
	rows, err := db.QueryContext(t.Context(),
		"SELECT id, name, email, joined, seen, balance, photo FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	raw, targets := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range raw {
		targets[i] = &raw[i]
	}
	var got []string
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		for i, cell := range raw {
			text := string(cell)
			if cell == nil {
				text = "NULL"
			}
			got = append(got, columns[i]+"="+text)
		}
	}
	want := []string{
		"id=1", "name=Ada", "email=ada@example.com", "joined=2020-01-01T00:00:00Z", "seen=2024-05-06T07:08:09.123456Z",
		"balance=12345678901234567890.5", "photo=\x00\xff",
		"id=2", "name=Grace", "email=NULL", "joined=2021-02-03T00:00:00Z", "seen=NULL", "balance=NULL", "photo=NULL",
	}
	if err := rows.Err(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// TestPortScanTypes: a program that makes its destinations from ColumnTypes reads every column.
func TestPortScanTypes(t *testing.T) {
	t.Parallel()
	db := open(t)
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var got [][]any
	for rows.Next() {
		targets := make([]any, len(types))
		for i, c := range types {
			targets[i] = reflect.New(c.ScanType()).Interface()
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		got = append(got, targets)
	}
	if err := rows.Err(); err != nil || len(got) != 2 {
		t.Fatalf("got %d rows, %v", len(got), err)
	}
	if email := got[1][2].(*sql.Null[string]); email.Valid {
		t.Errorf("NULL: got %v", email)
	}
	if tags := got[0][7].(*[]string); !slices.Equal(*tags, users[0].Tags) {
		t.Errorf("an ARRAY: got %v", tags)
	}
	if where := got[0][8].(*sql.Null[driver.Struct]); where.V.String() != `{"city":"London","zip":1}` {
		t.Errorf("a STRUCT: got %v", where)
	}
}

// TestPortDestinations: the destinations that people have in their structs.
func TestPortDestinations(t *testing.T) {
	t.Parallel()
	db := open(t)
	type named string
	for _, tt := range []struct {
		sql        string
		dest, want any
	}{
		{"email FROM users WHERE id = 1", new(sql.NullString), sql.NullString{String: "ada@example.com", Valid: true}},
		{"email FROM users WHERE id = 2", new(sql.NullString), sql.NullString{}},
		{"email FROM users WHERE id = 1", new(*string), pointer("ada@example.com")},
		{"email FROM users WHERE id = 2", new(*string), (*string)(nil)},
		{"seen FROM users WHERE id = 1", new(*time.Time), users[0].Seen},
		{"seen FROM users WHERE id = 2", new(*time.Time), (*time.Time)(nil)},
		{"seen FROM users WHERE id = 2", new(sql.NullTime), sql.NullTime{}},
		{"joined FROM users WHERE id = 1", new(string), "2020-01-01T00:00:00Z"},
		{"name FROM users WHERE id = 1", new([]byte), []byte("Ada")},
		{"name FROM users WHERE id = 1", new(named), named("Ada")},
		{"photo FROM users WHERE id = 2", new([]byte), []byte(nil)},
		{"balance FROM users WHERE id = 1", new(float64), 12345678901234567890.5},
		{"COUNT(*) FROM users", new(int32), int32(2)},
		{"COUNT(*) > 1 FROM users", new(bool), true},
		{"CAST(NULL AS INT64)", new(sql.NullInt32), sql.NullInt32{}},
		{"CAST(1.5 AS FLOAT64)", new(any), 1.5},
		{"CAST(2 AS NUMERIC)", new(int), 2},
		{`JSON '{"a":1}'`, new(sql.Null[string]), sql.Null[string]{V: `{"a":1}`, Valid: true}},
		{"home FROM users WHERE id = 1", new(sql.Null[home]), nil},
		{"tags FROM users WHERE id = 1", new(sql.Null[[]string]), sql.Null[[]string]{V: users[0].Tags, Valid: true}},
		{"CAST(NULL AS INT64)", new(int), nil},
		{"1000 + COUNT(*) FROM users", new(int8), nil},
		{"name FROM users WHERE id = 1", new(int), nil},
	} {
		err := db.QueryRowContext(t.Context(), "SELECT "+tt.sql).Scan(tt.dest)
		if _, isHome := tt.dest.(*sql.Null[home]); isHome {
			// sql.Null asks the Scan method of what is in it.
			tt.want = sql.Null[home]{V: *users[0].Home, Valid: true}
		}
		if tt.want == nil {
			if err == nil {
				t.Errorf("%s into a %T: got %v; want an error", tt.sql, tt.dest, reflect.ValueOf(tt.dest).Elem())
			}
			continue
		}
		if got := reflect.ValueOf(tt.dest).Elem().Interface(); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s into a %T: got %v, %v; want %v", tt.sql, tt.dest, got, err, tt.want)
		}
	}
}

// level is an enumeration with a Scanner and a Valuer of its own.
type level int

func (l *level) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a level is text, not a %T", v)
	}
	*l = level(len(text))
	return nil
}

func (l level) Value() (sqldriver.Value, error) { return strings.Repeat("*", int(l)), nil }

// document is kept as JSON text, by a Valuer that returns []byte.
type document map[string]any

func (d *document) Scan(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a document is text, not a %T", v)
	}
	return json.Unmarshal([]byte(text), d)
}

func (d document) Value() (sqldriver.Value, error) { return json.Marshal(d) }

func TestPortScannerValuer(t *testing.T) {
	t.Parallel()
	db := open(t)
	_, err := db.ExecContext(t.Context(), "UPDATE users SET name = ?, email = ? WHERE id = ?",
		level(3), document{"a": []any{1.5, nil}}, sql.NullInt64{Int64: 2, Valid: true})
	if err != nil {
		t.Fatal(err)
	}
	var l level
	var d document
	row := db.QueryRowContext(t.Context(), "SELECT name, email FROM users WHERE name = ?", level(3))
	if err := row.Scan(&l, &d); err != nil || l != 3 || fmt.Sprint(d) != "map[a:[1.5 <nil>]]" {
		t.Errorf("got %v, %v, %v", l, d, err)
	}
	if err := db.QueryRowContext(t.Context(), "SELECT 1").Scan(&l); err == nil ||
		!strings.Contains(err.Error(), "a level is text") {
		t.Errorf("got %v; want the Scanner's own error", err)
	}
}

// TestPortBulkInsert: one INSERT with a thousand rows of placeholders.
func TestPortBulkInsert(t *testing.T) {
	t.Parallel()
	db := open(t)
	const rows = 1000
	var args []any
	for i := range rows {
		args = append(args, 100+i, fmt.Sprint("user ", i),
			sql.NullString{String: "x", Valid: i%2 == 0}, users[0].Joined.AddDate(0, 0, i))
	}
	query := "INSERT INTO users (id, name, email, joined) VALUES " +
		strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", rows), ", ")
	res, err := db.ExecContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := res.RowsAffected(); n != rows || err != nil {
		t.Errorf("got %d rows, %v; want %d", n, err, rows)
	}
	if id, err := res.LastInsertId(); err == nil {
		t.Errorf("LastInsertId: got %d; want an error", id)
	}
	var nulls int
	var last time.Time
	err = db.QueryRowContext(t.Context(),
		"SELECT COUNTIF(email IS NULL), MAX(joined) FROM users WHERE id >= 100").Scan(&nulls, &last)
	if err != nil || nulls != rows/2 || !last.Equal(users[0].Joined.AddDate(0, 0, rows-1)) {
		t.Errorf("got %d, %v, %v", nulls, last, err)
	}
}

// TestPortPrepareLoop: one prepared statement in a loop, inside a transaction.
func TestPortPrepareLoop(t *testing.T) {
	t.Parallel()
	db := open(t)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	stmt, err := tx.PrepareContext(t.Context(), "INSERT INTO users (id, name, joined) VALUES (?, ?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		joined := sql.Null[time.Time]{V: users[0].Joined, Valid: i > 0}
		if _, err := stmt.ExecContext(t.Context(), 10+i, "loop", joined); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	var n, dated int
	row := db.QueryRowContext(t.Context(), "SELECT COUNT(*), COUNT(joined) FROM users WHERE name = 'loop'")
	if err := row.Scan(&n, &dated); err != nil || n != 5 || dated != 4 {
		t.Errorf("got %d and %d, %v; want 5 and 4", n, dated, err)
	}
}

func TestPortDeadline(t *testing.T) {
	t.Parallel()
	db := open(t)
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var n int64
	// A statement that would run for minutes.
	err := db.QueryRowContext(ctx, "SELECT COUNTIF(MOD(a * b, 7) = MOD(c, 5)) "+
		"FROM UNNEST(GENERATE_ARRAY(1, 20000)) a, UNNEST(GENERATE_ARRAY(1, 20000)) b, "+
		"UNNEST(GENERATE_ARRAY(1, 20000)) c").Scan(&n)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v; want context.DeadlineExceeded", err)
	}
	if err := db.QueryRowContext(t.Context(), "SELECT 1").Scan(&n); err != nil || n != 1 {
		t.Errorf("afterwards: got %d, %v; want 1", n, err)
	}
}

// decimal is as the decimal types of other libraries are: exact, and text to a database.
type decimal struct{ text string }

func (d *decimal) Scan(v any) error { d.text = fmt.Sprint(v); return nil }

func (d decimal) Value() (sqldriver.Value, error) { return d.text, nil }

// TestPortText: what is text in Go and another type in BigQuery is written as it is read.
func TestPortText(t *testing.T) {
	t.Parallel()
	db := open(t)
	_, err := db.ExecContext(t.Context(), "CREATE TABLE things (id INT64, price NUMERIC, span INTERVAL, doc JSON)")
	if err != nil {
		t.Fatal(err)
	}
	const insert = "INSERT INTO things (id, price, span, doc) VALUES (?, ?, ?, ?)"
	price, span, doc := decimal{"12345678901234567890.5"}, "1-2 3 4:5:6", document{"a": "b"}
	for id := range 2 {
		if _, err := db.ExecContext(t.Context(), insert, id, price, span, doc); err != nil {
			t.Fatal(err)
		}
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	stmt, err := tx.PrepareContext(t.Context(), "UPDATE things SET price = price + ? WHERE id = ? AND price = ?")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stmt.ExecContext(t.Context(), decimal{"0.5"}, 1, price); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	for id, want := range []string{"12345678901234567890.5", "12345678901234567891"} {
		var p decimal
		var s string
		var d document
		row := db.QueryRowContext(t.Context(),
			"SELECT price, span, doc FROM things WHERE id = ? AND span = CAST(? AS INTERVAL)", id, span)
		if err := row.Scan(&p, &s, &d); err != nil || p.text != want || s != span || d["a"] != "b" {
			t.Errorf("%d: got %v, %q, %v, %v; want %s", id, p, s, d, err, want)
		}
	}
	if _, err := db.ExecContext(t.Context(), insert, 3, decimal{"a lot"}, span, doc); err == nil {
		t.Errorf("no number: got %v; want an error", err)
	}
}
