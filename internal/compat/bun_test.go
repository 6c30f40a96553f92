package compat

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"cloud.google.com/go/civil"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dbfixture"
	bunmigrate "github.com/uptrace/bun/migrate"

	"github.com/bigqueryuser/bigqueryuser/driver/bundialect"
)

// openBun opens a sandbox of the test's own with tables of models.
func openBun(t testing.TB, models ...any) *bun.DB {
	t.Helper()
	db := bun.NewDB(open(t), bundialect.New())
	for _, m := range models {
		_, err := db.NewCreateTable().Model(m).WithForeignKeys().Exec(t.Context())
		check(t, err)
	}
	return db
}

type writer struct {
	bun.BaseModel `bun:"table:writers"`
	ID            int64  `bun:",pk,autoincrement"`
	Name          string `bun:",notnull"`
	Born          civil.Date
	Day           time.Time  `bun:"type:date"`
	Local         *time.Time `bun:"type:datetime"`
	Seen          time.Time
	Rate          *big.Rat
	Price         string `bun:"type:numeric(10,2)"`
	Score         float64
	Meta          json.RawMessage
	Settings      map[string]any
	Tags          []string `bun:",array"`
	Home          *place   `bun:"type:STRUCT"`
	Places        []place  `bun:"type:ARRAY"`
	Nick          sql.Null[string]
	Email         sql.NullString
	Photo         []byte
	Novels        []*novel `bun:"rel:has-many,join:id=writer_id"`
}

type novel struct {
	ID       string  `bun:",pk,default:gen_random_uuid()"`
	WriterID int64   `bun:",nullzero"`
	Writer   *writer `bun:"rel:belongs-to,join:writer_id=id"`
	Title    string
	Gone     time.Time `bun:",soft_delete,nullzero"`
}

func TestBunRoundTrip(t *testing.T) {
	t.Parallel()
	db := openBun(t, (*writer)(nil), (*novel)(nil))
	local := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	want := writer{
		Name: `it's "\`, Born: day(1815, 12, 10), Day: time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC), Local: &local,
		Seen: local, Rate: big.NewRat(5, 4), Price: "1.5",
		Score: math.Inf(
			-1,
		), Meta: json.RawMessage(`{"a":"'"}`), Settings: map[string]any{"x": "y'"}, Tags: []string{"a", `\'`},
		Home: &place{"London", 7, []civil.Date{day(2020, 1, 2)}}, Places: []place{{City: "Bath", Seen: []civil.Date{}}},
		Nick: sql.Null[string]{
			V:     "n",
			Valid: true,
		}, Email: sql.NullString{String: "@", Valid: true}, Photo: []byte{0, 255},
	}
	_, err := db.NewInsert().Model(&want).Exec(t.Context())
	check(t, err)
	novels := []*novel{{WriterID: want.ID, Title: "a"}, {WriterID: want.ID, Title: "b"}, {Title: "orphan"}}
	_, err = db.NewInsert().Model(&novels).Exec(t.Context())
	check(t, err)
	var got writer
	check(
		t,
		db.NewSelect().
			Model(&got).
			Relation("Novels", func(q *bun.SelectQuery) *bun.SelectQuery { return q.Order("title") }).
			Where("writer.id = ?", want.ID).
			Scan(t.Context()),
	)
	if got.Rate.Cmp(want.Rate) != 0 || len(got.Novels) != 2 || got.Novels[0].ID != novels[0].ID {
		t.Errorf("got %v, %+v", got.Rate, got.Novels)
	}
	got.Rate, got.Novels = want.Rate, nil
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	empty := writer{Name: "nobody", Price: "0", Born: day(1, 1, 1), Day: want.Day, Seen: local}
	_, err = db.NewInsert().Model(&empty).Exec(t.Context())
	check(t, err)
	got = writer{ID: empty.ID}
	check(t, db.NewSelect().Model(&got).WherePK().Scan(t.Context()))
	if got.Rate != nil || got.Home != nil || got.Local != nil || got.Nick.Valid || got.Email.Valid ||
		len(got.Tags)+len(got.Places) != 0 {
		t.Errorf("got %+v", got)
	}
	var joined []novel
	check(t, db.NewSelect().Model(&joined).Relation("Writer").Order("title").Scan(t.Context()))
	if len(joined) != 3 || joined[0].Writer == nil || joined[0].Writer.Name != want.Name ||
		!reflect.DeepEqual(joined[0].Writer.Places, want.Places) {
		t.Errorf("belongs-to: got %+v", joined)
	}
}

