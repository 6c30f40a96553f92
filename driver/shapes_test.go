package driver_test

import (
	"database/sql"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func structOf(pairs ...any) driver.Struct {
	s := driver.Struct{}
	for i := 0; i < len(pairs); i += 2 {
		s.Fields = append(s.Fields, driver.StructField{Name: pairs[i].(string), Value: pairs[i+1]})
	}
	return s
}

// TestShapes reads nested types over REST and over Storage: ARRAY of STRUCT of
// STRUCT of ARRAY, NULL STRUCTs between others, names that are empty or there twice, REQUIRED
// fields of NULL STRUCTs.
func TestShapes(t *testing.T) {
	t.Parallel()
	line := []fakebq.Field{
		{Name: "day", Type: "DATE"},
		{Name: "tags", Type: "STRING", Mode: "REPEATED"},
		{Name: "span", Type: "RANGE", Element: "DATE"},
	}
	inner := fakebq.Field{Name: "inner", Type: "RECORD", Fields: []fakebq.Field{
		{Name: "n", Type: "INTEGER", Mode: "REQUIRED"},
		{Name: "", Type: "BYTES"},
		{Name: "lines", Type: "RECORD", Mode: "REPEATED", Fields: line},
	}}
	deep := fakebq.Field{Name: "deep", Type: "RECORD", Mode: "REPEATED", Fields: []fakebq.Field{
		{Name: "x", Type: "INTEGER", Mode: "REQUIRED"}, {Name: "x", Type: "NUMERIC", Precision: 4, Scale: 1}, inner,
	}}
	fields := []fakebq.Field{
		deep,
		{Name: "s", Type: "RECORD", Fields: []fakebq.Field{
			{Name: "a", Type: "STRING"},
			{Name: "b", Type: "INTEGER", Mode: "REQUIRED"},
			{Name: "c", Type: "RECORD", Mode: "REQUIRED", Fields: []fakebq.Field{
				{Name: "d", Type: "BOOLEAN", Mode: "REQUIRED"},
			}},
		}},
		{Name: "", Type: "STRING"},
		{Name: "s", Type: "TIMESTAMP", Mode: "REPEATED"},
		{Name: "r", Type: "RECORD", Mode: "REQUIRED", Fields: []fakebq.Field{{Name: "e", Type: "FLOAT"}}},
	}
	at, day := utc(2024, 2, 29, 1, 2, 3, 4), utc(2024, 2, 29, 0, 0, 0, 0)
	rows := [][]any{
		{[]any{
			[]any{1, "1.50", []any{2, []byte("y"), []any{
				[]any{"2024-02-29", []string{"p", ""}, fakebq.Range{Start: "2024-02-29"}},
				[]any{nil, nil, nil},
			}}},
			[]any{-1, nil, nil},
			[]any{3, "0", []any{4, nil, nil}},
		}, []any{"a", 5, []any{true}}, "text", []any{at}, []any{1.5}},
		{nil, nil, nil, nil, []any{nil}},
		{[]any{}, []any{nil, 6, []any{false}}, "", []any{at, at}, []any{2.5}},
		{[]any{[]any{9, nil, nil}}, nil, nil, nil, []any{nil}},
		{nil, []any{"z", 7, []any{true}}, nil, nil, []any{nil}},
	}
	none := []driver.Struct{}
	want := [][]any{
		{[]driver.Struct{
			structOf(
				"x",
				int64(1),
				"x",
				"1.5",
				"inner",
				structOf("n", int64(2), "_field_2", []byte("y"), "lines", []driver.Struct{
					structOf("day", day, "tags", []string{"p", ""}, "span", driver.Range{Start: civil.DateOf(day)}),
					structOf("day", nil, "tags", []string{}, "span", nil),
				}),
			),
			structOf("x", int64(-1), "x", nil, "inner", nil),
			structOf("x", int64(3), "x", "0", "inner", structOf("n", int64(4), "_field_2", nil, "lines", none)),
		}, structOf("a", "a", "b", int64(5), "c", structOf("d", true)), "text", []time.Time{at}, structOf("e", 1.5)},
		{none, nil, nil, []time.Time{}, structOf("e", nil)},
		{
			none,
			structOf("a", nil, "b", int64(6), "c", structOf("d", false)),
			"",
			[]time.Time{at, at},
			structOf("e", 2.5),
		},
		{
			[]driver.Struct{structOf("x", int64(9), "x", nil, "inner", nil)},
			nil,
			nil,
			[]time.Time{},
			structOf("e", nil),
		},
		{none, structOf("a", "z", "b", int64(7), "c", structOf("d", true)), nil, []time.Time{}, structOf("e", nil)},
	}
	wantColumns := "deep ARRAY<STRUCT<x INT64, x NUMERIC(4, 1), inner STRUCT<n INT64, _field_2 BYTES, " +
		"lines ARRAY<STRUCT<day DATE, tags ARRAY<STRING>, span RANGE<DATE>>>>>> " +
		"[]driver.Struct 0 false 0 0 false false true\n" +
		"s STRUCT<a STRING, b INT64, c STRUCT<d BOOL>> " +
		"sql.Null[github.com/bigqueryuser/bigqueryuser/driver.Struct] 0 false 0 0 false true true\n" +
		"f0_ STRING sql.Null[string] 9223372036854775807 true 0 0 false true true\n" +
		"s_1 ARRAY<TIMESTAMP> []time.Time 0 false 0 0 false false true\n" +
		"r STRUCT<e FLOAT64> driver.Struct 0 false 0 0 false false true\n"
	readPaths(t, fields, rows, func(path string, result *sql.Rows) {
		if got := facts(t, result); got != wantColumns {
			t.Errorf("%s: got columns\n%swant\n%s", path, got, wantColumns)
		}
		for i := 0; result.Next(); i++ {
			got := make([]any, 5)
			if err := result.Scan(&got[0], &got[1], &got[2], &got[3], &got[4]); err != nil {
				t.Fatalf("%s, row %d: %v", path, i, err)
			}
			if !same(got, want[i]) {
				t.Errorf("%s, row %d: got\n%v; want\n%v", path, i, got, want[i])
			}
			var decoded []struct {
				Inner *struct {
					N     int8
					Lines []struct {
						Day  *civil.Date
						Tags []string
						Span sql.Null[driver.Range]
					}
				}
			}
			if err := scan(result, 0, driver.As(&decoded)); err != nil {
				t.Fatalf("%s, row %d: %v", path, i, err)
			}
			if i == 0 && (len(decoded) != 3 || decoded[1].Inner != nil || decoded[2].Inner.N != 4 ||
				*decoded[0].Inner.Lines[0].Day != civil.DateOf(day) || decoded[0].Inner.Lines[1].Span.Valid) {
				t.Errorf("%s: got %+v", path, decoded)
			}
		}
	})
}

// TestNoRowsNoColumns: a result without rows has its columns, one without columns has none,
// also where both ways are open.
func TestNoRowsNoColumns(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT none", fakebq.Answer{
		Fields:     []fakebq.Field{{Name: "a", Type: "INTEGER"}, {Name: "a", Type: "STRING", Mode: "REQUIRED"}},
		EmptyPages: []int{0},
	})
	server.On("CREATE TABLE t", fakebq.Answer{})
	for _, api := range []string{"rest", "storage"} {
		db := open(t, server, overStorage(server), func(c *dsn.Config) { c.ReadAPI = api })
		for query, want := range map[string][]string{"SELECT none": {"a", "a_1"}, "CREATE TABLE t": {}} {
			rows, err := db.QueryContext(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			columns, err := rows.Columns()
			if err != nil || !reflect.DeepEqual(columns, want) {
				t.Errorf("%s: %s: got columns %q, %v; want %q", api, query, columns, err, want)
			}
			if rows.Next() || rows.Err() != nil || rows.NextResultSet() {
				t.Errorf("%s: %s: got a row, a further result or %v", api, query, rows.Err())
			}
			rows.Close()
			if err := db.QueryRowContext(t.Context(), query).Scan(); err != sql.ErrNoRows {
				t.Errorf("%s: %s: got %v; want sql.ErrNoRows", api, query, err)
			}
		}
	}
}

