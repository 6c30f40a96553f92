package driver

import (
	"math"
	"testing"
)

// TestStructJSON: fields keep their order and their names, and numbers that JSON does not have
// are text.
func TestStructJSON(t *testing.T) {
	t.Parallel()
	s := Struct{
		Fields: []StructField{
			{"b", math.NaN()},
			{"a", []float64{1, math.Inf(1), math.Inf(-1)}},
			{"a", nil},
			{"", Struct{Fields: []StructField{{"x", []Struct{{}}}}}},
		},
	}
	if got, want := s.String(), `{"b":"NaN","a":[1,"Infinity","-Infinity"],"a":null,"":{"x":[{}]}}`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if v, ok := s.Get("c"); v != nil || ok {
		t.Errorf("got %v, %v; want nothing", v, ok)
	}
	bad := Struct{Fields: []StructField{{"c", make(chan int)}}}
	if got := bad.String(); got != "STRUCT: json: unsupported type: chan int" {
		t.Errorf("got %s", got)
	}
}
