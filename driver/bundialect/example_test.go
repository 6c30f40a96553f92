package bundialect_test

import (
	"database/sql"
	"fmt"

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
