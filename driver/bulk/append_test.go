package bulk_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// everything is a row of all types.
type everything struct {
	I    int64
	Ip   *int32
	F    float64
	B    bool
	S    string
	By   []byte
	N    *big.Rat
	Bn   string
	Ts   time.Time
	Dt   civil.DateTime
	D    civil.Date
	T    civil.Time
	Iv   *bigquery.IntervalValue
	G    sql.NullString
	J    json.RawMessage
	R    driver.Range
	Rt   driver.Range
	L    []string
	Rec  *inner
	Recs []inner
}

type inner struct {
	A int64 `bigquery:"a"`
	B []float64
	C sql.Null[civil.Date]
}

func innerFields() []fakebq.Field {
	return []fakebq.Field{{Name: "a", Type: "INTEGER", Mode: "REQUIRED"}, {Name: "b", Type: "FLOAT", Mode: "REPEATED"},
		{Name: "c", Type: "DATE"}}
}

func everyField() []fakebq.Field {
	return []fakebq.Field{
		{Name: "i", Type: "INTEGER", Mode: "REQUIRED"}, {Name: "ip", Type: "INTEGER"}, {Name: "f", Type: "FLOAT"},
		{Name: "b", Type: "BOOLEAN"}, {Name: "s", Type: "STRING"}, {Name: "by", Type: "BYTES"}, {Name: "n", Type: "NUMERIC"},
		{Name: "bn", Type: "BIGNUMERIC"}, {Name: "ts", Type: "TIMESTAMP"}, {Name: "dt", Type: "DATETIME"},
		{Name: "d", Type: "DATE"}, {Name: "t", Type: "TIME"}, {Name: "iv", Type: "INTERVAL"}, {Name: "g", Type: "GEOGRAPHY"},
		{Name: "j", Type: "JSON"}, {Name: "r", Type: "RANGE", Element: "DATE"},
		{Name: "rt", Type: "RANGE", Element: "TIMESTAMP"},
		{Name: "l", Type: "STRING", Mode: "REPEATED"}, {Name: "rec", Type: "RECORD", Fields: innerFields()},
		{Name: "recs", Type: "RECORD", Mode: "REPEATED", Fields: innerFields()},
	}
}

func everyRow() []everything {
	small := int32(-1)
	first := civil.Date{Year: 1, Month: 1, Day: 1}
	last := civil.DateTimeOf(time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC))
	null := sql.Null[civil.Date]{}
	return []everything{
		{
			I: math.MinInt64, Ip: &small, F: math.Inf(-1), B: true, S: "naïve \"\\\n<>&\u2028 😀\x00", By: []byte{0, 255},
			N:  big.NewRat(-1, 8),
			Bn: "-578960446186580977117854925043439539266.34992332820282019728792003956564819968",
			Ts: time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), Dt: last, D: first, T: last.Time,
			Iv: &bigquery.IntervalValue{Months: -1, Days: 3, Hours: -4, SubSecondNanos: -5000},
			G:  sql.NullString{String: "POINT(1 2)", Valid: true}, J: json.RawMessage(`{"a":[1,"é😀"]}`),
			R: driver.Range{Start: first}, Rt: driver.Range{End: time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC)},
			L: []string{"", "a"}, Rec: &inner{A: 7, B: []float64{0.1, -1e300}, C: sql.Null[civil.Date]{V: first, Valid: true}},
			Recs: []inner{{A: -1, B: []float64{}, C: null}, {A: 2, B: []float64{math.Inf(1)}, C: null}},
		},
		{
			I: math.MaxInt64, F: 0.1, By: []byte{}, Ts: time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), Bn: "0",
			Dt: civil.DateTime{Date: first}, D: last.Date, L: []string{}, Recs: []inner{},
		},
	}
}

// ways are the ways that rows go.
var ways = map[string][]bulk.Option{"pending": nil, "committed": {bulk.Committed()}, "load": {bulk.LoadJob()}}

