package fakebq

import (
	"fmt"
	"slices"
	"strings"

	bigquery "google.golang.org/api/bigquery/v2"
)

func invalidParameter(format string, args ...any) *Error {
	return &Error{Reason: "invalid", Location: "queryParameters", Message: fmt.Sprintf(format, args...)}
}

// checkParameters checks the parameters against their mode and types.
func (st *Statement) checkParameters() *Error {
	switch {
	case st.Mode != "" && st.Mode != "POSITIONAL" && st.Mode != "NAMED":
		return invalidParameter("Invalid value for parameterMode: %s", st.Mode)
	case len(st.Parameters) > 0 && st.Mode == "":
		return invalidParameter("parameterMode must be set when queryParameters are")
	}
	var names []string
	for i, p := range st.Parameters {
		name := strings.ToLower(p.Name)
		switch {
		case st.Mode == "POSITIONAL" && name != "":
			return invalidParameter("Parameter %d has the name %q in POSITIONAL mode", i+1, p.Name)
		case st.Mode == "NAMED" && name == "":
			return invalidParameter("Parameter %d has no name in NAMED mode", i+1)
		case st.Mode == "NAMED" && slices.Contains(names, name):
			return invalidParameter("Duplicate parameter name %q", p.Name)
		}
		names = append(names, name)
		if err := checkParameter(
			p.ParameterType,
			p.ParameterValue,
			"Parameter "+parameterName(p.Name, i),
		); err != nil {
			return err
		}
	}
	return nil
}

func parameterName(name string, i int) string {
	if name == "" {
		return fmt.Sprint(i + 1)
	}
	return name
}

// checkParameter checks a value against its type. An empty value is NULL.
func checkParameter(t *bigquery.QueryParameterType, v *bigquery.QueryParameterValue, what string) *Error {
	if t == nil || t.Type == "" {
		return invalidParameter("%s has no type", what)
	}
	if v == nil {
		v = &bigquery.QueryParameterValue{}
	}
	switch {
	case t.Type == "ARRAY":
		if t.ArrayType == nil {
			return invalidParameter("%s is an ARRAY without arrayType", what)
		}
		if t.ArrayType.Type == "ARRAY" {
			return invalidParameter("%s is an ARRAY of ARRAY", what)
		}
		if v.Value != "" || v.StructValues != nil {
			return invalidParameter("%s is an ARRAY and has no arrayValues", what)
		}
		for i, e := range v.ArrayValues {
			if err := checkParameter(t.ArrayType, e, fmt.Sprintf("%s[%d]", what, i)); err != nil {
				return err
			}
		}
		if len(v.ArrayValues) == 0 {
			return checkParameter(t.ArrayType, nil, what+"[]")
		}
	case t.Type == "STRUCT":
		if len(t.StructTypes) == 0 {
			return invalidParameter("%s is a STRUCT without structTypes", what)
		}
		if v.Value != "" || v.ArrayValues != nil {
			return invalidParameter("%s is a STRUCT and has no structValues", what)
		}
		for _, f := range t.StructTypes {
			var fv *bigquery.QueryParameterValue
			if x, ok := v.StructValues[f.Name]; ok {
				fv = &x
			}
			if err := checkParameter(f.Type, fv, what+"."+f.Name); err != nil {
				return err
			}
		}
	case t.Type == "RANGE":
		if t.RangeElementType == nil || !slices.Contains([]string{"DATE", "DATETIME", "TIMESTAMP"},
			t.RangeElementType.Type) {
			return invalidParameter("%s is a RANGE without a rangeElementType of DATE, DATETIME or TIMESTAMP", what)
		}
	case scalarTypes[t.Type] == nil:
		return invalidParameter("%s has the unknown type %q", what, t.Type)
	case v.ArrayValues != nil || v.StructValues != nil || v.RangeValue != nil:
		return invalidParameter("%s is a %s and has a value of another kind", what, t.Type)
	case t.TimestampPrecision != nil &&
		(t.Type != "TIMESTAMP" || *t.TimestampPrecision != 6 && *t.TimestampPrecision != 12):
		return invalidParameter("%s is a %s and has a timestampPrecision of %d", what, t.Type, *t.TimestampPrecision)
	case t.TimestampPrecision != nil && *t.TimestampPrecision == 12 && picosText.MatchString(v.Value):
	case v.Value != "" && !scalarTypes[t.Type](v.Value):
		// Positional parameters have no names.
		name := strings.TrimLeft(strings.TrimPrefix(what, "Parameter "), "0123456789")
		return &Error{Reason: "invalid", Message: fmt.Sprintf("Unparseable query parameter `%s` in type `TYPE_%s`, "+
			"Invalid value: '%s'", name, t.Type, v.Value)}
	}
	return nil
}

// undeclared returns the undeclared parameters of the statement, which a dry run reports and an
// execution refuses.
func (st *Statement) undeclared(want []Parameter) []Parameter {
	if st.Mode != "NAMED" {
		return want[min(len(st.Parameters), len(want)):]
	}
	var out []Parameter
	for _, p := range want {
		declared := func(q *bigquery.QueryParameter) bool { return strings.EqualFold(q.Name, p.Name) }
		if !slices.ContainsFunc(st.Parameters, declared) {
			out = append(out, p)
		}
	}
	return out
}

// checkDeclared compares the parameters with those in the script.
func (st *Statement) checkDeclared(want []Parameter) *Error {
	missing := st.undeclared(want)
	switch {
	case len(missing) == 0:
		return nil
	case st.Mode == "" && st.DryRun:
		return &Error{Reason: "invalidQuery", Location: "q",
			Message: "Query parameters are used but parameterMode is " +
				"not set at [1:1]"}
	case st.Mode == "POSITIONAL" && st.DryRun && len(st.Parameters) > 0:
		return &Error{Reason: "invalidQuery", Location: "q",
			Message: "Positional query parameters cannot be provided " +
				"when undeclared parameters are allowed at [1:1]"}
	case st.DryRun:
		return nil
	case missing[0].Name != "":
		return &Error{Reason: "invalidQuery", Location: "q",
			Message: fmt.Sprintf("Query parameter '%s' not found at [1:1]", missing[0].Name)}
	}
	return &Error{Reason: "invalidQuery", Location: "q",
		Message: fmt.Sprintf("Query parameter number %d is not defined (%d provided) at [1:1]", len(st.Parameters)+1,
			len(st.Parameters))}
}
