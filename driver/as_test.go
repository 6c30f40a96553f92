package driver_test

import (
	"database/sql"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

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

func order(id any, price string) driver.Struct {
	return driver.Struct{Fields: []driver.StructField{
		{Name: "id", Value: id}, {Name: "DAY", Value: time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}, {Name: "note"}, {Name: "discount", Value: 0.5},
		{Name: "lines", Value: []driver.Struct{{Fields: []driver.StructField{{Name: "sku", Value: "a"}, {Name: "price", Value: price}}}}},
		{Name: "raw", Value: `{"a":1}`}, {Name: "extra", Value: int64(1)}, {Name: "unknown", Value: true},
	}}
}

func TestAs(t *testing.T) {
	t.Parallel()
	half := 0.5
	want := asOrder{ID32(7), civil.Date{Year: 2024, Month: 2, Day: 29}, sql.Null[string]{}, &half, []asLine{{"a", big.NewRat(3, 2)}}, json.RawMessage(`{"a":1}`), int64(1), 0}
	for _, tt := range []struct {
		name      string
		src, dest any
		want      any
	}{
		{"struct", order(int64(7), "1.5"), new(asOrder), want},
		{"slice of structs", []driver.Struct{order(int64(7), "1.5")}, new([]asOrder), []asOrder{want}},
		{"slice of pointers", []driver.Struct{order(int64(7), "1.5")}, new([]*asOrder), []*asOrder{&want}},
		{"map", driver.Struct{Fields: []driver.StructField{{Name: "a", Value: int64(1)}, {Name: "b"}}}, new(map[string]any), map[string]any{"a": int64(1), "b": nil}},
		{"map of numbers", driver.Struct{Fields: []driver.StructField{{Name: "a", Value: int64(1)}}}, new(map[string]uint8), map[string]uint8{"a": 1}},
		{"NULL struct", nil, &[]*asOrder{{}}[0], (*asOrder)(nil)},
		{"slice of other numbers", []int64{1, 2}, new([]int), []int{1, 2}},
		{"slice of times", []time.Time{time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)}, new([]civil.Date), []civil.Date{{Year: 2024, Month: 2, Day: 29}}},
		{"NUMERIC", "12345678901234567890", new(big.Int), *func() *big.Int { i, _ := new(big.Int).SetString("12345678901234567890", 10); return i }()},
		{"NUMERIC as a float", "1.5", new(float32), float32(1.5)},
		{"text", "x", new(string), "x"}, {"bool", true, new(bool), true}, {"bytes", []byte{1}, new([]byte), []byte{1}}, {"any", int64(1), new(any), int64(1)},
		{"Struct", order(int64(7), "1"), new(driver.Struct), order(int64(7), "1")},
	} {
		if err := driver.As(tt.dest).Scan(tt.src); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := reflect.ValueOf(tt.dest).Elem().Interface(); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: got %#v; want %#v", tt.name, got, tt.want)
		}
	}
}

// ID32 makes the embedded part.
func ID32(id int32) asBase { return asBase{id} }

func TestAsErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		src, dest any
		want      string
	}{
		{[]driver.Struct{order(int64(1), "1"), order(int64(1), "x")}, new([]asOrder), "[1].lines[0].price: a string can't be put into a *big.Rat"},
		{order(int64(1)<<40, "1"), new(asOrder), "id: 1099511627776 is out of the range of int32"},
		{order(nil, "1"), new(asOrder), "id: NULL can't be put into a int32: use a pointer or sql.Null[int32]"},
		{nil, new(int), "NULL"}, {"x", new(int), "bigqueryuser: "}, {int64(1), new([]string), "can't be put"}, {int64(1), new(chan int), "can't be put"},
		{[]int64{1}, new(int), "an ARRAY can't be put into a int"}, {driver.Struct{}, new(int), "a STRUCT can't be put into a int"},
		{driver.Struct{Fields: []driver.StructField{{Name: "a"}, {Name: "a"}}}, new(map[string]any), "twice"},
		{int64(-1), new(uint), "bigqueryuser: "}, {int64(1), 1, "needs a pointer"}, {int64(1), (*int)(nil), "needs a pointer"}, {int64(1), nil, "needs a pointer"},
		{nil, new(big.Rat), "NULL"},
	} {
		if err := driver.As(tt.dest).Scan(tt.src); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v into %T: got %v; want %q", tt.src, tt.dest, err, tt.want)
		}
	}
}
