package jobs

import (
	"strconv"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/apierror"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/cells"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/wire"
)

// decodeParams reads the declared parameters of a request.
func decodeParams(in []wire.QueryParameter) ([]googlesql.Param, []engine.Value, *apierror.Error) {
	var params []googlesql.Param
	var values []engine.Value
	for i, p := range in {
		name := p.Name
		if name == "" {
			name = strconv.Itoa(i + 1)
		}
		if p.Type == nil {
			return nil, nil, apierror.Errorf("invalid", "Query parameter %s has no parameterType.", name)
		}
		typ, err := typeOf(p.Type, name)
		if err != nil {
			return nil, nil, err
		}
		value := engine.Value{Type: typ, Null: true}
		if p.Value != nil {
			if value, err = valueOf(p.Value, typ, name); err != nil {
				return nil, nil, err
			}
		}
		params = append(params, googlesql.Param{Name: p.Name, Type: typ})
		values = append(values, value)
	}
	return params, values, nil
}

// typeOf reads the type of a parameter.
func typeOf(t *wire.ParameterType, name string) (googlesql.Type, *apierror.Error) {
	kind := wire.KindOf(t.Type)
	if kind == "" {
		return googlesql.Type{}, apierror.Errorf("invalid", "Query parameter %s has the type %q, which the sandbox "+
			"does not know.", name, t.Type)
	}
	switch p := t.TimestampPrecision; {
	case p == 12 && kind == googlesql.Timestamp:
		kind = googlesql.TimestampPicos
	case p != 0 && (p != 6 || kind != googlesql.Timestamp):
		return googlesql.Type{}, apierror.Errorf("invalid", "Query parameter %s of type %s has a timestampPrecision "+
			"of %d.", name, t.Type, p)
	}
	out := googlesql.Type{Kind: kind}
	switch kind {
	case googlesql.Array:
		if t.ArrayType == nil {
			return out, apierror.Errorf("invalid", "Query parameter %s is an ARRAY without arrayType.", name)
		}
		elem, err := typeOf(t.ArrayType, name)
		if err != nil {
			return out, err
		}
		if elem.Kind == googlesql.Array {
			return out, apierror.Errorf("invalid", "Query parameter %s is an ARRAY of ARRAYs, which GoogleSQL does "+
				"not have.", name)
		}
		out.Elem = &elem
	case googlesql.Range:
		if t.RangeElementType == nil {
			return out, apierror.Errorf("invalid", "Query parameter %s is a RANGE without rangeElementType.", name)
		}
		elem, err := typeOf(t.RangeElementType, name)
		if err != nil {
			return out, err
		}
		switch elem.Kind {
		case googlesql.Date, googlesql.Datetime, googlesql.Timestamp:
		default:
			return out, apierror.Errorf("invalid", "Query parameter %s is a RANGE of %s, which GoogleSQL does not "+
				"have.", name, elem)
		}
		out.Elem = &elem
	case googlesql.Struct:
		for _, f := range t.StructTypes {
			typ, err := typeOf(&f.Type, name+"."+f.Name)
			if err != nil {
				return out, err
			}
			out.Fields = append(out.Fields, googlesql.Field{Name: f.Name, Type: typ})
		}
	}
	return out, nil
}

// encodeType is the inverse of typeOf.
func encodeType(t googlesql.Type) *wire.ParameterType {
	out := &wire.ParameterType{Type: string(t.Kind)}
	if t.Kind == googlesql.Array {
		out.ArrayType = encodeType(*t.Elem)
	}
	if t.Kind == googlesql.TimestampPicos {
		out.Type, out.TimestampPrecision = string(googlesql.Timestamp), 12
	}
	if t.Kind == googlesql.Range {
		out.RangeElementType = encodeType(*t.Elem)
	}
	for _, f := range t.Fields {
		out.StructTypes = append(out.StructTypes, wire.ParameterField{Name: f.Name, Type: *encodeType(f.Type)})
	}
	return out
}

// valueOf reads the value of a parameter of a type.
func valueOf(v *wire.ParameterValue, t googlesql.Type, name string) (engine.Value, *apierror.Error) {
	out := engine.Value{Type: t}
	switch t.Kind {
	case googlesql.Array:
		// A NULL array and an empty one look the same here.
		for i := range v.ArrayValues {
			elem, err := valueOf(&v.ArrayValues[i], *t.Elem, name)
			if err != nil {
				return out, err
			}
			out.Elems = append(out.Elems, elem)
		}
		return out, nil
	case googlesql.Struct:
		if v.StructValues == nil {
			out.Null = true
			return out, nil
		}
		for _, f := range t.Fields {
			field := v.StructValues[f.Name]
			elem, err := valueOf(&field, f.Type, name+"."+f.Name)
			if err != nil {
				return out, err
			}
			out.Elems = append(out.Elems, elem)
		}
		return out, nil
	}
	if t.Kind == googlesql.Range && v.RangeValue != nil {
		return rangeOf(v.RangeValue, t, name)
	}
	if v.Value == nil {
		out.Null = true
		return out, nil
	}
	if !cells.Scan(&out, string(*v.Value)) {
		return out, apierror.Errorf("invalid", "Invalid value for query parameter %s of type %s: %q", name, t.Kind,
			*v.Value)
	}
	return out, nil
}

// rangeOf reads the ends of a RANGE.
func rangeOf(r *wire.RangeValue, t googlesql.Type, name string) (engine.Value, *apierror.Error) {
	out := engine.Value{Type: t}
	var ends [2]*int64
	for i, v := range []*wire.ParameterValue{r.Start, r.End} {
		if v == nil || v.Value == nil {
			continue
		}
		end, err := valueOf(v, *t.Elem, name)
		if err != nil {
			return out, err
		}
		ends[i] = &end.Int
	}
	made, err := builtin.MakeRange(ends[0], ends[1], string(t.Elem.Kind))
	if err != nil {
		text, _ := builtin.Message(err.Error())
		return out, apierror.Errorf("invalid", "Invalid value for query parameter %s: %s", name, text)
	}
	out.Text = made.Encode()
	return out, nil
}
