package gormdialect_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
)

// recorder is a connection that keeps statements.
type recorder struct {
	mu   sync.Mutex
	list []string
}

func (r *recorder) ExecContext(_ context.Context, query string, _ ...any) (sql.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, query)
	return sqldriver.RowsAffected(0), nil
}

var errNoQueries = errors.New("the recorder answers no queries")

func (r *recorder) PrepareContext(context.Context, string) (*sql.Stmt, error) {
	return nil, errNoQueries
}
func (r *recorder) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, errNoQueries
}
func (r *recorder) QueryRowContext(context.Context, string, ...any) *sql.Row { return &sql.Row{} }

func record(t testing.TB, config gormdialect.Config) (*gorm.DB, *recorder) {
	t.Helper()
	r := &recorder{}
	config.Conn = r
	db, err := gorm.Open(gormdialect.New(config), &gorm.Config{SkipDefaultTransaction: true, Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return db, r
}

const (
	createCustomers = "CREATE TABLE `customers` (`id` STRING NOT NULL, `name` STRING(40), `born` DATE, `balance` " +
		"NUMERIC(10, 2), `rate` BIGNUMERIC(20, 10), " +
		"`meta` JSON, `settings` JSON, `tags` ARRAY<STRING>, `home` STRUCT<City STRING, zip_code INT64>, `others` " +
		"ARRAY<STRUCT<City STRING, zip_code INT64>>, " +
		"`wakes` TIME, `local` DATETIME, `day` DATE, `active` BOOL DEFAULT true OPTIONS(description = 'it\\'s on'), " +
		"`photo` BYTES, " +
		"`created_at` TIMESTAMP, `deleted_at` TIMESTAMP, PRIMARY KEY (`id`) NOT ENFORCED) PARTITION BY " +
		"DATE_TRUNC(`day`, MONTH) CLUSTER BY `born`, `name`"
	createOrders = "CREATE TABLE `orders` (`id` INT64 NOT NULL, `customer_id` STRING, `parent_id` INT64, `total` " +
		"NUMERIC(38, 9) NOT NULL, " +
		"`note` STRING DEFAULT 'none' OPTIONS(rounding_mode = 'ROUND_HALF_EVEN'), PRIMARY KEY (`id`) NOT ENFORCED, " +
		"CONSTRAINT `fk_orders_customer` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`) NOT ENFORCED) " +
		"PARTITION BY RANGE_BUCKET(id, GENERATE_ARRAY(0, 100, 10)) CLUSTER BY `customer_id` OPTIONS(description = " +
		"'orders')"
	alterOrders = "ALTER TABLE `orders` ADD CONSTRAINT `fk_orders_customer` FOREIGN KEY (`customer_id`) REFERENCES " +
		"`customers` (`id`) NOT ENFORCED"
)

type abroad struct {
	ID         string
	CustomerID string
	Customer   customer
}

func (abroad) TableName() string { return "other.abroad" }

type file struct{ ID []byte }

type page struct {
	ID     string
	FileID []byte
	File   file
}

// TestDDL: what each method of the Migrator sends, where it asks nothing before.
func TestDDL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		run  func(gorm.Migrator) error
		want []string
	}{
		{"create", func(m gorm.Migrator) error { return m.CreateTable(&customer{}, &order{}) },
			[]string{createCustomers, createOrders}},
		{"create in another order", func(m gorm.Migrator) error { return m.CreateTable(&order{}, &customer{}) },
			[]string{
				strings.Replace(createOrders,
					", CONSTRAINT `fk_orders_customer` FOREIGN KEY (`customer_id`) REFERENCES `customers` (`id`) NOT "+
						"ENFORCED", "", 1),
				createCustomers,
				alterOrders,
			}},
		{"a model whose key BigQuery can't have, and one that refers to it",
			func(m gorm.Migrator) error { return m.CreateTable(&file{}, &page{}) },
			[]string{"CREATE TABLE `files` (`id` BYTES NOT NULL)",
				"CREATE TABLE `pages` (`id` STRING NOT NULL, `file_id` BYTES, PRIMARY KEY (`id`) NOT ENFORCED)"}},
		{"drop", func(m gorm.Migrator) error { return m.DropTable(&customer{}, "x.y") },
			[]string{"DROP TABLE IF EXISTS `customers`", "DROP TABLE IF EXISTS `x`.`y`"}},
		{"add a column", func(m gorm.Migrator) error { return m.AddColumn(&order{}, "Total") },
			[]string{"ALTER TABLE `orders` ADD COLUMN `total` NUMERIC(38, 9)"}},
		{"add a column with a default", func(m gorm.Migrator) error { return m.AddColumn(&order{}, "Note") }, []string{
			"ALTER TABLE `orders` ADD COLUMN `note` STRING OPTIONS(rounding_mode = 'ROUND_HALF_EVEN')",
			"ALTER TABLE `orders` ALTER COLUMN `note` SET DEFAULT 'none'",
		}},
		{"drop a column", func(m gorm.Migrator) error { return m.DropColumn(&order{}, "CustomerID") },
			[]string{"ALTER TABLE `orders` DROP COLUMN `customer_id`"}},
		{"rename a column", func(m gorm.Migrator) error { return m.RenameColumn(&order{}, "CustomerID", "client") },
			[]string{"ALTER TABLE `orders` RENAME COLUMN `customer_id` TO `client`"}},
		{"alter a column", func(m gorm.Migrator) error { return m.AlterColumn(&customer{}, "Balance") },
			[]string{"ALTER TABLE `customers` ALTER COLUMN `balance` SET DATA TYPE NUMERIC(10, 2)"}},
		{"add a key", func(m gorm.Migrator) error { return m.CreateConstraint(&order{}, "Customer") },
			[]string{alterOrders}},
		{"drop a key", func(m gorm.Migrator) error { return m.DropConstraint(&order{}, "Parent") },
			[]string{"ALTER TABLE `orders` DROP CONSTRAINT `fk_orders_parent`"}},
		{"drop a view", func(m gorm.Migrator) error { return m.DropView("v") }, []string{"DROP VIEW IF EXISTS `v`"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, r := record(t, gormdialect.Config{})
			if err := c.run(db.Migrator()); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.list, c.want) {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(r.list, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestView(t *testing.T) {
	t.Parallel()
	db, r := record(t, gormdialect.Config{})
	if err := db.Migrator().CreateView("v", gorm.ViewOption{Replace: true,
		Query: db.Model(&order{}).Where("note = ?", `it's\`)}); err != nil {
		t.Fatal(err)
	}
	if want := "CREATE OR REPLACE VIEW `v` AS SELECT * FROM `orders` WHERE note = 'it\\'s\\\\'"; len(r.list) != 1 ||
		strings.TrimSpace(r.list[0]) != want {
		t.Errorf("got %q; want %q", r.list, want)
	}
}

func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	db, r := record(t, gormdialect.Config{WithoutKeys: true})
	if err := db.Migrator().CreateTable(&order{}); err != nil || len(r.list) != 1 ||
		strings.Contains(r.list[0], "KEY") {
		t.Errorf("got %q, %v", r.list, err)
	}
	if err := db.Migrator().RenameTable("shop.a", "shop.b"); err != nil ||
		r.list[1] != "ALTER TABLE `shop`.`a` RENAME TO `b`" {
		t.Errorf("RenameTable: got %q, %v", r.list[1:], err)
	}
}

// TestDDLRefused: a model that BigQuery can't have a table of, and methods that mean nothing there.
func TestDDLRefused(t *testing.T) {
	t.Parallel()
	type counted struct {
		ID string
		N  int64 `gorm:"autoIncrement"`
	}
	type serial struct {
		ID int64 `gorm:"type:bigserial"`
	}
	type twice struct {
		A string `gorm:"type:DATE;partition"`
		B string `gorm:"type:DATE;partition"`
	}
	type wrong struct {
		A string `gorm:"partition"`
	}
	type place struct {
		A string `gorm:"cluster:first"`
	}
	for _, c := range []struct {
		name string
		run  func(gorm.Migrator) error
		want string
	}{
		{"auto-increment", func(m gorm.Migrator) error { return m.CreateTable(&counted{}) }, "no auto-increment"},
		{"serial", func(m gorm.Migrator) error { return m.CreateTable(&serial{}) }, "no auto-increment"},
		{"two partitions", func(m gorm.Migrator) error { return m.CreateTable(&twice{}) }, "one expression"},
		{"a partition by a STRING", func(m gorm.Migrator) error { return m.CreateTable(&wrong{}) },
			"can't be partitioned"},
		{"a place that is no number", func(m gorm.Migrator) error { return m.CreateTable(&place{}) },
			"takes a position"},
		{"a table without a model", func(m gorm.Migrator) error { return m.CreateTable("x") }, "want a model"},
		{"an index", func(m gorm.Migrator) error { return m.CreateIndex(&order{}, "x") }, "no indexes"},
		{"an index to drop", func(m gorm.Migrator) error { return m.DropIndex(&order{}, "x") }, "no indexes"},
		{"an index to rename", func(m gorm.Migrator) error { return m.RenameIndex(&order{}, "x", "y") }, "no indexes"},
		{"a field that is not there", func(m gorm.Migrator) error { return m.AddColumn(&order{}, "x") },
			`no field "x"`},
		{"a key of its own table", func(m gorm.Migrator) error { return m.CreateConstraint(&order{}, "Parent") },
			"refers to its own table"},
		{"a key of another dataset", func(m gorm.Migrator) error { return m.CreateConstraint(&abroad{}, "Customer") },
			"another dataset"},
		{"a key of a wrong type", func(m gorm.Migrator) error { return m.CreateConstraint(&page{}, "File") },
			"types that BigQuery has no keys of"},
		{"a key that is not there", func(m gorm.Migrator) error { return m.CreateConstraint(&order{}, "x") },
			"is not a foreign key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, r := record(t, gormdialect.Config{})
			if err := c.run(db.Migrator()); err == nil || !strings.Contains(err.Error(), c.want) || len(r.list) > 0 {
				t.Errorf("got %v and %q; want an error with %q and nothing sent", err, r.list, c.want)
			}
		})
	}
}

// TestMigrateColumn: what is done to a column that is there, by what it is and what the model says.
func TestMigrateColumn(t *testing.T) {
	t.Parallel()
	type model struct {
		N int64
		D string  `gorm:"type:NUMERIC(12,4)"`
		F float64 `gorm:"default:1.5"`
		U string  `gorm:"default:null"`
		S string  `gorm:"size:20"`
		T string
		J []address `gorm:"type:ARRAY"`
	}
	const alter = "ALTER TABLE `models` ALTER COLUMN "
	for _, c := range []struct {
		name, field, have string
		required          bool
		def               string
		want              []string
		err               string
	}{
		{name: "the same", field: "N", have: "INT64"},
		{name: "widened by hand", field: "N", have: "NUMERIC"},
		{name: "a wider number", field: "F", have: "INT64", def: "1.5", want: []string{alter +
			"`f` SET DATA TYPE FLOAT64"}},
		{name: "a default that is to go", field: "U", have: "STRING", def: "'x'",
			want: []string{alter + "`u` DROP DEFAULT"}},
		{name: "no default and none wanted", field: "U", have: "STRING"},
		{name: "more digits", field: "D", have: "NUMERIC(10, 2)", want: []string{alter +
			"`d` SET DATA TYPE NUMERIC(12, 4)"}},
		{name: "fewer whole digits", field: "D", have: "NUMERIC(12, 2)", err: "can't change"},
		{name: "a bigger number than the INT64", field: "D", have: "INT64", err: "can't change"},
		{name: "no limit in the table", field: "D", have: "NUMERIC"},
		{name: "a longer string", field: "S", have: "STRING(10)", want: []string{alter +
			"`s` SET DATA TYPE STRING(20)"}},
		{name: "a shorter string", field: "S", have: "STRING(30)"},
		{name: "no limit in the model", field: "T", have: "STRING(30)", want: []string{alter +
			"`t` SET DATA TYPE STRING"}},
		{name: "another type", field: "T", have: "INT64",
			err: "column t of table models is a INT64, which BigQuery can't change to the STRING"},
		{name: "required", field: "T", have: "STRING", required: true, want: []string{alter + "`t` DROP NOT NULL"}},
		{name: "a default", field: "F", have: "FLOAT64", want: []string{alter + "`f` SET DEFAULT 1.5"}},
		{name: "the same default", field: "F", have: "FLOAT64", def: "1.5"},
		{name: "another default", field: "F", have: "FLOAT64", def: "2.5", want: []string{alter +
			"`f` SET DEFAULT 1.5"}},
		{name: "a default of the table alone", field: "T", have: "STRING", def: "'x'"},
		{name: "a new field of a STRUCT", field: "J", have: "ARRAY<STRUCT<City STRING>>", want: []string{alter +
			"`j` SET DATA TYPE ARRAY<STRUCT<City STRING, zip_code INT64>>"}},
		{name: "the same STRUCT", field: "J", have: "ARRAY<STRUCT<city STRING, zip_code INT64>>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, r := record(t, gormdialect.Config{})
			s, err := schema.Parse(&model{}, &sync.Map{}, db.NamingStrategy)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Migrator().
				MigrateColumn(&model{}, s.LookUpField(c.field), gormdialect.ColumnOf(strings.ToLower(c.field),
					c.have, c.required, c.def))
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("got %v; want %q", err, c.err)
			}
			if !slices.Equal(r.list, c.want) {
				t.Errorf("got %q; want %q", r.list, c.want)
			}
		})
	}
}

func TestDataTypes(t *testing.T) {
	t.Parallel()
	type model struct {
		A int8   `gorm:"type:bigint"`
		B string `gorm:"type:varchar(20)"`
		C string `gorm:"type:decimal(10,0)"`
		D string `gorm:"type:double precision"`
		E []byte `gorm:"type:bytea"`
		F string `gorm:"type:timestamp(6)"`
		G string `gorm:"type:STRING(3)"`
		H sql.Null[int64]
		I sql.NullTime
		J []byte `gorm:"size:16"`
		K string `gorm:"type:GEOGRAPHY"`
		L string `gorm:"type:RANGE<DATE>"`
		M struct {
			A []int
			B *string `bigquery:"b2"`
			c int
		} `gorm:"type:STRUCT"`
		N uint8   `gorm:"type:int"`
		O float32 `gorm:"precision:5"`
		P string  `gorm:"type:uuid"`
	}
	want := map[string]string{
		"A": "INT64", "B": "STRING(20)", "C": "NUMERIC(10)", "D": "FLOAT64", "E": "BYTES", "F": "TIMESTAMP",
		"G": "STRING(3)", "H": "INT64", "I": "TIMESTAMP",
		"J": "BYTES(16)", "K": "GEOGRAPHY", "L": "RANGE<DATE>", "M": "STRUCT<A ARRAY<INT64>, b2 STRING>",
		"N": "INT64", "O": "NUMERIC(5)", "P": "STRING",
	}
	db, _ := record(t, gormdialect.Config{})
	s, err := schema.Parse(&model{M: struct {
		A []int
		B *string `bigquery:"b2"`
		c int
	}{c: 1}}, &sync.Map{}, db.NamingStrategy)
	if err != nil {
		t.Fatal(err)
	}
	for name, typ := range want {
		if got := db.Dialector.DataTypeOf(s.LookUpField(name)); got != typ {
			t.Errorf("%s: got %s; want %s", name, got, typ)
		}
	}
}
