package driver_test

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/civil"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// canonicalValue is the text of canonical for a value that the driver gave for a column.
func canonicalValue(f recordedField, v reflect.Value, repeated bool) string {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			return "NULL"
		}
		return canonicalValue(f, v.Elem(), repeated)
	case reflect.Struct:
		if valid := v.FieldByName("Valid"); valid.IsValid() && v.NumField() == 2 { // sql.Null
			if !valid.Bool() {
				return "NULL"
			}
			return canonicalValue(f, v.Field(0), repeated)
		}
	}
	var parts []string
	if repeated {
		for i := range v.Len() {
			parts = append(parts, canonicalValue(f, v.Index(i), false))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	if f.Type == "RECORD" {
		fields := v
		if s, ok := v.Interface().(driver.Struct); ok {
			fields = reflect.ValueOf(s.Fields)
		}
		for i, inner := range f.Fields {
			if fields.Kind() == reflect.Slice {
				parts = append(parts, canonicalValue(inner, fields.Index(i).FieldByName("Value"),
					inner.Mode == "REPEATED"))
			} else {
				parts = append(parts, canonicalValue(inner, fields.Field(i), inner.Mode == "REPEATED"))
			}
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	switch x := v.Interface().(type) {
	case []byte:
		if x == nil {
			return "NULL"
		}
		return fmt.Sprintf("%x", x)
	case time.Time:
		if f.Type == "TIMESTAMP" {
			return fmt.Sprint(x.UnixMicro())
		}
		return x.Format("2006-01-02T15:04:05.000000")
	case civil.Date:
		return x.String() + "T00:00:00.000000"
	case civil.DateTime:
		return x.Date.String() + "T" + clock(x.Time)
	case civil.Time:
		return clock(x)
	case string:
		if f.Type == "TIME" {
			if at, err := civil.ParseTime(x); err == nil {
				return clock(at)
			}
		}
		return fmt.Sprintf("%q", x)
	}
	return fmt.Sprint(v.Interface())
}

func clock(x civil.Time) string {
	return fmt.Sprintf("%02d:%02d:%02d.%06d", x.Hour, x.Minute, x.Second, x.Nanosecond/1000)
}

// recordedParam is a query parameter as it was sent.
type recordedParam struct {
	Name           string
	ParameterType  recordedType
	ParameterValue recordedValue
}

type recordedType struct {
	Type        string
	ArrayType   *recordedType
	StructTypes []struct {
		Name string
		Type recordedType
	}
}

type recordedValue struct {
	Value        *string
	ArrayValues  []recordedValue
	StructValues map[string]recordedValue
}

// goTypes are what programs have for types of parameters.
var goTypes = map[string]reflect.Type{
	"INT64": reflect.TypeFor[int64](), "FLOAT64": reflect.TypeFor[float64](), "NUMERIC": reflect.TypeFor[*big.Rat](),
	"BOOL": reflect.TypeFor[bool](), "STRING": reflect.TypeFor[string](), "BYTES": reflect.TypeFor[[]byte](),
	"TIMESTAMP": reflect.TypeFor[time.Time](), "DATETIME": reflect.TypeFor[civil.DateTime](),
	"DATE": reflect.TypeFor[civil.Date](), "TIME": reflect.TypeFor[civil.Time](),
}

// goType is the Go type of a parameter. NULLs are nil pointers.
func (p recordedType) goType(t testing.TB, v recordedValue) reflect.Type {
	t.Helper()
	switch p.Type {
	case "ARRAY":
		first := recordedValue{Value: new("")}
		if len(v.ArrayValues) > 0 {
			first = v.ArrayValues[0]
		} else if p.ArrayType.Type == "STRUCT" {
			first.StructValues = map[string]recordedValue{}
		}
		return reflect.SliceOf(p.ArrayType.goType(t, first))
	case "STRUCT":
		var fields []reflect.StructField
		for _, f := range p.StructTypes {
			fields = append(fields, reflect.StructField{Name: f.Name, Type: f.Type.goType(t, v.StructValues[f.Name])})
		}
		typ := reflect.StructOf(fields)
		if v.StructValues == nil {
			return reflect.PointerTo(typ)
		}
		return typ
	}
	typ := goTypes[p.Type]
	if typ == nil {
		t.Fatalf("unknown type %s", p.Type)
	}
	if v.Value == nil && typ.Kind() != reflect.Pointer && typ.Kind() != reflect.Slice {
		return reflect.PointerTo(typ)
	}
	return typ
}

// goValue is a Go value that stands for the parameter.
func (p recordedType) goValue(t testing.TB, v recordedValue) reflect.Value {
	t.Helper()
	out := reflect.New(p.goType(t, v)).Elem()
	switch {
	case p.Type == "ARRAY":
		for _, e := range v.ArrayValues {
			out.Set(reflect.Append(out, p.ArrayType.goValue(t, e)))
		}
	case p.Type == "STRUCT":
		for i, f := range p.StructTypes {
			if v.StructValues != nil {
				out.Field(i).Set(f.Type.goValue(t, v.StructValues[f.Name]))
			}
		}
	case v.Value != nil:
		out.Set(reflect.ValueOf(p.parse(t, *v.Value)))
	}
	return out
}

func (p recordedType) parse(t testing.TB, text string) (out any) {
	t.Helper()
	var err error
	switch p.Type {
	case "INT64":
		out, err = strconv.ParseInt(text, 10, 64)
	case "FLOAT64":
		out, err = strconv.ParseFloat(text, 64)
	case "NUMERIC":
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("the NUMERIC %q is no number", text)
		}
		out = r
	case "BOOL":
		out, err = strconv.ParseBool(text)
	case "BYTES":
		out, err = base64.StdEncoding.DecodeString(text)
	case "TIMESTAMP":
		var at time.Time
		at, err = time.Parse("2006-01-02 15:04:05.999999-07:00", text)
		out = at.UTC()
	case "DATETIME":
		out, err = civil.ParseDateTime(strings.Replace(text, " ", "T", 1))
	case "DATE":
		out, err = civil.ParseDate(text)
	case "TIME":
		out, err = civil.ParseTime(text)
	default:
		out = text
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestRecordedArguments compares the parameters of the recorded requests with what the driver sends for the same
// Go values. Texts of times may differ in what BigQuery reads alike.
func TestRecordedArguments(t *testing.T) {
	t.Parallel()
	n := 0
	for _, job := range recordedJobs(t) {
		if job.Params == nil {
			continue
		}
		n++
		t.Run(fmt.Sprintf("%d %s", n, job.SQL), func(t *testing.T) {
			t.Parallel()
			r := &replay{t: t, job: job}
			db := sql.OpenDB(recordedConnector(t, r.serve(t), false))
			defer db.Close()
			rows, err := db.QueryContext(t.Context(), job.SQL, recordedArgs(t, job)...)
			if err != nil {
				t.Fatal(err)
			}
			rows.Close()
			sent, _ := r.params.Load().(json.RawMessage)
			got, want := decodeParams(t, sent), decodeParams(t, job.Params)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("sent\n%s; the recording has\n%s", sent, job.Params)
			}
		})
	}
	if n < 10 {
		t.Errorf("got %d recorded requests with parameters; want 10 at least", n)
	}
}

// decodeParams reads parameters and brings texts to one form.
func decodeParams(t testing.TB, text []byte) []recordedParam {
	t.Helper()
	var params []recordedParam
	if err := json.Unmarshal(text, &params); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	for i := range params {
		params[i].ParameterValue.normalise(params[i].ParameterType)
	}
	return params
}

func (v *recordedValue) normalise(typ recordedType) {
	switch {
	case typ.Type == "ARRAY":
		for i := range v.ArrayValues {
			v.ArrayValues[i].normalise(*typ.ArrayType)
		}
		if len(v.ArrayValues) == 0 {
			v.ArrayValues = nil // BigQuery has no NULL arrays: none is an empty one
		}
	case typ.Type == "STRUCT":
		for _, f := range typ.StructTypes {
			if e, ok := v.StructValues[f.Name]; ok {
				e.normalise(f.Type)
				v.StructValues[f.Name] = e
			}
		}
	case v.Value == nil:
	case typ.Type == "NUMERIC":
		if r, ok := new(big.Rat).SetString(*v.Value); ok {
			*v.Value = r.FloatString(9)
		}
	case typ.Type == "TIMESTAMP":
		for _, layout := range []string{"2006-01-02 15:04:05.999999-07:00", time.RFC3339Nano} {
			if at, err := time.Parse(layout, *v.Value); err == nil {
				*v.Value = at.UTC().Format(time.RFC3339Nano)
				return
			}
		}
	case typ.Type == "DATETIME":
		*v.Value = strings.Replace(*v.Value, " ", "T", 1)
	}
}
