package compat

import (
	"slices"
	"testing"

	"github.com/aarondl/null/v8"
	"github.com/aarondl/sqlboiler/v4/drivers"
	"github.com/aarondl/sqlboiler/v4/queries"
	"github.com/aarondl/sqlboiler/v4/queries/qm"
	"github.com/go-gorp/gorp/v3"
)

// boilDialect is sqlboiler's dialect of BigQuery: backticks, and ? as placeholder.
var boilDialect = drivers.Dialect{LQ: '`', RQ: '`'}

func boil(mods ...qm.QueryMod) *queries.Query {
	q := &queries.Query{}
	queries.SetDialect(q, &boilDialect)
	qm.Apply(q, mods...)
	return q
}

// TestSQLBoiler: sqlboiler's query builder and binding, with its types for NULLs.
func TestSQLBoiler(t *testing.T) {
	t.Parallel()
	db := open(t)
	ctx := t.Context()
	type user struct {
		ID     int64       `boil:"id"`
		Name   null.String `boil:"name"`
		Email  null.String `boil:"email"`
		Joined null.Time   `boil:"joined"`
		Photo  null.Bytes  `boil:"photo"`
	}
	_, err := db.ExecContext(ctx, "INSERT INTO `users` (`id`,`name`,`email`,`joined`,`photo`) VALUES (?,?,?,?,?)",
		3, null.StringFrom("it's"), null.String{}, null.Time{}, null.Bytes{})
	check(t, err)
	update := boil(qm.From("`users`"), qm.Where("id = ?", 2))
	queries.SetUpdate(update, map[string]any{"email": null.StringFrom("g@example.com"), "joined": null.Time{}})
	_, err = update.ExecContext(ctx, db)
	check(t, err)
	remove := boil(qm.From("`users`"), qm.Where("id = ?", 1))
	queries.SetDelete(remove)
	_, err = remove.ExecContext(ctx, db)
	check(t, err)
	var got []user
	check(t, boil(qm.Select("id", "name", "email", "joined", "photo"), qm.From("`users`"), qm.WhereIn("id IN ?", 1, 2, 3),
		qm.Or("name = ?", "none"), qm.OrderBy("id"), qm.Limit(5)).Bind(ctx, db, &got))
	want := []user{
		{ID: 2, Name: null.StringFrom("Grace"), Email: null.StringFrom("g@example.com")},
		{ID: 3, Name: null.StringFrom("it's")},
	}
	if !slices.EqualFunc(got, want, func(a, b user) bool {
		return a.ID == b.ID && a.Name == b.Name && a.Email == b.Email && a.Joined == b.Joined && !a.Photo.Valid
	}) {
		t.Errorf("got %+v; want %+v", got, want)
	}
}

// TestGorp: gorp reads and writes rows by its MySQL dialect. Its statements that create tables are not GoogleSQL.
func TestGorp(t *testing.T) {
	t.Parallel()
	db := &gorp.DbMap{Db: open(t), Dialect: gorp.MySQLDialect{}}
	type user struct {
		ID    int64   `db:"id"`
		Name  string  `db:"name"`
		Email *string `db:"email"`
	}
	db.AddTableWithName(user{}, "users").SetKeys(false, "ID")
	check(t, db.Insert(&user{ID: 3, Name: "it's"}, &user{ID: 4, Name: "gone"}))
	_, err := db.Update(&user{ID: 3, Name: "three"})
	check(t, err)
	tx, err := db.Begin()
	check(t, err)
	_, err = tx.Delete(&user{ID: 4})
	check(t, err)
	check(t, tx.Commit())
	var list []user
	_, err = db.Select(&list, "SELECT id, name, email FROM users WHERE id > :least ORDER BY id", map[string]any{"least": 2})
	if err != nil || len(list) != 1 || list[0] != (user{ID: 3, Name: "three"}) {
		t.Errorf("got %+v, %v; want three", list, err)
	}
	one, err := db.Get(user{}, 3)
	if err != nil || one.(*user).Name != "three" {
		t.Errorf("Get: got %+v, %v; want three", one, err)
	}
}
