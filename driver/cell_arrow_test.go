package driver

import (
	"database/sql/driver"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
)

// one makes an array of one value.
func one(typ arrow.DataType, add func(array.Builder)) arrow.Array {
	b := array.NewBuilder(arrowmemory.DefaultAllocator, typ)
	defer b.Release()
	add(b)
	return b.NewArray()
}

// TestArrowParameters: a type's digits after the point are those of its Arrow type, and a unit
// that is not BigQuery's is refused, never read as if it were.
func TestArrowParameters(t *testing.T) {
	t.Parallel()
	numeric := func(scale int32, n int64) arrow.Array {
		return one(&arrow.Decimal128Type{Precision: 38, Scale: scale},
			func(b array.Builder) { b.(*array.Decimal128Builder).Append(decimal128.FromI64(n)) })
	}
	big := func(scale int32, n int64) arrow.Array {
		return one(&arrow.Decimal256Type{Precision: 76, Scale: scale},
			func(b array.Builder) { b.(*array.Decimal256Builder).Append(decimal256.FromI64(n)) })
	}
	stamp := func(unit arrow.TimeUnit) arrow.Array {
		return one(&arrow.TimestampType{Unit: unit}, func(b array.Builder) { b.(*array.TimestampBuilder).Append(1) })
	}
	timeOfDay := one(arrow.FixedWidthTypes.Time64ns, func(b array.Builder) { b.(*array.Time64Builder).Append(1) })
	for _, tt := range []struct {
		name string
		kind string
		a    arrow.Array
		want driver.Value // nil for an error
	}{
		{"NUMERIC of scale 9", "NUMERIC", numeric(9, 1_500_000_000), "1.5"},
		{"NUMERIC of scale 2", "NUMERIC", numeric(2, -9_999_999_999), "-99999999.99"},
		{"NUMERIC of scale 0", "NUMERIC", numeric(0, 100), "100"},
		{"NUMERIC of scale 2 below one", "NUMERIC", numeric(2, 5), "0.05"},
		{"the least int64", "NUMERIC", numeric(0, math.MinInt64), "-9223372036854775808"},
		{"NUMERIC of scale -1", "NUMERIC", numeric(-1, 1), nil},
		{"BIGNUMERIC of scale 3", "BIGNUMERIC", big(3, -1), "-0.001"},
		{"BIGNUMERIC of scale 0", "BIGNUMERIC", big(0, 70), "70"},
		{"BIGNUMERIC of scale 39", "BIGNUMERIC", big(39, 1), nil},
		{"TIMESTAMP in nanoseconds", "TIMESTAMP", stamp(arrow.Nanosecond), nil},
		{"DATETIME in seconds", "DATETIME", stamp(arrow.Second), nil},
		{"TIME in nanoseconds", "TIME", timeOfDay, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make([]driver.Value, 1)
			err := scalarsByName[tt.kind].arrow.fill(got, 1, tt.a, 0, 1, new(boxes))
			if (err == nil) != (tt.want != nil) || got[0] != tt.want {
				t.Errorf("%s of a %s: got %v, %v; want %v", tt.kind, tt.a.DataType(), got[0], err, tt.want)
			}
			err = scalarsByName[tt.kind].arrow.lists(got, 1, tt.a, []int{0, 1}, new(boxes))
			if (err == nil) != (tt.want != nil) {
				t.Errorf("ARRAY<%s> of a %s: got %v", tt.kind, tt.a.DataType(), err)
			}
		})
	}
}

// TestArrowLists: impossible bounds are refused before memory is allocated for them, and so is a NULL
// with values.
func TestArrowLists(t *testing.T) {
	t.Parallel()
	elems := arrowmemory.NewBufferBytes(arrow.Int64Traits.CastToBytes([]int64{1, 2, 3}))
	values := array.NewInt64Data(
		array.NewData(arrow.PrimitiveTypes.Int64, 3, []*arrowmemory.Buffer{nil, elems}, nil, 0, 0))
	for _, tt := range []struct {
		name    string
		offsets []int32
		valid   byte
		want    string
	}{
		{"all values", []int32{0, 1, 3}, 3, ""},
		{"not from the first value", []int32{1, 1, 2}, 3, ""},
		{"an empty ARRAY, then a full one", []int32{0, 0, 3}, 2, ""},
		{"first bound below zero", []int32{math.MinInt32, 1, 3}, 3, "bounds"},
		{"bounds that fall", []int32{0, 2, 1}, 3, "bounds"},
		{"last bound beyond the values", []int32{0, 1, 4}, 3, "bounds"},
		{"NULL with values", []int32{0, 1, 3}, 1, "NULL"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			buffers := []*arrowmemory.Buffer{
				arrowmemory.NewBufferBytes([]byte{tt.valid}),
				arrowmemory.NewBufferBytes(arrow.Int32Traits.CastToBytes(tt.offsets)),
			}
			data := array.NewData(arrow.ListOf(arrow.PrimitiveTypes.Int64), 2, buffers,
				[]arrow.ArrayData{values.Data()}, array.UnknownNullCount, 0)
			got := make([]driver.Value, 2)
			err := arrowList(scalarsByName["INT64"].arrow)(got, 1, array.NewListData(data), 0, 2, new(boxes))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v: got %v, %v; want an error with %q", tt.offsets, got, err, tt.want)
			}
		})
	}
}
