package cells

import (
	"fmt"
	"slices"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Error is the error of a value, with BigQuery's text.
type Error string

func (e Error) Error() string { return string(e) }

// Fit checks a value from outside against its column: NULL, and the parameters of STRING(n),
// BYTES(n), NUMERIC(p, s) and BIGNUMERIC(p, s). It rounds a number with too many digits after the
// point. A value without a Type stands for the column's default, and always fits.
func Fit(c googlesql.Column, v *engine.Value) error {
	if v.Type.Kind == "" {
		return nil
	}
	if v.Null && c.Required {
		return Error(fmt.Sprintf("Missing required field: %s.", c.Name))
	}
	if err := fit(c.Type, v); err != nil {
		return Error(fmt.Sprintf("%v Field: %s", err, c.Name))
	}
	return nil
}

const errNullElement Error = "Only optional fields can be set to NULL: an ARRAY can't hold a NULL."

func fit(t googlesql.Type, v *engine.Value) error {
	switch {
	case v.Null:
		return nil
	case t.Kind == googlesql.Array:
		for i := range v.Elems {
			if v.Elems[i].Null {
				return errNullElement
			}
			if err := fit(*t.Elem, &v.Elems[i]); err != nil {
				return err
			}
		}
	case t.Kind == googlesql.Struct:
		for i, f := range t.Fields {
			if err := fit(f.Type, &v.Elems[i]); err != nil {
				return err
			}
		}
	case t.Kind == googlesql.Numeric && t.Precision > 0:
		got, err := fitDecimal("bq_numeric_fit", builtin.Value{Dec: v.Decimal.Big()}, t)
		if err != nil {
			return err
		}
		v.Decimal, _ = engine.Int128FromBig(got.Dec) // it is smaller than before
	case t.Kind == googlesql.BigNumeric && t.Precision > 0:
		d := builtin.Value{Dec: builtin.DecodeBigNumeric([]byte(v.Text))}
		got, err := fitDecimal("bq_bignumeric_fit", d, t)
		if err != nil {
			return err
		}
		v.Text = builtin.EncodeBigNumeric(got.Dec)
	case (t.Kind == googlesql.String || t.Kind == googlesql.Bytes) && t.MaxLength > 0:
		return fitText(t, v.Text)
	}
	return nil
}

// function calls a function of package builtin, whose errors are BigQuery's.
func function(name string) func([]builtin.Value) (builtin.Value, error) {
	i := slices.IndexFunc(builtin.Functions, func(f builtin.Function) bool { return f.Name == name })
	return func(args []builtin.Value) (builtin.Value, error) {
		v, err := builtin.Functions[i].Call(args)
		if err != nil {
			if text, ok := builtin.Message(err.Error()); ok {
				err = Error(text + ".")
			}
		}
		return v, err
	}
}

func fitDecimal(name string, d builtin.Value, t googlesql.Type) (builtin.Value, error) {
	return function(name)([]builtin.Value{d, {Int: int64(t.Precision)}, {Int: int64(t.Scale)}})
}

func fitText(t googlesql.Type, text string) error {
	name := map[googlesql.Kind]string{googlesql.String: "bq_fit_string", googlesql.Bytes: "bq_fit_bytes"}[t.Kind]
	_, err := function(name)([]builtin.Value{{Text: text}, {Int: int64(t.MaxLength)}, {Text: t.String()}})
	return err
}
