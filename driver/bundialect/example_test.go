package bundialect_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"math/big"
	"strings"

	"github.com/uptrace/bun"

	"github.com/bigqueryuser/bigqueryuser/driver/bundialect"
)

func Example() {
	sqldb, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sqldb.Close()
	db := bun.NewDB(sqldb, bundialect.New())
	fmt.Println(db.NewSelect().Table("readers").Where("name = ?", `O'Brien\`))
	// Output: SELECT * FROM `readers` WHERE (name = 'O\'Brien\\')
}

// exampleDB is a database that only writes statements.
func exampleDB() *bun.DB {
	sqldb, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1")
	if err != nil {
		log.Fatal(err)
	}
	return bun.NewDB(sqldb, bundialect.New())
}

// Code for several databases asks for the dialect's name, and may use its literals.
func ExampleDialect() {
	db := exampleDB()
	defer db.Close()
	fmt.Println(db.Dialect().Name() == bundialect.Name)
	var dialect *bundialect.Dialect = bundialect.New()
	fmt.Println(string(dialect.AppendString(nil, `O'Brien\`)))
	// Output:
	// true
	// 'O\'Brien\\'
}

// A row with the key is updated, and another one is inserted, by one MERGE.
func ExampleUpsert() {
	db := exampleDB()
	defer db.Close()
	type Stock struct {
		bun.BaseModel `bun:"stocks,alias:s"`
		Sku           string `bun:",pk"`
		Count         int64
	}
	lines := strings.NewReplacer(" USING", "\nUSING", " ON ", "\nON ", " WHEN", "\nWHEN")
	fmt.Println(lines.Replace(bundialect.Upsert(db, []Stock{{Sku: "it's", Count: 3}}).String()))
	// Output:
	// MERGE `stocks` AS `s`
	// USING (SELECT * FROM UNNEST(ARRAY<STRUCT<`sku` STRING, `count` INT64>>[STRUCT('it\'s', 3)])) AS _data
	// ON `s`.`sku` = _data.`sku`
	// WHEN MATCHED THEN UPDATE SET `count` = _data.`count`
	// WHEN NOT MATCHED THEN INSERT (`sku`, `count`) VALUES (_data.`sku`, _data.`count`);
}

// Each row gets its own values, by one UPDATE.
func ExampleBulkUpdate() {
	db := exampleDB()
	defer db.Close()
	type User struct {
		bun.BaseModel `bun:"users,alias:u"`
		ID            int64 `bun:",pk"`
		Name          string
	}
	users := []User{{ID: 1, Name: "Ada"}, {ID: 2, Name: "Grace"}}
	lines := strings.NewReplacer(" FROM", "\nFROM", " WHERE", "\nWHERE")
	fmt.Println(lines.Replace(bundialect.BulkUpdate(db, users, "name").String()))
	// Output:
	// UPDATE `users` AS `u` SET `name` = _data.`name`
	// FROM UNNEST(ARRAY<STRUCT<`id` INT64, `name` STRING>>[STRUCT(1, 'Ada'), STRUCT(2, 'Grace')]) AS _data
	// WHERE (`u`.`id` = _data.`id`)
}

// bun would write the slice as JSON and the decimal as text.
func ExampleValue() {
	db := exampleDB()
	defer db.Close()
	ids := []int64{1, 2}
	q := db.NewSelect().Table("orders").
		Where("id IN UNNEST(?)", bundialect.Value(ids)).
		Where("price > ?", bundialect.Value(big.NewRat(5, 2)))
	fmt.Println(strings.Replace(q.String(), " WHERE", "\nWHERE", 1))
	// Output:
	// SELECT * FROM `orders`
	// WHERE (id IN UNNEST(ARRAY<INT64>[1, 2])) AND (price > NUMERIC '2.500000000')
}

// Only one program migrates at a time.
func ExampleLock() {
	ctx := context.Background()
	db := exampleDB()
	defer db.Close()
	unlock, err := bundialect.Lock(ctx, db)
	if err != nil {
		fmt.Println("no BigQuery here")
		return
	}
	defer unlock()
	// group, err := migrator.Migrate(ctx)
	// Output: no BigQuery here
}
