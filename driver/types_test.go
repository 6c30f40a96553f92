package driver_test

import (
	"database/sql"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// TestTypes reads every scalar type, as a value and as NULL, and its column type.
func TestTypes(t *testing.T) {
	t.Parallel()
	at := time.Date(2024, 2, 29, 1, 2, 3, 456789000, time.UTC)
	day := civil.Date{Year: 2024, Month: 2, Day: 29}
	type facts struct {
		name     string
		scanType reflect.Type
	}
	for _, tt := range []struct {
		field fakebq.Field
		in    any
		want  any
		facts facts
	}{
		{
			fakebq.Field{Type: "INTEGER"},
			math.MinInt64,
			int64(math.MinInt64),
			facts{"INT64", reflect.TypeFor[sql.Null[int64]]()},
		},
		{fakebq.Field{Type: "FLOAT"}, math.Inf(-1), math.Inf(-1), facts{"FLOAT64", reflect.TypeFor[sql.Null[float64]]()}},
		{fakebq.Field{Type: "BOOLEAN"}, true, true, facts{"BOOL", reflect.TypeFor[sql.Null[bool]]()}},
		{
			fakebq.Field{Type: "STRING"},
			"naïve \"\\\n<>&\u2028 😀",
			"naïve \"\\\n<>&\u2028 😀",
			facts{"STRING", reflect.TypeFor[sql.Null[string]]()},
		},
		{fakebq.Field{Type: "BYTES"}, []byte{0, 255}, []byte{0, 255}, facts{"BYTES", reflect.TypeFor[sql.Null[[]byte]]()}},
		{
			fakebq.Field{Type: "NUMERIC"},
			"99999999999999999999999999999.999999999",
			"99999999999999999999999999999.999999999",
			facts{"NUMERIC", reflect.TypeFor[sql.Null[string]]()},
		},
		{
			fakebq.Field{Type: "BIGNUMERIC"},
			"-0.00000000000000000000000000000000000001",
			"-0.00000000000000000000000000000000000001",
			facts{"BIGNUMERIC", reflect.TypeFor[sql.Null[string]]()},
		},
		{fakebq.Field{Type: "TIMESTAMP"}, at, at, facts{"TIMESTAMP", reflect.TypeFor[sql.Null[time.Time]]()}},
		{
			fakebq.Field{Type: "TIMESTAMP"},
			time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
			time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
			facts{"TIMESTAMP", reflect.TypeFor[sql.Null[time.Time]]()},
		},
		{
			fakebq.Field{Type: "DATE"},
			"9999-12-31",
			time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC),
			facts{"DATE", reflect.TypeFor[sql.Null[time.Time]]()},
		},
		{fakebq.Field{Type: "DATETIME"}, at, at, facts{"DATETIME", reflect.TypeFor[sql.Null[time.Time]]()}},
		{fakebq.Field{Type: "TIME"}, "01:02:03.5", "01:02:03.5", facts{"TIME", reflect.TypeFor[sql.Null[string]]()}},
		{
			fakebq.Field{Type: "INTERVAL"},
			"1-2 3 4:5:6.789",
			"1-2 3 4:5:6.789",
			facts{"INTERVAL", reflect.TypeFor[sql.Null[string]]()},
		},
		{
			fakebq.Field{Type: "GEOGRAPHY"},
			"POINT(1 2)",
			"POINT(1 2)",
			facts{"GEOGRAPHY", reflect.TypeFor[sql.Null[string]]()},
		},
		{fakebq.Field{Type: "JSON"}, `{"a": [1]}`, `{"a": [1]}`, facts{"JSON", reflect.TypeFor[sql.Null[string]]()}},
		{
			fakebq.Field{Type: "RANGE", Element: "DATE"},
			"[2024-02-29, UNBOUNDED)",
			driver.Range{Start: day},
			facts{"RANGE<DATE>", reflect.TypeFor[sql.Null[driver.Range]]()},
		},
		{
			fakebq.Field{Type: "RANGE", Element: "TIMESTAMP"},
			fakebq.Range{Start: at},
			driver.Range{Start: at},
			facts{"RANGE<TIMESTAMP>", reflect.TypeFor[sql.Null[driver.Range]]()},
		},
	} {
		t.Run(tt.field.Type+tt.field.Element, func(t *testing.T) {
			t.Parallel()
			server := fakebq.Run(t, fakebq.Options{})
			nullable, required := tt.field, tt.field
			nullable.Name, required.Name, required.Mode = "c", "c", "REQUIRED"
			server.On("SELECT c", fakebq.Answer{
				Fields: []fakebq.Field{nullable, required},
				Rows:   [][]any{{tt.in, tt.in}, {nil, tt.in}},
			})
			rows, err := open(t, server).QueryContext(t.Context(), "SELECT c")
			if err != nil {
				t.Fatal(err)
			}
			types, err := rows.ColumnTypes()
			if err != nil {
				t.Fatal(err)
			}
			if got := (facts{types[0].DatabaseTypeName(), types[0].ScanType()}); got != tt.facts {
				t.Errorf("got %v; want %v", got, tt.facts)
			}
			if got, want := types[1].ScanType(), tt.facts.scanType.Field(0).Type; got != want {
				t.Errorf("REQUIRED: got scan type %v; want %v", got, want)
			}
			for i, want := range []bool{true, false} {
				if got, ok := types[i].Nullable(); got != want || !ok {
					t.Errorf("column %d: nullable %v, %v; want %v", i, got, ok, want)
				}
			}
			if names, _ := rows.Columns(); !reflect.DeepEqual(names, []string{"c", "c_1"}) {
				t.Errorf("got columns %q", names)
			}
			// What ScanType says can be scanned into.
			if !rows.Next() {
				t.Fatal(rows.Err())
			}
			null, plain := reflect.New(types[0].ScanType()), reflect.New(types[1].ScanType())
			if err := rows.Scan(null.Interface(), plain.Interface()); err != nil {
				t.Fatal(err)
			}
			if got := null.Elem().Field(0).Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("sql.Null: got %#v; want %#v", got, tt.want)
			}
			if got := plain.Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("plain: got %#v; want %#v", got, tt.want)
			}
			if got := readAll(t, rows); len(got) != 1 || got[0][0] != nil || !reflect.DeepEqual(got[0][1], tt.want) {
				t.Errorf("got %#v; want nil and %#v", got, tt.want)
			}
		})
	}
}

