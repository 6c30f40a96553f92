package gormdialect_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"github.com/bigqueryuser/bigqueryuser/driver/gormdialect"
)

// textDB is a database that writes statements and sends none. Nothing listens at its address.
func textDB(t testing.TB, config gormdialect.Config) *gorm.DB {
	t.Helper()
	config.DSN = "bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1"
	db, err := gorm.Open(gormdialect.New(config), &gorm.Config{
		DryRun: true, DisableAutomaticPing: true, SkipDefaultTransaction: true, Logger: logger.Discard,
		NowFunc: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pool, err := db.DB(); err == nil {
			pool.Close()
		}
	})
	return db
}

type address struct {
	City string
	Zip  int64 `bigquery:"zip_code"`
}

type customer struct {
	ID        string     `gorm:"primaryKey"`
	Name      string     `gorm:"size:40;cluster:2"`
	Born      civil.Date `gorm:"cluster:1"`
	Balance   *big.Rat   `gorm:"type:NUMERIC(10,2)"`
	Rate      float64    `gorm:"precision:20;scale:10"`
	Meta      json.RawMessage
	Settings  map[string]int `gorm:"type:jsonb"`
	Tags      []string       `gorm:"type:ARRAY"`
	Home      *address       `gorm:"type:STRUCT"`
	Others    []address      `gorm:"type:ARRAY<STRUCT<City STRING, zip_code INT64>>"`
	Wakes     string         `gorm:"type:TIME"`
	Local     time.Time      `gorm:"type:DATETIME"`
	Day       time.Time      `gorm:"type:date;partition:MONTH"`
	Active    bool           `gorm:"default:true;comment:it's on"`
	Photo     []byte
	CreatedAt time.Time
	DeletedAt gorm.DeletedAt `gorm:"index"`
}

func (customer) TableName() string { return "customers" }

type order struct {
	ID         int64
	CustomerID string
	Customer   customer
	ParentID   *int64
	Parent     *order
	Total      string `gorm:"type:decimal(38,9);not null"`
	Note       string `gorm:"default:'none';options:rounding_mode = 'ROUND_HALF_EVEN'"`
}

func (order) BigQueryTable() gormdialect.Table {
	return gormdialect.Table{
		PartitionBy: "RANGE_BUCKET(id, GENERATE_ARRAY(0, 100, 10))",
		ClusterBy:   []string{"customer_id"},
		Options:     "description = 'orders'",
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config gormdialect.Config
		want   string
	}{
		{"nothing", gormdialect.Config{}, "has neither DSN nor Conn"},
		{"a wrong DSN", gormdialect.Config{DSN: "bigqueryuser://p?nonsense=1"}, "nonsense"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := gorm.Open(gormdialect.New(c.config), &gorm.Config{Logger: logger.Discard}); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			}
		})
	}
}

