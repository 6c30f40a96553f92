package wire

import (
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestFieldTypes writes fields as columns of CREATE TABLE, and columns as fields.
func TestFieldTypes(t *testing.T) {
	t.Parallel()
	day := googlesql.Type{Kind: googlesql.Date}
	for _, tt := range []struct {
		typ  googlesql.Type
		want string
	}{
		{googlesql.Type{Kind: googlesql.Int64}, "`x` INT64"},
		{googlesql.Type{Kind: googlesql.Numeric, Precision: 10, Scale: 2}, "`x` NUMERIC(10, 2)"},
		{googlesql.Type{Kind: googlesql.BigNumeric, Precision: 40, Scale: 20}, "`x` BIGNUMERIC(40, 20)"},
		{googlesql.Type{Kind: googlesql.Timestamp}, "`x` TIMESTAMP"},
		{googlesql.Type{Kind: googlesql.TimestampPicos}, "`x` TIMESTAMP(12)"},
		{googlesql.Type{Kind: googlesql.Range, Elem: &day}, "`x` RANGE<DATE>"},
		{googlesql.Type{Kind: googlesql.Array, Elem: &googlesql.Type{Kind: googlesql.Range, Elem: &day}},
			"`x` ARRAY<RANGE<DATE>>"},
	} {
		f := FieldOf("x", tt.typ)
		if got, err := f.DDL(); err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.typ, got, err, tt.want)
		}
	}
	for _, f := range []Field{
		{Name: "x", Type: "RANGE"},
		{Name: "x", Type: "TIMESTAMP", TimestampPrecision: 9},
		{Name: "x", Type: "DATETIME", TimestampPrecision: 12},
	} {
		if got, err := f.DDL(); err == nil {
			t.Errorf("%+v: got %s; want an error", f, got)
		}
	}
}
