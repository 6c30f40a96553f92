// Package storagewire has the wire formats of the Storage Read and Write APIs
// that this project's servers share: the Arrow schema and messages of a table,
// and the rows of AppendRows. A table is described by the APIs' own
// TableFieldSchema.
package storagewire

import (
	"bytes"
	"fmt"
	"math"
	"math/big"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// arrowTypes are the scalar types as the Storage Read API sends them.
var arrowTypes = map[storagepb.TableFieldSchema_Type]arrow.DataType{
	storagepb.TableFieldSchema_INT64:      arrow.PrimitiveTypes.Int64,
	storagepb.TableFieldSchema_DOUBLE:     arrow.PrimitiveTypes.Float64,
	storagepb.TableFieldSchema_BOOL:       arrow.FixedWidthTypes.Boolean,
	storagepb.TableFieldSchema_STRING:     arrow.BinaryTypes.String,
	storagepb.TableFieldSchema_BYTES:      arrow.BinaryTypes.Binary,
	storagepb.TableFieldSchema_NUMERIC:    &arrow.Decimal128Type{Precision: 38, Scale: 9},
	storagepb.TableFieldSchema_BIGNUMERIC: &arrow.Decimal256Type{Precision: 76, Scale: 38},
	storagepb.TableFieldSchema_TIMESTAMP:  &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"},
	storagepb.TableFieldSchema_DATETIME:   &arrow.TimestampType{Unit: arrow.Microsecond},
	storagepb.TableFieldSchema_DATE:       arrow.FixedWidthTypes.Date32,
	storagepb.TableFieldSchema_TIME:       arrow.FixedWidthTypes.Time64us,
	storagepb.TableFieldSchema_INTERVAL:   arrow.FixedWidthTypes.MonthDayNanoInterval,
	storagepb.TableFieldSchema_GEOGRAPHY:  arrow.BinaryTypes.String,
	storagepb.TableFieldSchema_JSON:       arrow.BinaryTypes.String,
}

// sqlTypes are the types that Arrow does not have. The metadata of their fields name
// them.
var sqlTypes = map[storagepb.TableFieldSchema_Type]string{
	storagepb.TableFieldSchema_DATETIME:  "google:sqlType:datetime",
	storagepb.TableFieldSchema_GEOGRAPHY: "google:sqlType:geography",
	storagepb.TableFieldSchema_JSON:      "google:sqlType:json",
}

// preciseTypes are the Arrow types of a TIMESTAMP(12), by the requested precision.
var preciseTypes = map[storagepb.ArrowSerializationOptions_PicosTimestampPrecision]arrow.DataType{
	storagepb.ArrowSerializationOptions_TIMESTAMP_PRECISION_NANOS: &arrow.TimestampType{
		Unit:     arrow.Nanosecond,
		TimeZone: "UTC",
	},
	storagepb.ArrowSerializationOptions_TIMESTAMP_PRECISION_PICOS: arrow.BinaryTypes.String,
}

// ArrowSchema returns the schema of a table's columns, with the precision of TIMESTAMP(12) that the
// options request.
func ArrowSchema(
	fields []*storagepb.TableFieldSchema,
	options *storagepb.ArrowSerializationOptions,
) (*arrow.Schema, error) {
	precise, ok := preciseTypes[options.GetPicosTimestampPrecision()]
	if !ok {
		precise = arrowTypes[storagepb.TableFieldSchema_TIMESTAMP]
	}
	out, err := arrowFields(fields, precise)
	return arrow.NewSchema(out, nil), err
}

func arrowFields(fields []*storagepb.TableFieldSchema, precise arrow.DataType) ([]arrow.Field, error) {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		typ, err := arrowType(f, precise)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		out[i] = arrow.Field{Name: f.Name, Type: typ, Nullable: f.Mode != storagepb.TableFieldSchema_REQUIRED}
		if name, ok := sqlTypes[f.Type]; ok {
			keys, values := []string{"ARROW:extension:name"}, []string{name}
			if f.Type == storagepb.TableFieldSchema_GEOGRAPHY {
				keys, values = append(keys, "ARROW:extension:metadata"), append(values, `{"encoding": "WKT"}`)
			}
			out[i].Metadata = arrow.NewMetadata(keys, values)
		}
		if f.Mode == storagepb.TableFieldSchema_REPEATED {
			out[i].Type = arrow.ListOfField(arrow.Field{Name: "item", Type: typ, Nullable: true})
			out[i].Nullable = false
		}
	}
	return out, nil
}