// TestStatements: each statement as GoogleSQL takes it.
func TestStatements(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	one := customer{
		ID: "c1", Name: "O'Brien\\", Born: civil.Date{Year: 1990, Month: 1, Day: 2}, Balance: big.NewRat(3, 2),
		Meta: json.RawMessage(`{"a":1}`),
		Settings: map[string]int{
			"x": 1,
		}, Tags: []string{"a", "b"}, Wakes: "07:00:00", Local: at, Day: at, Active: true, Photo: []byte{0, 'a'},
		CreatedAt: at,
	}
	type pair struct {
		K string `gorm:"primaryKey"`
		V int
	}
	type defaulted struct {
		Token string `gorm:"default:gen_random_uuid()"`
	}
	type places struct {
		K    string   `gorm:"primaryKey"`
		Home *address `gorm:"type:STRUCT"`
		Note string   `gorm:"size:5;default:null"`
	}
	for _, c := range []struct {
		name string
		run  func(*gorm.DB) *gorm.DB
		want string
	}{
		{"first", func(db *gorm.DB) *gorm.DB { return db.First(&customer{}, "id = ?", "c1") },
			"SELECT * FROM `customers` WHERE id = 'c1' AND `customers`.`deleted_at` IS NULL ORDER BY " +
				"`customers`.`id` LIMIT 1"},
		{"offset without limit", func(db *gorm.DB) *gorm.DB { return db.Offset(5).Find(&[]pair{}) },
			"SELECT * FROM `pairs` LIMIT 9223372036854775807 OFFSET 5"},
		{"dataset and table", func(db *gorm.DB) *gorm.DB {
			return db.Table("other.pairs").Where(&pair{K: "a"}).Find(&[]pair{})
		},
			"SELECT * FROM `other`.`pairs` WHERE `pairs`.`k` = 'a'"},
		{"an array as one argument", func(db *gorm.DB) *gorm.DB {
			return db.Where("k IN UNNEST(?)", gormdialect.Param{V: []string{"a", "b"}}).Find(&[]pair{})
		}, "SELECT * FROM `pairs` WHERE k IN UNNEST(ARRAY<STRING>['a', 'b'])"},
		{"insert", func(db *gorm.DB) *gorm.DB { return db.Create(&[]pair{{"a", 1}, {"b", 2}}) },
			"INSERT INTO `pairs` (`k`,`v`) VALUES ('a',1),('b',2)"},
		{"insert of every type", func(db *gorm.DB) *gorm.DB {
			c := one
			return db.Omit("Rate", "Home", "Others",
				"DeletedAt").Create(&c)
		},
			"INSERT INTO `customers` (`id`,`name`,`born`,`balance`,`meta`,`settings`,`tags`," +
				"`wakes`,`local`,`day`,`active`,`photo`,`created_at`) VALUES " +
				`('c1','O\'Brien\\',DATE '1990-01-02',NUMERIC '1.500000000',JSON '{"a":1}',JSON '{"x":1}',` +
				`ARRAY<STRING>['a', 'b'],TIME '07:00:00',` +
				`DATETIME '2026-05-06 07:08:09',DATE '2026-05-06',` +
				`true,b'\x00a',TIMESTAMP '2026-05-06 07:08:09+00:00')`},
		{"a row of defaults", func(db *gorm.DB) *gorm.DB { return db.Create(&defaulted{}) },
			"INSERT INTO `defaulteds` (`token`) VALUES (DEFAULT)"},
		{"a default in a merge", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "token"}},
				DoNothing: true}).Create(&[]defaulted{{}, {"x"}})
		}, "MERGE INTO `defaulteds` USING (SELECT GENERATE_UUID() AS `token` UNION ALL SELECT 'x' AS `token`) AS " +
			"excluded ON" +
			" `defaulteds`.`token`=`excluded`.`token` WHEN NOT MATCHED THEN INSERT (`token`) VALUES " +
			"(`excluded`.`token`)"},
		{"NULLs in a merge", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]places{{K: "a"}, {K: "b", Note: "n"}})
		}, "MERGE INTO `places` USING (SELECT 'a' AS `k`,CAST(NULL AS STRUCT<City STRING, zip_code INT64>) AS `home`," +
			"CAST(NULL AS STRING) AS `note` UNION ALL SELECT 'b' AS `k`,CAST(NULL AS STRUCT<City STRING, zip_code INT64>) AS " +
			"`home`,'n' AS `note`) AS excluded ON `places`.`k`=`excluded`.`k` WHEN NOT MATCHED THEN INSERT " +
			"(`k`,`home`,`note`) VALUES (`excluded`.`k`,`excluded`.`home`,`excluded`.`note`) WHEN MATCHED THEN UPDATE SET " +
			"`home`=`excluded`.`home`,`note`=`excluded`.`note`"},
		{"NULL of a STRUCT", func(db *gorm.DB) *gorm.DB { return db.Create(&places{K: "a"}) },
			"INSERT INTO `places` (`k`,`home`) VALUES ('a',NULL)"},
		{"do nothing", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&[]pair{{"a", 1}, {"b", 2}, {"a", 3}})
		}, "MERGE INTO `pairs` USING (SELECT 'a' AS `k`,1 AS `v` UNION ALL SELECT 'b' AS `k`,2 AS `v`) AS excluded " +
			"ON `pairs`.`k`=`excluded`.`k`" +
			" WHEN NOT MATCHED THEN INSERT (`k`,`v`) VALUES (`excluded`.`k`,`excluded`.`v`)"},
		{"update all", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true,
				Where: clause.Where{Exprs: []clause.Expression{clause.Lt{Column: "pairs.v",
					Value: 9}}}}).Create(&pair{"a", 1})
		}, "MERGE INTO `pairs` USING (SELECT 'a' AS `k`,1 AS `v`) AS excluded ON `pairs`.`k`=`excluded`.`k`" +
			" WHEN NOT MATCHED THEN INSERT (`k`,`v`) VALUES (`excluded`.`k`,`excluded`.`v`) WHEN MATCHED AND " +
			"`pairs`.`v` < 9 THEN UPDATE SET `v`=`excluded`.`v`"},
		{"update some", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "v"}},
				DoUpdates: clause.Assignments(map[string]any{"k": "z"})}).Create(&pair{"a", 1})
		}, "MERGE INTO `pairs` USING (SELECT 'a' AS `k`,1 AS `v`) AS excluded ON `pairs`.`v`=`excluded`.`v`" +
			" WHEN NOT MATCHED THEN INSERT (`k`,`v`) VALUES (`excluded`.`k`,`excluded`.`v`) WHEN MATCHED THEN UPDATE " +
			"SET `k`='z'"},
		{"update", func(db *gorm.DB) *gorm.DB { return db.Model(&pair{K: "a"}).Update("v", gorm.Expr("v + ?", 1)) },
			"UPDATE `pairs` SET `v`=v + 1 WHERE `k` = 'a'"},
		{"update of NULLs", func(db *gorm.DB) *gorm.DB {
			return db.Model(&customer{ID: "a"}).Updates(map[string]any{"born": nil, "meta": nil, "tags": []string{}})
		}, "UPDATE `customers` SET `born`=NULL,`meta`=NULL,`tags`=ARRAY<STRING>[] WHERE `customers`.`deleted_at` IS " +
			"NULL AND `id` = 'a'"},
		{"update of all", func(db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Model(&pair{}).Update("v", 1)
		},
			"UPDATE `pairs` SET `v`=1 WHERE TRUE"},
		{"delete", func(db *gorm.DB) *gorm.DB { return db.Delete(&pair{K: "a"}) },
			"DELETE FROM `pairs` WHERE `pairs`.`k` = 'a'"},
		{"delete of all", func(db *gorm.DB) *gorm.DB {
			return db.Session(&gorm.Session{AllowGlobalUpdate: true}).Delete(&pair{})
		},
			"DELETE FROM `pairs` WHERE TRUE"},
		{"soft delete", func(db *gorm.DB) *gorm.DB { return db.Delete(&customer{ID: "a"}) },
			"UPDATE `customers` SET `deleted_at`=TIMESTAMP '2026-01-02 03:04:05.000006+00:00' WHERE `customers`.`id` " +
				"= 'a' AND `customers`.`deleted_at` IS NULL"},
		{"a subquery as a value", func(db *gorm.DB) *gorm.DB {
			return db.Model(&pair{K: "a"}).Update("v", db.Model(&pair{}).Select("MAX(v)"))
		}, "UPDATE `pairs` SET `v`=(SELECT MAX(v) FROM `pairs`) WHERE `k` = 'a'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := textDB(t, gormdialect.Config{})
			stmt := c.run(db).Statement
			got := db.Explain(stmt.SQL.String(), stmt.Vars...)
			if got = strings.TrimSpace(got); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// TestRefused: what BigQuery can't do is an error that says what to do instead.
func TestRefused(t *testing.T) {
	t.Parallel()
	type counted struct {
		ID   string
		Name string
		N    int64 `gorm:"autoIncrement"`
	}
	type small struct {
		ID   int32
		Name string
	}
	type pair struct {
		K string `gorm:"primaryKey"`
		V int
	}
	for _, c := range []struct {
		name string
		run  func(*gorm.DB) *gorm.DB
		want error
	}{
		{"auto-increment", func(db *gorm.DB) *gorm.DB { return db.Create(&counted{Name: "a"}) },
			gormdialect.ErrAutoIncrement},
		{"a small integer key", func(db *gorm.DB) *gorm.DB { return db.Create(&small{Name: "a"}) },
			gormdialect.ErrAutoIncrement},
		{"RETURNING of an insert", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Returning{}).Create(&pair{"a", 1})
		}, gormdialect.ErrReturning},
		{"RETURNING of an update", func(db *gorm.DB) *gorm.DB {
			return db.Model(&pair{K: "a"}).Clauses(clause.Returning{}).Update("v", 1)
		}, gormdialect.ErrReturning},
		{"RETURNING of a delete", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Returning{}).Delete(&pair{K: "a"})
		}, gormdialect.ErrReturning},
		{"FOR UPDATE", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.Locking{Strength: "UPDATE"}).Find(&[]pair{})
		}, gormdialect.ErrLocking},
		{"UPDATE without WHERE", func(db *gorm.DB) *gorm.DB { return db.Model(&pair{}).Update("v", 1) },
			gorm.ErrMissingWhereClause},
		{"DELETE without WHERE", func(db *gorm.DB) *gorm.DB { return db.Delete(&pair{}) }, gorm.ErrMissingWhereClause},
		{"ON CONFLICT ON CONSTRAINT", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{OnConstraint: "x", DoNothing: true}).Create(&pair{"a", 1})
		}, gormdialect.ErrOnConflict},
		{"a row that would be changed twice", func(db *gorm.DB) *gorm.DB {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&[]pair{{"a", 1}, {"a", 2}})
		}, gormdialect.ErrOnConflict},
		{"a conflict on a column that is not there", func(db *gorm.DB) *gorm.DB {
			return db.Omit("v").Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "v"}},
				DoNothing: true}).Create(&pair{"a", 1})
		}, gormdialect.ErrOnConflict},
		{"a nested transaction", func(db *gorm.DB) *gorm.DB { return db.SavePoint("x") },
			gormdialect.ErrNestedTransaction},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.run(textDB(t, gormdialect.Config{RefuseNestedTransactions: true})).Error; !errors.Is(
				err,
				c.want,
			) {
				t.Errorf("got %v; want %v", err, c.want)
			}
		})
	}
	t.Run("more parameters than BigQuery takes", func(t *testing.T) {
		t.Parallel()
		err := textDB(t, gormdialect.Config{}).Create(new([5001]pair)).Error
		if err == nil || !strings.Contains(err.Error(), "5001 rows of 2 columns are 10002 parameters") {
			t.Errorf("got %v", err)
		}
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	type text struct {
		ID   string
		Name string
	}
	type number struct {
		gorm.Model
		Name string
	}
	type both struct {
		Tenant string `gorm:"primaryKey"`
		Code   string `gorm:"primaryKey"`
	}
	type tagged struct {
		ID   int64 `gorm:"primaryKey;autoIncrement"`
		Name string
	}
	type product struct {
		Language string `gorm:"primaryKey"`
		ID       uint64 `gorm:"primaryKey;autoIncrement:true"`
	}
	db := textDB(t, gormdialect.Config{})
	texts := []text{{Name: "a"}, {Name: "b"}, {ID: "mine", Name: "c"}}
	if err := db.Create(&texts).Error; err != nil || len(texts[0].ID) != 36 || texts[0].ID >= texts[1].ID ||
		texts[2].ID != "mine" {
		t.Errorf("text: got %v, %+v", err, texts)
	}
	numbers := []*number{{Name: "a"}, {Name: "b"}}
	if err := db.Create(&numbers).Error; err != nil || numbers[0].ID == 0 || numbers[0].ID >= numbers[1].ID ||
		numbers[1].ID>>63 != 0 {
		t.Errorf("numbers: got %v, %+v", err, numbers)
	}
	asked := []tagged{{Name: "a"}, {ID: 7}}
	if err := db.Create(&asked).Error; err != nil || asked[0].ID == 0 || asked[1].ID != 7 {
		t.Errorf("the tag autoIncrement: got %v, %+v", err, asked)
	}
	part := product{Language: "en"}
	if err := db.Create(&part).Error; err != nil || part.ID == 0 {
		t.Errorf("the tag autoIncrement of a part of a key: got %v, %+v", err, part)
	}
	row := map[string]any{"name": "a"}
	if err := db.Model(&text{}).Create(&row).Error; err != nil || row["id"] == nil {
		t.Errorf("a map: got %v, %v", err, row)
	}
	composite := both{Tenant: "t"}
	if err := db.Create(&composite).Error; err != nil || composite.Code != "" {
		t.Errorf("a part of a key is not made up: got %v, %+v", err, composite)
	}
	chosen := number{Name: "a"}
	if stmt := db.Select("Name").Create(&chosen).Statement; !strings.Contains(stmt.SQL.String(), "`id`") ||
		chosen.ID == 0 {
		t.Errorf("Select: got %s", stmt.SQL.String())
	}
	// A key that was made just now is in no row: what would be a MERGE, which reads the table, is an INSERT.
	fresh := number{Name: "a"}
	if stmt := db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&fresh).Statement; !strings.HasPrefix(
		strings.TrimSpace(stmt.SQL.String()),
		"INSERT",
	) {
		t.Errorf("a new key: got %s", stmt.SQL.String())
	}
	failure := errors.New("no more keys")
	db = textDB(t, gormdialect.Config{NewKey: func(*gormdialect.Field) (any, error) { return nil, failure }})
	if err := db.Create(&text{Name: "a"}).Error; !errors.Is(err, failure) {
		t.Errorf("NewKey: got %v", err)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	db := textDB(t, gormdialect.Config{})
	got := db.Explain(
		"SELECT '?', \"?\", `?`, r'\\?', ? -- ?\n, ? /* ? */, '''it's ?''', ?",
		"a'); DROP TABLE x; --",
		sql.NullInt64{},
		[]byte("'"),
	)
	want := "SELECT '?', \"?\", `?`, r'\\?', 'a\\'); DROP TABLE x; --' -- ?\n, NULL /* ? */, '''it's ?''', b'\\x27'"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestExplainUnknown: what has no literal can't end one either.
func TestExplainUnknown(t *testing.T) {
	t.Parallel()
	db := textDB(t, gormdialect.Config{})
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"text that is not UTF-8", "\xff' OR TRUE --", "SELECT '\uFFFD\\' OR TRUE --'"},
		{"a map", map[string]string{"a": "'"}, `SELECT 'map[a:\']'`},
	} {
		if got := db.Explain("SELECT ?", c.v); got != c.want {
			t.Errorf("%s: got %s; want %s", c.name, got, c.want)
		}
	}
	if got := db.Explain("SELECT ?, ?", 1); got != "SELECT ?, ?" {
		t.Errorf("too few arguments: got %s", got)
	}
}
