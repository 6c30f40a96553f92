package compat

import (
	"database/sql"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/compat/sqlcgen"
)

// TestSqlc: code that sqlc has generated for MySQL, as it was generated, in a transaction too.
func TestSqlc(t *testing.T) {
	t.Parallel()
	ctx, db := t.Context(), open(t)
	q := sqlcgen.New(db)
	joined := sql.NullTime{Time: time.Date(2022, 3, 4, 0, 0, 0, 0, time.UTC), Valid: true}
	tx, err := db.BeginTx(ctx, nil)
	check(t, err)
	n, err := q.WithTx(tx).CreateUser(ctx, sqlcgen.CreateUserParams{ID: 3,
		Name: sql.NullString{String: `it's \`, Valid: true}, Joined: joined})
	check(t, err)
	check(t, tx.Commit())
	if n != 1 {
		t.Errorf("CreateUser: got %d rows", n)
	}
	n, err = q.SetEmail(ctx, sqlcgen.SetEmailParams{Email: sql.NullString{String: "x", Valid: true}, ID: 3})
	if err != nil || n != 1 {
		t.Errorf("SetEmail: got %d rows, %v", n, err)
	}
	got, err := q.GetUser(ctx, 3)
	check(t, err)
	if got.Name.String != `it's \` || got.Email.String != "x" || !got.Joined.Time.Equal(joined.Time) || got.Seen.Valid {
		t.Errorf("GetUser: got %+v", got)
	}
	list, err := q.ListUsers(ctx, []int64{1, 3, 9})
	if err != nil || len(list) != 2 || list[0].Name.String != "Ada" {
		t.Errorf("ListUsers: got %+v, %v", list, err)
	}
	if n, err := q.CountSince(ctx, joined); err != nil || n != 1 {
		t.Errorf("CountSince: got %d, %v", n, err)
	}
	check(t, q.DeleteUser(ctx, 3))
	if _, err := q.GetUser(ctx, 3); err != sql.ErrNoRows {
		t.Errorf("after DeleteUser: got %v; want ErrNoRows", err)
	}
}
