package compat

import (
	"database/sql"
	"encoding/json"
	"math/big"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"gorm.io/gorm/clause"
)

type (
	rank int
	mood string
	part struct {
		A int
		B []string
		C struct{ D time.Time }
	}
)

// sample has a field of each Go type that GORM or the dialect knows a column for, as a value, a pointer and a type with
// a flag.
type sample struct {
	ID                   uuid.UUID `gorm:"primaryKey"`
	Bool                 bool
	Int                  int
	Int8                 int8
	Int16                int16
	Int32                int32
	Int64                int64
	Uint                 uint
	Uint8                uint8
	Uint16               uint16
	Uint32               uint32
	Uint64               uint64
	Float32              float32
	Float64              float64
	String               string
	Bytes                []byte
	Time                 time.Time
	Rank                 rank
	Mood                 mood
	Duration             time.Duration
	UUID                 uuid.UUID
	BoolPtr              *bool
	IntPtr               *int
	Int8Ptr              *int8
	UintPtr              *uint
	FloatPtr             *float64
	StringPtr            *string
	BytesPtr             *[]byte
	TimePtr              *time.Time
	RankPtr              *rank
	UUIDPtr              *uuid.UUID
	NullBool             sql.NullBool
	NullByte             sql.NullByte
	NullInt16            sql.NullInt16
	NullInt32            sql.NullInt32
	NullInt64            sql.NullInt64
	NullFloat64          sql.NullFloat64
	NullString           sql.NullString
	NullTime             sql.NullTime
	NullOfInt            sql.Null[int64]
	NullOfTime           sql.Null[time.Time]
	Date                 civil.Date
	DatePtr              *civil.Date
	Clock                civil.Time
	Local                civil.DateTime
	Rat                  big.Rat                `gorm:"type:NUMERIC"`
	RatPtr               *big.Rat               `gorm:"type:NUMERIC"`
	BigInt               *big.Int               `gorm:"type:NUMERIC"`
	Money                string                 `gorm:"type:decimal(12,2)"`
	Price                float64                `gorm:"precision:12;scale:2"`
	Day                  time.Time              `gorm:"type:date"`
	DayPtr               *time.Time             `gorm:"type:date"`
	At                   time.Time              `gorm:"type:datetime"`
	Wakes                string                 `gorm:"type:time"`
	Span                 string                 `gorm:"type:INTERVAL"`
	ClientInt            bigquery.NullInt64     `gorm:"type:INT64"`
	ClientString         bigquery.NullString    `gorm:"type:STRING"`
	ClientTimestamp      bigquery.NullTimestamp `gorm:"type:TIMESTAMP"`
	ClientDate           bigquery.NullDate      `gorm:"type:DATE"`
	ClientJSON           bigquery.NullJSON      `gorm:"type:JSON"`
	JSON                 json.RawMessage
	JSONMap              map[string]any    `gorm:"type:JSON"`
	JSONStruct           struct{ A int }   `gorm:"type:JSON"`
	SerializedJSON       map[string]int    `gorm:"serializer:json"`
	SerializedGob        []string          `gorm:"serializer:gob"`
	SerializedUnix       int64             `gorm:"serializer:unixtime;type:timestamp"`
	Serialized           map[string]string `gorm:"serializer:bigquery"`
	Ints                 []int64           `gorm:"type:ARRAY"`
	Smalls               []int8            `gorm:"type:ARRAY"`
	Strings              []string          `gorm:"type:ARRAY"`
	Times                []time.Time       `gorm:"type:ARRAY"`
	Dates                []civil.Date      `gorm:"type:ARRAY"`
	Blobs                [][]byte          `gorm:"type:ARRAY"`
	Floats               []float64         `gorm:"type:ARRAY"`
	Rats                 []*big.Rat        `gorm:"type:ARRAY"`
	Part                 part              `gorm:"type:STRUCT"`
	PartPtr              *part             `gorm:"type:STRUCT"`
	Parts                []part            `gorm:"type:ARRAY"`
	CreatedAt, UpdatedAt time.Time
}

