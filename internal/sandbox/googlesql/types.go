package googlesql

import (
	"fmt"
	"slices"
	"strings"
)

// String writes the type as GoogleSQL does: ARRAY<STRUCT<a INT64, b NUMERIC(10, 2)>>.
func (t Type) String() string {
	switch {
	case t.Kind == Array && t.Elem != nil:
		return "ARRAY<" + t.Elem.String() + ">"
	case t.Kind == Range && t.Elem != nil:
		return "RANGE<" + t.Elem.String() + ">"
	case t.Kind == Struct:
		var fs []string
		for _, f := range t.Fields {
			if f.Name == "" {
				fs = append(fs, f.Type.String())
			} else {
				fs = append(fs, f.Name+" "+f.Type.String())
			}
		}
		return "STRUCT<" + strings.Join(fs, ", ") + ">"
	case t.MaxLength > 0:
		return fmt.Sprintf("%s(%d)", t.Kind, t.MaxLength)
	case t.Scale > 0:
		return fmt.Sprintf("%s(%d, %d)", t.Kind, t.Precision, t.Scale)
	case t.Precision > 0:
		return fmt.Sprintf("%s(%d)", t.Kind, t.Precision)
	}
	return string(t.Kind)
}

// DuckDB returns the DuckDB type that holds values of t.
func (t Type) DuckDB() string {
	switch t.Kind {
	case Array:
		if t.Elem == nil {
			return "BIGINT[]"
		}
		return t.Elem.DuckDB() + "[]"
	case Struct:
		names := t.FieldNames()
		var fs []string
		for i, f := range t.Fields {
			fs = append(fs, quoteIdent(names[i])+" "+f.Type.DuckDB())
		}
		return "STRUCT(" + strings.Join(fs, ", ") + ")"
	}
	return duckKinds[t.Kind]
}

var duckKinds = map[Kind]string{
	"": "BIGINT", Int64: "BIGINT", Float64: "DOUBLE", Bool: "BOOLEAN", String: "VARCHAR", Bytes: "BLOB",
	Numeric: "DECIMAL(38,9)", BigNumeric: "BLOB", Range: "BLOB", TimestampPicos: "HUGEINT",
	Date: "DATE", Time: "TIME", Datetime: "TIMESTAMP", Timestamp: "TIMESTAMPTZ",
	Interval: "INTERVAL", JSON: "JSON",
}

// FieldNames returns the names of a STRUCT's fields in DuckDB, where every field needs a
// name of its own: a field without one, or with an earlier field's, is called _f and its
// number from 1.
func (t Type) FieldNames() []string {
	names := make([]string, len(t.Fields))
	seen := map[string]bool{}
	for i, f := range t.Fields {
		n := f.Name
		if n == "" || seen[strings.ToLower(n)] {
			n = fmt.Sprintf("_f%d", i+1)
		}
		seen[strings.ToLower(n)] = true
		names[i] = n
	}
	return names
}

// parameterized reports whether a type or one inside of it has parameters, such as STRING(3).
func (t Type) parameterized() bool {
	return t.Precision != 0 || t.Scale != 0 || t.MaxLength != 0 || t.Elem != nil && t.Elem.parameterized() ||
		slices.ContainsFunc(t.Fields, func(f Field) bool { return f.Type.parameterized() })
}

// bare drops the parameters of a type: an expression's type has none.
func (t Type) bare() Type {
	t.Precision, t.Scale, t.MaxLength = 0, 0, 0
	if t.Elem != nil {
		e := t.Elem.bare()
		t.Elem = &e
	}
	if t.Fields != nil {
		fs := make([]Field, len(t.Fields))
		for i, f := range t.Fields {
			fs[i] = Field{Name: f.Name, Type: f.Type.bare()}
		}
		t.Fields = fs
	}
	return t
}

// equal compares types without their parameters and the names of fields.
func (t Type) equal(u Type) bool {
	if t.Kind != u.Kind {
		return false
	}
	switch t.Kind {
	case Array, Range:
		return t.Elem != nil && u.Elem != nil && t.Elem.equal(*u.Elem)
	case Struct:
		if len(t.Fields) != len(u.Fields) {
			return false
		}
		for i := range t.Fields {
			if !t.Fields[i].Type.equal(u.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}

func (t Type) numeric() bool {
	return t.Kind == Int64 || t.Kind == Float64 || t.Kind == Numeric
}

// number reports whether a type is numeric. That includes BIGNUMERIC, whose values are
// not numbers in DuckDB.
func (t Type) number() bool { return t.numeric() || t.Kind == BigNumeric }

func arrayOf(t Type) Type { return Type{Kind: Array, Elem: &t} }

func kind(k Kind) Type { return Type{Kind: k} }

// name returns the type for an error message. A NULL literal is shown as INT64.
func (t Type) name() string {
	if t.Kind == "" {
		return "INT64"
	}
	return t.bare().String()
}
