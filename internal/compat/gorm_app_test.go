package compat

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// The models of an app that begins with GORM on BigQuery: an embedded base, an embedded address, each kind of relation,
// soft delete, defaults and hooks.
type (
	record struct {
		ID                   string
		CreatedAt, UpdatedAt time.Time
	}
	address struct{ Street, City string }
	profile struct {
		Record   record `gorm:"embedded"`
		PersonID string
		Bio      string
	}
	label struct {
		Name string `gorm:"primaryKey"`
	}
	comment struct {
		ID                 uint
		Text               string
		OwnerID, OwnerType string
	}
	member struct {
		Record    record `gorm:"embedded"`
		Name      string
		Home      address   `gorm:"embedded;embeddedPrefix:home_"`
		Work      *address  `gorm:"embedded;embeddedPrefix:work_"`
		Profile   *profile  `gorm:"foreignKey:PersonID"`
		Comments  []comment `gorm:"polymorphic:Owner"`
		Labels    []label   `gorm:"many2many:member_labels"`
		BossID    *string
		Boss      *member
		Team      []member  `gorm:"foreignKey:BossID"`
		Version   int       `gorm:"default:1"`
		Status    string    `gorm:"default:new"`
		Active    *bool     `gorm:"default:true"`
		Seen      time.Time `gorm:"default:CURRENT_TIMESTAMP()"`
		DeletedAt gorm.DeletedAt
		calls     []string
	}
)

var errBadName = errors.New("a bad name")

func (m *member) BeforeCreate(*gorm.DB) error {
	m.calls = append(m.calls, "BeforeCreate")
	if m.Name == "bad" {
		return errBadName
	}
	return nil
}

func (m *member) AfterCreate(*gorm.DB) error { m.calls = append(m.calls, "AfterCreate"); return nil }
func (m *member) AfterFind(*gorm.DB) error   { m.calls = append(m.calls, "AfterFind"); return nil }

func (m *member) BeforeUpdate(tx *gorm.DB) error {
	if tx.Statement.Changed("Name") {
		tx.Statement.SetColumn("Status", "renamed")
	}
	return nil
}

// openApp has Ada, with a boss and a team of two.
func openApp(t *testing.T) (*gorm.DB, member) {
	t.Helper()
	db := openGorm(t)
	check(t, db.AutoMigrate(&member{}, &profile{}, &label{}, &comment{}))
	check(t, db.AutoMigrate(&member{}, &profile{}, &label{}, &comment{})) // finds nothing to do
	ada := member{
		Name: "Ada", Home: address{"1", "London"}, Work: &address{"2", "Bath"}, Profile: &profile{Bio: "b"},
		Comments: []comment{{Text: "c1"}, {Text: "c2"}}, Labels: []label{{"x"}, {"y"}}, Boss: &member{Name: "Boss"},
		Team: []member{{Name: "T1"}, {Name: "T2", Active: pointer(false)}},
	}
	check(t, db.Create(&ada).Error)
	if !slices.Equal(ada.calls, []string{"BeforeCreate", "AfterCreate"}) {
		t.Errorf("hooks: got %q", ada.calls)
	}
	return db, ada
}

func names(list []member) (all []string) {
	for _, m := range list {
		all = append(all, m.Name)
	}
	slices.Sort(all)
	return all
}

