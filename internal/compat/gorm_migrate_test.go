package compat

import (
	"slices"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
)

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
