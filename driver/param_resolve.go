package driver

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	bq "google.golang.org/api/bigquery/v2"
)

// reliance says how far to trust the type that BigQuery finds for a slot over the Go type.
type reliance struct {
	refused bool    // BigQuery has refused the statement with the Go types
	use     slotUse // how the slot is used
}

// conversion is a pair of types: values of type from are sent as type to, if BigQuery finds to and
// does not accept from.
type conversion struct {
	from, to string
	// at is the least use of a slot for the conversion. If the use is less than that, the
	// conversion applies only after BigQuery has refused the type from.
	at slotUse
	// text converts the text of a value. It returns false if it can't.
	text func(string) (string, bool)
}

// conversions has the types whose values Go programs hold as text, []byte or float64. Those from
// STRING are to types that BigQuery does not coerce a STRING parameter to.
var conversions = []conversion{
	{"STRING", "NUMERIC", usedFreely, sameText},
	{"STRING", "BIGNUMERIC", usedFreely, sameText},
	{"STRING", "INTERVAL", usedFreely, sameText},
	{"STRING", "GEOGRAPHY", usedFreely, sameText},
	{"STRING", "JSON", usedFreely, sameText},
	{"BYTES", "STRING", usedCompared, textOfBytes},
	{"BYTES", "JSON", usedCompared, textOfBytes},
	{"JSON", "STRING", usedCompared, sameText},
	{"FLOAT64", "NUMERIC", usedAssigned, plainDecimal},
	{"FLOAT64", "BIGNUMERIC", usedAssigned, plainDecimal},
}

func sameText(text string) (string, bool) { return text, true }

func textOfBytes(text string) (string, bool) {
	b, err := base64.StdEncoding.DecodeString(text)
	return string(b), err == nil && utf8.Valid(b)
}

// plainDecimal writes a FLOAT64 with the fewest digits that determine it, without an exponent.
func plainDecimal(text string) (string, bool) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return "", false
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true
}

// allowed reports whether the conversion may be used.
func (c *conversion) allowed(t reliance) bool { return t.refused || t.use >= c.at }

// isConvertible reports whether values of a type, or parts of them, can be sent as another type.
func isConvertible(t *bq.QueryParameterType) bool {
	switch t.Type {
	case "ARRAY":
		return isConvertible(t.ArrayType)
	case "STRUCT":
		return slices.ContainsFunc(t.StructTypes, func(f *bq.QueryParameterTypeStructTypes) bool {
			return isConvertible(f.Type)
		})
	}
	return slices.ContainsFunc(conversions, func(c conversion) bool { return c.from == t.Type })
}

// resolve returns the type and value of an argument, given the type that BigQuery found. It also
// reports whether the type is in doubt.
func (a *argument) resolve(
	found *bq.QueryParameterType,
	t reliance,
) (typ *bq.QueryParameterType, value *bq.QueryParameterValue, doubt bool, err error) {
	typ, value = a.typ, a.value
	switch {
	case typ == nil:
		s := settling{word: t.refused || t.use != usedFreely}
		if typ = s.settle(a.shape, found, a.fallback); !isWhole(typ) {
			return nil, nil, false, errUntyped
		}
		if value, err = a.valueAs(typ); err != nil {
			return nil, nil, false, err
		}
		doubt = s.doubt && !s.word
	case a.isNull() && isWhole(found):
		if t.refused || t.use != usedFreely || t.convert(typ.Type, found.Type) != nil {
			typ = found
		}
		return typ, value, false, nil
	}
	if to := t.retype(typ, found); to != typ {
		if converted, ok := convert(value, typ, to); ok {
			return to, converted, doubt, nil
		}
	}
	return typ, value, doubt, nil
}

var errUntyped = errors.New(
	"BigQuery found no type for this NULL: pass one with a Go type, such as sql.NullString{} " +
		"or (*string)(nil), or write CAST(? AS type)",
)

// convert returns the allowed conversion between two types; nil if there is none.
func (t reliance) convert(from, to string) *conversion {
	for i := range conversions {
		if c := &conversions[i]; c.from == from && c.to == to && c.allowed(t) {
			return c
		}
	}
	return nil
}

// retype returns the type to convert the values to: own itself if there is nothing to convert.
func (t reliance) retype(own, found *bq.QueryParameterType) *bq.QueryParameterType {
	switch {
	case found == nil || own.Type == found.Type && own.Type != "ARRAY" && own.Type != "STRUCT":
		return own
	case own.Type == "ARRAY":
		if elem := t.nested().retype(own.ArrayType, elementOf(found)); elem != own.ArrayType {
			return arrayOf(elem)
		}
		return own
	case own.Type == "STRUCT":
		out, _ := withFields(own, func(i int) (*bq.QueryParameterType, error) {
			return t.nested().retype(own.StructTypes[i].Type, fieldOf(found, i, len(own.StructTypes))), nil
		})
		return out
	case t.convert(own.Type, found.Type) != nil:
		return found
	}
	return own
}

// nested returns the reliance for the parts of an ARRAY or a STRUCT.
func (t reliance) nested() reliance {
	if t.use == usedFreely && !t.refused {
		return reliance{use: usedNested}
	}
	return t
}

// convert converts a value. It returns false if a part of it can't be converted.
func convert(v *bq.QueryParameterValue, from, to *bq.QueryParameterType) (*bq.QueryParameterValue, bool) {
	if from == to || slices.Contains(v.NullFields, "Value") {
		return v, true
	}
	out := *v
	switch from.Type {
	case "ARRAY":
		out.ArrayValues = make([]*bq.QueryParameterValue, len(v.ArrayValues))
		for i, e := range v.ArrayValues {
			var ok bool
			if out.ArrayValues[i], ok = convert(e, from.ArrayType, to.ArrayType); !ok {
				return nil, false
			}
		}
		return &out, true
	case "STRUCT":
		out.StructValues = make(map[string]bq.QueryParameterValue, len(v.StructValues))
		for i, f := range from.StructTypes {
			field := v.StructValues[f.Name]
			converted, ok := convert(&field, f.Type, to.StructTypes[i].Type)
			if !ok {
				return nil, false
			}
			out.StructValues[f.Name] = *converted
		}
		return &out, true
	}
	c := reliance{refused: true}.convert(from.Type, to.Type)
	if c == nil {
		return nil, false
	}
	var ok bool
	out.Value, ok = c.text(v.Value)
	return &out, ok
}
