package driver

import (
	"time"

	"cloud.google.com/go/civil"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	bq "google.golang.org/api/bigquery/v2"
)

// scalarType is a BigQuery type that does not consist of other types, with everything that results
// need to know about it. parameterTypes has a row of the same name for arguments.
type scalarType struct {
	kind                    // reads JSON cells
	legacy   string         // the REST schema's name, where it differs
	size     *decimalSize   // of ColumnType.DecimalSize; nil if the type has none
	arrow    arrowKind      // reads Arrow arrays
	schema   arrow.DataType // the Arrow type
	alias    [2]string      // the Storage Read API's name, and its metadata, for a type that Arrow does not have
	build    arrowBuild     // puts JSON cells into Arrow builders
	end      *rangeEnd      // reads the ends of a RANGE of this type; nil if there is no such RANGE
	examples []any          // values as [As] sees them, which show whether a Go type can hold any
}

// decimalSize is the largest precision and scale of a type.
type decimalSize struct{ precision, scale int64 }

// scalars has a row for each scalar type. RANGE, STRUCT and ARRAY consist of them.
var scalars = []scalarType{
	{
		kind:     scalarKind("INT64", parseInt, (*boxes).int),
		legacy:   "INTEGER",
		arrow:    arrowScalar(arrowInt, (*boxes).int),
		schema:   arrow.PrimitiveTypes.Int64,
		build:    buildArrow(parseInt, (*array.Int64Builder).Append),
		examples: []any{int64(1)},
	},
	{
		kind:     scalarKind("FLOAT64", parseFloat, (*boxes).float),
		legacy:   "FLOAT",
		arrow:    arrowScalar(arrowFloat, (*boxes).float),
		schema:   arrow.PrimitiveTypes.Float64,
		build:    buildArrow(parseFloat, (*array.Float64Builder).Append),
		examples: []any{1.0, 1.5},
	},
	{
		kind:     scalarKind("BOOL", parseBool, (*boxes).bool),
		legacy:   "BOOLEAN",
		arrow:    arrowScalar(arrowBool, (*boxes).bool),
		schema:   arrow.FixedWidthTypes.Boolean,
		build:    buildArrow(parseBool, (*array.BooleanBuilder).Append),
		examples: []any{true},
	},
	{
		kind:     textKind("STRING", checkString),
		arrow:    arrowTexts,
		schema:   arrow.BinaryTypes.String,
		build:    buildText,
		examples: []any{"1", "true", "2006-01-02", "2006-01-02T15:04:05", "15:04:05", "0-0 0 0:0:0"},
	},
	{
		kind:     scalarKind("BYTES", parseBytes, (*boxes).bytes),
		arrow:    arrowScalar(arrowBytes, (*boxes).bytes),
		schema:   arrow.BinaryTypes.Binary,
		build:    buildArrow(parseBytes, (*array.BinaryBuilder).Append),
		examples: []any{[]byte("1"), []byte("true")},
	},
	{
		kind:     textKind("NUMERIC", checkDecimal),
		size:     &decimalSize{numericPrecision, numericScale},
		arrow:    arrowScalar(arrowNumeric, (*boxes).string),
		schema:   &arrow.Decimal128Type{Precision: numericPrecision, Scale: numericScale},
		build:    buildDecimal128,
		examples: []any{"1", "1.5"},
	},
	{
		kind:     textKind("BIGNUMERIC", checkDecimal),
		size:     &decimalSize{bigNumericPrecision, bigNumericScale},
		arrow:    arrowScalar(arrowBignumeric, (*boxes).string),
		schema:   &arrow.Decimal256Type{Precision: bigNumericPrecision, Scale: bigNumericScale},
		build:    buildDecimal256,
		examples: []any{"1", "1.5"},
	},
	{
		kind:     scalarKind("TIMESTAMP", parseTimestamp, (*boxes).time),
		arrow:    arrowScalar(arrowTimestamp, (*boxes).time),
		schema:   &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
		build:    buildArrow(parseTimestamp, appendMicros),
		end:      &rangeEnd{parseTimestamp, func(t time.Time) any { return t }},
		examples: []any{time.Unix(0, 0)},
	},
	{
		kind:     timeKind("TIMESTAMP(12)", formPicos, parsePicos),
		size:     &decimalSize{precision: picosPrecision},
		arrow:    arrowMarked(formPicos, arrowPicos),
		schema:   arrow.BinaryTypes.String, // as 2006-01-02T15:04:05.000000000000Z
		build:    buildPicos,
		examples: []any{time.Unix(0, 0)},
	},
	{
		kind:     timeKind("DATE", formDate, withoutPicos(parseDate)),
		arrow:    arrowTimes(formDate, arrowDate),
		schema:   arrow.FixedWidthTypes.Date32,
		build:    buildArrow(parseDate, appendDay),
		end:      &rangeEnd{parseDate, func(t time.Time) any { return civil.DateOf(t) }},
		examples: []any{time.Unix(0, 0)},
	},
	{
		kind:     timeKind("DATETIME", formDatetime, withoutPicos(parseDatetime)),
		arrow:    arrowTimes(formDatetime, arrowTimestamp),
		schema:   &arrow.TimestampType{Unit: arrow.Microsecond},
		alias:    [2]string{"google:sqlType:datetime"},
		build:    buildArrow(parseDatetime, appendMicros),
		end:      &rangeEnd{parseDatetime, func(t time.Time) any { return civil.DateTimeOf(t) }},
		examples: []any{time.Unix(0, 0)},
	},
	{
		kind:     textKind("TIME", checkTime),
		arrow:    arrowScalar(arrowTime, (*boxes).string),
		schema:   arrow.FixedWidthTypes.Time64us,
		build:    buildArrow(splitTime, appendClock),
		examples: []any{"15:04:05"},
	},
	{
		kind:     textKind("INTERVAL", checkInterval),
		arrow:    arrowScalar(arrowInterval, (*boxes).string),
		schema:   arrow.FixedWidthTypes.MonthDayNanoInterval,
		build:    buildInterval,
		examples: []any{"0-0 0 0:0:0"},
	},
	{
		kind:     textKind("GEOGRAPHY", checkString),
		arrow:    arrowTexts,
		schema:   arrow.BinaryTypes.String,
		alias:    [2]string{"google:sqlType:geography", `{"encoding": "WKT"}`},
		build:    buildText,
		examples: []any{"POINT(1 1)"},
	},
	{
		kind:     jsonKind(textKind("JSON", checkString)),
		arrow:    arrowJSON,
		schema:   arrow.BinaryTypes.String,
		alias:    [2]string{"google:sqlType:json"},
		build:    buildText,
		examples: []any{"1", "true", `"a"`},
	},
}

// scalarsByName has the scalar types by their names in GoogleSQL and in REST schemas.
var scalarsByName = func() map[string]*scalarType {
	m := make(map[string]*scalarType, 2*len(scalars))
	for i := range scalars {
		m[scalars[i].name] = &scalars[i]
		if scalars[i].legacy != "" {
			m[scalars[i].legacy] = &scalars[i]
		}
	}
	return m
}()

// picosPrecision is how many digits of a second TIMESTAMP(12) has; TIMESTAMP has 6.
const picosPrecision = 12

// scalarOf returns the row of a field's type, which for a TIMESTAMP depends on its precision. It
// returns nil for RANGE, STRUCT and types that the driver does not know.
func scalarOf(f *bq.TableFieldSchema) *scalarType {
	if f.Type == "TIMESTAMP" && f.TimestampPrecision != nil && *f.TimestampPrecision == picosPrecision {
		return scalarsByName["TIMESTAMP(12)"]
	}
	return scalarsByName[f.Type]
}
