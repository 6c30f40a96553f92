package sandbox

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	bigqueryuser "github.com/bigqueryuser/bigqueryuser/driver"
)

// kindTypes are the types of the columns that TestDriverKinds writes to: column c0 and the array a0 are of the first.
var kindTypes = strings.Split("INT64,FLOAT64,NUMERIC,BIGNUMERIC,BOOL,STRING,BYTES,JSON,DATE,DATETIME,TIME,TIMESTAMP,"+
	"TIMESTAMP(12),INTERVAL,RANGE<DATE>,RANGE<DATETIME>,RANGE<TIMESTAMP>", ",")

// goKind is a kind of argument: its values, its NULLs, arrays of it, and structs around it.
type goKind struct {
	name                           string
	values, nulls, arrays, structs []any
	into                           string // the columns that accept a value, and what is read back
	elements                       string // the same of arrays, where fewer accept it
}

// kindOf makes the forms of a kind from one value.
func kindOf[T any](name string, v T, into, elements string) goKind {
	type null = sql.Null[T]
	type row struct {
		F T   `bigquery:"f"`
		G []T `bigquery:"g"`
	}
	return goKind{name: name, into: into, elements: elements,
		values:  []any{v, &v, null{V: v, Valid: true}, &null{V: v, Valid: true}},
		nulls:   []any{(*T)(nil), null{}, (*null)(nil)},
		arrays:  []any{[]T{v}, []*T{&v}, []null{{V: v, Valid: true}}, []any{v}},
		structs: []any{row{v, []T{v}}, &row{v, []T{v}}}}
}

type (
	text     string
	whole    int32
	fraction float32
	toggle   bool
	blob     []byte
	valuer   struct{ v any }
)

func (v valuer) Value() (driver.Value, error) { return v.v, nil }

