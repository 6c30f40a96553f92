package engine

import "github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"

// Value is value i of the vector, to be bound as a parameter.
func (v *Vector) Value(i int) Value {
	out := Value{Type: v.Type, Null: v.Null(i)}
	if out.Null {
		return out
	}
	switch v.Type.Kind {
	case googlesql.Float64:
		out.Float = v.Floats[i]
	case googlesql.Bool:
		out.Bool = v.Bools[i]
	case googlesql.Numeric, googlesql.TimestampPicos:
		out.Decimal = v.Decimals[i]
	case googlesql.Interval:
		out.Interval = v.Intervals[i]
	case googlesql.String, googlesql.Bytes, googlesql.JSON, googlesql.BigNumeric, googlesql.Range:
		out.Text = string(v.Bytes(i))
	case googlesql.Array:
		for k := v.Offsets[i]; k < v.Offsets[i+1]; k++ {
			out.Elems = append(out.Elems, v.Elem.Value(int(k)))
		}
	case googlesql.Struct:
		for _, f := range v.Fields {
			out.Elems = append(out.Elems, f.Value(i))
		}
	default:
		out.Int = v.Ints[i]
	}
	return out
}