func TestColumnTypes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{Fields: []fakebq.Field{
		{Name: "s", Type: "STRING"},
		{Name: "s10", Type: "STRING", MaxLength: 10},
		{Name: "n", Type: "NUMERIC"},
		{Name: "n10", Type: "NUMERIC", Precision: 10, Scale: 2},
		{Name: "b", Type: "BIGNUMERIC"},
		{Name: "i", Type: "INTEGER"},
	}})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasScale := c.DecimalSize()
		got = append(got, fmt.Sprint(c.Name(), " ", length, hasLength, " ", precision, scale, hasScale))
	}
	want := []string{
		"s 9223372036854775807 true 0 0 false", "s10 10 true 0 0 false", "n 0 false 38 9 true",
		"n10 0 false 10 2 true", "b 0 false 76 38 true", "i 0 false 0 0 false",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestCivilScan scans DATE, DATETIME and TIME into the civil types, and JSON into bytes.
func TestCivilScan(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT *", fakebq.Answer{
		Fields: []fakebq.Field{
			{Name: "d", Type: "DATE"},
			{Name: "dt", Type: "DATETIME"},
			{Name: "t", Type: "TIME"},
			{Name: "j", Type: "JSON"},
		},
		Rows: [][]any{{"2024-02-29", "2024-02-29T01:02:03.000004", "01:02:03.000004", `{"a":1}`}},
	})
	var (
		d  civil.Date
		dt civil.DateTime
		tm civil.Time
		j  []byte
	)
	if err := open(t, server).QueryRowContext(t.Context(), "SELECT *").Scan(&d, &dt, &tm, &j); err != nil {
		t.Fatal(err)
	}
	const want = `2024-02-29 2024-02-29T01:02:03.000004000 01:02:03.000004000 {"a":1}`
	if got := fmt.Sprint(d, " ", dt, " ", tm, " ", string(j)); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
}

// TestNested reads ARRAYs and STRUCTs, three deep, and what the columns say of themselves.
func TestNested(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	deep := fakebq.Field{Name: "orders", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{
		{Name: "id", Type: "INTEGER", Mode: "REQUIRED"},
		{Name: "price", Type: "NUMERIC", Precision: 10, Scale: 2},
		{Name: "lines", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{
			{Name: "id", Type: "DATE"},
			{Name: "id", Type: "BYTES", MaxLength: 4},
		}},
	}}
	server.On("SELECT *", fakebq.Answer{
		Fields: []fakebq.Field{
			{Name: "tags", Type: "STRING", Mode: "REPEATED"},
			deep,
			{Name: "s", Type: "RECORD", Fields: []fakebq.Field{{Name: "", Type: "FLOAT"}}},
		},
		Rows: [][]any{
			{[]string{"a", ""}, []any{[]any{7, "1.50", []any{[]any{"2024-01-02", []byte{1}}, []any{nil, nil}}}}, []any{1.5}},
			{nil, nil, nil},
		},
	})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"ARRAY<STRING> []string false",
		"ARRAY<STRUCT<id INT64, price NUMERIC(10, 2), lines ARRAY<STRUCT<id DATE, id BYTES(4)>>>> []driver.Struct false",
		"STRUCT<_field_1 FLOAT64> sql.Null[github.com/bigqueryuser/bigqueryuser/driver.Struct] true",
	} {
		nullable, _ := types[i].Nullable()
		if got := fmt.Sprint(types[i].DatabaseTypeName(), " ", types[i].ScanType(), " ", nullable); got != want {
			t.Errorf("column %d: got %s; want %s", i, got, want)
		}
	}
	var tags []string
	var orders []driver.Struct
	var s any
	rows.Next()
	if err := rows.Scan(&tags, &orders, &s); err != nil {
		t.Fatal(err)
	}
	lines := []driver.Struct{
		{Fields: []driver.StructField{
			{Name: "id", Value: time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)},
			{Name: "id", Value: []byte{1}},
		}},
		{Fields: []driver.StructField{{Name: "id"}, {Name: "id"}}},
	}
	want := []driver.Struct{{Fields: []driver.StructField{
		{Name: "id", Value: int64(7)},
		{Name: "price", Value: "1.5"},
		{Name: "lines", Value: lines},
	}}}
	if !reflect.DeepEqual(tags, []string{"a", ""}) || !reflect.DeepEqual(orders, want) {
		t.Errorf("got %q and %v", tags, orders)
	}
	const wantText = `{"id":7,"price":"1.5","lines":[{"id":"2024-01-02","id":"AQ=="},{"id":null,"id":null}]}`
	if got := fmt.Sprint(orders[0]); got != wantText {
		t.Errorf("got %s; want %s", got, wantText)
	}
	if v, ok := orders[0].Get("price"); v != "1.5" || !ok {
		t.Errorf("Get: got %v, %v", v, ok)
	}
	rows.Next()
	if err := rows.Scan(&tags, &orders, &s); err != nil || len(tags) != 0 || tags == nil || len(orders) != 0 || s != nil {
		t.Errorf("NULLs: got %v, %v, %v, %v", tags, orders, s, err)
	}
}
