package compat

import (
	"database/sql"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

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
