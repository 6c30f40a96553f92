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
	"github.com/uptrace/bun"

	"github.com/bigqueryuser/bigqueryuser/driver/bundialect"
)

// bunSample has the fields of sample that bun knows a column for, and bun's own.
type bunSample struct {
	bun.BaseModel   `bun:"table:samples"`
	ID              uuid.UUID `bun:",pk,type:uuid,default:gen_random_uuid()"`
	Bool            bool
	Int             int
	Int8            int8
	Int64           int64
	Uint            uint
	Uint8           uint8
	Uint32          uint32
	Uint64          uint64
	Float32         float32
	Float64         float64
	String          string
	Bytes           []byte
	Time            time.Time
	Rank            rank
	Mood            mood
	Duration        time.Duration
	UUID            uuid.UUID
	BoolPtr         *bool
	IntPtr          *int
	UintPtr         *uint
	FloatPtr        *float64
	StringPtr       *string
	BytesPtr        *[]byte
	TimePtr         *time.Time
	RankPtr         *rank
	UUIDPtr         *uuid.UUID
	NullBool        sql.NullBool
	NullByte        sql.NullByte
	NullInt16       sql.NullInt16
	NullInt32       sql.NullInt32
	NullInt64       sql.NullInt64
	NullFloat64     sql.NullFloat64
	NullString      sql.NullString
	NullTime        sql.NullTime
	BunTime         bun.NullTime
	BunDay          bun.NullTime `bun:"type:date"`
	NullDay         sql.NullTime `bun:"type:date"`
	NullOfInt       sql.Null[int64]
	NullOfTime      sql.Null[time.Time]
	NullOfDate      sql.Null[civil.Date]
	Date            civil.Date
	DatePtr         *civil.Date
	Clock           civil.Time
	Local           civil.DateTime
	Rat             big.Rat
	RatPtr          *big.Rat
	BigInt          *big.Int   `bun:"type:numeric"`
	Money           string     `bun:"type:decimal(12,2)"`
	Price           float64    `bun:"type:numeric(12,2)"`
	Day             time.Time  `bun:"type:date"`
	DayPtr          *time.Time `bun:"type:date"`
	At              time.Time  `bun:"type:datetime"`
	Wakes           string     `bun:"type:time"`
	Span            string     `bun:"type:INTERVAL"`
	ClientInt       bigquery.NullInt64
	ClientString    bigquery.NullString
	ClientTimestamp bigquery.NullTimestamp
	ClientDate      bigquery.NullDate
	ClientJSON      bigquery.NullJSON
	JSON            json.RawMessage
	JSONMap         map[string]any
	JSONStruct      struct{ A int }
	JSONAny         any            `bun:"type:json"`
	Packed          map[string]int `bun:",msgpack"`
	Ints            []int64        `bun:",array"`
	Smalls          []int8         `bun:",array"`
	Strings         []string       `bun:",array"`
	Times           []time.Time    `bun:",array"`
	UUIDs           []uuid.UUID    `bun:",array"`
	Dates           []civil.Date   `bun:"type:ARRAY"`
	Blobs           [][]byte       `bun:"type:ARRAY"`
	Floats          []float64      `bun:"type:ARRAY"`
	Rats            []*big.Rat     `bun:"type:ARRAY"`
	Part            part           `bun:"type:STRUCT"`
	PartPtr         *part          `bun:"type:STRUCT"`
	Parts           []part         `bun:"type:ARRAY"`
}

func bunSamples() (full, zero bunSample) {
	a, b := samples()
	for _, pair := range []struct {
		from sample
		to   *bunSample
	}{{a, &full}, {b, &zero}} {
		from, to := reflect.ValueOf(pair.from), reflect.ValueOf(pair.to).Elem()
		for i := range from.NumField() {
			if field := to.FieldByName(from.Type().Field(i).Name); field.IsValid() {
				field.Set(from.Field(i))
			}
		}
	}
	full.JSONAny, full.Packed = map[string]any{"q": 1.5}, map[string]int{"a": 1}
	full.BunTime, full.BunDay = bun.NullTime{Time: full.Time}, bun.NullTime{Time: full.Day}
	full.NullDay = sql.NullTime{Time: full.Day, Valid: true}
	full.NullOfDate = sql.Null[civil.Date]{V: full.Date, Valid: true}
	full.UUIDs = []uuid.UUID{uuid.New()}
	return full, zero
}

// TestBunTypes: each Go type is written, read, updated, updated in bulk and merged.
func TestBunTypes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := openBun(t, (*bunSample)(nil))
	full, zero := bunSamples()
	same := func(name string, want bunSample) {
		t.Helper()
		got := bunSample{ID: want.ID}
		check(t, db.NewSelect().Model(&got).WherePK().Scan(ctx))
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
			cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
			cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	for _, row := range []*bunSample{&full, &zero} {
		_, err := db.NewInsert().Model(row).Exec(ctx)
		check(t, err)
	}
	same("inserted", full)
	same("zero values", zero)
	changed := full
	changed.ID = zero.ID
	_, err := db.NewUpdate().Model(&changed).WherePK().Exec(ctx)
	check(t, err)
	same("updated", changed)
	_, err = bundialect.BulkUpdate(db, []bunSample{full, zero}).Exec(ctx)
	check(t, err)
	same("updated in bulk", zero)
	fresh := full
	fresh.ID = uuid.New()
	r, err := bundialect.Upsert(db, []*bunSample{&changed, &fresh}).Exec(ctx)
	check(t, err)
	if n, _ := r.RowsAffected(); n != 2 {
		t.Errorf("Upsert: got %d rows; want 2", n)
	}
	same("merged", changed)
	same("merged anew", fresh)
	for _, c := range []struct {
		name  string
		where string
		v     any
	}{
		{"NUMERIC", "rat_ptr = ?", full.RatPtr},
		{"a DATETIME with a fraction", "local = ?", full.Local},
		{"an ARRAY", "ints[0] IN UNNEST(?)", full.Ints},
		{"JSON", "TO_JSON_STRING(json) = TO_JSON_STRING(?)", full.JSON},
		{"a NULL of the client", "client_int = ?", full.ClientInt},
		{"text", "string = ?", full.String},
	} {
		n, err := db.NewSelect().Model((*bunSample)(nil)).Where(c.where, bundialect.Value(c.v)).Count(ctx)
		if err != nil || n != 3 {
			t.Errorf("Value of %s: got %d rows, %v; want 3", c.name, n, err)
		}
	}
}