func TestGormAppRelations(t *testing.T) {
	t.Parallel()
	db, ada := openApp(t)
	var got member
	check(t, db.Preload(clause.Associations).Preload("Team.Profile").First(&got, "id = ?", ada.Record.ID).Error)
	if got.Status != "new" || got.Version != 1 || got.Active == nil || !*got.Active || got.Seen.IsZero() {
		t.Errorf("defaults: got %+v", got)
	}
	if len(got.Team) != 2 || len(got.Labels) != 2 || len(got.Comments) != 2 || got.Profile == nil || got.Boss == nil ||
		*got.Work != (address{"2", "Bath"}) || got.Home.City != "London" || !slices.Contains(got.calls, "AfterFind") {
		t.Errorf("Preload: got %+v", got)
	}
	got = member{}
	check(t, db.Joins("Profile").Joins("Boss").First(&got, "members.id = ?", ada.Record.ID).Error)
	if got.Profile == nil || got.Profile.Bio != "b" || got.Boss == nil || got.Boss.Name != "Boss" {
		t.Errorf("Joins: got %+v", got)
	}
	var list []member
	check(t, db.Joins("Boss.Profile").Where("members.name = ?", "Ada").Find(&list).Error)
	if len(list) != 1 || list[0].Boss == nil || list[0].Boss.Profile != nil {
		t.Errorf("a join of a join: got %+v", list)
	}
	check(t, db.InnerJoins("Boss", db.Where(&member{Name: "Boss"})).Find(&list).Error)
	if got := names(list); !slices.Equal(got, []string{"Ada"}) {
		t.Errorf("InnerJoins: got %q", got)
	}
	counted := db.Model(&comment{}).Select("owner_id, COUNT(*) AS n").Group("owner_id")
	check(t, db.Joins("JOIN (?) AS q ON q.owner_id = members.id AND q.n = ?", counted, 2).Find(&list).Error)
	if got := names(list); !slices.Equal(got, []string{"Ada"}) {
		t.Errorf("a join of a subquery: got %q", got)
	}
	labels := func() *gorm.Association { return db.Model(&ada).Association("Labels") }
	for _, step := range []struct {
		name string
		run  func() error
		want int64
	}{
		{"append", func() error { return labels().Append(&label{"z"}, &label{"x"}) }, 3},
		{"delete", func() error { return labels().Delete(&label{"z"}) }, 2},
		{"replace", func() error { return labels().Replace(&label{"q"}) }, 1},
		{"clear", func() error { return labels().Clear() }, 0},
	} {
		if err := step.run(); err != nil || labels().Count() != step.want {
			t.Errorf("%s: got %v and %d labels; want %d", step.name, err, labels().Count(), step.want)
		}
	}
	check(t, db.Select("Profile", "Comments").Delete(&ada).Error)
	var profiles, comments int64
	check(t, db.Model(&profile{}).Count(&profiles).Error)
	check(t, db.Model(&comment{}).Count(&comments).Error)
	if profiles != 0 || comments != 0 {
		t.Errorf("deleted with its associations: got %d profiles and %d comments", profiles, comments)
	}
}

func TestGormAppChanges(t *testing.T) {
	t.Parallel()
	db, ada := openApp(t)
	reload := func() (m member) {
		t.Helper()
		check(t, db.Unscoped().First(&m, "id = ?", ada.Record.ID).Error)
		return m
	}
	batches := 0
	var list []member
	check(t, db.FindInBatches(&list, 3, func(tx *gorm.DB, _ int) error {
		batches++
		for i := range list {
			list[i].Version++
		}
		return tx.Save(&list).Error
	}).Error)
	if batches != 2 || reload().Version != 2 {
		t.Errorf("FindInBatches and Save: got %d batches, version %d; want 2 and 2", batches, reload().Version)
	}
	check(t, db.Model(&ada).Updates(member{Name: "Ada2", Version: 0}).Error)
	if got := reload(); got.Name != "Ada2" || got.Status != "renamed" || got.Version != 2 {
		t.Errorf("Updates leaves zero values out, and the hook sets Status: got %+v", got)
	}
	check(t, db.Model(&ada).Select("Version", "Status").Updates(member{}).Error)
	if got := reload(); got.Version != 0 || got.Status != "" {
		t.Errorf("Select has zero values written: got %+v", got)
	}
	check(t, db.Model(&ada).Updates(map[string]any{"Version": gorm.Expr("version + ?", 5), "home_city": "Oslo",
		"Active": nil, "seen": gorm.Expr("TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY)")}).Error)
	if got := reload(); got.Version != 5 || got.Home.City != "Oslo" || got.Active != nil || !got.Seen.After(time.Now()) {
		t.Errorf("a map with expressions: got %+v", got)
	}
	check(t, db.Model(&ada).Omit("Name").Updates(map[string]any{"name": "no", "version": 10}).Error)
	check(t, db.Model(&ada).UpdateColumn("status", "quiet").Error)
	if got := reload(); got.Name != "Ada2" || got.Version != 10 || got.Status != "quiet" {
		t.Errorf("Omit and UpdateColumn: got %+v", got)
	}
	tx := db.Model(&member{}).Where("name LIKE ?", "T%").Updates(map[string]any{"status": "team"})
	if tx.Error != nil || tx.RowsAffected != 2 {
		t.Errorf("an update of several: got %d rows, %v", tx.RowsAffected, tx.Error)
	}
	check(t, db.Delete(&ada).Error)
	if err := db.First(&member{}, "id = ?", ada.Record.ID).Error; !errors.Is(err, gorm.ErrRecordNotFound) {
		t.Errorf("a soft delete: got %v", err)
	}
	check(t, db.Unscoped().Model(&ada).Update("deleted_at", nil).Error)
	if reload().DeletedAt.Valid {
		t.Error("a row that was restored is still deleted")
	}
	if err := db.Create(&[]member{{Name: "good"}, {Name: "bad"}}).Error; !errors.Is(err, errBadName) {
		t.Errorf("a hook that refuses: got %v", err)
	}
	check(t, db.Model(&member{}).Create([]map[string]any{{"Name": "m1", "Version": 3}, {"Name": "m2"}}).Error)
	check(t, db.Model(&member{}).Create(map[string]any{"Name": "m3", "Seen": gorm.Expr("CURRENT_TIMESTAMP()")}).Error)
	check(t, db.Where("name LIKE ?", "m_").Find(&list).Error)
	if got := names(list); !slices.Equal(got, []string{"m1", "m2", "m3"}) {
		t.Errorf("created by maps: got %q", got)
	}
	var found member
	check(t, db.Where(member{Name: "none"}).Attrs(member{Version: 7}).FirstOrInit(&found).Error)
	if found.Version != 7 {
		t.Errorf("FirstOrInit: got %+v", found)
	}
	for _, version := range []int{8, 9} { // created, then updated
		var m member
		check(t, db.Where(member{Name: "once"}).Assign(member{Version: version}).FirstOrCreate(&m).Error)
		check(t, db.Where("name = ?", "once").Find(&list).Error)
		if len(list) != 1 || list[0].Version != version {
			t.Errorf("FirstOrCreate: got %+v; want one of version %d", list, version)
		}
	}
}

