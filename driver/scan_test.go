package driver_test

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/dsn"
	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

// same compares values to the bit: -0 is not 0, NaN is NaN and a time is in UTC.
func same(a, b any) bool {
	return cmp.Equal(a, b,
		cmp.Comparer(func(a, b float64) bool {
			return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
		}),
		cmp.Comparer(func(a, b time.Time) bool { return a == b }),
		cmp.Comparer(func(a, b big.Rat) bool { return a.Cmp(&b) == 0 }),
		cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }))
}

// readPaths opens the same result twice, by REST and by the Storage Read API, all of its rows.
// It must have more than one row.
func readPaths(t *testing.T, fields []fakebq.Field, rows [][]any, read func(path string, rows *sql.Rows)) {
	t.Helper()
	const query = "SELECT *"
	server := fakebq.Run(t, fakebq.Options{})
	table, err := fakebq.NewTable(fields, len(rows), func(i int) []any { return rows[i] })
	if err != nil {
		t.Fatal(err)
	}
	// A page for each row, so that there is something to fetch; one batch, so that the order
	// stays. Of a query without an order the first page is not used when a stream can be read.
	server.On(query, fakebq.Answer{Table: table, PageSize: 1})
	for _, path := range []string{"rest", "storage"} {
		var stats driver.Stats
		connector, err := driver.NewConnector(&dsn.Config{
			Project:         "my-project",
			Auth:            "none",
			Endpoint:        server.URL(),
			StorageEndpoint: server.StorageURL(),
			ReadAPI:         path,
		}, driver.WithObserver(func(_ context.Context, s driver.Stats, _ error) { stats = s }))
		if err != nil {
			t.Fatal(err)
		}
		db := sql.OpenDB(connector)
		result, err := db.QueryContext(t.Context(), query)
		if err != nil {
			t.Fatal(err)
		}
		read(path, result)
		if err := result.Err(); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := result.Close(); err != nil {
			t.Error(err)
		}
		if stats.ReadAPI != path || stats.Fallback != nil || stats.RowsRead != int64(len(rows)) {
			t.Errorf("%s: got %+v", path, stats)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// facts is what the columns say of themselves.
func facts(t *testing.T, rows *sql.Rows) string {
	t.Helper()
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, c := range types {
		length, hasLength := c.Length()
		precision, scale, hasScale := c.DecimalSize()
		nullable, ok := c.Nullable()
		text += fmt.Sprintln(c.Name(), c.DatabaseTypeName(), c.ScanType(), length, hasLength, precision, scale,
			hasScale, nullable, ok)
	}
	return text
}

// TestEveryType reads every type x (value, extreme, NULL) x (any, native type, string, pointer,
// sql.Null, driver.As), also as REQUIRED, in an ARRAY and in a STRUCT, by both ways that rows
// come.
func TestEveryType(t *testing.T) {
	t.Parallel()
	for _, name := range driver.ScalarTypes() {
		if !slices.ContainsFunc(bothPaths, func(c typeCase) bool { return c.name == name }) {
			t.Errorf("bothPaths has no %s", name)
		}
	}
	for _, tt := range bothPaths {
		t.Run(fmt.Sprint(tt.name, tt.field.MaxLength, tt.field.Precision), func(t *testing.T) {
			t.Parallel()
			plain, required, repeated := tt.field, tt.field, tt.field
			plain.Name, required.Name, repeated.Name = "c", "c", "c"
			required.Mode, repeated.Mode = "REQUIRED", "REPEATED"
			nullable := plain
			nullable.Mode = "NULLABLE"
			record := fakebq.Field{Name: "s", Type: "RECORD", Fields: []fakebq.Field{plain}}
			fields := []fakebq.Field{plain, required, repeated, record, nullable}
			var rows [][]any
			for _, v := range tt.values {
				rows = append(rows, []any{v.in, v.in, []any{v.in, v.in}, []any{v.in}, v.in})
			}
			some := tt.values[0].in
			rows = append(rows, []any{nil, some, []any{}, []any{nil}, nil}, []any{nil, some, nil, nil, nil})
			values, columns := map[string][][]any{}, map[string]string{}
			readPaths(t, fields, rows, func(path string, result *sql.Rows) {
				columns[path] = facts(t, result)
				types, err := result.ColumnTypes()
				if err != nil {
					t.Fatal(err)
				}
				if got := types[0].DatabaseTypeName(); got != tt.name {
					t.Errorf("%s: got type %s; want %s", path, got, tt.name)
				}
				for i := 0; result.Next(); i++ {
					row := make([]any, 5)
					if err := result.Scan(&row[0], &row[1], &row[2], &row[3], &row[4]); err != nil {
						t.Fatalf("%s, row %d: %v", path, i, err)
					}
					values[path] = append(values[path], row)
					if i < len(tt.values) {
						checkValue(t, fmt.Sprint(path, ", row ", i), result, types[0].ScanType(), tt.goType(), tt.values[i], row)
					} else {
						checkNull(t, fmt.Sprint(path, ", row ", i), result, types[0].ScanType(), tt.goType(), row, i > len(tt.values))
					}
				}
			})
			if columns["rest"] != columns["storage"] {
				t.Errorf("by REST the columns are\n%sand by storage\n%s", columns["rest"], columns["storage"])
			}
			if !same(values["rest"], values["storage"]) {
				t.Errorf("by REST the values are\n%#v\nand by storage\n%#v", values["rest"], values["storage"])
			}
		})
	}
}

// scan puts one column of the row, of five, into dest.
func scan(rows *sql.Rows, column int, dest any) error {
	var rest any
	dests := []any{&rest, &rest, &rest, &rest, &rest}
	dests[column] = dest
	return rows.Scan(dests...)
}

func checkValue(t *testing.T, row string, rows *sql.Rows, scanType, native reflect.Type, v valueCase, got []any) {
	t.Helper()
	list := reflect.MakeSlice(reflect.SliceOf(native), 2, 2)
	list.Index(0).Set(reflect.ValueOf(v.want))
	list.Index(1).Set(reflect.ValueOf(v.want))
	record := driver.Struct{Fields: []driver.StructField{{Name: "c", Value: v.want}}}
	if want := []any{v.want, v.want, list.Interface(), record, v.want}; !same(got, want) {
		t.Errorf("%s: any: got %#v; want %#v", row, got, want)
	}
	as := reflect.TypeOf(v.as)
	null := reflect.New(scanType).Elem()
	null.Field(0).Set(reflect.ValueOf(v.want))
	null.Field(1).SetBool(true)
	pointer := reflect.New(native)
	pointer.Elem().Set(reflect.ValueOf(v.want))
	asList := reflect.MakeSlice(reflect.SliceOf(as), 2, 2)
	asList.Index(0).Set(reflect.ValueOf(v.as))
	asList.Index(1).Set(reflect.ValueOf(v.as))
	asStruct := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "C", Type: as}})).Elem()
	asStruct.Field(0).Set(reflect.ValueOf(v.as))
	types, err := rows.ColumnTypes()
	if err != nil {
		t.Fatal(err)
	}
	own := ownText(types[0].DatabaseTypeName(), v)
	scanned := v.text
	if scansOwnText {
		scanned = own
	}
	onlyAs := native == reflect.TypeFor[driver.Range]() // database/sql itself makes no string of a struct
	for _, c := range []struct {
		into   string
		column int
		want   any
		as     bool
	}{
		{"native", 0, v.want, false},
		{"string", 0, scanned, onlyAs},
		{"pointer", 0, pointer.Interface(), false},
		{"sql.Null", 0, null.Interface(), false},
		{"REQUIRED native", 1, v.want, false},
		{"REQUIRED string", 1, scanned, onlyAs},
		{"slice", 2, list.Interface(), false},
		{"Struct", 3, record, false},
		{"As", 0, v.as, true},
		{"As the native type", 1, v.want, true},
		{"As a string", 0, own, true},
		{"As a slice", 2, asList.Interface(), true},
		{"As a struct", 3, asStruct.Interface(), true},
		{"As a sql.Null", 4, null.Interface(), true},
		{"As a pointer", 4, pointer.Interface(), true},
		{"As a map", 3, map[string]any{"c": v.want}, true},
	} {
		dest := reflect.New(reflect.TypeOf(c.want))
		to := dest.Interface()
		if c.as {
			to = driver.As(to)
		}
		if err := scan(rows, c.column, to); err != nil {
			t.Errorf("%s: %s: %v", row, c.into, err)
		} else if got := dest.Elem().Interface(); !same(got, c.want) {
			t.Errorf("%s: %s: got %#v; want %#v", row, c.into, got, c.want)
		}
	}
}