// samples are a row with a value in each field, and one with the zero value of each that has one in BigQuery.
func samples() (full, zero sample) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)
	midnight := time.Date(2026, 5, 6, 0, 0, 0, 0, time.UTC)
	date := civil.DateOf(at)
	whole := part{A: 1, B: []string{"z"}, C: struct{ D time.Time }{at}}
	full = sample{
		Bool: true, Int: -1, Int8: -128, Int16: -3, Int32: -4, Int64: -1 << 63, Uint: 1, Uint8: 255, Uint16: 3,
		Uint32: 1 << 31, Uint64: 1<<63 - 1, Float32: 1.5, Float64: 0.1, String: `a'\"`, Bytes: []byte{0, 255}, Time: at,
		Rank: 3, Mood: "m", Duration: time.Second, UUID: uuid.New(),
		BoolPtr: pointer(false), IntPtr: pointer(0), Int8Ptr: pointer(int8(1)), UintPtr: pointer(uint(2)),
		FloatPtr: pointer(0.25), StringPtr: pointer(""), BytesPtr: &[]byte{1}, TimePtr: &at, RankPtr: pointer(rank(0)),
		UUIDPtr:  pointer(uuid.New()),
		NullBool: sql.NullBool{Valid: true}, NullByte: sql.NullByte{Byte: 3, Valid: true},
		NullInt16: sql.NullInt16{Int16: 2, Valid: true}, NullInt32: sql.NullInt32{Int32: 2, Valid: true},
		NullInt64: sql.NullInt64{Int64: 1, Valid: true}, NullFloat64: sql.NullFloat64{Float64: 1.5, Valid: true},
		NullString: sql.NullString{Valid: true}, NullTime: sql.NullTime{Time: at, Valid: true},
		NullOfInt: sql.Null[int64]{V: 3, Valid: true}, NullOfTime: sql.Null[time.Time]{V: at, Valid: true},
		Date: date, DatePtr: &date, Clock: civil.Time{Hour: 1, Minute: 2, Second: 3}, Local: civil.DateTimeOf(at),
		Rat: *big.NewRat(1, 4), RatPtr: big.NewRat(1, 8), BigInt: big.NewInt(99), Money: "12.34", Price: 0.25,
		Day: midnight, DayPtr: &midnight, At: at, Wakes: "01:02:03", Span: "1-2 3 4:5:6",
		ClientInt:       bigquery.NullInt64{Int64: 4, Valid: true},
		ClientString:    bigquery.NullString{StringVal: "q", Valid: true},
		ClientTimestamp: bigquery.NullTimestamp{Timestamp: at, Valid: true},
		ClientDate:      bigquery.NullDate{Date: date, Valid: true},
		ClientJSON:      bigquery.NullJSON{JSONVal: `{"a":1}`, Valid: true},
		JSON:            json.RawMessage(`[1]`), JSONMap: map[string]any{"x": "y"}, JSONStruct: struct{ A int }{5},
		SerializedJSON: map[string]int{"k": 1}, SerializedGob: []string{"g"}, SerializedUnix: 1700000000,
		Serialized: map[string]string{"s": "'"},
		Ints:       []int64{1, 2}, Smalls: []int8{-1}, Strings: []string{"a", "'"}, Times: []time.Time{at},
		Dates: []civil.Date{date}, Blobs: [][]byte{{1}, {}}, Floats: []float64{1.5}, Rats: []*big.Rat{big.NewRat(1, 2)},
		Part: whole, PartPtr: &whole, Parts: []part{whole, {B: []string{}}},
	}
	zero = sample{
		Date: date, Local: civil.DateTimeOf(midnight), Day: midnight, At: midnight, Wakes: "00:00:00", Span: "0-0 0 0:0:0",
		Money: "0",
	}
	return full, zero
}

// sameSample compares what is stored. An empty ARRAY and a NULL one are the same.
func sameSample(t *testing.T, name string, got, want sample) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(sample{}, "ID", "CreatedAt", "UpdatedAt"),
		cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
		cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
	); diff != "" {
		t.Errorf("%s: -want +got:\n%s", name, diff)
	}
}