// arrowType returns the type of a field; precise is that of a TIMESTAMP of precision 12.
func arrowType(f *storagepb.TableFieldSchema, precise arrow.DataType) (arrow.DataType, error) {
	switch f.Type {
	case storagepb.TableFieldSchema_STRUCT:
		fields, err := arrowFields(f.Fields, precise)
		return arrow.StructOf(fields...), err
	case storagepb.TableFieldSchema_RANGE:
		end, ok := arrowTypes[f.GetRangeElementType().GetType()]
		if !ok {
			return nil, fmt.Errorf("a RANGE of %s", f.GetRangeElementType().GetType())
		}
		return arrow.StructOf(
			arrow.Field{Name: "start", Type: end, Nullable: true},
			arrow.Field{Name: "end", Type: end, Nullable: true},
		), nil
	}
	if f.Type == storagepb.TableFieldSchema_TIMESTAMP && f.GetTimestampPrecision().GetValue() == 12 {
		return precise, nil
	}
	typ, ok := arrowTypes[f.Type]
	if !ok {
		return nil, fmt.Errorf("the type %s has no form in Arrow here", f.Type)
	}
	switch { // a declared precision and scale are those of the Arrow type
	case f.Precision > 0 && f.Type == storagepb.TableFieldSchema_NUMERIC:
		typ = &arrow.Decimal128Type{Precision: int32(f.Precision), Scale: int32(f.Scale)}
	case f.Precision > 0 && f.Type == storagepb.TableFieldSchema_BIGNUMERIC:
		typ = &arrow.Decimal256Type{Precision: int32(f.Precision), Scale: int32(f.Scale)}
	}
	return typ, nil
}

// endOfStream ends an IPC stream; the service sends messages without it.
var endOfStream = []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}

// SchemaMessage returns a schema as an IPC message.
func SchemaMessage(schema *arrow.Schema) ([]byte, error) {
	var all bytes.Buffer
	w := ipc.NewWriter(&all, ipc.WithSchema(schema))
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(all.Bytes(), endOfStream), nil
}

// BatchMessage returns a batch of rows as an IPC message, compressed as the options request. schema
// is the SchemaMessage of its schema.
func BatchMessage(
	batch arrow.RecordBatch,
	schema []byte,
	options *storagepb.ArrowSerializationOptions,
) ([]byte, error) {
	write := []ipc.Option{ipc.WithSchema(batch.Schema())}
	switch options.GetBufferCompression() {
	case storagepb.ArrowSerializationOptions_LZ4_FRAME:
		write = append(write, ipc.WithLZ4())
	case storagepb.ArrowSerializationOptions_ZSTD:
		write = append(write, ipc.WithZstd())
	}
	var out bytes.Buffer
	w := ipc.NewWriter(&out, write...)
	if err := w.Write(batch); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(out.Bytes()[len(schema):], endOfStream)), nil
}

// Decimal256 is like decimal256.FromBigInt, and also accepts the least BIGNUMERIC.
func Decimal256(n *big.Int) (decimal256.Num, error) {
	if half := new(big.Int).Lsh(big.NewInt(1), 255); n.Cmp(half) >= 0 || n.Cmp(new(big.Int).Neg(half)) < 0 {
		return decimal256.Num{}, fmt.Errorf("%s is beyond 256 bits", n)
	}
	var words [4]uint64
	for i := range words {
		words[i] = new(big.Int).And(new(big.Int).Rsh(n, uint(64*i)), new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	}
	return decimal256.New(words[3], words[2], words[1], words[0]), nil
}
