package driver

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	bq "google.golang.org/api/bigquery/v2"
)

// ArrowType is the key in the metadata of a field of [QueryArrow]'s schema whose value is the field's type in
// GoogleSQL, such as NUMERIC(10, 2) or ARRAY<STRUCT<a INT64>>. The Arrow types are those of the Storage Read API:
// int64, double, bool, utf8 (STRING, GEOGRAPHY, JSON, TIMESTAMP(12)), binary, decimal128 (NUMERIC) and decimal256 (BIGNUMERIC) with
// the declared precision and scale, timestamp[us, UTC] (TIMESTAMP), timestamp[us] (DATETIME), date32, time64[us],
// month_day_nano (INTERVAL), list (ARRAY), and struct (STRUCT; RANGE, with the fields start and end).
const ArrowType = "bigquery:type"

// arrowScalars are the scalar types in Arrow.
var arrowScalars = map[string]arrow.DataType{
	"INT64":      arrow.PrimitiveTypes.Int64,
	"FLOAT64":    arrow.PrimitiveTypes.Float64,
	"BOOL":       arrow.FixedWidthTypes.Boolean,
	"STRING":     arrow.BinaryTypes.String,
	"BYTES":      arrow.BinaryTypes.Binary,
	"NUMERIC":    &arrow.Decimal128Type{Precision: 38, Scale: numericScale},
	"BIGNUMERIC": &arrow.Decimal256Type{Precision: 76, Scale: bigNumericScale},
	"TIMESTAMP":  &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
	"DATETIME":   &arrow.TimestampType{Unit: arrow.Microsecond},
	"DATE":       arrow.FixedWidthTypes.Date32,
	"TIME":       arrow.FixedWidthTypes.Time64us,
	"INTERVAL":   arrow.FixedWidthTypes.MonthDayNanoInterval,
	"GEOGRAPHY":  arrow.BinaryTypes.String,
	"JSON":       arrow.BinaryTypes.String,

	"TIMESTAMP(12)": arrow.BinaryTypes.String, // as 2006-01-02T15:04:05.000000000000Z
}

// arrowExtensions are the names by which the Storage Read API marks types that Arrow does not have.
var arrowExtensions = map[string][2]string{
	"DATETIME":  {"google:sqlType:datetime"},
	"GEOGRAPHY": {"google:sqlType:geography", `{"encoding": "WKT"}`},
	"JSON":      {"google:sqlType:json"},
}

// arrowFields returns the fields of a result, or of a STRUCT, in Arrow.
func arrowFields(fields []*bq.TableFieldSchema) ([]arrow.Field, error) {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		typ, err := arrowTypeOf(f)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		_, text, err := kindOfField(f)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		keys, values := []string{ArrowType}, []string{text}
		if mark, ok := arrowExtensions[f.Type]; ok {
			keys, values = append(keys, "ARROW:extension:name"), append(values, mark[0])
			if mark[1] != "" {
				keys, values = append(keys, "ARROW:extension:metadata"), append(values, mark[1])
			}
		}
		out[i] = arrow.Field{Name: f.Name, Type: typ, Nullable: f.Mode != "REQUIRED" && f.Mode != "REPEATED",
			Metadata: arrow.NewMetadata(keys, values)}
	}
	return out, nil
}

func arrowTypeOf(f *bq.TableFieldSchema) (typ arrow.DataType, err error) {
	switch f.Type {
	case "RECORD", "STRUCT":
		var parts []arrow.Field
		parts, err = arrowFields(f.Fields)
		typ = arrow.StructOf(parts...)
	case "RANGE":
		end := arrowScalars[f.RangeElementType.Type]
		typ = arrow.StructOf(arrow.Field{Name: "start", Type: end, Nullable: true},
			arrow.Field{Name: "end", Type: end, Nullable: true})
	default:
		k, ok := kindsByName[scalarType(f)]
		if !ok {
			return nil, fmt.Errorf("the type %s is not known to this driver: CAST it to STRING", f.Type)
		}
		switch typ = arrowScalars[k.name]; {
		case f.Precision > 0 && k.name == "NUMERIC":
			typ = &arrow.Decimal128Type{Precision: int32(f.Precision), Scale: int32(f.Scale)}
		case f.Precision > 0 && k.name == "BIGNUMERIC":
			typ = &arrow.Decimal256Type{Precision: int32(f.Precision), Scale: int32(f.Scale)}
		}
	}
	if err == nil && f.Mode == "REPEATED" {
		typ = arrow.ListOfField(arrow.Field{Name: "item", Type: typ, Nullable: true})
	}
	return typ, err
}
