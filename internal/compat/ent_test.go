package compat

import (
	"slices"
	"testing"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
)

// TestEntBuilder: ent's sql builder with its MySQL dialect, whose backticks and ? are GoogleSQL's too. Values are
// parameters. ent's generated code makes tables and keys as MySQL does, and is no match.
func TestEntBuilder(t *testing.T) {
	t.Parallel()
	ctx, drv := t.Context(), entsql.OpenDB(dialect.MySQL, open(t))
	my := entsql.Dialect(dialect.MySQL)
	exec := func(b interface{ Query() (string, []any) }) int64 {
		t.Helper()
		query, args := b.Query()
		var res entsql.Result
		check(t, drv.Exec(ctx, query, args, &res))
		n, err := res.RowsAffected()
		check(t, err)
		return n
	}
	if n := exec(my.Insert("users").Columns("id", "name", "email").Values(3, `it's \`, nil).Values(4, "Edsger",
		"e@example.com")); n != 2 {
		t.Errorf("insert: got %d rows", n)
	}
	if n := exec(my.Update("users").Set("email", "x").Where(entsql.And(entsql.GT("id", 2),
		entsql.IsNull("email")))); n != 1 {
		t.Errorf("update: got %d rows", n)
	}
	users := my.Table("users")
	query, args := my.Select(users.C("name"), entsql.As(entsql.Count("*"), "n")).From(users).
		Where(entsql.Or(entsql.In(users.C("id"), 1, 3), entsql.HasPrefix(users.C("name"), "Ed"))).
		GroupBy(users.C("name")).
		Having(entsql.GT("n", 0)).OrderBy(entsql.Desc(users.C("name"))).Limit(5).Query()
	var rows entsql.Rows
	check(t, drv.Query(ctx, query, args, &rows))
	defer rows.Close()
	var got []struct {
		Name string
		N    int
	}
	check(t, entsql.ScanSlice(rows, &got))
	var names []string
	for _, g := range got {
		names = append(names, g.Name)
	}
	if !slices.Equal(names, []string{`it's \`, "Edsger", "Ada"}) {
		t.Errorf("select: got %q", names)
	}
	tx, err := drv.Tx(ctx)
	check(t, err)
	query, args = my.Delete("users").Where(entsql.GT("id", 2)).Query()
	check(t, tx.Exec(ctx, query, args, nil))
	check(t, tx.Rollback())
	if n := exec(my.Delete("users").Where(entsql.GT("id", 2))); n != 2 {
		t.Errorf("after a rollback, delete: got %d rows", n)
	}
}