func TestGormAppQueries(t *testing.T) {
	t.Parallel()
	db, _ := openApp(t)
	in := func(city string) func(*gorm.DB) *gorm.DB {
		return func(db *gorm.DB) *gorm.DB { return db.Where("home_city = ?", city) }
	}
	east := time.FixedZone("", 2*3600)
	now := time.Now()
	for _, c := range []struct {
		name  string
		query *gorm.DB
		want  []string
	}{
		{"scopes", db.Scopes(in("London")), []string{"Ada"}},
		{"a list", db.Where("name IN ?", []string{"T1", "Boss"}), []string{"Boss", "T1"}},
		{"an empty list", db.Where("name IN ?", []string{}), nil},
		{"tuples", db.Where("(name, status) IN ?", [][]any{{"T1", "new"}, {"T2", "old"}}), []string{"T1"}},
		{"NULL", db.Where("boss_id IS NULL"), []string{"Boss"}},
		{"a map", db.Where(map[string]any{"name": []string{"T1", "T2"}, "active": false}), []string{"T2"}},
		{"a struct", db.Where(&member{Name: "T1"}), []string{"T1"}},
		{"or, not", db.Where("name = ?", "T1").Or(db.Where("name = ?", "T2").Not("active")).Not("name", "x"),
			[]string{"T1", "T2"}},
		{"times of another zone", db.Where("created_at BETWEEN ? AND ?", now.In(east).Add(-time.Hour),
			now.In(east).Add(time.Hour)), []string{"Ada", "Boss", "T1", "T2"}},
		{"a time to come", db.Where("created_at > ?", now.In(east).Add(time.Hour)), nil},
		{"a subquery", db.Where("version >= (?)", db.Model(&member{}).Select("MAX(version)")),
			[]string{"Ada", "Boss", "T1", "T2"}},
		{"a table of a subquery", db.Table("(?) AS members", db.Model(&member{}).Where("name = ?", "T1")), []string{"T1"}},
		{"a named argument", db.Where("name = @n OR status = @n", map[string]any{"n": "T1"}), []string{"T1"}},
		{"order and limit", db.Order("name DESC").Limit(1).Offset(1), []string{"T1"}},
		{"an order with an argument", db.Limit(1).Clauses(clause.OrderBy{Expression: gorm.Expr(
			"CASE name WHEN ? THEN 0 ELSE 1 END", "T2")}), []string{"T2"}},
	} {
		var list []member
		if err := c.query.Find(&list).Error; err != nil || !slices.Equal(names(list), c.want) {
			t.Errorf("%s: got %q, %v; want %q", c.name, names(list), err, c.want)
		}
	}
	var summary struct {
		Name string
		N    int64
		Last *time.Time
	}
	check(t, db.Model(&member{}).Select("status AS name, COUNT(*) AS n, MAX(seen) AS last").Group("status").
		Having("COUNT(*) > ?", 1).Order("n DESC").Limit(1).Scan(&summary).Error)
	if summary.N != 4 || summary.Last == nil {
		t.Errorf("groups: got %+v", summary)
	}
	// A session that prepares asks BigQuery once for each text.
	prepared := db.Session(&gorm.Session{PrepareStmt: true})
	for range 2 {
		check(t, prepared.First(&member{}, "name = ?", "T1").Error)
		check(t, prepared.Model(&member{}).Where("name = ?", "T1").Update("version", 3).Error)
		check(t, prepared.Create(&member{Name: "prepared"}).Error)
	}
	ctx := context.Background()
	first, err := gorm.G[member](db).Where("name = ?", "T1").First(ctx)
	if err != nil || first.Version != 3 {
		t.Errorf("generics: got %+v, %v", first, err)
	}
	n, err := gorm.G[member](db).Where("name = ?", "prepared").Delete(ctx)
	if err != nil || n != 2 {
		t.Errorf("a generic Delete: got %d rows, %v; want 2", n, err)
	}
}
