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

// BigQuery lacks some features of other databases. Statements that need one fail with an error of this
// package.
func ExampleDialector() {
	db := exampleDB()
	err := db.Clauses(clause.Returning{}).Create(&Click{ID: "a"}).Error
	fmt.Println(errors.Is(err, gormdialect.ErrReturning))
	err = db.Clauses(clause.Locking{Strength: "UPDATE"}).Find(&[]Click{}).Error
	fmt.Println(errors.Is(err, gormdialect.ErrLocking))
	err = db.Migrator().CreateIndex(&Click{}, "page")
	fmt.Println(errors.Is(err, gormdialect.ErrNoIndex))
	// Output:
	// true
	// true
	// true
}
