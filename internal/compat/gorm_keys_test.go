package compat

import (
	"testing"

	"gorm.io/gorm"
)

// TestGormKeys: keys and defaults are created, found, changed and dropped.
func TestGormKeys(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	type owner struct {
		ID   int64
		Name string `gorm:"default:none"`
	}
	type item struct {
		ID      int64
		OwnerID int64
		Owner   owner
		PartOf  *int64
		Whole   *item `gorm:"foreignKey:PartOf"`
	}
	for range 2 { // the second time there is nothing to do
		check(t, db.AutoMigrate(&item{}, &owner{}))
	}
	m := db.Migrator()
	for _, name := range []string{"Owner", "fk_items_owner"} {
		if !m.HasConstraint(&item{}, name) {
			t.Errorf("AutoMigrate: there is no constraint %s", name)
		}
		check(t, m.DropConstraint(&item{}, name))
		if m.HasConstraint(&item{}, name) {
			t.Errorf("DropConstraint: there is still a constraint %s", name)
		}
		check(t, m.CreateConstraint(&item{}, name))
	}
	if m.HasConstraint(&item{}, "Whole") { // BigQuery has no key that refers to its own table
		t.Error("got a foreign key to the table itself")
	}
	facts := func(table, column string) (primary bool, def string) {
		t.Helper()
		types, err := m.ColumnTypes(table)
		check(t, err)
		for _, c := range types {
			if c.Name() == column {
				primary, _ = c.PrimaryKey()
				def, _ = c.DefaultValue()
			}
		}
		return primary, def
	}
	if primary, _ := facts("items", "id"); !primary {
		t.Error("id is not the primary key")
	}
	for _, c := range []struct {
		name  string
		model any
		want  string
	}{
		{"the first default", nil, "none"},
		{"another default", &struct {
			Name string `gorm:"default:some"`
		}{}, "some"},
		{"no default", &struct {
			Name string `gorm:"default:null"`
		}{}, ""},
	} {
		if c.model != nil {
			check(t, db.Table("owners").AutoMigrate(c.model))
		}
		if _, def := facts("owners", "name"); def != c.want {
			t.Errorf("%s: got %q; want %q", c.name, def, c.want)
		}
	}
	check(t, m.RenameTable(&item{}, "things"))
	if primary, _ := facts("things", "id"); !primary {
		t.Error("the primary key is not kept when its table is renamed")
	}
	check(t, db.Session(&gorm.Session{}).Migrator().DropTable("things", &owner{}))
}
