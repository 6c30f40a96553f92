package driver

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"
	bq "google.golang.org/api/bigquery/v2"
)

type base struct{ ID int64 }

type embeds struct {
	named
	time.Time
	base
	Note string
}

// timesAre is what BigQuery says of an embeds.
func timesAre(name string) *bq.QueryParameterType {
	t := &bq.QueryParameterType{Type: "STRUCT"}
	for _, f := range []struct{ name, typ string }{{"Time", name}, {"ID", "INT64"}, {"Note", "STRING"}} {
		t.StructTypes = append(t.StructTypes, &bq.QueryParameterTypeStructTypes{
			Name: f.name,
			Type: &bq.QueryParameterType{Type: f.typ},
		})
	}
	return t
}

func TestEncodeNested(t *testing.T) {
	t.Parallel()
	type line struct {
		ID    int64 `bigquery:"id"`
		Price *big.Rat
		Gone  string `bigquery:"-"`
	}
	day := utc(2024, 2, 29, 1, 2, 3, 0)
	array := func(elem string) *bq.QueryParameterType {
		return &bq.QueryParameterType{Type: "ARRAY", ArrayType: &bq.QueryParameterType{Type: elem}}
	}
	for _, tt := range []struct {
		name string
		in   any
		says *bq.QueryParameterType // what BigQuery says of it; nil: it is not asked
		typ  string
		want string // the value as JSON
	}{
		{"int64s", []int64{1, 2}, nil, "ARRAY<INT64>", `{"arrayValues":[{"value":"1"},{"value":"2"}]}`},
		{"strings", []string{""}, nil, "ARRAY<STRING>", `{"arrayValues":[{"value":""}]}`},
		{"empty strings", []string{}, nil, "ARRAY<STRING>", `{"arrayValues":[]}`},
		{"nil float64s", []float64(nil), nil, "ARRAY<FLOAT64>", `{"arrayValues":[]}`},
		{
			"Rats, one of which needs BIGNUMERIC",
			[]*big.Rat{bigRat("1.5"), bigRat("0.0000000001")},
			nil,
			"ARRAY<BIGNUMERIC>",
			`{"arrayValues":[{"value":"1.5"},{"value":"0.0000000001"}]}`,
		},
		{
			"big.Ints, one of which needs NUMERIC",
			[]*big.Int{bigInt("9223372036854775808"), bigInt("1")},
			nil,
			"ARRAY<NUMERIC>",
			`{"arrayValues":[{"value":"9223372036854775808"},{"value":"1"}]}`,
		},
		{
			"big.Ints in structs, one of which needs NUMERIC",
			[]struct{ N *big.Int }{{bigInt("1")}, {nil}, {bigInt("9223372036854775808")}},
			nil,
			`ARRAY<STRUCT,"N" NUMERIC;>`,
			`{"arrayValues":[{"structValues":{"N":{"value":"1"}}},{"structValues":{"N":{"value":null}}},` +
				`{"structValues":{"N":{"value":"9223372036854775808"}}}]}`,
		},
		{"empty Dates", []civil.Date{}, nil, "ARRAY<DATE>", `{"arrayValues":[]}`},
		{
			"embedded fields",
			embeds{Note: "n", named: "x", Time: day, base: base{1}},
			timesAre("TIMESTAMP"),
			`STRUCT,"Time" TIMESTAMP,"ID" INT64,"Note" STRING;`,
			`{"structValues":{"ID":{"value":"1"},"Note":{"value":"n"},"Time":{"value":"2024-02-29 01:02:03+00:00"}}}`,
		},
		{
			"any that begins with nil",
			[]any{nil, 1.5},
			nil,
			"ARRAY<FLOAT64>",
			`{"arrayValues":[{"value":null},{"value":"1.5"}]}`,
		},
		{"a nil *int64", []*int64{nil}, array("NUMERIC"), "ARRAY<NUMERIC>", `{"arrayValues":[{"value":null}]}`},
		{"times for DATEs", []time.Time{day}, array("DATE"), "ARRAY<DATE>", `{"arrayValues":[{"value":"2024-02-29"}]}`},
		{
			"times for INT64s",
			[]time.Time{day},
			array("INT64"),
			"ARRAY<TIMESTAMP>",
			`{"arrayValues":[{"value":"2024-02-29 01:02:03+00:00"}]}`,
		},
		{"empty any", []any{}, array("STRING"), "ARRAY<STRING>", `{"arrayValues":[]}`},
		{
			"struct",
			line{ID: 1, Price: bigRat("1.5")},
			nil,
			`STRUCT,"id" INT64,"Price" NUMERIC;`,
			`{"structValues":{"Price":{"value":"1.5"},"id":{"value":"1"}}}`,
		},
		{
			"structs with a nil field",
			[]line{{ID: 1}},
			nil,
			`ARRAY<STRUCT,"id" INT64,"Price" NUMERIC;>`,
			`{"arrayValues":[{"structValues":{"Price":{"value":null},"id":{"value":"1"}}}]}`,
		},
		{
			"Struct",
			Struct{Fields: []StructField{{"d", day}, {"tags", []string{"x"}}}},
			&bq.QueryParameterType{
				Type: "STRUCT",
				StructTypes: []*bq.QueryParameterTypeStructTypes{
					{Name: "d", Type: &bq.QueryParameterType{Type: "DATETIME"}},
					{Name: "tags", Type: array("STRING")},
				},
			},
			`STRUCT,"d" DATETIME,"tags" ARRAY<STRING>;`,
			`{"structValues":{"d":{"value":"2024-02-29 01:02:03"},"tags":{"arrayValues":[{"value":"x"}]}}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := encode(tt.in)
			if err == nil && (a.typ == nil) != (tt.says != nil) {
				t.Errorf("%T %v: the type is known: %v; want %v", tt.in, tt.in, a.typ != nil, tt.says == nil)
			}
			if err == nil && a.typ == nil {
				a.typ, a.value, _, err = a.resolve(tt.says, reliance{})
			}
			if err != nil {
				t.Fatalf("%T %v: %v", tt.in, tt.in, err)
			}
			value, err := json.Marshal(a.value)
			if err != nil {
				t.Fatal(err)
			}
			var typ strings.Builder
			writeType(&typ, a.typ)
			if typ.String() != tt.typ || string(value) != tt.want {
				t.Errorf("%T %v: got %s %s; want %s %s", tt.in, tt.in, &typ, value, tt.typ, tt.want)
			}
		})
	}
	if a, err := encode([]any{}); err != nil {
		t.Error(err)
	} else if _, _, _, err := a.resolve(nil, reliance{}); err == nil {
		t.Error("an empty []any of which BigQuery says nothing: got no error")
	}
}
