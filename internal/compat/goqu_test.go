package compat

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/doug-martin/goqu/v9"
	"github.com/doug-martin/goqu/v9/exec"
	"github.com/doug-martin/goqu/v9/exp"
)

// goqu writes BigQuery's SQL once it has been told how. The escapes matter: with goqu's own
// ones, text that it writes into a statement (without Prepared(true)) could end its string.
// With Prepared(true) it travels as a parameter.
func init() {
	opts := goqu.DefaultDialectOptions()
	opts.QuoteRune = '`'
	opts.TimeFormat = "2006-01-02 15:04:05.999999-07:00"
	opts.SupportsReturn = false
	opts.SupportsConflictTarget = false
	opts.SupportsLateral = false
	opts.SupportsDistinctOn = false
	opts.EscapedRunes = map[rune][]byte{'\'': []byte(`\'`), '\\': []byte(`\\`), '\n': []byte(`\n`), '\r': []byte(`\r`)}
	goqu.RegisterDialect("bigquery", opts)
}

func openGoqu(t testing.TB) *goqu.Database { return goqu.New("bigquery", open(t)) }

type account struct {
	ID     int64      `db:"id"`
	Name   string     `db:"name"`
	Email  *string    `db:"email" goqu:"omitnil"`
	Joined time.Time  `db:"joined"`
	Seen   *time.Time `db:"seen"`
	Tags   []string   `db:"tags" goqu:"skipinsert,skipupdate"`
	Home   *home      `db:"home" goqu:"skipinsert,skipupdate"`
}

func TestGoquSQL(t *testing.T) {
	t.Parallel()
	query, args, err := goqu.Dialect("bigquery").From(goqu.T("users").As("u")).
		Where(goqu.C("name").Eq(`O'Brien\`), goqu.C("seen").Lt(*users[0].Seen)).ToSQL()
	const want = "SELECT * FROM `users` AS `u` " +
		"WHERE ((`name` = 'O\\'Brien\\\\') AND (`seen` < '2024-05-06 07:08:09.123456+00:00'))"
	if err != nil || query != want || len(args) != 0 {
		t.Errorf("got %s, %v, %v; want %s", query, args, err, want)
	}
}

func TestGoquSelect(t *testing.T) {
	t.Parallel()
	db := openGoqu(t)
	for _, prepared := range []bool{true, false} {
		users := db.From("users").Prepared(prepared).Order(goqu.C("id").Asc())
		var all []account
		if err := users.ScanStructsContext(t.Context(), &all); err != nil || len(all) != 2 {
			t.Fatalf("prepared %v: got %d rows, %v; want 2", prepared, len(all), err)
		}
		if a := all[0]; a.Name != "Ada" || *a.Email != "ada@example.com" ||
			!reflect.DeepEqual(a.Tags, []string{"a", "b"}) || a.Home.City != "London" {
			t.Errorf("prepared %v: got %+v", prepared, a)
		}
		if a := all[1]; a.Email != nil || a.Home != nil || a.Seen != nil {
			t.Errorf("prepared %v: NULLs: got %+v", prepared, a)
		}
		seen := *all[0].Seen
		for name, where := range map[string]exp.Expression{
			"a timestamp": goqu.C("seen").Between(goqu.Range(seen, seen.Add(time.Microsecond))),
			"a date":      goqu.C("joined").Eq("2020-01-01"),
			"in":          goqu.C("id").In([]int64{1, 5, 6}),
			"null":        goqu.And(goqu.C("email").IsNotNull(), goqu.C("name").Neq(`'"\`)),
			"like":        goqu.C("name").Like("A%"),
			"function":    goqu.Func("STARTS_WITH", goqu.C("email"), "ada@"),
			"literal":     goqu.L("LENGTH(?) = ?", goqu.C("name"), 3),
		} {
			var name1 string
			found, err := users.Select("name").Where(where).Limit(1).ScanValContext(t.Context(), &name1)
			if err != nil || !found || name1 != "Ada" {
				t.Errorf("prepared %v: %s: got %q, %v, %v; want Ada", prepared, name, name1, found, err)
			}
		}
		if n, err := users.ClearOrder().CountContext(t.Context()); n != 2 || err != nil {
			t.Errorf("prepared %v: got %d, %v; want 2", prepared, n, err)
		}
	}
}

func TestGoquInsertUpdateDelete(t *testing.T) {
	t.Parallel()
	db := openGoqu(t)
	run := func(want int64, e exec.QueryExecutor) {
		t.Helper()
		res, err := e.ExecContext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != want || err != nil {
			t.Errorf("got %d rows, %v; want %d", n, err, want)
		}
	}
	for i, prepared := range []bool{true, false} {
		id := int64(10 * (i + 1))
		insert := db.Insert("users").Prepared(prepared)
		run(1, insert.Rows(goqu.Record{"id": id, "name": `O'Brien\`, "email": nil}).Executor())
		run(2, insert.Cols("id", "name").Vals(goqu.Vals{id + 1, "Alan"}, goqu.Vals{id + 2, "Kurt"}).Executor())
		changed := goqu.Record{"email": "o@example.com", "joined": "2022-03-04"}
		run(1, db.Update("users").Prepared(prepared).Set(changed).Where(goqu.C("id").Eq(id)).Executor())
		run(2, db.Delete("users").Prepared(prepared).Where(goqu.C("id").Gt(id)).Executor())
		var got account
		found, err := db.From("users").Where(goqu.C("id").Eq(id)).ScanStructContext(t.Context(), &got)
		if err != nil || !found || got.Name != `O'Brien\` || *got.Email != "o@example.com" {
			t.Errorf("prepared %v: got %+v, %v, %v", prepared, got, found, err)
		}
	}
	// Times go into a DATE and a TIMESTAMP column as parameters only: written into the text they
	// have one form for both.
	edsger := account{ID: 30, Name: "Edsger", Joined: users[0].Joined, Seen: users[0].Seen}
	run(1, db.Insert("users").Prepared(true).Rows(edsger).Executor())
}

func TestGoquTransaction(t *testing.T) {
	t.Parallel()
	db := openGoqu(t)
	failure := sql.ErrTxDone // any error
	for _, want := range []error{failure, nil} {
		err := db.WithTx(func(tx *goqu.TxDatabase) error {
			row := goqu.Record{"id": 3, "name": "Edsger"}
			if _, err := tx.Insert("users").Prepared(true).Rows(row).Executor().ExecContext(t.Context()); err != nil {
				return err
			}
			if n, err := tx.From("users").CountContext(t.Context()); err != nil || n != 3 {
				t.Errorf("inside: got %d, %v; want 3", n, err)
			}
			return want
		})
		if err != want {
			t.Fatalf("got %v; want %v", err, want)
		}
		rows := int64(3)
		if want != nil {
			rows = 2
		}
		if n, err := db.From("users").CountContext(t.Context()); n != rows || err != nil {
			t.Errorf("after %v: got %d, %v; want %d", want, n, err, rows)
		}
	}
}

func TestGoquReturning(t *testing.T) {
	t.Parallel()
	_, err := openGoqu(t).Insert("users").Rows(goqu.Record{"id": 3}).Returning("id").Executor().ExecContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "RETURNING") {
		t.Errorf("RETURNING, which BigQuery lacks: got %v", err)
	}
}
