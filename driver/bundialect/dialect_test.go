package bundialect_test

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	_ "github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bundialect"
)

// textDB is a database that gets no requests. Nothing listens at its address.
func textDB(t testing.TB) *bun.DB {
	t.Helper()
	pool, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/shop?auth=none&endpoint=http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return bun.NewDB(pool, bundialect.New())
}

func textOf(t testing.TB, db *bun.DB, q bun.Query) string {
	t.Helper()
	b, err := q.AppendQuery(db.QueryGen(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type place struct {
	City string
	Zip  int64 `bigquery:"zip_code"`
}

type author struct {
	ID       int64  `bun:",pk,autoincrement"`
	Name     string `bun:"type:varchar(40),unique,notnull,default:'none'"`
	Born     civil.Date
	Day      time.Time  `bun:"type:date"`
	Local    *time.Time `bun:"type:datetime"`
	Seen     time.Time
	Rate     *big.Rat
	Price    string `bun:"type:numeric(10,2)"`
	Score    float64
	Meta     json.RawMessage
	Settings map[string]int
	Tags     []string `bun:",array"`
	Home     *place   `bun:"type:STRUCT"`
	Places   []place  `bun:"type:ARRAY"`
	Nick     sql.Null[string]
	Photo    []byte
	Active   bool `bun:",nullzero"`
	Small    int8
	Books    []*book `bun:"rel:has-many,join:id=author_id"`
}

type book struct {
	ID       string `bun:",pk,default:gen_random_uuid()"`
	AuthorID int64
	Author   *author   `bun:"rel:belongs-to,join:author_id=id"`
	Added    time.Time `bun:",notnull,default:current_timestamp"`
	Deleted  time.Time `bun:",soft_delete,nullzero"`
}

type made struct {
	ID string    `bun:",pk"`
	At time.Time `bun:",nullzero,notnull,default:current_timestamp"`
	N  int       `bun:",default:7"`
}

// code is text of JSON that makes itself.
type code struct{ text string }

func (c code) Value() (sqldriver.Value, error) {
	if c.text == "" {
		return nil, nil
	}
	return []byte(c.text), nil
}

type coded struct {
	A code   `bun:"type:json"`
	B *code  `bun:"type:json"`
	C string `bun:"type:jsonb"`
	D code   `bun:"type:numeric"`
}

type country struct {
	ID   int64 `bun:",pk"`
	Code string
}

type track struct {
	ID     float64 `bun:",pk"`
	BossID float64
	Boss   *track `bun:"rel:belongs-to,join:boss_id=id"`
}

type far struct {
	bun.BaseModel `bun:"table:other.fars"`
	ID            int64 `bun:",pk"`
}

type member struct {
	ID      int64 `bun:",pk"`
	BossID  int64
	Boss    *member `bun:"rel:belongs-to,join:boss_id=id"`
	Code    string
	Country *country `bun:"rel:belongs-to,join:code=code"`
	HomeID  int64
	Home    *country `bun:"rel:belongs-to,join:home_id=id"`
	TrackID float64
	Track   *track `bun:"rel:belongs-to,join:track_id=id"`
	FarID   int64
	Far     *far `bun:"rel:belongs-to,join:far_id=id"`
	WordID  string
	Word    *country  `bun:"rel:has-one,join:id=id"`
	Pair    *pair     `bun:"rel:belongs-to,join:word_id=a"`
	Staff   []*member `bun:"rel:has-many,join:id=boss_id"`
}

type pair struct {
	A, B string `bun:",pk"`
	N    int
	M    *float64
}

func TestCreateTable(t *testing.T) {
	t.Parallel()
	db := textDB(t)
	for _, c := range []struct {
		name  string
		query bun.Query
		want  string
	}{
		{"every type", db.NewCreateTable().Model((*author)(nil)).IfNotExists(),
			"CREATE TABLE IF NOT EXISTS `authors` (`id` INT64 NOT NULL, " +
				"`name` STRING(40) DEFAULT 'none' NOT NULL, `born` DATE, `day` DATE, `local` DATETIME, `seen` " +
				"TIMESTAMP, " +
				"`rate` NUMERIC, `price` NUMERIC(10, 2), " +
				"`score` FLOAT64, `meta` JSON, `settings` JSON, `tags` ARRAY<STRING>, `home` STRUCT<City STRING, " +
				"zip_code INT64>, " +
				"`places` ARRAY<STRUCT<City STRING, zip_code INT64>>, `nick` STRING, `photo` BYTES, `active` BOOL, " +
				"`small` INT64, PRIMARY KEY (`id`) NOT ENFORCED)"},
		{"foreign keys", db.NewCreateTable().Model((*book)(nil)).WithForeignKeys().PartitionBy("DATE(added)"),
			"CREATE TABLE `books` (`id` STRING DEFAULT GENERATE_UUID() NOT NULL, " +
				"`author_id` INT64, `added` TIMESTAMP DEFAULT CURRENT_TIMESTAMP() NOT NULL, `deleted` TIMESTAMP, " +
				"PRIMARY " +
				"KEY (`id`) NOT ENFORCED, " +
				"FOREIGN KEY (`author_id`) REFERENCES `authors` (`id`) NOT ENFORCED) PARTITION BY DATE(added)"},
		{"foreign keys that BigQuery does not allow", db.NewCreateTable().Model((*member)(nil)).WithForeignKeys(),
			"CREATE TABLE `members` (`id` INT64 NOT NULL, `boss_id` INT64, `code` STRING, `home_id` INT64, " +
				"`track_id` FLOAT64, `far_id` INT64, `word_id` STRING, PRIMARY KEY (`id`) NOT ENFORCED, " +
				"FOREIGN KEY (`home_id`) REFERENCES `countries` (`id`) NOT ENFORCED)"},
		{"a key of a type that BigQuery has no keys of", db.NewCreateTable().Model((*track)(nil)).WithForeignKeys(),
			"CREATE TABLE `tracks` (`id` FLOAT64 NOT NULL, `boss_id` FLOAT64 /* no PRIMARY KEY of these types */)"},
		{"a composite key", db.NewCreateTable().Model((*pair)(nil)),
			"CREATE TABLE `pairs` (`a` STRING NOT NULL, `b` STRING NOT NULL, `n` INT64, `m` FLOAT64, PRIMARY KEY " +
				"(`a`, `b`) NOT ENFORCED)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.TrimSpace(textOf(t, db, c.query)); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	db := textDB(t)
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.FixedZone("", 2*3600))
	full := &author{
		ID: 1, Name: `it's \`, Born: civil.Date{Year: 1990, Month: 1, Day: 2}, Day: at, Local: &at, Seen: at,
		Rate: big.NewRat(1, 4), Price: "1.50", Score: math.NaN(),
		Meta: json.RawMessage(
			`{"a":"'"}`,
		), Settings: map[string]int{"x": 1}, Tags: []string{"a", "'"}, Home: &place{"Bath", -1}, Places: []place{},
		Nick: sql.Null[string]{V: "n", Valid: true}, Photo: []byte{0, '\''}, Small: -3,
	}
	m := 0.5
	for _, c := range []struct {
		name  string
		query bun.Query
		want  string
	}{
		{"insert of every type", db.NewInsert().Model(full),
			"INSERT INTO `authors` (`id`, `name`, `born`, `day`, `local`, `seen`, `rate`, `price`, `score`, `meta`, " +
				"`settings`, `tags`, `home`, " +
				"`places`, `nick`, `photo`, `active`, `small`) VALUES (1, 'it\\'s \\\\', DATE '1990-01-02', DATE " +
				"'2026-05-06', DATETIME '2026-05-06 07:08:09', " +
				"TIMESTAMP '2026-05-06 05:08:09+00:00', NUMERIC '0.250000000', NUMERIC '1.50', CAST('NaN' AS " +
				"FLOAT64), " +
				"JSON '{\"a\":\"\\'\"}', JSON '{\"x\":1}', ARRAY<STRING>['a', '\\''], " +
				"STRUCT<City STRING, zip_code INT64>('Bath', -1), ARRAY<STRUCT<City STRING, zip_code INT64>>[], 'n', " +
				"b'\\x00\\x27', DEFAULT, -3)"},
		{"JSON that makes itself", db.NewInsert().Model(&coded{A: code{`{"a":"'"}`}, C: "[1]"}),
			"INSERT INTO `codeds` (`a`, `b`, `c`, `d`) VALUES (JSON '{\"a\":\"\\'\"}', DEFAULT, JSON '[1]', NULL)"},
		{"update", db.NewUpdate().Model(&pair{A: "a", B: "b", N: 2}).WherePK(),
			"UPDATE `pairs` AS `pair` SET `n` = 2, `m` = DEFAULT WHERE (`pair`.`a` = 'a' AND `pair`.`b` = 'b')"},
		{"update of many", bundialect.BulkUpdate(db, []*pair{{"a", "b", 1, &m}, {"a", "c", 2, nil}}),
			"UPDATE `pairs` AS `pair` SET `n` = _data.`n`, `m` = _data.`m` FROM " +
				"UNNEST(ARRAY<STRUCT<`a` STRING, `b` STRING, `n` INT64, `m` FLOAT64>>[STRUCT('a', 'b', 1, 0.5), " +
				"STRUCT('a', 'c', 2, NULL)]) AS _data " +
				"WHERE (`pair`.`a` = _data.`a`) AND (`pair`.`b` = _data.`b`)"},
		{"update of one column of many", bundialect.BulkUpdate(db, &[]pair{{A: "a", N: 1}}, "n"),
			"UPDATE `pairs` AS `pair` SET `n` = _data.`n` FROM " +
				"UNNEST(ARRAY<STRUCT<`a` STRING, `b` STRING, `n` INT64>>[STRUCT('a', '', 1)]) AS _data WHERE " +
				"(`pair`.`a` " +
				"= _data.`a`) AND (`pair`.`b` = _data.`b`)"},
		{"upsert", bundialect.Upsert(db, []pair{{A: "a", B: "b", N: 1}}, "n"),
			"MERGE `pairs` AS `pair` USING (SELECT * FROM UNNEST(ARRAY<STRUCT<`a` STRING, `b` STRING, `n` INT64, `m` FLOAT64>>" +
				"[STRUCT('a', 'b', 1, NULL)])) AS _data ON `pair`.`a` = _data.`a` AND `pair`.`b` = _data.`b` " +
				"WHEN MATCHED THEN UPDATE SET `n` = _data.`n` " +
				"WHEN NOT MATCHED THEN INSERT (`a`, `b`, `n`, `m`) VALUES (_data.`a`, _data.`b`, _data.`n`, _data.`m`);"},
		{"upsert of defaults", bundialect.Upsert(db, []made{{ID: "a"}, {ID: "b", N: 1}}),
			"MERGE `mades` AS `made` USING (SELECT * FROM UNNEST(ARRAY<STRUCT<`id` STRING, `at` TIMESTAMP, `n` INT64>>" +
				"[STRUCT('a', NULL, NULL), STRUCT('b', NULL, 1)])) AS _data ON `made`.`id` = _data.`id` " +
				"WHEN MATCHED THEN UPDATE SET `at` = IFNULL(_data.`at`, CURRENT_TIMESTAMP()), `n` = IFNULL(_data.`n`, 7) " +
				"WHEN NOT MATCHED THEN INSERT (`id`, `at`, `n`) " +
				"VALUES (_data.`id`, IFNULL(_data.`at`, CURRENT_TIMESTAMP()), IFNULL(_data.`n`, 7));"},
		{"update of defaults of many", bundialect.BulkUpdate(db, []made{{ID: "a"}}),
			"UPDATE `mades` AS `made` SET `at` = IFNULL(_data.`at`, CURRENT_TIMESTAMP()), `n` = IFNULL(_data.`n`, 7) " +
				"FROM UNNEST(ARRAY<STRUCT<`id` STRING, `at` TIMESTAMP, `n` INT64>>[STRUCT('a', NULL, 0)]) AS _data " +
				"WHERE (`made`.`id` = _data.`id`)"},
		{"values", db.NewSelect().ColumnExpr("?, ?, -?", bundialect.Value([]int{1}), bundialect.Value(big.NewRat(1, 4)),
			bundialect.Value(-1)), "SELECT ARRAY<INT64>[1], NUMERIC '0.250000000', - -1"},
		{"delete", db.NewDelete().Model((*pair)(nil)).Where("a = ?", `\'`),
			"DELETE FROM `pairs` AS `pair` WHERE (a = '\\\\\\'')"},
		{"select", db.NewSelect().Model((*pair)(nil)).Where("b IN (?)", bun.List([]string{"x", "y"})).Limit(3),
			"SELECT `pair`.`a`, `pair`.`b`, `pair`.`n`, `pair`.`m` FROM `pairs` AS `pair` " +
				"WHERE (b IN ('x', 'y')) LIMIT 3"},
		{"with", db.NewSelect().With("x", db.NewSelect().Model((*pair)(nil)).Column("a")).Table("x"),
			"WITH `x` AS (SELECT `pair`.`a` FROM `pairs` AS `pair`) SELECT * FROM `x`"},
		{"truncate", db.NewTruncateTable().Model((*pair)(nil)), "TRUNCATE TABLE `pairs`"},
		{"add a column", db.NewAddColumn().Model((*pair)(nil)).ColumnExpr("COLUMN x STRING"),
			"ALTER TABLE `pairs` ADD COLUMN x STRING"},
		{"drop a column", db.NewDropColumn().Model((*pair)(nil)).Column("x"), "ALTER TABLE `pairs` DROP COLUMN `x`"},
		{"drop", db.NewDropTable().Model((*pair)(nil)).IfExists(), "DROP TABLE IF EXISTS `pairs`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.TrimSpace(textOf(t, db, c.query)); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	type file struct {
		ID uuid.UUID `bun:",pk,type:uuid,default:gen_random_uuid()"`
	}
	db := textDB(t)
	list := []author{{}, {}, {ID: 7}}
	text := db.NewInsert().Model(&list).String()
	if list[0].ID == 0 || list[0].ID >= list[1].ID || list[2].ID != 7 || strings.Contains(text, "(DEFAULT") {
		t.Errorf("numbers: got %d, %d, %d\n%s", list[0].ID, list[1].ID, list[2].ID, text)
	}
	b, f := book{}, file{}
	text = db.NewInsert().Model(&b).String() + db.NewInsert().Model(&f).String()
	if len(b.ID) != 36 || f.ID == uuid.Nil || !strings.Contains(text, b.ID) || !strings.Contains(text, f.ID.String()) {
		t.Errorf("UUIDs: got %q, %v\n%s", b.ID, f.ID, text)
	}
}

// TestFails: what can't be written into a statement makes it no statement, rather than another one.
func TestFails(t *testing.T) {
	t.Parallel()
	db := textDB(t)
	for _, c := range []struct {
		name string
		v    any
		want string
	}{
		{"text that is not UTF-8", "\xff'", "not valid UTF-8"},
		{"a big number", uint64(math.MaxUint64), "largest INT64"},
		{"a channel", bundialect.Value(make(chan int)), "has no literal"},
		{"the year 10000", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "1 to 9999"},
	} {
		if got := db.NewSelect().ColumnExpr("?", c.v).String(); !strings.Contains(got, "?!(") ||
			!strings.Contains(got, c.want) {
			t.Errorf("%s: got %s", c.name, got)
		}
	}
	for _, c := range []struct {
		name   string
		models any
		column []string
		want   string
	}{
		{"no slice", &pair{}, nil, "want a slice"},
		{"an empty slice", []pair{}, nil, "not empty"},
		{"numbers", []int{1}, nil, "slice of structs"},
		{"no such column", []pair{{}}, []string{"x"}, `no column "x"`},
		{"no key", []struct{ X int }{{1}}, nil, "no primary key"},
	} {
		if _, err := bundialect.BulkUpdate(db, c.models, c.column...).Exec(context.Background()); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v; want an error with %q", c.name, err, c.want)
		}
		if _, err := bundialect.Upsert(db, c.models, c.column...).Exec(context.Background()); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("Upsert of %s: got %v; want an error with %q", c.name, err, c.want)
		}
	}
}