// TestRoundTrip: every type goes into a table and comes back the same, by rows and by Arrow, whichever way it is
// written.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := serve(t, everyField()...)
			db, seen := open(t, server)
			want := everyRow()
			result, err := bulk.AppendSlice(t.Context(), db, "t", want, opts...)
			if err != nil || result.Rows != 2 || result.Bytes == 0 || (result.JobID != "") != (way == "load") {
				t.Fatalf("got %+v, %v", result, err)
			}
			s := seen.last()
			if s.RowsInserted != 2 || s.BytesWritten != result.Bytes || (s.WriteAPI == "load") != (way == "load") {
				t.Errorf("got %+v", s)
			}
			compareTable(t, db, server, want)
			// The same once more, from what a query gives, into the same table.
			records, err := driver.QueryArrow(t.Context(), db, "SELECT")
			if err != nil {
				t.Fatal(err)
			}
			defer records.Release()
			if result, err = bulk.AppendRecords(t.Context(), db, "d.t", records, opts...); err != nil || result.Rows != 2 {
				t.Fatalf("got %+v, %v", result, err)
			}
			rows := driver.Query[driver.Struct](t.Context(), db, "SELECT")
			if result, err = bulk.Append(t.Context(), db, table, rows, opts...); err != nil || result.Rows != 2 {
				t.Fatalf("got %+v, %v", result, err)
			}
			compareTable(t, db, server, append(append(want, want...), want...))
		})
	}
}

// compareTable reads the table and lets a query for all of it answer with what is in it.
func compareTable(t *testing.T, db *sql.DB, server *fakebq.Server, want []everything) {
	t.Helper()
	server.On("SELECT", fakebq.Answer{Fields: everyField(), Rows: server.TableRows(table)})
	var got []everything
	for row, err := range driver.Query[everything](t.Context(), db, "SELECT") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, row)
	}
	rat := cmp.Comparer(func(a, b *big.Rat) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 })
	if diff := cmp.Diff(want, got, rat, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestRefused: what does not fit is an error that names row and column, before anything of it is sent, and a pending
// stream leaves nothing behind.
func TestRefused(t *testing.T) {
	t.Parallel()
	fields := []fakebq.Field{
		{Name: "id", Type: "INTEGER", Mode: "REQUIRED"}, {Name: "s", Type: "STRING", MaxLength: 3},
		{Name: "n", Type: "NUMERIC", Precision: 5, Scale: 2}, {Name: "l", Type: "INTEGER", Mode: "REPEATED"},
		{Name: "at", Type: "TIMESTAMP"}, {Name: "j", Type: "JSON"}, {Name: "bn", Type: "BIGNUMERIC"},
	}
	least := "-0578960446186580977117854925043439539266.3499233282028201972879200395656481996"
	row := func(i int, v any) []any {
		r := []any{1, "abc", "1.5", []int{1}, time.Now(), "{}", 1}
		r[i] = v
		return r
	}
	for _, tt := range []struct {
		name string
		row  []any
		want string
	}{
		{"NULL in a REQUIRED column", row(0, nil), `column "id": the value is NULL`},
		{"a text for a number", row(0, "1"), `column "id": a string can't be put into a column of type INT64`},
		{"a large number", row(0, uint64(math.MaxUint64)), `column "id": 18446744073709551615 is above`},
		{"a long text", row(1, "abcd"), `column "s": the text has 4 characters, but the column is STRING(3)`},
		{"characters count", row(1, "äöü"), ""},
		{"not UTF-8", row(1, "\xff"), `column "s": the text is not valid UTF-8`},
		{"too many digits", row(2, "1.234"), `column "n": 1.234 has 3 digits after the point`},
		{"zeros do not count", row(2, "1.200"), ""},
		{"too large", row(2, 1000), `column "n": 1000 is out of the range`},
		{"no number", row(2, "1e5"), `column "n": "1e5" is not a decimal number`},
		{"NULL in an ARRAY", row(3, []*int{nil}), `column "l": [0]: the ARRAY has a NULL element`},
		{"no ARRAY", row(3, 1), `column "l": a int can't be put into an ARRAY`},
		{"a year", row(4, time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)), `column "at": the year 10000`},
		{"no JSON", row(5, "{"), `column "j": the text is not JSON`},
		{"the least BIGNUMERIC", row(6, least+"80"), ""},
		{"below it", row(6, least+"9"), `column "bn": ` + least + "9 is out of the range"},
		{"too few values", []any{1}, "got 1 values for 7 columns"},
		{"nil", nil, "got 0 values for 7 columns"},
	} {
		for way, opts := range ways {
			t.Run(tt.name+"/"+way, func(t *testing.T) {
				t.Parallel()
				server := serve(t, fields...)
				db, _ := open(t, server)
				_, err := bulk.AppendSlice(t.Context(), db, "t", [][]any{row(0, 1), row(0, 2), tt.row}, opts...)
				if tt.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), "row 3: "+tt.want) {
					t.Errorf("got %v; want an error with %q", err, "row 3: "+tt.want)
				}
				if n := len(server.TableRows(table)); way != "committed" && n != 0 {
					t.Errorf("got %d rows in the table", n)
				}
			})
		}
	}
}