func TestBunChanges(t *testing.T) {
	t.Parallel()
	db := openBun(t, (*writer)(nil), (*novel)(nil))
	ctx := t.Context()
	affected := func(name string, want int64) func(sql.Result, error) {
		return func(r sql.Result, err error) {
			t.Helper()
			check(t, err)
			if n, err := r.RowsAffected(); n != want || err != nil {
				t.Errorf("%s: got %d rows, %v; want %d", name, n, err, want)
			}
		}
	}
	list := []*novel{{Title: "a"}, {Title: "b"}, {Title: "c"}}
	affected("insert", 3)(db.NewInsert().Model(&list).Exec(ctx))
	list[0].Title, list[1].Title, list[1].WriterID = `it's`, "B", 9
	affected("bulk update", 2)(bundialect.BulkUpdate(db, list[:2], "title", "writer_id").Exec(ctx))
	affected("update", 1)(db.NewUpdate().Model(list[2]).Set("title = UPPER(title)").WherePK().Exec(ctx))
	var titles []string
	var owners []sql.NullInt64
	check(
		t,
		db.NewSelect().Model((*novel)(nil)).Column("title", "writer_id").Order("title").Scan(ctx, &titles, &owners),
	)
	if !reflect.DeepEqual(titles, []string{"B", "C", "it's"}) || owners[0].Int64 != 9 || owners[1].Valid {
		t.Errorf("got %q, %v", titles, owners)
	}
	affected("soft delete", 1)(db.NewDelete().Model(list[0]).WherePK().Exec(ctx))
	n, err := db.NewSelect().Model((*novel)(nil)).Count(ctx)
	all, err2 := db.NewSelect().Model((*novel)(nil)).WhereAllWithDeleted().Count(ctx)
	if err = errors.Join(err, err2); err != nil || n != 2 || all != 3 {
		t.Errorf("after a soft delete: got %d of %d, %v", n, all, err)
	}
	affected(
		"merge",
		2,
	)(
		db.NewMerge().
			Model((*novel)(nil)).
			Using("(SELECT ? AS id, 'new' AS title UNION ALL SELECT 'x', 'new') AS s", list[1].ID).
			On("novel.id = s.id").
			WhenUpdate("MATCHED", func(q *bun.UpdateQuery) *bun.UpdateQuery { return q.Set("title = s.title") }).
			WhenInsert("NOT MATCHED", func(q *bun.InsertQuery) *bun.InsertQuery {
				return q.ExcludeColumn("writer_id", "gone").Value("id", "s.id").Value("title", "s.title")
			}).
			Exec(ctx),
	)
	affected(
		"delete of all",
		4,
	)(
		db.NewDelete().Model((*novel)(nil)).Where("TRUE").ForceDelete().WhereAllWithDeleted().Exec(ctx),
	)
	exists, err := db.NewSelect().Model((*novel)(nil)).Exists(ctx)
	if err != nil || exists {
		t.Errorf("Exists: got %v, %v", exists, err)
	}
	failure := errors.New("no")
	err = db.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewInsert().Model(&novel{Title: "gone"}).Exec(ctx)
		return errors.Join(err, failure)
	})
	if n, _ := db.NewSelect().Model((*novel)(nil)).Count(ctx); !errors.Is(err, failure) || n != 0 {
		t.Errorf("a rollback: got %v and %d rows", err, n)
	}
}

