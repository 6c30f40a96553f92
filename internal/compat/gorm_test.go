package compat

import (
	"database/sql"
	"encoding/json"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

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
