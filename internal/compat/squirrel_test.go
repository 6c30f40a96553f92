package compat

import (
	"database/sql"
	"slices"
	"testing"

	"github.com/Masterminds/squirrel"
)

// builder is squirrel for BigQuery. Its placeholders are ? unless it is told otherwise, which
// is right here.
func builder(db *sql.DB) squirrel.StatementBuilderType {
	return squirrel.StatementBuilder.PlaceholderFormat(squirrel.Question).RunWith(db)
}

func TestSquirrelInsertUpdateDelete(t *testing.T) {
	t.Parallel()
	db := open(t)
	build := builder(db)
	affected := func(want int64, res sql.Result, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := res.RowsAffected(); n != want || err != nil {
			t.Errorf("got %d rows, %v; want %d", n, err, want)
		}
	}
	insert := build.Insert("users").Columns("id", "name", "joined", "tags", "home")
	for id := range 200 {
		insert = insert.Values(id+10, "bulk", users[0].Joined, []string{"x"}, home{"Paris", int64(id)})
	}
	res, err := insert.ExecContext(t.Context())
	affected(200, res, err)
	res, err = build.Insert("users").SetMap(map[string]any{"id": 3, "name": "Edsger", "email": nil, "seen": nil}).
		ExecContext(t.Context())
	affected(1, res, err)
	res, err = build.Update("users").Set("name", "Barbara").Set("email", nil).
		Where(squirrel.Eq{"id": 3}).ExecContext(t.Context())
	affected(1, res, err)
	res, err = build.Delete("users").Where(squirrel.And{squirrel.GtOrEq{"id": 10}, squirrel.Like{"name": "b%"}}).
		ExecContext(t.Context())
	affected(200, res, err)
	res, err = build.Insert("users").Columns("id", "name").
		Select(squirrel.Select("id + 100", "name").From("users").Where("id = ?", 3)).ExecContext(t.Context())
	affected(1, res, err)
	var name string
	row := build.Select("name").From("users").Where(squirrel.Eq{"id": 103}).QueryRowContext(t.Context())
	if err := row.Scan(&name); err != nil || name != "Barbara" {
		t.Errorf("got %q, %v; want Barbara", name, err)
	}
}

func TestSquirrelSelect(t *testing.T) {
	t.Parallel()
	db := open(t)
	build := builder(db)
	for _, tt := range []struct {
		name  string
		query squirrel.SelectBuilder
		want  []string
	}{
		{"IN", build.Select("name").From("users").Where(squirrel.Eq{"name": []string{"Grace", "Edsger"}}), []string{"Grace"}},
		{"IS NULL", build.Select("name").From("users").Where(squirrel.Eq{"email": nil}), []string{"Grace"}},
		{"a date", build.Select("name").From("users").Where(squirrel.Lt{"joined": users[1].Joined}), []string{"Ada"}},
		{
			"OR, LIMIT",
			build.Select("name").From("users").Where(squirrel.Or{squirrel.Gt{"id": 1}, squirrel.NotEq{"email": nil}}).
				OrderBy("id DESC").Limit(1),
			[]string{"Grace"},
		},
		{
			"a nested query",
			build.Select("name").FromSelect(squirrel.Select("name", "id").From("users").Where("id < ?", 2), "u").
				Where("u.id > ?", 0),
			[]string{"Ada"},
		},
		{
			"GROUP BY, HAVING",
			build.Select("name").From("users").GroupBy("name").Having("COUNT(*) = ?", 1).OrderBy("name"),
			[]string{"Ada", "Grace"},
		},
		{"a literal ?", build.Select("name").From("users").Where("name != '??' AND id = ?", 1), []string{"Ada"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := tt.query.QueryContext(t.Context())
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
			if err := rows.Err(); err != nil || !slices.Equal(names, tt.want) {
				t.Errorf("got %q, %v; want %q", names, err, tt.want)
			}
		})
	}
}

// TestSquirrelNamed: squirrel can number its placeholders as @p1, @p2: BigQuery wants their
// arguments by name then.
func TestSquirrelNamed(t *testing.T) {
	t.Parallel()
	db := open(t)
	query, args, err := squirrel.Select("name").From("users").
		Where(squirrel.Eq{"id": 1, "name": "Ada"}).PlaceholderFormat(squirrel.AtP).ToSql()
	if err != nil {
		t.Fatal(err)
	}
	var name string
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&name); err == nil {
		t.Errorf("without names: got %q; want an error that says so", name)
	}
	row := db.QueryRowContext(t.Context(), query, sql.Named("p1", args[0]), sql.Named("p2", args[1]))
	if err := row.Scan(&name); err != nil || name != "Ada" {
		t.Errorf("got %q, %v; want Ada", name, err)
	}
}

func TestSquirrelStmtCache(t *testing.T) {
	t.Parallel()
	cache := squirrel.NewStmtCache(open(t))
	defer cache.Clear()
	for id, want := range map[int]string{1: "Ada", 2: "Grace"} {
		rows, err := squirrel.QueryContextWith(t.Context(), cache,
			squirrel.Select("name").From("users").Where(squirrel.Eq{"id": id}))
		if err != nil {
			t.Fatal(err)
		}
		var name string
		if !rows.Next() || rows.Scan(&name) != nil || name != want {
			t.Errorf("got %q, %v; want %s", name, rows.Err(), want)
		}
		rows.Close()
	}
}