// scansOwnText reports whether the driver decides how a time is scanned into a string, as from Go 1.27 on.
var scansOwnText bool

// ownText is a value as BigQuery writes it.
func ownText(typ string, v valueCase) string {
	switch typ {
	case "DATE":
		return v.want.(time.Time).Format(time.DateOnly)
	case "DATETIME":
		return v.want.(time.Time).Format("2006-01-02T15:04:05.999999")
	case "TIMESTAMP(12)":
		return string(v.in.(fakebq.Picos))
	}
	return v.text
}

func checkNull(t *testing.T, row string, rows *sql.Rows, scanType, native reflect.Type, got []any, nullStruct bool) {
	t.Helper()
	record := any(driver.Struct{Fields: []driver.StructField{{Name: "c"}}})
	if nullStruct {
		record = nil
	}
	empty := reflect.MakeSlice(reflect.SliceOf(native), 0, 0).Interface()
	if want := []any{nil, got[1], empty, record, nil}; !same(got, want) || got[1] == nil {
		t.Errorf("%s: any: got %#v; want %#v", row, got, want)
	}
	for _, c := range []struct {
		into   string
		column int
		dest   reflect.Value
		as     bool
		fails  bool
	}{
		{"native", 0, reflect.New(native), false, native.Kind() != reflect.Slice},
		{"string", 0, reflect.New(reflect.TypeFor[string]()), false, true},
		{"pointer", 0, reflect.New(reflect.PointerTo(native)), false, false},
		{"sql.Null", 0, reflect.New(scanType), false, false},
		{"As the native type", 0, reflect.New(native), true, native.Kind() != reflect.Slice},
		{"As a pointer", 0, reflect.New(reflect.PointerTo(native)), true, false},
		{"As a sql.Null", 4, reflect.New(scanType), true, false},
	} {
		to := c.dest.Interface()
		if c.as {
			to = driver.As(to)
		}
		err := scan(rows, c.column, to)
		if (err != nil) != c.fails {
			t.Errorf("%s: NULL into %s: got %v; want an error: %v", row, c.into, err, c.fails)
		}
		if !c.dest.Elem().IsZero() {
			t.Errorf("%s: NULL into %s: got %#v", row, c.into, c.dest.Elem())
		}
	}
}

// run runs a statement with arguments, through all of its rows.
func run(ctx context.Context, db interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}, text string, args ...any) error {
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
	}
	return rows.Err()
}
