package bundialect

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/civil"
	"github.com/google/uuid"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	bqdriver "github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
	"github.com/bigqueryuser/bigqueryuser/internal/rowkey"
)

// defaults are functions in the tags of models for other databases.
var defaults = map[string]string{
	"now()": "CURRENT_TIMESTAMP()", "current_timestamp": "CURRENT_TIMESTAMP()",
	"gen_random_uuid()": "GENERATE_UUID()", "uuid_generate_v4()": "GENERATE_UUID()",
}

func (d *Dialect) onField(f *schema.Field) {
	t := typeOf(f)
	f.DiscoveredSQLType, f.UserSQLType, f.CreateTableSQLType = t, t, t
	if known, ok := defaults[strings.ToLower(f.SQLDefault)]; ok {
		f.SQLDefault = known
	}
	if f.SQLDefault != "" {
		d.defaults.Store(f, f.SQLDefault)
	}
	setCodec(f, columntype.Base(t))
	setKey(f)
	if f.NotNull {
		appendDDL(f, " NOT NULL")
		f.NotNull = false
	}
}

// defaultOf returns the expression of a column's default, without what OnTable appends to it.
func defaultOf(d schema.Dialect, f *schema.Field) (string, bool) {
	own, ok := d.(*Dialect)
	if !ok {
		return "", false
	}
	def, ok := own.defaults.Load(f)
	if !ok {
		return "", false
	}
	return def.(string), true
}

// typeOf returns the type of a field's column.
func typeOf(f *schema.Field) string {
	t := columntype.Element(f.StructField.Type)
	user := f.UserSQLType
	switch {
	case f.Tag.HasOption("msgpack"):
		return "BYTES"
	case f.Tag.HasOption("array") && user == "", strings.EqualFold(user, "ARRAY"), strings.EqualFold(user, "STRUCT"):
		if name, err := columntype.Of(t); err == nil {
			return name
		}
	case user != "":
		return columntype.Canonical(user)
	}
	if name := columntype.Named(t); name != "" {
		return name
	}
	if isJSON(t) {
		return "JSON"
	}
	name := columntype.Canonical(schema.DiscoverSQLType(t))
	if name == "" && (t.Implements(valuerType) || reflect.PointerTo(t).Implements(valuerType)) {
		return "STRING" // such as a uuid.UUID, an array that makes text of itself
	}
	return name
}

// isJSON reports whether bun writes values of a type as JSON.
func isJSON(t reflect.Type) bool {
	if t.Implements(valuerType) || reflect.PointerTo(t).Implements(valuerType) || t.Implements(appenderType) {
		return false
	}
	switch t.Kind() {
	case reflect.Map, reflect.Struct:
		return true
	case reflect.Slice, reflect.Array:
		return t.Elem().Kind() != reflect.Uint8
	}
	return false
}

var (
	valuerType   = reflect.TypeFor[driver.Valuer]()
	appenderType = reflect.TypeFor[schema.QueryAppender]() // what writes itself, such as a bun.NullTime
)

// setCodec sets how a field is written and read, if bun's own way does not suit the type of the
// column.
func setCodec(f *schema.Field, kind string) {
	if f.Tag.HasOption("msgpack") {
		f.Append = packedAppender(f.Append)
		return
	}
	t := columntype.Element(f.StructField.Type)
	switch kind {
	case "ARRAY", "STRUCT":
		f.Append, f.Scan = appendLiteral, scanAs
		return
	case "JSON":
		switch {
		case t == reflect.TypeFor[json.RawMessage]():
			f.Append = appendLiteral
		case columntype.HasFlag(t): // bigquery.NullJSON
			f.Append, f.Scan = appendLiteral, scanAs
		case t.Implements(valuerType), reflect.PointerTo(t).Implements(valuerType), t.Kind() == reflect.String,
			t == reflect.TypeFor[[]byte]():
			f.Append = appendTyped(kind) // it writes its own text
		}
		return
	case "RANGE", "INTERVAL", "GEOGRAPHY":
		if t.Kind() == reflect.String {
			f.Append = appendTyped(kind)
			return
		}
	case "DATE", "DATETIME", "TIME":
		if t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[schema.NullTime]() {
			f.Append = schemaAppender(f, appendCivil(kind))
			return
		}
	}
	if columntype.Named(t) != "" && t != reflect.TypeFor[time.Time]() && t != reflect.TypeFor[json.RawMessage]() {
		f.Append, f.Scan = appendLiteral, scanAs
		if t == reflect.TypeFor[big.Int]() {
			f.Append = appendTyped(kind) // an INT64 or a NUMERIC takes no BIGNUMERIC
		}
		return
	}
	if k := t.Kind(); k == reflect.Float32 || k == reflect.Float64 {
		f.Append = appendLiteral // NaN and the infinities are literals, not strings
	}
	switch {
	case kind == "NUMERIC" || kind == "BIGNUMERIC":
		f.Append = appendTyped(kind)
	case t != f.IndirectType: // sql.Null[T]
		f.Append = appendLiteral
	}
}

// appendLiteral writes a value as package literal does.
func appendLiteral(gen schema.QueryGen, b []byte, v reflect.Value) []byte {
	text, _ := value{v.Interface()}.AppendQuery(gen, b) // an error stands in the text
	return text
}

