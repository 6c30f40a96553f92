package gormdialect_test

import (
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
	"github.com/bigqueryuser/bigqueryuser/dsn"
)

func ExampleOpen() {
	db, err := gorm.Open(gormdialect.Open("bigqueryuser://my-project/shop?client_secrets=client_secrets.json"))
	if err != nil {
		fmt.Println("no sign-in here:", err != nil)
		return
	}
	fmt.Println(db.Name())
}

func ExampleNew() {
	var secrets []byte // of //go:embed client_secrets.json
	connector, err := driver.NewConnector(&dsn.Config{Project: "my-project", Dataset: "shop"},
		driver.WithClientSecrets(secrets))
	if err != nil {
		fmt.Println("no client secrets here:", err != nil)
		return
	}
	db, err := gorm.Open(gormdialect.New(gormdialect.Config{Conn: sql.OpenDB(connector)}),
		&gorm.Config{SkipDefaultTransaction: true}) // one request for a change, not three
	fmt.Println(db, err)
}

// A row that is there is updated, another one is inserted, by one MERGE.
func Example_upsert() {
	type Stock struct {
		Sku   string `gorm:"primaryKey"`
		Count int
	}
	db, err := gorm.Open(gormdialect.Open("bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1"),
		&gorm.Config{DryRun: true, DisableAutomaticPing: true, SkipDefaultTransaction: true, Logger: logger.Discard})
	if err != nil {
		fmt.Println(err)
		return
	}
	text := db.ToSQL(func(tx *gorm.DB) *gorm.DB {
		return tx.Clauses(clause.OnConflict{UpdateAll: true}).Create(&Stock{Sku: "it's", Count: 3})
	})
	lines := strings.NewReplacer(" USING", "\nUSING", " ON ", "\nON ", " WHEN", "\nWHEN")
	fmt.Println(lines.Replace(strings.TrimSpace(text)))
	// Output:
	// MERGE INTO `stocks`
	// USING (SELECT 'it\'s' AS `sku`,3 AS `count`) AS excluded
	// ON `stocks`.`sku`=`excluded`.`sku`
	// WHEN NOT MATCHED THEN INSERT (`sku`,`count`) VALUES (`excluded`.`sku`,`excluded`.`count`)
	// WHEN MATCHED THEN UPDATE SET `count`=`excluded`.`count`
}

func ExampleRunTransaction() {
	var db *gorm.DB
	transfer := func() error {
		return gormdialect.RunTransaction(db, func(tx *gorm.DB) error {
			if err := tx.Exec("UPDATE accounts SET balance = balance - ? WHERE id = ?", 5, "a").Error; err != nil {
				return err
			}
			return tx.Exec("UPDATE accounts SET balance = balance + ? WHERE id = ?", 5, "b").Error
		})
	}
	_ = transfer
}