// TestGormTypes: each Go type is written, read, updated and merged.
func TestGormTypes(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&sample{}))
	check(t, db.AutoMigrate(&sample{})) // finds nothing to do
	full, zero := samples()
	read := func(id uuid.UUID) (s sample) {
		t.Helper()
		check(t, db.First(&s, "id = ?", id).Error)
		return s
	}
	check(t, db.Create(&full).Error)
	check(t, db.Create(&zero).Error)
	sameSample(t, "created", read(full.ID), full)
	sameSample(t, "zero values", read(zero.ID), zero)

	check(t, db.Model(&sample{ID: zero.ID}).Select("*").Omit("ID").Updates(full).Error)
	sameSample(t, "updated by a struct", read(zero.ID), full)
	check(t, db.Model(&sample{ID: zero.ID}).Select("*").Omit("ID").Updates(zero).Error)
	sameSample(t, "updated to zero values", read(zero.ID), zero)
	check(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&sample{ID: zero.ID, Date: full.Date,
		Local: full.Local, Day: full.Day, At: full.At, Wakes: full.Wakes, Span: full.Span, Money: "1.00"}).Error)
	if got := read(zero.ID).Money; got != "1" {
		t.Errorf("merged: got %s; want 1", got)
	}
	merged := full
	merged.ID = zero.ID
	check(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&merged).Error)
	sameSample(t, "merged", read(zero.ID), full)

	rows, err := db.Model(&sample{}).Where("id = ?", full.ID).Rows()
	check(t, err)
	defer rows.Close()
	var scanned sample
	for rows.Next() {
		check(t, db.ScanRows(rows, &scanned))
	}
	check(t, rows.Err())
	sameSample(t, "ScanRows", scanned, full)

	var loose []map[string]any
	check(t, db.Model(&sample{}).Where("id = ?", full.ID).Find(&loose).Error)
	for name, want := range map[string]any{"rat": "0.25", "big_int": "99", "uint8": uint8(255), "json_map": `{"x":"y"}`,
		"serialized_json": `{"k":1}`, "ints": []int64{1, 2}, "string": `a'\"`} {
		if got := loose[0][name]; !reflect.DeepEqual(got, want) {
			t.Errorf("a map's %s: got %#v; want %#v", name, got, want)
		}
	}
}

// TestGormTypesByMap: each field is updated by a map, and found by its value where BigQuery can compare it.
func TestGormTypesByMap(t *testing.T) {
	t.Parallel()
	db := openGorm(t)
	check(t, db.AutoMigrate(&sample{}))
	full, zero := samples()
	check(t, db.Create(&zero).Error)
	incomparable := map[string]bool{"Bytes": true, "BytesPtr": true, // GORM makes a list of a slice
		"ClientJSON": true, "JSON": true, "JSONMap": true, "JSONStruct": true, "Ints": true, "Smalls": true, "Strings": true,
		"Times": true, "Dates": true, "Blobs": true, "Floats": true, "Rats": true, "Part": true, "PartPtr": true,
		"Parts": true,
	}
	value := reflect.ValueOf(full)
	for i := range value.NumField() {
		field := value.Type().Field(i)
		switch field.Name {
		case "ID", "CreatedAt", "UpdatedAt", "SerializedJSON", "SerializedGob", "SerializedUnix", "Serialized":
			continue // GORM serializes fields of structs alone
		}
		v := value.Field(i).Interface()
		if err := db.Model(&sample{ID: zero.ID}).Updates(map[string]any{field.Name: v}).Error; err != nil {
			t.Errorf("%s: %v", field.Name, err)
		}
		if incomparable[field.Name] {
			continue
		}
		var n int64
		column := db.NamingStrategy.ColumnName("", field.Name)
		err := db.Model(&sample{}).Where(map[string]any{column: v}).Count(&n).Error
		if err != nil || n != 1 {
			t.Errorf("%s found by its value: got %d rows, %v; want 1", field.Name, n, err)
		}
	}
	var got sample
	check(t, db.First(&got).Error)
	full.SerializedJSON, full.SerializedGob, full.SerializedUnix, full.Serialized = nil, nil, 0, nil
	sameSample(t, "updated", got, full)
}
