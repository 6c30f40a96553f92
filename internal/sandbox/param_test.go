package sandbox

import (
	"math"
	"math/big"
	"reflect"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
)

// TestParametersComeBack sends each type through the official client.
func TestParametersComeBack(t *testing.T) {
	t.Parallel()
	s, tok := signed(t, Config{NoData: true})
	c := official(t, s, tok, DefaultProject)
	moment := time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC)
	widest, _ := new(big.Rat).SetString("-99999999999999999999999999999.999999999")
	for _, tt := range []struct {
		name  string
		value any
		want  bigquery.Value
	}{
		{"INT64", int64(math.MinInt64), int64(math.MinInt64)},
		{"FLOAT64", 0.1, 0.1},
		{"infinity", math.Inf(-1), math.Inf(-1)},
		{"BOOL", true, true},
		{"STRING", "a'b\"c\\\n\x00é", "a'b\"c\\\n\x00é"},
		{"empty STRING", "", ""},
		{"BYTES", []byte{0, 255}, []byte{0, 255}},
		{"NUMERIC", big.NewRat(-3, 8), big.NewRat(-3, 8)},
		{"NaN", "NaN", "NaN"},
		{"0.0", 0.0, 0.0},
		{"widest NUMERIC", widest, widest},
		{"last DATE", civil.Date{Year: 9999, Month: 12, Day: 31}, civil.Date{Year: 9999, Month: 12, Day: 31}},
		{"DATE", civil.DateOf(moment), civil.DateOf(moment)},
		{"first DATE", civil.Date{Year: 1, Month: 1, Day: 1}, civil.Date{Year: 1, Month: 1, Day: 1}},
		{"TIME", civil.TimeOf(moment), civil.TimeOf(moment)},
		{"DATETIME", civil.DateTimeOf(moment), civil.DateTimeOf(moment)},
		{"TIMESTAMP", moment, moment},
		{"first TIMESTAMP", time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)},
		{"INTERVAL", &bigquery.IntervalValue{Years: 1, Months: 2, Days: -3, Hours: 4, Minutes: 5, Seconds: 6},
			&bigquery.IntervalValue{Years: 1, Months: 2, Days: -3, Hours: 4, Minutes: 5, Seconds: 6}},
		{"NULL", bigquery.NullInt64{}, nil},
		{"NULL STRING", bigquery.NullString{}, nil},
		{"ARRAY", []string{"a", "", "c"}, []bigquery.Value{"a", "", "c"}},
		{"empty ARRAY", []int64{}, []bigquery.Value(nil)},
		{"STRUCT", struct {
			A int64
			B []string
		}{7, []string{"x"}}, []bigquery.Value{int64(7), []bigquery.Value{"x"}}},
	} {
		for sql, params := range map[string][]bigquery.QueryParameter{
			"SELECT @p AS v": {{Name: "p", Value: tt.value}},
			"SELECT ? AS v":  {{Value: tt.value}},
		} {
			q := c.Query(sql)
			q.Parameters = params
			it, err := q.Read(t.Context())
			if err != nil {
				t.Errorf("%s: %.40s: %v", tt.name, sql, err)
				break
			}
			var row []bigquery.Value
			if err := it.Next(&row); err != nil {
				t.Errorf("%s: %.40s: %v", tt.name, sql, err)
				break
			}
			same := reflect.DeepEqual(row[0], tt.want)
			if r, ok := tt.want.(*big.Rat); ok {
				got, isRat := row[0].(*big.Rat)
				same = isRat && got.Cmp(r) == 0
			}
			if !same {
				t.Errorf("%s: %.40s: got %#v; want %#v", tt.name, sql, row[0], tt.want)
			}
		}
	}
}