// TestLongIntervals reads intervals whose time is more than Arrow's nanoseconds hold.
func TestLongIntervals(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	server.On("SELECT i", fakebq.Answer{
		Fields: []fakebq.Field{{Name: "i", Type: "INTERVAL"}},
		Rows:   [][]any{{"10000-0 3660000 87840000:0:0"}, {"-10000-0 -3660000 -87839999:59:59.999999"}},
	})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT i")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for _, want := range []bigquery.IntervalValue{
		{Years: 10000, Days: 3660000, Hours: 87840000},
		{Years: -10000, Days: -3660000, Hours: -87839999, Minutes: -59, Seconds: -59, SubSecondNanos: -999999000},
	} {
		var got bigquery.IntervalValue
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Scan(driver.As(&got)); err != nil || got != want {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

// TestUnknownTypes: a type that the driver does not know is refused by the name of its column,
// wherever it stands.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	db := open(t, server)
	for _, tt := range []struct {
		name  string
		field fakebq.Field
		want  string
	}{
		{"column", fakebq.Field{Name: "h", Type: "HOLOGRAM"}, `column 1, "h": the type HOLOGRAM`},
		{
			"field",
			fakebq.Field{Name: "s", Type: "RECORD", Fields: []fakebq.Field{{Name: "h", Type: "HOLOGRAM"}}},
			`column 1, "s": field "h": the type HOLOGRAM`,
		},
		{"RANGE of an unknown type", fakebq.Field{Name: "r", Type: "RANGE", Element: "TIME"}, `column 1, "r": RANGE<TIME>`},
		{"RANGE without a type", fakebq.Field{Name: "r", Type: "RANGE"}, `column 1, "r": the schema of a RANGE`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := "SELECT '" + tt.name + "'"
			server.On(text, fakebq.Answer{Fields: []fakebq.Field{tt.field}})
			if err := run(t.Context(), db, text); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: got %v; want %q", tt.field.Type, err, tt.want)
			}
		})
	}
}