// TestBunDefaults: a zero value becomes the default of its column, in new and in existing rows.
func TestBunDefaults(t *testing.T) {
	t.Parallel()
	type made struct {
		ID string    `bun:",pk"`
		At time.Time `bun:",nullzero,notnull,default:current_timestamp"`
		N  int       `bun:",default:7"`
		On *bool     `bun:",default:true"`
	}
	db := openBun(t, (*made)(nil))
	ctx := t.Context()
	_, err := db.NewInsert().Model(&made{ID: "inserted", N: 1}).Exec(ctx)
	check(t, err)
	_, err = bundialect.Upsert(db, []made{{ID: "inserted"}, {ID: "merged"}, {ID: "set", N: 2, On: new(bool)}}).Exec(ctx)
	check(t, err)
	_, err = bundialect.BulkUpdate(db, []made{{ID: "merged", N: 3}}).Exec(ctx)
	check(t, err)
	var got []made
	check(t, db.NewSelect().Model(&got).Order("id").Scan(ctx))
	for i, want := range []made{{ID: "inserted", N: 7, On: pointer(true)}, {ID: "merged", N: 3, On: pointer(true)},
		{ID: "set", N: 2, On: pointer(false)}} {
		if got[i].ID != want.ID || got[i].N != want.N || *got[i].On != *want.On || got[i].At.IsZero() {
			t.Errorf("got %+v; want %+v and a time", got[i], want)
		}
	}
}

func TestBunFixture(t *testing.T) {
	t.Parallel()
	db := openBun(t, (*writer)(nil), (*novel)(nil))
	db.RegisterModel((*writer)(nil), (*novel)(nil))
	files := fstest.MapFS{"fixture.yml": {Data: []byte(`
- model: Writer
  rows:
    - _id: ada
      name: "Ada 'A' \\"
      born: 1815-12-10
      price: "1.5"
      tags: [x, "y'"]
- model: Novel
  rows:
    - title: Notes
      writer_id: '{{ $.Writer.ada.ID }}'
`)}}
	fixture := dbfixture.New(db)
	check(t, fixture.Load(t.Context(), files, "fixture.yml"))
	ada := fixture.MustRow("Writer.ada").(*writer)
	var got novel
	check(t, db.NewSelect().Model(&got).Relation("Writer").Scan(t.Context()))
	if got.WriterID != ada.ID || got.Writer.Name != `Ada 'A' \` ||
		!reflect.DeepEqual(got.Writer.Tags, []string{"x", "y'"}) {
		t.Errorf("got %+v, %+v", got, got.Writer)
	}
}

func TestBunMigrate(t *testing.T) {
	t.Parallel()
	db := openBun(t)
	ctx := t.Context()
	migrations := bunmigrate.NewMigrations()
	check(t, migrations.Discover(fstest.MapFS{
		"1_a.up.sql":   {Data: []byte("CREATE TABLE a (x INT64);\n--bun:split\nINSERT INTO a VALUES (1), (2)")},
		"1_a.down.sql": {Data: []byte("DROP TABLE a")},
		"2_b.up.sql":   {Data: []byte("ALTER TABLE a ADD COLUMN y STRING")},
		"2_b.down.sql": {Data: []byte("ALTER TABLE a DROP COLUMN y")},
	}))
	m := bunmigrate.NewMigrator(db, migrations)
	check(t, m.Init(ctx))
	group, err := m.Migrate(ctx)
	check(t, err)
	if len(group.Migrations) != 2 {
		t.Errorf("up: got %v", group)
	}
	var n int
	check(t, db.NewSelect().Table("a").ColumnExpr("COUNT(*) + COUNT(y)").Scan(ctx, &n))
	if n != 2 {
		t.Errorf("got %d; want 2", n)
	}
	if group, err = m.Migrate(ctx); err != nil || !group.IsZero() {
		t.Errorf("again: got %v, %v", group, err)
	}
	status, err := m.MigrationsWithStatus(ctx)
	if err != nil || len(status.Applied()) != 2 {
		t.Errorf("status: got %v, %v", status, err)
	}
	if group, err = m.Rollback(ctx); err != nil || len(group.Migrations) != 2 {
		t.Errorf("down: got %v, %v", group, err)
	}
	status, err = m.MigrationsWithStatus(ctx)
	if err != nil || len(status.Applied()) != 0 {
		t.Errorf("status after it: got %v, %v", status, err)
	}
}

func TestBunLock(t *testing.T) {
	t.Parallel()
	db := openBun(t)
	unlock, err := bundialect.Lock(t.Context(), db)
	check(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := bundialect.Lock(ctx, db); !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "locked by another program") {
		t.Errorf("while it is held: got %v", err)
	}
	check(t, unlock())
	again, err := bundialect.Lock(t.Context(), db)
	check(t, err)
	check(t, again())
	if err := unlock(); err == nil {
		t.Error("a second unlock: got no error")
	}
}