// TestBinding: a type that does not fit the table is refused before a row is looked at.
func TestBinding(t *testing.T) {
	t.Parallel()
	server := serve(t, fakebq.Field{Name: "id", Type: "INTEGER", Mode: "REQUIRED"},
		fakebq.Field{Name: "s", Type: "STRING", Mode: "REQUIRED", Default: "x"}, fakebq.Field{Name: "d", Type: "DATE"},
		fakebq.Field{Name: "rec", Type: "RECORD", Fields: innerFields()})
	db, _ := open(t, server)
	type badInner struct{ B []float64 }
	for _, tt := range []struct {
		name string
		run  func() error
		want string
	}{
		{"a field without a column", appended[struct{ ID, Extra int }](t, db), "no column for the field Extra"},
		{"a column without a field", appended[struct{ S string }](t, db), `column "id" is REQUIRED, but the rows have no`},
		{"a default value", appended[struct{ ID int }](t, db), ""},
		{"another type", appended[struct{ ID bool }](t, db), `column "id": the field ID of struct`},
		{"a text for a number", appended[struct{ ID string }](t, db), `a string can't be put into a column of type INT64`},
		{"a number for a date", appended[struct{ ID, D int }](t, db), `column "d"`},
		{"a slice", appended[struct{ ID []int }](t, db), `column "id"`},
		{"inside a STRUCT", appended[struct {
			ID  int
			Rec badInner
		}](t, db), `column "a": it is REQUIRED`},
		{"left out", appended[struct {
			ID    int
			Extra int `bigquery:"-"`
		}](t, db), ""},
		{"no row", appended[int](t, db), "a int can't be a row"},
		{"two fields", appended[struct{ ID, Id int }](t, db), "two fields"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.run()
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q in it", err, tt.want)
			}
		})
	}
	for name, want := range map[string]string{
		"": "not the name", "`a`": "not the name", "other": "not found", "x.y.z": "not found",
	} {
		if _, err := bulk.AppendSlice(t.Context(), db, name, []map[string]any{{"id": 1}}); err == nil ||
			!strings.Contains(strings.ToLower(err.Error()), want) {
			t.Errorf("table %q: got %v; want %q in it", name, err, want)
		}
	}
}

func appended[T any](t *testing.T, db *sql.DB) func() error {
	return func() error {
		_, err := bulk.AppendSlice(t.Context(), db, "t", []T{*new(T)})
		return err
	}
}

// TestDefaults: a column that the rows have no value for gets its default value; NULL in one that they have is NULL.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for way, opts := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			server := serve(t, fakebq.Field{Name: "a", Type: "STRING", Default: "x"},
				fakebq.Field{Name: "b", Type: "STRING", Default: "y"})
			db, _ := open(t, server)
			if _, err := bulk.AppendSlice(t.Context(), db, "t", []struct{ A *string }{{nil}}, opts...); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(server.TableRows(table)); got != "[[<nil> y]]" {
				t.Errorf("got %s; want [[<nil> y]]", got)
			}
		})
	}
}
