package driver

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	bq "google.golang.org/api/bigquery/v2"
)

// ArrowType is the metadata key of a field of [QueryArrow]'s schema whose value is the field's type
// in GoogleSQL, such as NUMERIC(10, 2) or ARRAY<STRUCT<a INT64>>. The Arrow types are those of the
// Storage Read API: int64, double, bool, utf8 (STRING, GEOGRAPHY, JSON, TIMESTAMP(12)), binary,
// decimal128 (NUMERIC) and decimal256 (BIGNUMERIC) with the declared precision and scale,
// timestamp[us, UTC] (TIMESTAMP), timestamp[us] (DATETIME), date32, time64[us], month_day_nano
// (INTERVAL), list (ARRAY), and struct (STRUCT; RANGE, with the fields start and end).
const ArrowType = "bigquery:type"

// arrowFields returns the Arrow fields of a result or a STRUCT.
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
		if scalar := scalarOf(f); scalar != nil {
			for j, key := range []string{"ARROW:extension:name", "ARROW:extension:metadata"} {
				if scalar.alias[j] != "" {
					keys, values = append(keys, key), append(values, scalar.alias[j])
				}
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
		var elem *scalarType
		if elem, err = rangeElement(f.RangeElementType); err != nil {
			return nil, err
		}
		end := elem.schema
		typ = arrow.StructOf(arrow.Field{Name: "start", Type: end, Nullable: true},
			arrow.Field{Name: "end", Type: end, Nullable: true})
	default:
		scalar := scalarOf(f)
		if scalar == nil {
			return nil, fmt.Errorf("the type %s is not known to this driver: CAST it to STRING", f.Type)
		}
		typ = scalar.schema
		if f.Precision == 0 {
			break
		}
		switch typ.(type) {
		case *arrow.Decimal128Type:
			typ = &arrow.Decimal128Type{Precision: int32(f.Precision), Scale: int32(f.Scale)}
		case *arrow.Decimal256Type:
			typ = &arrow.Decimal256Type{Precision: int32(f.Precision), Scale: int32(f.Scale)}
		}
	}
	if err == nil && f.Mode == "REPEATED" {
		typ = arrow.ListOfField(arrow.Field{Name: "item", Type: typ, Nullable: true})
	}
	return typ, err
}
