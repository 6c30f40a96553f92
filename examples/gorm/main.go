// Gorm shows GORM with models that have a key, an ARRAY and a STRUCT: it migrates their tables,
// inserts rows and runs a query.
//
//	go run ./examples/gorm
//
// runs against a local BigQuery. With -project and -client-secrets it runs against the real service.
// On the real service it needs the right to create the dataset bigqueryuser_gorm. It drops its tables again; the
// dataset stays.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"cloud.google.com/go/civil"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
	"github.com/bigqueryuser/bigqueryuser/examples/internal/local"
)

// Reader is the table readers, clustered by name. Its key is a UUID, which the dialect generates
// when a reader is created.
type Reader struct {
	ID     string
	Name   string `gorm:"cluster"`
	Joined civil.Date
	Tags   []string `gorm:"type:ARRAY"`
	Home   Address  `gorm:"type:STRUCT"`
	Loans  []Loan
}

// Address is a column of type STRUCT.
type Address struct {
	City string
	Zip  int64
}

// Loan is the table loans, with a partition for each day and a key that grows with time.
type Loan struct {
	gorm.Model
	ReaderID string
	Title    string
	Day      time.Time `gorm:"type:DATE;partition"`
	Fee      float64   `gorm:"precision:10;scale:2"`
}

func main() {
	ctx, cfg := context.Background(), local.Flags("migrates, writes and reads models with GORM")
	stop, err := local.Start(ctx, os.Stdout, cfg) // the sandbox, without -project
	local.Check(err)
	defer stop()
	cfg.Dataset = "bigqueryuser_gorm" // your own DSN is bigqueryuser://my-project/my_dataset?...
	db, err := gorm.Open(gormdialect.Open(cfg.Format()))
	local.Check(err)
	local.Check(db.Exec("CREATE SCHEMA IF NOT EXISTS bigqueryuser_gorm").Error)
	local.Check(db.AutoMigrate(&Reader{}, &Loan{}))
	defer func() { local.Check(db.Migrator().DropTable(&Reader{}, &Loan{})) }()

	day := time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	readers := []Reader{
		{
			Name:   "Ada",
			Joined: civil.DateOf(day),
			Tags:   []string{"maths"},
			Home:   Address{"London", 7},
			Loans:  []Loan{{Title: "Notes", Day: day, Fee: 1.25}},
		},
		{
			Name:   "Grace",
			Joined: civil.DateOf(day),
			Tags:   []string{"navy", "maths"},
			Home:   Address{"New York", 10},
			Loans: []Loan{
				{Title: "Compilers", Day: day}, {Title: "Letters", Day: day.AddDate(0, 0, 1), Fee: 2.5},
			},
		},
	}
	local.Check(db.Create(&readers).Error) // one INSERT for each table

	var found []Reader
	local.Check(
		db.Where("? IN UNNEST(tags)", "maths").
			Preload("Loans", func(db *gorm.DB) *gorm.DB { return db.Order("title") }).
			Order("name").
			Find(&found).
			Error,
	)
	for _, r := range found {
		fmt.Printf("%s of %s, %s: %d loans\n", r.Name, r.Home.City, r.Tags, len(r.Loans))
	}

	var fees []struct {
		Name string
		Fee  float64
	}
	local.Check(
		db.Model(&Reader{}).Joins("JOIN loans ON loans.reader_id = readers.id").Select("readers.name, SUM(fee) AS fee").
			Group("name").Order("name").Scan(&fees).Error,
	)
	fmt.Println("fees:", fees)

	readers[0].Home.City = "Bath"
	local.Check(
		db.Clauses(clause.OnConflict{UpdateAll: true}).Omit(clause.Associations).Create(&readers).Error,
	) // MERGE
	local.Check(
		db.Where("title = ?", "Letters").Delete(&Loan{}).Error,
	) // an UPDATE of deleted_at
	var cities []string
	var left int64
	local.Check(db.Model(&Reader{}).Order("name").Pluck("home.city", &cities).Error)
	local.Check(db.Model(&Loan{}).Count(&left).Error)
	fmt.Println("cities:", cities, "loans left:", left)
}
