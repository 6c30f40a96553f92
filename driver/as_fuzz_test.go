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

// asDestinations makes one of each kind of destination, odd ones too.
func asDestinations() []any {
	return []any{
		nil, 1, (*int)(nil), new(any),
		new(int8), new(uint64), new(float32), new(bool), new(string), new([]byte),
		new(time.Time), new(civil.Date), new(civil.Time), new(civil.DateTime),
		new(big.Int), new(*big.Rat), new(bigquery.IntervalValue), new(json.RawMessage), new(driver.Range),
		new(driver.Struct), new(asOrder), new([]asOrder), new(*[]*asLine), new(asShadow),
		new(sql.Null[asOrder]), new(sql.Null[int16]), new(sql.NullTime),
		new([]string), new([]any), new([2]int), new([][]int), new(sql.RawBytes),
		new(map[string]any), new(map[string]*int), new(map[int]int),
		new(chan int), new(func()), new(error), new(unsafe.Pointer), new(***int), new(struct{}),
		new(complex128), new(uintptr),
	}
}

// FuzzAs: whatever the value and the destination, there is an error or a value and no panic; an
// any takes every value as it is.
func FuzzAs(f *testing.F) {
	for i := range asDestinations() {
		f.Add(uint8(i), uint8(i), "id", "1.5", int64(300))
		f.Add(uint8(i), uint8(255-i), "lines", "0-0 0 0:0:0.1", int64(-1))
	}
	f.Fuzz(func(t *testing.T, dest, kind uint8, name, text string, n int64) {
		inner := driver.Struct{Fields: []driver.StructField{
			{Name: name, Value: text},
			{Name: "price", Value: text},
			{Name: "SKU", Value: n},
		}}
		day := time.Unix(n%1e11, 0).UTC()
		sources := []any{
			nil, n, float64(n) / 3, n%2 == 0, text, []byte(text), day,
			driver.Range{Start: civil.DateOf(day)}, inner, driver.Struct{},
			[]int64{n}, []string{text, name}, []time.Time{day}, []driver.Struct{inner, {}}, [][]byte{[]byte(text)},
			[]float64{}, []bool{true},
			driver.Struct{Fields: []driver.StructField{
				{Name: name, Value: []driver.Struct{inner}},
				{Name: "id", Value: n},
				{Name: "note", Value: text},
				{Name: name},
			}},
		}
		src := sources[int(kind)%len(sources)]
		to := asDestinations()[int(dest)%len(asDestinations())]
		err := driver.As(to).Scan(src)
		if any, ok := to.(*any); ok && (err != nil || !reflect.DeepEqual(*any, src)) {
			t.Errorf("%#v into an any: got %#v, %v", src, *any, err)
		}
		if err != nil && !strings.HasPrefix(err.Error(), "bigqueryuser: ") {
			t.Errorf("got the error %q", err)
		}
	})
}
