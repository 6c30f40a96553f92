package compat

import (
	"database/sql"
	"testing"
	"time"

	"xorm.io/xorm"
	"xorm.io/xorm/core"
	"xorm.io/xorm/dialects"
	"xorm.io/xorm/schemas"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// xormDriver makes xorm know the driver, with the dialect of MySQL, whose backticks and ? are GoogleSQL's too. Its
// statements that create tables are not: Sync does not work.
type xormDriver struct{}

func init() { dialects.RegisterDriver(driver.Name, xormDriver{}) }

func (xormDriver) Parse(_, dsn string) (*dialects.URI, error) {
	return &dialects.URI{DBType: schemas.MYSQL, DBName: dsn}, nil
}
func (xormDriver) Features() *dialects.DriverFeatures { return &dialects.DriverFeatures{} }
func (xormDriver) GenScanResult(string) (any, error)  { return new(sql.NullString), nil }
func (xormDriver) Scan(_ *dialects.ScanContext, rows *core.Rows, _ []*sql.ColumnType, v ...any) error {
	return rows.Scan(v...)
}

type xormUser struct {
	ID     int64 `xorm:"pk 'id'"`
	Name   string
	Email  *string
	Joined string `xorm:"'joined'"`
	Seen   time.Time
}

func (xormUser) TableName() string { return "users" }

func TestXorm(t *testing.T) {
	t.Parallel()
	engine, err := xorm.NewEngine(driver.Name, dsnOf(t))
	check(t, err)
	defer engine.Close()
	seen := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	engine.SetTZDatabase(time.UTC)
	engine.SetTZLocation(time.UTC)
	list := []xormUser{
		{ID: 3, Name: `it's \`, Joined: "2020-01-02", Seen: seen},
		{ID: 4, Name: "Edsger", Email: pointer("e"), Joined: "2020-01-02", Seen: seen},
	}
	if n, err := engine.Insert(&list); err != nil || n != 2 {
		t.Fatalf("insert: got %d, %v", n, err)
	}
	var got xormUser
	found, err := engine.Where("name = ?", `it's \`).Get(&got)
	if err != nil || !found || got.ID != 3 || got.Email != nil || !got.Seen.Equal(seen) {
		t.Errorf("Get: got %v, %+v, %v", found, got, err)
	}
	if n, err := engine.ID(3).Cols("email").Update(&xormUser{Email: pointer("x")}); err != nil || n != 1 {
		t.Errorf("Update: got %d, %v", n, err)
	}
	var rows []xormUser
	if err := engine.In("id", 3, 4).Desc("id").Limit(10).Find(&rows); err != nil || len(rows) != 2 || rows[0].ID != 4 ||
		*rows[1].Email != "x" {
		t.Errorf("Find: got %+v, %v", rows, err)
	}
	session := engine.NewSession()
	defer session.Close()
	check(t, session.Begin())
	_, err = session.In("id", 3, 4).Delete(&xormUser{})
	check(t, err)
	check(t, session.Rollback())
	if n, err := engine.Where("id > ?", 2).Count(&xormUser{}); err != nil || n != 2 {
		t.Errorf("after a rollback: got %d, %v; want 2", n, err)
	}
	if n, err := engine.Where("id > ?", 2).Delete(&xormUser{}); err != nil || n != 2 {
		t.Errorf("Delete: got %d, %v", n, err)
	}
}
