package driver

import (
	"database/sql/driver"
	"encoding/json"
	"math/big"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
	bq "google.golang.org/api/bigquery/v2"
)

// scalarSamples has a value of each scalar type: the text of its JSON cell, and arguments of the type.
var scalarSamples = map[string]struct {
	cell string
	args []any // a NULL of the type is the last, unless no Go type says it
}{
	"INT64":         {"1", []any{1, uint8(1), (*int64)(nil)}},
	"FLOAT64":       {"1.5", []any{1.5, float32(1.5), bigquery.NullFloat64{}}},
	"BOOL":          {"true", []any{true, (*bool)(nil)}},
	"STRING":        {"a", []any{"a", (*string)(nil)}},
	"BYTES":         {"AQ==", []any{[]byte{1}, []byte(nil)}},
	"NUMERIC":       {"1.5", []any{big.NewRat(3, 2), (*big.Rat)(nil)}},
	"BIGNUMERIC":    {"0.00000000000000000001", []any{new(big.Rat).SetFrac(big.NewInt(1), big.NewInt(1<<20))}},
	"TIMESTAMP":     {"1", []any{time.Unix(0, 0), (*time.Time)(nil)}},
	"TIMESTAMP(12)": {"2024-02-29T01:02:03.000000000004Z", []any{time.Unix(0, 0)}},
	"DATE":          {"2024-02-29", []any{civil.Date{Year: 2024, Month: 2, Day: 29}, (*civil.Date)(nil)}},
	"DATETIME": {"2024-02-29T01:02:03", []any{
		civil.DateTime{Date: civil.Date{Year: 2024, Month: 2, Day: 29}}, (*civil.DateTime)(nil),
	}},
	"TIME":     {"01:02:03", []any{civil.Time{Hour: 1}, (*civil.Time)(nil)}},
	"INTERVAL": {"1-2 3 4:5:6", []any{&bigquery.IntervalValue{Years: 1}, (*bigquery.IntervalValue)(nil)}},
	"GEOGRAPHY": {"POINT(1 2)", []any{
		bigquery.NullGeography{GeographyVal: "POINT(1 2)", Valid: true}, bigquery.NullGeography{},
	}},
	"JSON": {`{}`, []any{json.RawMessage(`{}`), json.RawMessage(nil)}},
}

// TestScalarTypes holds the rows of scalars and parameterTypes against each other and looks for holes in them.
func TestScalarTypes(t *testing.T) {
	t.Parallel()
	var results, arguments []string
	for _, s := range scalars {
		results = append(results, s.name)
	}
	for _, p := range parameterTypes {
		arguments = append(arguments, p.name)
	}
	if !slices.Equal(results, arguments) {
		t.Errorf("scalars and parameterTypes differ:\n%q\n%q", results, arguments)
	}
	if len(scalarSamples) != len(results) {
		t.Errorf("got %d samples for %d types", len(scalarSamples), len(results))
	}
	forms := map[form]string{}
	for i := range scalars {
		v, err := scalars[i].read(&cursor{buf: []byte(strconv.Quote(scalarSamples[scalars[i].name].cell)), boxes: new(boxes)})
		if mark, _ := markOf(v); err != nil || mark != noForm && forms[mark] != "" {
			t.Errorf("%s: got mark %d, %v; want one that %s does not have", scalars[i].name, mark, err, forms[mark])
		} else {
			forms[mark] = scalars[i].name
		}
		t.Run(scalars[i].name, func(t *testing.T) { checkScalar(t, &scalars[i], &parameterTypes[i]) })
	}
}

func checkScalar(t *testing.T, s *scalarType, p *parameterType) {
	for name, missing := range map[string]bool{
		"read": s.read == nil, "list": s.list == nil, "typed": s.typed == nil, "plain": s.plain == nil,
		"arrow.fill": s.arrow.fill == nil, "arrow.lists": s.arrow.lists == nil, "arrow.typed": s.arrow.typed == nil,
		"schema": s.schema == nil, "build": s.build == nil, "examples": len(s.examples) == 0,
	} {
		if missing {
			t.Errorf("the row has no %s", name)
		}
	}
	if _, ok := intoScalar(s, s.plain); !ok {
		t.Errorf("Query does not decode a %s into a %s", s.name, s.plain)
	}
	sample := scalarSamples[s.name]

	// Both read paths give the same value.
	want, err := s.read(&cursor{buf: []byte(strconv.Quote(sample.cell)), boxes: new(boxes)})
	if err != nil {
		t.Fatalf("JSON: %v", err)
	}
	b := array.NewBuilder(arrowmemory.DefaultAllocator, s.schema)
	defer b.Release()
	if err := s.build([]byte(sample.cell), b); err != nil {
		t.Fatalf("build: %v", err)
	}
	got := make([]driver.Value, 1)
	if err := s.arrow.fill(got, 1, b.NewArray(), 0, 1, new(boxes)); err != nil || !reflect.DeepEqual(got[0], want) {
		t.Errorf("Arrow: got %v, %v; want %v", got[0], err, want)
	}
	wantMark, wantPicos := markOf(want)
	if mark, picos := markOf(got[0]); mark != wantMark || picos != wantPicos {
		t.Errorf("Arrow: got mark %d and %d ps; want %d and %d", mark, picos, wantMark, wantPicos)
	}
	if text, ok := markedText(want); ok && text != sample.cell {
		t.Errorf("as text: got %s; want %s", text, sample.cell)
	} else if isTime := wantMark != noForm && wantMark != formJSON; ok != isTime {
		t.Errorf("as text: got %v; want %v", ok, isTime)
	}
	if s.end != nil {
		if _, err := s.end.parse([]byte(sample.cell)); err != nil {
			t.Errorf("the end of a RANGE: %v", err)
		}
	}

	// The Go types of arguments become the type.
	found := &bq.QueryParameterType{Type: s.name}
	if s.name == "TIMESTAMP(12)" {
		precision := int64(picosPrecision)
		found = &bq.QueryParameterType{Type: "TIMESTAMP", TimestampPrecision: &precision}
	}
	if len(sample.args) == 0 {
		t.Error("no argument")
	}
	for _, arg := range sample.args {
		a, err := encode(arg)
		if err != nil {
			t.Fatalf("%T: %v", arg, err)
		}
		typ := a.typ
		if typ == nil && a.time != nil {
			typ, _, _, err = a.resolve(found, reliance{})
		} else if typ == nil {
			typ, _, _, err = a.resolve(nil, reliance{})
		}
		if err != nil || typ.Type != found.Type {
			t.Errorf("%T: got %v, %v; want a %s", arg, typ, err, s.name)
		}
	}
	if _, isTime := want.(time.Time); isTime != (p.time != nil) && s.name != "TIME" {
		t.Errorf("values are times: %v, time.Time is encoded: %v", isTime, p.time != nil)
	}
}

// TestScalarTypesAreDocumented: the manual and the README name each type.
func TestScalarTypesAreDocumented(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"driver.go", "../README.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range scalars {
			if name := regexp.MustCompile(`(^|[^A-Z])` + regexp.QuoteMeta(s.name) + `([^A-Z(]|$)`); !name.Match(text) {
				t.Errorf("%s does not name %s", file, s.name)
			}
		}
	}
}