func kinds() []goKind {
	const (
		numbers = "INT64 FLOAT64 NUMERIC BIGNUMERIC=5"
		decimal = "FLOAT64 NUMERIC BIGNUMERIC="
		day     = "2024-02-29 00:00:00 +0000 UTC"
		instant = "DATE=" + day + "|DATETIME TIMESTAMP=2024-02-29 13:14:15.123456 +0000 UTC|TIME=13:14:15.123456|" +
			"TIMESTAMP(12)=2024-02-29 13:14:15.123456789 +0000 UTC"
	)
	date := civil.Date{Year: 2024, Month: 2, Day: 29}
	clock := civil.Time{Hour: 13, Minute: 14, Second: 15, Nanosecond: 500000000}
	at := time.Date(2024, 2, 29, 13, 14, 15, 123456789, time.UTC)
	declared := func(kind string, v any) bigquery.QueryParameterValue {
		return bigquery.QueryParameterValue{Type: bigquery.StandardSQLDataType{TypeKind: kind}, Value: v}
	}
	list := []goKind{
		kindOf("bool", true, "BOOL=true", ""),
		kindOf("int", 5, numbers, "INT64=5"),
		kindOf("int8", int8(5), numbers, "INT64=5"),
		kindOf("int16", int16(5), numbers, "INT64=5"),
		kindOf("int32", int32(5), numbers, "INT64=5"),
		kindOf("int64", int64(5), numbers, "INT64=5"),
		kindOf("uint", uint(5), numbers, "INT64=5"),
		kindOf("uint16", uint16(5), numbers, "INT64=5"),
		kindOf("uint64", uint64(5), numbers, "INT64=5"),
		kindOf("a named int", whole(5), numbers, "INT64=5"),
		kindOf("float32", float32(0.1), decimal+"0.1", ""),
		kindOf("float64", 1.5, decimal+"1.5", ""),
		kindOf("a named float", fraction(0.1), decimal+"0.1", ""),
		kindOf("string", "x", "STRING=x", ""),
		kindOf("string of a number", "12", "STRING NUMERIC BIGNUMERIC JSON=12", ""),
		kindOf("string of a date", "2024-02-29", "STRING=2024-02-29|DATE DATETIME TIMESTAMP TIMESTAMP(12)="+day,
			"STRING=2024-02-29"),
		kindOf("string of a time", "13:14:15", "STRING TIME=13:14:15", "STRING=13:14:15"),
		kindOf("string of an interval", "1-2 3 4:5:6", "STRING INTERVAL=1-2 3 4:5:6", ""),
		kindOf("string of JSON", `{"a":1}`, `STRING JSON={"a":1}`, ""),
		kindOf("a named string", text("x"), "STRING=x", ""),
		kindOf("bytes", []byte("x"), "STRING=x|BYTES=[120]", ""),
		kindOf("bytes of JSON", []byte("[1]"), "STRING JSON=[1]|BYTES=[91 49 93]", ""),
		kindOf("bytes of no text", []byte{255}, "BYTES=[255]", ""),
		kindOf("a named []byte", blob("x"), "STRING=x|BYTES=[120]", ""),
		kindOf("a named bool", toggle(true), "BOOL=true", ""),
		kindOf("Time", at, instant, ""),
		kindOf("Time elsewhere", at.In(time.FixedZone("", -3600)), "DATE="+day+
			"|DATETIME=2024-02-29 12:14:15.123456 +0000 UTC|TIMESTAMP=2024-02-29 "+
			"13:14:15.123456 +0000 UTC|TIME=12:14:15.123456|TIMESTAMP(12)=2024-02-29 13:14:15.123456789 +0000 UTC", ""),
		kindOf("Date", date, "DATE DATETIME="+day, "DATE="+day),
		kindOf("DateTime", civil.DateTime{Date: date, Time: clock}, "DATETIME=2024-02-29 13:14:15.5 +0000 UTC", ""),
		kindOf("civil.Time", clock, "TIME=13:14:15.5", ""),
		kindOf("Rat", big.NewRat(5, 4), decimal+"1.25", "NUMERIC=1.25"),
		kindOf("Rat value", *big.NewRat(5, 4), decimal+"1.25", "NUMERIC=1.25"),
		kindOf("Int", big.NewInt(5), numbers, "INT64=5"),
		kindOf("large Int", new(big.Int).Lsh(big.NewInt(1), 70),
			"FLOAT64=1.1805916207174113e+21|NUMERIC BIGNUMERIC=1180591620717411303424", "NUMERIC=1180591620717411303424"),
		kindOf("JSON", json.RawMessage(`[1]`), "STRING JSON=[1]", ""),
		kindOf("Interval", bigquery.IntervalValue{Months: 3, Days: -1}, "INTERVAL=0-3 -1 0:0:0", ""),
		kindOf("Interval pointer", &bigquery.IntervalValue{Months: 3}, "INTERVAL=0-3 0 0:0:0", ""),
		kindOf("Range of dates", bigqueryuser.Range{Start: date}, "RANGE<DATE>=[2024-02-29, UNBOUNDED)", ""),
		kindOf("Range of datetimes", bigqueryuser.Range{End: civil.DateTime{Date: date}},
			"RANGE<DATETIME>=[UNBOUNDED, 2024-02-29T00:00:00)", ""),
		kindOf("Range of times", bigqueryuser.Range{Start: at},
			"RANGE<TIMESTAMP>=[2024-02-29 13:14:15.123456+00, UNBOUNDED)", ""),
		kindOf("NullString", sql.NullString{String: "x", Valid: true}, "STRING=x", ""),
		kindOf("NullInt64", sql.NullInt64{Int64: 5, Valid: true}, numbers, "INT64=5"),
		kindOf("NullInt32", sql.NullInt32{Int32: 5, Valid: true}, numbers, "INT64=5"),
		kindOf("NullInt16", sql.NullInt16{Int16: 5, Valid: true}, numbers, "INT64=5"),
		kindOf("NullByte", sql.NullByte{Byte: 5, Valid: true}, numbers, "INT64=5"),
		kindOf("NullFloat64", sql.NullFloat64{Float64: 1.5, Valid: true}, decimal+"1.5", ""),
		kindOf("NullBool", sql.NullBool{Bool: true, Valid: true}, "BOOL=true", ""),
		kindOf("NullTime", sql.NullTime{Time: at, Valid: true}, instant, ""),
		kindOf("bigquery.NullInt64", bigquery.NullInt64{Int64: 5, Valid: true}, numbers, "INT64=5"),
		kindOf("bigquery.NullFloat64", bigquery.NullFloat64{Float64: 1.5, Valid: true}, decimal+"1.5", ""),
		kindOf("bigquery.NullBool", bigquery.NullBool{Bool: true, Valid: true}, "BOOL=true", ""),
		kindOf("bigquery.NullString", bigquery.NullString{StringVal: "x", Valid: true}, "STRING=x", ""),
		kindOf("bigquery.NullDate", bigquery.NullDate{Date: date, Valid: true}, "DATE DATETIME="+day, "DATE="+day),
		kindOf("bigquery.NullDateTime", bigquery.NullDateTime{DateTime: civil.DateTime{Date: date}, Valid: true},
			"DATETIME="+day, ""),
		kindOf("bigquery.NullTime", bigquery.NullTime{Time: clock, Valid: true}, "TIME=13:14:15.5", ""),
		kindOf("bigquery.NullTimestamp", bigquery.NullTimestamp{Timestamp: at, Valid: true},
			"TIMESTAMP TIMESTAMP(12)=2024-02-29 13:14:15.123456 +0000 UTC", "TIMESTAMP=2024-02-29 13:14:15.123456 +0000 UTC"),
		kindOf("bigquery.NullJSON", bigquery.NullJSON{JSONVal: "[1]", Valid: true}, "STRING JSON=[1]", ""),
		kindOf("Valuer of a string", valuer{"x"}, "STRING=x", ""),
		kindOf("Valuer of an int64", valuer{int64(5)}, numbers, "INT64=5"),
		kindOf("Valuer of a float64", valuer{1.5}, decimal+"1.5", ""),
		kindOf("Valuer of a bool", valuer{true}, "BOOL=true", ""),
		kindOf("Valuer of bytes", valuer{[]byte("x")}, "STRING=x|BYTES=[120]", ""),
		kindOf("Valuer of a time", valuer{at}, instant, ""),
		kindOf("Valuer of a Date", valuer{date}, "DATE DATETIME="+day, "DATE="+day),
		kindOf("declared NUMERIC", declared("NUMERIC", "1.25"), decimal+"1.25", "NUMERIC=1.25"),
		kindOf("declared DATE", declared("DATE", "2024-02-29"), "DATE DATETIME="+day, "DATE="+day),
		kindOf("declared TIMESTAMP", declared("TIMESTAMP", at),
			"TIMESTAMP TIMESTAMP(12)=2024-02-29 13:14:15.123456 +0000 UTC", "TIMESTAMP=2024-02-29 13:14:15.123456 +0000 UTC"),
	}
	null := goKind{name: "NULLs", nulls: []any{nil, sql.NullString{}, sql.NullTime{}, bigquery.NullInt64{},
		bigquery.NullJSON{}, bigquery.NullDate{}, valuer{}, []byte(nil), blob(nil), json.RawMessage(nil),
		(*struct{ A int })(nil), (*bigqueryuser.Struct)(nil), declared("STRING", nil), (*bigquery.QueryParameterValue)(nil)}}
	return append(list, null)
}

