package compat

import (
	"database/sql"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
)

// openGorm opens a sandbox of the test's own.
func openGorm(t testing.TB, change ...func(*gormdialect.Config)) *gorm.DB {
	t.Helper()
	config := gormdialect.Config{Conn: open(t)}
	for _, f := range change {
		f(&config)
	}
	db, err := gorm.Open(gormdialect.New(config), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return db.WithContext(t.Context())
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type place struct {
	City string
	Zip  int64 `bigquery:"zip_code"`
	Seen []civil.Date
}

type author struct {
	gorm.Model
	Name     string `gorm:"size:40"`
	Born     civil.Date
	Rate     *big.Rat `gorm:"type:NUMERIC(10,4)"`
	Fee      float64  `gorm:"precision:10;scale:2"`
	Meta     json.RawMessage
	Settings map[string]any `gorm:"type:JSON"`
	Tags     []string       `gorm:"type:ARRAY"`
	Scores   []int          `gorm:"type:ARRAY"`
	Home     *place         `gorm:"type:STRUCT"`
	Places   []place        `gorm:"type:ARRAY"`
	Wakes    *string        `gorm:"type:TIME"`
	Local    time.Time      `gorm:"type:DATETIME"`
	Day      sql.NullTime   `gorm:"type:DATE"`
	Photo    []byte
	Nick     sql.Null[string]
	Books    []book
}

type book struct {
	ID       string
	Title    string
	AuthorID uint
	Author   *author
	Shops    []shop `gorm:"many2many:book_shops"`
}

type shop struct {
	Code string `gorm:"primaryKey"`
	Name string
}

func day(y, m, d int) civil.Date { return civil.Date{Year: y, Month: time.Month(m), Day: d} }

func ada() author {
	return author{
		Name: `Ada "O'L"\`, Born: day(1815, 12, 10), Rate: big.NewRat(5, 4), Fee: 2.5,
		Meta: json.RawMessage(`{"a":[1,2]}`),
		Settings: map[string]any{
			"dark": true,
		}, Tags: []string{"x", "y'"}, Scores: []int{3, 1}, Home: &place{"London", 7, []civil.Date{day(2020, 1, 2)}},
		Places: []place{
			{City: "Bath", Seen: []civil.Date{}},
			{City: "Rome", Zip: 9, Seen: []civil.Date{day(2021, 3, 4)}},
		}, Wakes: pointer("07:30:00"),
		Local: time.Date(
			2026,
			5,
			6,
			7,
			8,
			9,
			0,
			time.UTC,
		), Day: sql.NullTime{Time: time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC), Valid: true},
		Photo: []byte{0, 255}, Nick: sql.Null[string]{V: "a", Valid: true},
		Books: []book{
			{Title: "Notes", Shops: []shop{{"s1", "Corner"}, {"s2", "Square"}}},
			{Title: "Letters", Shops: []shop{{"s1", "Corner"}}},
		},
	}
}

// TestGormRoundTrip: a model with every kind of column is what it was, with what belongs to it.
func TestGormRoundTrip(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&author{}, &book{}, &shop{}))
	want := ada()
	check(t, db.Create(&want).Error)
	if want.ID == 0 || want.Books[0].ID == "" || want.Books[0].AuthorID != want.ID {
		t.Fatalf("keys: got %d, %q, %d", want.ID, want.Books[0].ID, want.Books[0].AuthorID)
	}
	var got author
	check(t, db.Preload("Books", func(db *gorm.DB) *gorm.DB { return db.Order("id") }).
		Preload("Books.Shops", func(db *gorm.DB) *gorm.DB { return db.Order("code") }).First(&got, want.ID).Error)
	if got.Rate.Cmp(want.Rate) != 0 {
		t.Errorf("NUMERIC: got %v; want %v", got.Rate, want.Rate)
	}
	got.Rate = want.Rate
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// What is not there is NULL, and the zero value again.
	empty := author{Name: "nobody", Born: day(1, 1, 1), Local: want.Local}
	check(t, db.Create(&empty).Error)
	got = author{}
	check(t, db.Preload("Books").First(&got, empty.ID).Error)
	if got.Rate != nil || got.Home != nil || got.Meta != nil || got.Settings != nil || got.Wakes != nil ||
		got.Day.Valid ||
		got.Nick.Valid ||
		len(got.Tags)+len(got.Places)+len(got.Books) != 0 {
		t.Errorf("got %+v", got)
	}
	var loose []map[string]any
	check(t, db.Model(&author{}).Select("name", "tags").Order("id").Find(&loose).Error)
	if len(loose) != 2 || !reflect.DeepEqual(loose[0]["tags"], []string{"x", "y'"}) {
		t.Errorf("maps: got %v", loose)
	}
}

func TestGormChanges(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&author{}, &book{}, &shop{}))
	a := ada()
	check(t, db.Create(&a).Error)
	affected := func(name string, want int64, tx *gorm.DB) {
		t.Helper()
		if tx.Error != nil || tx.RowsAffected != want {
			t.Errorf("%s: got %d rows, %v; want %d", name, tx.RowsAffected, tx.Error, want)
		}
	}
	reload := func() (a2 author) {
		t.Helper()
		check(t, db.Unscoped().First(&a2, a.ID).Error)
		return a2
	}
	affected(
		"Updates",
		1,
		db.Model(&a).
			Updates(map[string]any{"tags": []string{"z"}, "home": nil, "meta": nil, "fee": 1.25,
				"local": time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}),
	)
	if got := reload(); !slices.Equal(got.Tags, []string{"z"}) || got.Home != nil || got.Meta != nil ||
		got.Fee != 1.25 ||
		got.Local.Month() != 1 {
		t.Errorf("Updates: got %+v", got)
	}
	affected("an expression", 1, db.Model(&a).Update("fee", gorm.Expr("fee * ?", 2)))
	a.Name = "Ada"
	affected("Save", 1, db.Omit(clause.Associations).Save(&a))
	if got := reload(); got.Name != "Ada" || got.Fee != 1.25 {
		t.Errorf("Save: got %+v", got)
	}
	affected("Delete", 1, db.Delete(&a))
	if err := db.First(&author{}, a.ID).Error; !errors.Is(err, gorm.ErrRecordNotFound) || !reload().DeletedAt.Valid {
		t.Errorf("a soft delete: got %v", err)
	}
	affected("Unscoped", 1, db.Unscoped().Delete(&a))
	if err := db.Delete(&book{}).Error; !errors.Is(err, gorm.ErrMissingWhereClause) {
		t.Errorf("all books: got %v; want ErrMissingWhereClause", err)
	}
	affected("all books", 2, db.Session(&gorm.Session{AllowGlobalUpdate: true}).Delete(&book{}))

	many := make([]shop, 250)
	for i := range many {
		many[i] = shop{Code: strings.Repeat("c", i+1), Name: "many"}
	}
	affected("batches", 250, db.CreateInBatches(&many, 100))
	var codes []string
	check(
		t,
		db.Model(&shop{}).
			Where("name = ?", "many").
			Order("LENGTH(code)").
			Limit(2).
			Offset(1).
			Pluck("code", &codes).
			Error,
	)
	if !slices.Equal(codes, []string{"cc", "ccc"}) {
		t.Errorf("Pluck: got %q", codes)
	}
	check(t, db.Model(&shop{}).Where("name = ?", "many").Order("LENGTH(code)").Offset(248).Pluck("code", &codes).Error)
	if len(codes) != 2 {
		t.Errorf("OFFSET alone: got %d rows", len(codes))
	}
}

func TestGormUpsert(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&shop{}))
	read := func() (list []shop) {
		t.Helper()
		check(t, db.Order("code").Find(&list).Error)
		return list
	}
	check(t, db.Create(&shop{"a", "old"}).Error)
	check(
		t,
		db.Clauses(clause.OnConflict{DoNothing: true}).
			Create(&[]shop{{"a", "new"}, {"b", "new"}, {"b", "again"}}).
			Error,
	)
	if got := read(); !slices.Equal(got, []shop{{"a", "old"}, {"b", "new"}}) {
		t.Errorf("DO NOTHING: got %v", got)
	}
	check(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]shop{{"a", "newer"}, {"c", "newer"}}).Error)
	if got := read(); !slices.Equal(got, []shop{{"a", "newer"}, {"b", "new"}, {"c", "newer"}}) {
		t.Errorf("UPDATE: got %v", got)
	}
	check(t, db.Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "code"}}, DoUpdates: clause.AssignmentColumns([]string{"name"}),
		Where: clause.Where{
			Exprs: []clause.Expression{
				clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "name"}, Value: "new"},
			},
		},
	}).Create(&[]shop{{"a", "x"}, {"b", "x"}}).Error)
	if got := read(); !slices.Equal(got, []shop{{"a", "newer"}, {"b", "x"}, {"c", "newer"}}) {
		t.Errorf("UPDATE WHERE: got %v", got)
	}
	var found shop
	check(t, db.Where(shop{Code: "d"}).Attrs(shop{Name: "made"}).FirstOrCreate(&found).Error)
	if got := read(); len(got) != 4 || found.Name != "made" {
		t.Errorf("FirstOrCreate: got %v, %v", found, got)
	}
}

func TestGormJoins(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&author{}, &book{}, &shop{}))
	a := ada()
	check(t, db.Create(&a).Error)
	check(t, db.Create(&book{Title: "Orphan"}).Error)
	var books []book
	check(t, db.Joins("Author").Order("title").Find(&books).Error)
	if len(books) != 3 || books[0].Author == nil || !reflect.DeepEqual(books[0].Author.Places, a.Places) ||
		books[2].Author != nil {
		t.Errorf("a LEFT JOIN, of whose rows one has no author: got %+v", books)
	}
	var names []string
	check(
		t,
		db.Model(&book{}).Joins("JOIN authors ON authors.id = books.author_id").Where("? IN UNNEST(authors.tags)", "x").
			Group("authors.name").Having("COUNT(*) > ?", 1).Pluck("authors.name", &names).Error,
	)
	if !slices.Equal(names, []string{a.Name}) {
		t.Errorf("a join with GROUP BY: got %q", names)
	}
	var ids []string
	check(
		t,
		db.Model(&book{}).
			Where("id IN UNNEST(?)", gormdialect.Param{V: []string{a.Books[0].ID, "none"}}).
			Pluck("id", &ids).
			Error,
	)
	if !slices.Equal(ids, []string{a.Books[0].ID}) {
		t.Errorf("an ARRAY parameter: got %q", ids)
	}
	n := db.Model(&a).Association("Books").Count()
	check(t, db.Model(&a).Association("Books").Delete(&a.Books[0]))
	if n != 2 || db.Model(&a).Association("Books").Count() != 1 {
		t.Errorf("an association: got %d, then %d", n, db.Model(&a).Association("Books").Count())
	}
	var count int64
	check(t, db.Model(&book{}).Distinct("author_id").Count(&count).Error)
	if count != 2 {
		t.Errorf("DISTINCT: got %d; want 2", count)
	}
}

// TestGormMigrate: a second version of a model finds the table of the first.
func TestGormMigrate(t *testing.T) {
	t.Parallel()
	// The sandbox adds no keys to tables that are there; gormdialect's own tests have the text.
	db := openGorm(t, func(c *gormdialect.Config) { c.WithoutKeys = true })
	check(
		t,
		db.Exec(
			"CREATE TABLE authors (id INT64 NOT NULL, name STRING(10) NOT NULL, fee NUMERIC(5, 2), gone INT64)",
		).Error,
	)
	check(t, db.Exec("INSERT INTO authors (id, name, gone) VALUES (1, 'old', 5)").Error)
	check(t, db.AutoMigrate(&author{}, &book{}, &shop{}))
	m := db.Migrator()
	types, err := m.ColumnTypes(&author{})
	check(t, err)
	got := map[string]string{}
	for _, c := range types {
		got[c.Name()], _ = c.ColumnType()
		if nullable, _ := c.Nullable(); !nullable {
			got[c.Name()] += " NOT NULL"
		}
	}
	for name, want := range map[string]string{"id": "INT64 NOT NULL", "name": "STRING(40)", "fee": "NUMERIC(10, 2)",
		"gone": "INT64", "tags": "ARRAY<STRING>", "deleted_at": "TIMESTAMP",
		"places": "ARRAY<STRUCT<City STRING, zip_code INT64, Seen ARRAY<DATE>>>"} {
		if got[name] != want {
			t.Errorf("%s: got %s; want %s", name, got[name], want)
		}
	}
	var old author
	check(t, db.First(&old, 1).Error)
	check(t, db.AutoMigrate(&author{}, &book{}, &shop{})) // finds nothing to do
	for _, table := range []string{"authors", "books", "shops", "book_shops"} {
		if !m.HasTable(table) {
			t.Errorf("there is no table %s", table)
		}
	}
	if m.HasTable("nothing") || !m.HasColumn(&author{}, "Fee") || m.HasColumn(&author{}, "nothing") ||
		m.CurrentDatabase() != "shop" {
		t.Error("HasTable, HasColumn or CurrentDatabase is wrong")
	}
	check(t, m.DropColumn(&author{}, "gone"))
	check(t, m.RenameColumn(&author{}, "nick", "alias"))
	check(t, m.RenameTable("shops", "stores"))
	if m.HasColumn("authors", "gone") || !m.HasColumn("shop.authors", "alias") || !m.HasTable("stores") {
		t.Error("after DropColumn, RenameColumn and RenameTable")
	}
	tables, err := m.GetTables()
	check(t, err)
	if !slices.Equal(tables, []string{"authors", "book_shops", "books", "stores", "users"}) {
		t.Errorf("GetTables: got %q", tables)
	}
	check(t, m.DropTable(&author{}, "stores"))
	if m.HasTable(&author{}) {
		t.Error("after DropTable")
	}
}

func TestGormTransaction(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&shop{}))
	count := func() (n int64) {
		t.Helper()
		check(t, db.Model(&shop{}).Count(&n).Error)
		return n
	}
	failure := errors.New("no")
	err := db.Transaction(func(tx *gorm.DB) error {
		check(t, tx.Create(&shop{"a", "a"}).Error)
		return failure
	})
	if err != failure || count() != 0 {
		t.Errorf("rolled back: got %v and %d rows", err, count())
	}
	check(t, db.Transaction(func(tx *gorm.DB) error {
		check(t, tx.Create(&shop{"a", "a"}).Error)
		return tx.Transaction(func(tx *gorm.DB) error { return tx.Create(&shop{"b", "b"}).Error })
	}))
	if count() != 2 {
		t.Errorf("a transaction that joined: got %d rows; want 2", count())
	}
	// BigQuery can't undo the inner one alone: nothing of the outer one may stay.
	err = db.Transaction(func(tx *gorm.DB) error {
		check(t, tx.Create(&shop{"c", "c"}).Error)
		if err := tx.Transaction(func(tx *gorm.DB) error {
			check(t, tx.Create(&shop{"d", "d"}).Error)
			return failure
		}); err != failure {
			t.Errorf("the inner one: got %v", err)
		}
		return nil
	})
	if !errors.Is(err, sql.ErrTxDone) || count() != 2 {
		t.Errorf("an inner one that failed: got %v and %d rows; want ErrTxDone and 2", err, count())
	}
	refusing := openGorm(t, func(c *gormdialect.Config) { c.RefuseNestedTransactions = true })
	err = refusing.Transaction(func(tx *gorm.DB) error { return tx.Transaction(func(*gorm.DB) error { return nil }) })
	if !errors.Is(err, gormdialect.ErrNestedTransaction) {
		t.Errorf("refused: got %v", err)
	}
}

// TestGormRunTransaction: transactions that get in each other's way all have their effect in the end.
func TestGormRunTransaction(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	type counter struct {
		ID string
		N  int
	}
	check(t, db.AutoMigrate(&counter{}))
	check(t, db.Create(&counter{ID: "c"}).Error)
	var wg sync.WaitGroup
	var mu sync.Mutex
	runs := 0
	for range 3 {
		wg.Go(func() {
			err := gormdialect.RunTransaction(db, func(tx *gorm.DB) error {
				mu.Lock()
				runs++
				mu.Unlock()
				var c counter
				if err := tx.First(&c, "id = ?", "c").Error; err != nil {
					return err
				}
				return tx.Model(&c).Update("n", c.N+1).Error
			})
			if err != nil {
				t.Errorf("got %v after %d runs", err, runs)
			}
		})
	}
	wg.Wait()
	var c counter
	check(t, db.First(&c).Error)
	if c.N != 3 {
		t.Errorf("got %d; want 3", c.N)
	}
	// Any other error ends it at once.
	runs = 0
	err := gormdialect.RunTransaction(db, func(tx *gorm.DB) error { runs++; return tx.Exec("SELECT nothing").Error })
	if !errors.Is(err, driver.ErrInvalidQuery) || runs != 1 {
		t.Errorf("a wrong statement: got %v after %d runs", err, runs)
	}
	runs = 0
	err = gormdialect.RunTransaction(db, func(tx *gorm.DB) error { runs++; return driver.ErrConcurrentUpdate })
	if !errors.Is(err, driver.ErrConcurrentUpdate) || runs != 5 {
		t.Errorf("a conflict that stays: got %v after %d runs; want 5", err, runs)
	}
}

// TestGormInjection: no text ends its literal, as a parameter or in a view, where it stands in the statement.
func TestGormInjection(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&shop{}))
	for _, name := range []string{`'`, `\'`, `\\'; DROP TABLE shops; --`, `"`, "`", "a\nb", `''`, "?", "@x"} {
		check(t, db.Create(&shop{Code: name, Name: name}).Error)
		var got []shop
		check(t, db.Where("name = @name AND code = @name", sql.Named("name", name)).Find(&got).Error)
		if len(got) != 1 || got[0].Name != name {
			t.Errorf("%q: got %q", name, got)
		}
		text := db.ToSQL(func(tx *gorm.DB) *gorm.DB { return tx.Where("name = ?", name).Find(&[]shop{}) })
		var shown shop
		if err := db.ConnPool.QueryRowContext(t.Context(), text).Scan(&shown.Code, &shown.Name); err != nil ||
			shown.Name != name {
			t.Errorf("ToSQL of %q is %s, which finds %q, %v", name, text, shown, err)
		}
	}
}

// TestGormRaw: arrays and structs of a query of one's own, into a struct that is no model.
func TestGormRaw(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	const query = "SELECT name, tags, home, orders, [1, 2] AS numbers FROM users ORDER BY id"
	type dest struct {
		Name    string
		Tags    []string `gorm:"serializer:bigquery"`
		Numbers []int    `gorm:"serializer:bigquery"`
		Home    *struct {
			City string
			Zip  int64
		} `gorm:"serializer:bigquery"`
		Orders []map[string]any `gorm:"serializer:bigquery"`
	}
	var scanned []dest
	check(t, db.Raw(query).Scan(&scanned).Error)
	if len(scanned) != 2 || !slices.Equal(scanned[0].Tags, []string{"a", "b"}) ||
		!slices.Equal(scanned[0].Numbers, []int{1, 2}) ||
		scanned[0].Home.City != "London" || scanned[1].Home != nil || scanned[0].Orders[1]["item"] != "ink" {
		t.Errorf("Scan: got %+v", scanned)
	}
	type tagged struct {
		Name    string
		Tags    []string `gorm:"type:ARRAY"`
		Numbers []int    `gorm:"type:ARRAY"`
	}
	var found []tagged
	check(t, db.Raw(query).Find(&found).Error)
	if len(found) != 2 || !slices.Equal(found[0].Numbers, []int{1, 2}) {
		t.Errorf("Find: got %+v", found)
	}
	type kept struct {
		ID   int64
		Tags []string              `gorm:"serializer:bigquery"`
		Meta map[string]any        `gorm:"type:JSON;serializer:bigquery"`
		Home struct{ City string } `gorm:"serializer:bigquery"`
	}
	check(t, db.AutoMigrate(&kept{}))
	want := kept{ID: 1, Tags: []string{"x"}, Meta: map[string]any{"a": true}, Home: struct{ City string }{"Bath"}}
	check(t, db.Create(&want).Error)
	var got kept
	check(t, db.First(&got).Error)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("written and read: got %+v; want %+v", got, want)
	}
	var tags []string
	check(t, db.Raw("SELECT tags FROM users WHERE id = 1").Row().Scan(&tags))
	if !slices.Equal(tags, []string{"a", "b"}) {
		t.Errorf("Row: got %q", tags)
	}
}
