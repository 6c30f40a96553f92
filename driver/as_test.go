package driver_test

import (
	"database/sql"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

type asLine struct {
	SKU   string `bigquery:"sku"`
	Price *big.Rat
}

type asBase struct{ ID int32 }

type asOrder struct {
	asBase
	Day      civil.Date
	Note     sql.Null[string]
	Discount *float64
	Lines    []asLine
	Raw      json.RawMessage
	Extra    any
	internal int
}

// asShadow has an ID that hides the embedded one, and two names that differ in case alone.
type asShadow struct {
	asBase
	ID   int64
	Name string
	NAME string
}

func order(id any, price string) driver.Struct {
	return driver.Struct{Fields: []driver.StructField{
		{Name: "id", Value: id},
		{Name: "DAY", Value: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{Name: "note"},
		{Name: "discount", Value: 0.5},
		{Name: "lines", Value: []driver.Struct{{
			Fields: []driver.StructField{{Name: "sku", Value: "a"}, {Name: "price", Value: price}},
		}}},
		{Name: "raw", Value: `{"a":1}`},
		{Name: "extra", Value: int64(1)},
		{Name: "unknown", Value: true},
	}}
}

func TestAs(t *testing.T) {
	t.Parallel()
	half := 0.5
	want := asOrder{
		asBase:   ID32(7),
		Day:      civil.Date{Year: 2024, Month: 2, Day: 29},
		Discount: &half,
		Lines:    []asLine{{"a", big.NewRat(3, 2)}},
		Raw:      json.RawMessage(`{"a":1}`),
		Extra:    int64(1),
		internal: 0, // not exported, so As leaves it alone
	}
	for _, tt := range []struct {
		name      string
		src, dest any
		want      any
	}{
		{"struct", order(int64(7), "1.5"), new(asOrder), want},
		{"slice of structs", []driver.Struct{order(int64(7), "1.5")}, new([]asOrder), []asOrder{want}},
		{"slice of pointers", []driver.Struct{order(int64(7), "1.5")}, new([]*asOrder), []*asOrder{&want}},
		{
			"map",
			driver.Struct{Fields: []driver.StructField{{Name: "a", Value: int64(1)}, {Name: "b"}}},
			new(map[string]any),
			map[string]any{"a": int64(1), "b": nil},
		},
		{
			"map of numbers",
			driver.Struct{Fields: []driver.StructField{{Name: "a", Value: int64(1)}}},
			new(map[string]uint8),
			map[string]uint8{"a": 1},
		},
		{"NULL struct", nil, &[]*asOrder{{}}[0], (*asOrder)(nil)},
		{"slice of other numbers", []int64{1, 2}, new([]int), []int{1, 2}},
		{
			"slice of times",
			[]time.Time{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
			new([]civil.Date),
			[]civil.Date{{Year: 2024, Month: 2, Day: 29}},
		},
		{
			"NUMERIC",
			"12345678901234567890",
			new(big.Int),
			*func() *big.Int { i, _ := new(big.Int).SetString("12345678901234567890", 10); return i }(),
		},
		{"NUMERIC as a float", "1.5", new(float32), float32(1.5)},
		{"text", "x", new(string), "x"},
		{"bool", true, new(bool), true},
		{"bytes", []byte{1}, new([]byte), []byte{1}},
		{"any", int64(1), new(any), int64(1)},
		{"Struct", order(int64(7), "1"), new(driver.Struct), order(int64(7), "1")},
		{
			"hidden names",
			driver.Struct{Fields: []driver.StructField{{Name: "id", Value: int64(7)}, {Name: "NAME", Value: "x"}}},
			new(asShadow),
			asShadow{ID: 7, NAME: "x"},
		},
		{
			"a field that is not there stays",
			driver.Struct{Fields: []driver.StructField{{Name: "name", Value: "x"}}},
			&asShadow{ID: 7},
			asShadow{ID: 7, Name: "x"},
		},
		{"sql.Null of a struct", order(int64(7), "1.5"), new(sql.Null[asOrder]), sql.Null[asOrder]{V: want, Valid: true}},
		{"sql.Null of a slice", []int64{1}, new(sql.Null[[]int8]), sql.Null[[]int8]{V: []int8{1}, Valid: true}},
		{"sql.Null of NULL", nil, &sql.Null[asOrder]{V: want, Valid: true}, sql.Null[asOrder]{}},
		{"bigquery.NullInt64", int64(5), new(bigquery.NullInt64), bigquery.NullInt64{Int64: 5, Valid: true}},
		{"bigquery.NullString of NULL", nil, &bigquery.NullString{StringVal: "x", Valid: true}, bigquery.NullString{}},
		{
			"bigquery.NullDates",
			[]time.Time{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
			new([]bigquery.NullDate),
			[]bigquery.NullDate{{Date: civil.Date{Year: 2024, Month: 2, Day: 29}, Valid: true}},
		},
		{"sql.NullInt16", int64(5), new(sql.NullInt16), sql.NullInt16{Int16: 5, Valid: true}},
		{"pointer to a pointer", int64(5), new(**int), func() **int { i := 5; p := &i; return &p }()},
		{
			"interval",
			"-0-3 -4 -0:5:6.000007",
			new(bigquery.IntervalValue),
			bigquery.IntervalValue{Months: -3, Days: -4, Minutes: -5, Seconds: -6, SubSecondNanos: -7000},
		},
		{
			"long interval",
			"10000-0 3660000 87840000:0:0",
			new(*bigquery.IntervalValue),
			&bigquery.IntervalValue{Years: 10000, Days: 3660000, Hours: 87840000},
		},
		{
			"intervals",
			[]string{"1-2 3 4:5:6.29"},
			new([]bigquery.IntervalValue),
			[]bigquery.IntervalValue{
				{Years: 1, Months: 2, Days: 3, Hours: 4, Minutes: 5, Seconds: 6, SubSecondNanos: 290000000},
			},
		},
		{"NULL interval", nil, &[]*bigquery.IntervalValue{{}}[0], (*bigquery.IntervalValue)(nil)},
		{
			"time of day",
			"23:59:59.999999",
			new(civil.Time),
			civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999000},
		},
		{
			"date and time",
			time.Date(2024, 2, 29, 1, 2, 3, 4000, time.UTC),
			new(civil.DateTime),
			civil.DateTime{
				Date: civil.Date{Year: 2024, Month: 2, Day: 29},
				Time: civil.Time{Hour: 1, Minute: 2, Second: 3, Nanosecond: 4000},
			},
		},
		{
			"range",
			driver.Range{Start: civil.Date{Year: 1, Month: 1, Day: 1}},
			new(driver.Range),
			driver.Range{Start: civil.Date{Year: 1, Month: 1, Day: 1}},
		},
		{
			"map of structs",
			driver.Struct{Fields: []driver.StructField{
				{Name: "a", Value: driver.Struct{Fields: []driver.StructField{{Name: "id", Value: int64(1)}}}},
			}},
			new(map[string]asBase),
			map[string]asBase{"a": {1}},
		},
		{
			"named string keys",
			driver.Struct{Fields: []driver.StructField{{Name: "a", Value: "x"}}},
			new(map[json.Number]string),
			map[json.Number]string{"a": "x"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := driver.As(tt.dest).Scan(tt.src); err != nil {
				t.Error(err)
			} else if got := reflect.ValueOf(tt.dest).Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v; want %#v", got, tt.want)
			}
		})
	}
}

// ID32 makes the embedded part.
func ID32(id int32) asBase { return asBase{id} }

func TestAsErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		src, dest any
		want      string
	}{
		{
			"text in a field that is a Rat, three deep",
			[]driver.Struct{order(int64(1), "1"), order(int64(1), "x")},
			new([]asOrder),
			"[1].lines[0].price: a string can't be put into a *big.Rat",
		},
		{"INT64 beyond int32", order(int64(1)<<40, "1"), new(asOrder), "id: 1099511627776 is out of the range of int32"},
		{
			"NULL in an int32",
			order(nil, "1"),
			new(asOrder),
			"id: NULL can't be put into a int32: use a pointer or sql.Null[int32]",
		},
		{"NULL", nil, new(int), "NULL"},
		{"text into an int", "x", new(int), "bigqueryuser: "},
		{"INT64 into a slice", int64(1), new([]string), "can't be put"},
		{"INT64 into a channel", int64(1), new(chan int), "can't be put"},
		{"ARRAY into an int", []int64{1}, new(int), "an ARRAY can't be put into a int"},
		{"STRUCT into an int", driver.Struct{}, new(int), "a STRUCT can't be put into a int"},
		{
			"a map with one name twice",
			driver.Struct{Fields: []driver.StructField{{Name: "a"}, {Name: "a"}}},
			new(map[string]any),
			"twice",
		},
		{"negative into a uint", int64(-1), new(uint), "bigqueryuser: "},
		{"no pointer", int64(1), 1, "want a pointer"},
		{"nil pointer", int64(1), (*int)(nil), "want a pointer"},
		{"nil", int64(1), nil, "want a pointer"},
		{"NULL into a Rat", nil, new(big.Rat), "NULL"},
		{"INT64 beyond int8", int64(300), new(int8), "300 is out of the range of int8"},
		{"INT64 beyond a sql.Null of uint8", int64(300), new(sql.Null[uint8]), "300 is out of the range of uint8"},
		{"FLOAT64 beyond float32", 1e300, new(float32), "1e+300 is out of the range of float32"},
		{"fraction into a big.Int", "1.5", new(big.Int), "can't be put into a *big.Int"},
		{"FLOAT64 into a Rat", 1.5, new(big.Rat), "a float64 can't be put"},
		{"NULL into a Date", nil, new(civil.Date), "bigqueryuser: "},
		{"NULL into a time", nil, new(time.Time), "NULL can't be put into a time.Time"},
		{"text into an interval", "x", new(bigquery.IntervalValue), "not of the form Y-M D H:M:S[.F]"},
		{"interval without seconds", "1-2 3 4:5", new(bigquery.IntervalValue), "not of the form"},
		{"interval without digits after the point", "1-2 3 4:5:6.", new(bigquery.IntervalValue), "not of the form"},
		{"interval without months", "1 3 4:5:6", new(bigquery.IntervalValue), "not of the form"},
		{"interval with letters for days", "1-2 x 4:5:6", new(bigquery.IntervalValue), "not of the form"},
		{"interval with two signs", "--1-2 3 4:5:6", new(bigquery.IntervalValue), "not of the form"},
		{"INT64 into an interval", int64(1), new(bigquery.IntervalValue), "can't be put"},
		{
			"a struct with one name twice",
			driver.Struct{Fields: []driver.StructField{{Name: "id", Value: int64(1)}, {Name: "ID", Value: int64(2)}}},
			new(asBase),
			"ID: the name occurs twice",
		},
		{"STRUCT into a slice", order(int64(1), "1"), new([]asOrder), "a STRUCT can't be put into a []driver_test.asOrder"},
		{"ARRAY into a Go array", []int64{1}, new([1]int64), "an ARRAY can't be put"},
		{"ARRAY into a struct", []int64{1}, new(asOrder), "an ARRAY can't be put"},
		{"STRUCT into a map with int keys", driver.Struct{}, new(map[int]string), "a STRUCT can't be put"},
		{"INT64 into a function", int64(1), new(func()), "can't be put"},
		{"text into an error", "x", new(error), "can't be put"},
		{"INT64 into an unsafe.Pointer", int64(1), new(unsafe.Pointer), "can't be put"},
		{
			"text two levels down",
			driver.Struct{Fields: []driver.StructField{
				{Name: "a", Value: []driver.Struct{{Fields: []driver.StructField{{Name: "b", Value: "x"}}}}},
			}},
			new(map[string][]map[string]int),
			"a[0].b: ",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := driver.As(tt.dest).Scan(tt.src); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v into %T: got %v; want %q", tt.src, tt.dest, err, tt.want)
			}
		})
	}
}