// appendTyped appends text, or the text of a Valuer, as a value of a type.
func appendTyped(kind string) schema.AppenderFunc {
	return func(gen schema.QueryGen, b []byte, v reflect.Value) []byte {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return dialect.AppendNull(b)
			}
			v = v.Elem()
		}
		value := v.Interface()
		if v.CanAddr() && !v.Type().Implements(valuerType) && v.Addr().Type().Implements(valuerType) {
			value = v.Addr().Interface()
		}
		if valuer, ok := value.(driver.Valuer); ok {
			var err error
			if value, err = valuer.Value(); err != nil {
				return dialect.AppendError(b, err)
			}
		}
		if n, ok := value.(big.Int); ok {
			value = n.String()
		}
		switch rv := reflect.ValueOf(value); {
		case kind == "JSON" && rv.IsValid() && rv.Type() == reflect.TypeFor[[]byte]():
			value = literal.Typed{Type: kind, Text: string(rv.Bytes())}
		case rv.Kind() == reflect.String:
			value = literal.Typed{Type: kind, Text: rv.String()}
		case rv.IsValid() && rv.CanFloat():
			value = literal.Typed{Type: kind, Text: strconv.FormatFloat(rv.Float(), 'f', -1, 64)}
		}
		return appendLiteral(gen, b, reflect.ValueOf(&value).Elem())
	}
}

// packedAppender makes BYTES of what bun writes for msgpack, the hexadecimal text that PostgreSQL takes for bytes.
func packedAppender(next schema.AppenderFunc) schema.AppenderFunc {
	return func(gen schema.QueryGen, b []byte, v reflect.Value) []byte {
		text := string(next(gen, nil, v))
		digits, packed := strings.CutPrefix(text, `'\x`)
		if p, err := hex.DecodeString(strings.TrimSuffix(digits, "'")); packed && err == nil {
			return literal.Bytes(b, p)
		}
		return append(b, text...)
	}
}

// schemaAppender follows pointers, sql.Null[T], sql.NullTime and bun.NullTime to a time.
func schemaAppender(f *schema.Field, to func([]byte, time.Time) []byte) schema.AppenderFunc {
	return func(_ schema.QueryGen, b []byte, v reflect.Value) []byte {
		for v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return dialect.AppendNull(b)
			}
			v = v.Elem()
		}
		switch t := v.Interface().(type) {
		case time.Time:
			return to(b, t)
		case schema.NullTime:
			if t.IsZero() {
				return dialect.AppendNull(b)
			}
			return to(b, t.Time)
		}
		if !v.FieldByName("Valid").Bool() {
			return dialect.AppendNull(b)
		}
		return to(b, v.Field(0).Interface().(time.Time))
	}
}

// appendCivil appends the wall-clock time of a time in its own location.
func appendCivil(kind string) func([]byte, time.Time) []byte {
	return func(b []byte, t time.Time) []byte {
		var v any
		switch kind {
		case "DATE":
			v = civil.DateOf(t)
		case "DATETIME":
			v = civil.DateTimeOf(t)
		default:
			v = civil.TimeOf(t)
		}
		return appendLiteral(schema.QueryGen{}, b, reflect.ValueOf(v))
	}
}

// scanAs decodes a value as driver.As does.
func scanAs(dest reflect.Value, src any) error {
	if src == nil {
		dest.SetZero()
		return nil
	}
	return bqdriver.As(dest.Addr().Interface()).Scan(src)
}

// setKey sets a key that another database would generate, because BigQuery's INSERT returns
// nothing. The model has the key afterwards.
func setKey(f *schema.Field) {
	kind := f.IndirectType.Kind()
	switch {
	case f.AutoIncrement && (kind == reflect.Int64 || kind == reflect.Int || kind == reflect.Uint64 ||
		kind == reflect.Uint):
		f.Append = keyAppender(f.Append, func(v reflect.Value) {
			if v.CanInt() {
				v.SetInt(rowkey.Int64())
			} else {
				v.SetUint(uint64(rowkey.Int64()))
			}
		})
	case f.IsPK && f.SQLDefault == "GENERATE_UUID()" && kind == reflect.String:
		f.Append = keyAppender(f.Append, func(v reflect.Value) { v.SetString(uuid.Must(uuid.NewV7()).String()) })
	case f.IsPK && f.SQLDefault == "GENERATE_UUID()" && f.IndirectType == reflect.TypeFor[uuid.UUID]():
		f.Append = keyAppender(f.Append, func(v reflect.Value) { v.Set(reflect.ValueOf(uuid.Must(uuid.NewV7()))) })
	default:
		return
	}
	if f.SQLDefault != "" { // CREATE TABLE has the default, INSERT the key
		f.CreateTableSQLType += " DEFAULT " + f.SQLDefault
		f.SQLDefault = ""
	}
	f.AutoIncrement, f.NullZero = false, false
}

func keyAppender(next schema.AppenderFunc, set func(reflect.Value)) schema.AppenderFunc {
	return func(gen schema.QueryGen, b []byte, v reflect.Value) []byte {
		if v.IsZero() && v.CanSet() && v.Kind() != reflect.Pointer {
			set(v)
		}
		return next(gen, b, v)
	}
}
