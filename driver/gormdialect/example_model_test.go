package gormdialect_test

import (
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
)

// exampleDB is a database that only writes statements.
func exampleDB() *gorm.DB {
	db, err := gorm.Open(gormdialect.Open("bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1"),
		&gorm.Config{DryRun: true, DisableAutomaticPing: true, SkipDefaultTransaction: true, Logger: logger.Discard})
	if err != nil {
		log.Fatal(err)
	}
	return db
}

// Click is a model of a partitioned and clustered table.
type Click struct {
	ID   string `gorm:"primaryKey"`
	At   time.Time
	Page string
	Tags []string `gorm:"type:ARRAY"`
}

func (Click) BigQueryTable() gormdialect.Table {
	return gormdialect.Table{
		PartitionBy: "DATE(at)",
		ClusterBy:   []string{"page"},
		Options:     "partition_expiration_days = 90",
	}
}

func ExampleTabler() {
	var model gormdialect.Tabler = Click{} // AutoMigrate uses it for PARTITION BY, CLUSTER BY and OPTIONS
	fmt.Println(model.BigQueryTable().PartitionBy)
	// Output: DATE(at)
}

// A slice is one parameter, an ARRAY, and the text of the statement does not depend on its length.
func ExampleParam() {
	ids := []int64{1, 2, 3}
	text := exampleDB().ToSQL(func(tx *gorm.DB) *gorm.DB {
		return tx.Table("clicks").Where("id IN UNNEST(?)", gormdialect.Param{V: ids}).Find(&[]map[string]any{})
	})
	fmt.Println(strings.TrimSpace(text))
	// Output: SELECT * FROM `clicks` WHERE id IN UNNEST(ARRAY<INT64>[1, 2, 3])
}

// A struct that is not a model has the tag serializer:bigquery for the columns that db.Raw(...).Scan decodes.
func ExampleSerializer() {
	type Line struct {
		Item  string
		Price float64
	}
	type Basket struct {
		Owner string
		Lines []Line `gorm:"serializer:bigquery"`
	}
	var baskets []Basket
	err := exampleDB().Raw("SELECT owner, lines FROM baskets").Scan(&baskets).Error
	fmt.Println(len(baskets), err)
}

// Code for several databases asks for the dialect's name. Statements that need a feature that BigQuery lacks
// fail with an error of this package.
func ExampleDialector() {
	db := exampleDB()
	fmt.Println(db.Name() == gormdialect.Name)
	type Counter struct {
		ID string
		N  int64 `gorm:"autoIncrement"`
	}
	doNothing := clause.OnConflict{OnConstraint: "clicks_page", DoNothing: true}
	for _, c := range []struct{ got, want error }{
		{db.Clauses(clause.Returning{}).Create(&Click{ID: "a"}).Error, gormdialect.ErrReturning},
		{db.Clauses(clause.Locking{Strength: "UPDATE"}).Find(&[]Click{}).Error, gormdialect.ErrLocking},
		{db.Migrator().CreateIndex(&Click{}, "page"), gormdialect.ErrNoIndex},
		{db.Clauses(doNothing).Create(&Click{ID: "a"}).Error, gormdialect.ErrOnConflict},
		{db.Create(&Counter{}).Error, gormdialect.ErrAutoIncrement},
	} {
		fmt.Println(errors.Is(c.got, c.want))
	}
	// Output:
	// true
	// true
	// true
	// true
	// true
	// true
}

// Keys of the program's own, and an error for a transaction inside a transaction.
func ExampleConfig() {
	n := 0
	db, err := gorm.Open(gormdialect.New(gormdialect.Config{
		DSN: "bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1",
		NewKey: func(field *gormdialect.Field) (any, error) {
			n++
			return fmt.Sprintf("%s-%d", field.Schema.Table, n), nil
		},
		RefuseNestedTransactions: true, // with gormdialect.ErrNestedTransaction
	}), &gorm.Config{DryRun: true, DisableAutomaticPing: true, SkipDefaultTransaction: true, Logger: logger.Discard})
	if err != nil {
		log.Fatal(err)
	}
	click := Click{Page: "/"}
	if err := db.Create(&click).Error; err != nil {
		log.Fatal(err)
	}
	fmt.Println(click.ID)
	// Output: clicks-1
}

// The type of a column, as CREATE TABLE has it.
func ExampleMigrator() {
	db := exampleDB()
	stmt := gorm.Statement{DB: db}
	if err := stmt.Parse(&Click{}); err != nil {
		log.Fatal(err)
	}
	migrator := db.Migrator().(gormdialect.Migrator)
	fmt.Println(migrator.FullDataTypeOf(stmt.Schema.LookUpField("Tags")).SQL)
	fmt.Println(migrator.FullDataTypeOf(stmt.Schema.LookUpField("ID")).SQL)
	// Output:
	// ARRAY<STRING>
	// STRING NOT NULL
}