// columnsOf reads the columns of a kind: their places in kindTypes, and what is read back from each.
func columnsOf(t *testing.T, into string) (places []int, want []string) {
	t.Helper()
	for _, group := range strings.FieldsFunc(into, func(r rune) bool { return r == '|' }) {
		names, value, _ := strings.Cut(group, "=")
		for _, name := range strings.Fields(names) {
			i := slices.Index(kindTypes, name)
			if i < 0 {
				t.Fatalf("no column of type %s", name)
			}
			places, want = append(places, i), append(want, value)
		}
	}
	return places, want
}

// TestDriverKinds writes each kind of Go argument, in all its forms, into the columns of all types that
// accept it, and reads it back.
func TestDriverKinds(t *testing.T) {
	t.Parallel()
	db := openDriver(t, start(t, Config{NoData: true}), DefaultProject)
	execSQL(t, db, "CREATE SCHEMA d")
	var columns []string
	for i, typ := range kindTypes {
		columns = append(columns, fmt.Sprintf("c%d %s, a%d ARRAY<%s>, s%d STRUCT<f %s, g ARRAY<%s>>", i, typ, i, typ, i, typ,
			typ))
	}
	execSQL(t, db, "CREATE TABLE t (id STRING, "+strings.Join(columns, ", ")+")")
	for _, kind := range kinds() {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			// Row r has the r-th form of the kind in each column of into; from has what is read of them.
			var into, from, want []string
			var forms [][]any
			add := func(letter, field string, places []int, values []string, list []any) {
				for k, i := range places {
					into, forms = append(into, fmt.Sprint(letter, i)), append(forms, list)
					from, want = append(from, fmt.Sprint(letter, i, field)), append(want, values[k])
				}
			}
			write := func(id string, rows int) {
				var lines []string
				var args []any
				for r := range rows {
					lines = append(lines, "(?"+strings.Repeat(", ?", len(into))+")")
					args = append(args, id)
					for _, list := range forms {
						args = append(args, list[r%len(list)])
					}
				}
				if _, err := db.ExecContext(t.Context(), "INSERT INTO t (id, "+strings.Join(into, ", ")+") VALUES "+
					strings.Join(lines, ", "), args...); err != nil {
					t.Errorf("into %s: %v", into, err)
					return
				}
				for r, got := range readAll(t, db, "SELECT "+strings.Join(from, ", ")+" FROM t WHERE id = ?", id) {
					for i, v := range got {
						if v != want[i] {
							t.Errorf("row %d, %s: got %s; want %s", r, from[i], v, want[i])
						}
					}
				}
				into, from, want, forms = nil, nil, nil, nil
			}
			if kind.into != "" {
				places, values := columnsOf(t, kind.into)
				add("c", "", places, values, kind.values)
				if kind.elements != "" {
					places, values = columnsOf(t, kind.elements)
				}
				lists := slices.Clone(values)
				for i := range lists {
					lists[i] = "[" + lists[i] + "]"
				}
				add("a", "", places, lists, kind.arrays)
				add("s", ".f", places, values, kind.structs)
				add("s", ".g", places, lists, kind.structs)
				into, forms = into[:len(into)-len(places)], forms[:len(forms)-len(places)] // they are read twice
				write(kind.name, len(kind.values))
			}
			all, nulls := make([]int, len(kindTypes)), make([]string, len(kindTypes))
			for i := range all {
				all[i], nulls[i] = i, "<nil>"
			}
			add("c", "", all, nulls, kind.nulls)
			add("s", "", all, nulls, kind.nulls)
			write("NULL "+kind.name, len(kind.nulls))
		})
	}
}

// readAll reads the rows of a query as text.
func readAll(t *testing.T, db *sql.DB, query string, args ...any) (list [][]string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		to, row := make([]any, len(names)), make([]string, len(names))
		for i := range to {
			to[i] = new(any)
		}
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for i := range to {
			row[i] = fmt.Sprint(*to[i].(*any))
		}
		list = append(list, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
