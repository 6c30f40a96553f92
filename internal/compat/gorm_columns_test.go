package compat

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gorm.io/datatypes"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// columnsOf returns the type and the comment of each column of a model's table.
func columnsOf(t *testing.T, db *gorm.DB, model any) (list []string) {
	t.Helper()
	types, err := db.Migrator().ColumnTypes(model)
	check(t, err)
	for _, c := range types {
		text, _ := c.ColumnType()
		comment, _ := c.Comment()
		list = append(list, c.Name()+" "+text+" "+comment)
	}
	return list
}

// TestGormComments: a comment is the description of a column, and AutoMigrate changes it.
func TestGormComments(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	table := db.Table("notes").Session(&gorm.Session{})
	for _, c := range []struct {
		name  string
		model any
		want  []string
	}{
		{"a new table", &struct {
			ID   string `gorm:"primaryKey;comment:the user's key"`
			Text string `gorm:"comment:what \\ \"it\" says"`
		}{}, []string{"id STRING the user's key", `text STRING what \ "it" says`}},
		{"nothing to do", &struct {
			ID   string `gorm:"primaryKey;comment:the user's key"`
			Text string `gorm:"comment:what \\ \"it\" says"`
		}{}, []string{"id STRING the user's key", `text STRING what \ "it" says`}},
		{"another comment, and a column with one", &struct {
			ID   string `gorm:"primaryKey;comment:a key"`
			Text string `gorm:"comment:what it says"`
			Size int    `gorm:"comment:in bytes"`
		}{}, []string{"id STRING a key", "text STRING what it says", "size INT64 in bytes"}},
		{"no comment leaves the description", &struct {
			ID   string `gorm:"primaryKey"`
			Text string
		}{}, []string{"id STRING a key", "text STRING what it says", "size INT64 in bytes"}},
	} {
		if err := table.AutoMigrate(c.model); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := columnsOf(t, db, "notes"); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q; want %q", c.name, got, c.want)
		}
	}
}

// TestGormTimestamp12: a column of the type TIMESTAMP(12) keeps nanoseconds, whichever statement writes it.
func TestGormTimestamp12(t *testing.T) {
	t.Parallel()
	type tick struct {
		ID    string     `gorm:"primaryKey"`
		At    time.Time  `gorm:"type:TIMESTAMP(12)"`
		Maybe *time.Time `gorm:"type:timestamp(12)"`
		Text  string     `gorm:"type:TIMESTAMP(12);default:null"`
		Micro time.Time  `gorm:"type:timestamp(6)"`
	}
	db := openGorm(t)
	check(t, db.AutoMigrate(&tick{}))
	check(t, db.AutoMigrate(&tick{})) // finds nothing to do
	if got, want := columnsOf(t, db, &tick{}), []string{"id STRING ", "at TIMESTAMP(12) ", "maybe TIMESTAMP(12) ",
		"text TIMESTAMP(12) ", "micro TIMESTAMP "}; !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
	at, text := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC), "2026-01-02 03:04:05.123456789012+00"
	for _, c := range []struct {
		name  string
		write func(row tick) error
	}{
		{"Create", func(row tick) error { return db.Create(&row).Error }},
		{"OnConflict", func(row tick) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
		}},
		{"OnConflict of an old row", func(row tick) error {
			old := tick{ID: row.ID}
			check(t, db.Create(&old).Error)
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&row).Error
		}},
		{"Save", func(row tick) error {
			old := tick{ID: row.ID}
			check(t, db.Create(&old).Error)
			return db.Save(&row).Error
		}},
		{"Updates of a map", func(row tick) error {
			old := tick{ID: row.ID}
			check(t, db.Create(&old).Error)
			return db.Model(&old).Updates(map[string]any{"At": row.At, "maybe": row.Maybe, "micro": row.Micro}).Error
		}},
	} {
		if err := c.write(tick{ID: c.name, At: at, Maybe: &at, Text: text, Micro: at}); err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got tick
		if err := db.First(&got, "id = ?", c.name).Error; err != nil || !got.At.Equal(at) || got.Maybe == nil ||
			!got.Maybe.Equal(at) || !got.Micro.Equal(at.Truncate(time.Microsecond)) {
			t.Errorf("%s: got %+v, %v, %v; want %v", c.name, got, got.Maybe, err, at)
		}
	}
	var count int64
	if err := db.Model(&tick{}).Where("`at` = ?", at).Count(&count).Error; err != nil || count != 5 {
		t.Errorf("where: got %d rows, %v; want 5", count, err)
	}
	check(t, db.Create(&tick{ID: "null"}).Error)
	var got tick
	if err := db.First(&got, "id = ?", "null").Error; err != nil || got.Maybe != nil {
		t.Errorf("got %v, %v; want NULL", got.Maybe, err)
	}
}

// datatyped is a model with the types of gorm.io/datatypes, which know other databases by name.
type datatyped struct {
	ID    string
	JSON  datatypes.JSON
	Map   datatypes.JSONMap
	List  datatypes.JSONSlice[string]
	Type  datatypes.JSONType[place]
	Ptr   *datatypes.JSON
	Day   datatypes.Date
	Clock datatypes.Time
	UUID  datatypes.UUID
	Bin   datatypes.BinUUID
	URL   datatypes.URL
	Null  datatypes.Null[string]
}

// TestGormDatatypes: the types of gorm.io/datatypes are created, merged, updated and read, with NULLs.
func TestGormDatatypes(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&datatyped{}))
	check(t, db.AutoMigrate(&datatyped{})) // finds nothing to do
	address, err := url.Parse("https://example.com/?q='")
	check(t, err)
	json := datatypes.JSON(`{"a":[1]}`)
	full := datatyped{
		ID: "full", JSON: json, Map: datatypes.JSONMap{"k": "v'"}, List: datatypes.NewJSONSlice([]string{"a"}),
		Type: datatypes.NewJSONType(place{City: "Bath"}), Ptr: &json,
		Day:   datatypes.Date(time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)),
		Clock: datatypes.NewTime(1, 2, 3, 0), UUID: datatypes.NewUUIDv4(), Bin: datatypes.NewBinUUIDv4(),
		URL: datatypes.URL(*address), Null: datatypes.NewNull("x"),
	}
	empty := datatyped{ID: "empty", Day: full.Day, Bin: full.Bin}
	check(t, db.Create(&[]datatyped{full, empty}).Error)
	check(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]datatyped{full, empty}).Error)
	check(t, db.Select("*").Updates(&full).Error)
	var got datatyped
	check(t, db.First(&got, "id = ?", "full").Error)
	if diff := cmp.Diff(full, got, cmp.AllowUnexported(datatypes.JSONType[place]{}, url.Userinfo{}),
		cmp.Comparer(func(a, b datatypes.Date) bool { return time.Time(a).Equal(time.Time(b)) })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	check(t, db.Model(&full).Updates(map[string]any{"JSON": datatypes.JSON(nil), "clock": nil, "url": nil}).Error)
	for _, c := range []struct{ where, want string }{
		{"json IS NULL AND map IS NOT NULL AND ptr IS NOT NULL AND clock IS NULL AND url IS NULL", "full"},
		{"json IS NULL AND ptr IS NULL AND null IS NULL AND clock = TIME '00:00:00'", "empty"},
	} {
		var ids []string
		if err := db.Model(&datatyped{}).Where(c.where).Pluck("id", &ids).Error; err != nil || len(ids) != 1 ||
			ids[0] != c.want {
			t.Errorf("%s: got %q, %v; want %s", c.where, ids, err, c.want)
		}
	}
}
