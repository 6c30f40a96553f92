package storagewire

import (
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
	_ "google.golang.org/protobuf/types/known/timestamppb" // a writer's schema may name it
	_ "google.golang.org/protobuf/types/known/wrapperspb"  // and these
)

// Default stands for a column that was left out and gets its default value.
type Default struct{}

// Range is a RANGE as it is passed to the Scalar of a Decoder. Its bounds are results of Scalar, or
// nil for an unbounded end.
type Range struct{ Start, End any }

// Decoder decodes the rows of AppendRows.
type Decoder struct {
	Fields  []*storagepb.TableFieldSchema
	Missing map[string]storagepb.AppendRowsRequest_MissingValueInterpretation
	// Otherwise applies to the columns that Missing does not name.
	Otherwise storagepb.AppendRowsRequest_MissingValueInterpretation
	// Scalar converts the value of a field that is neither NULL nor a STRUCT. x is its value in
	// protobuf's reflection: a number, bool, string, []byte, an EnumNumber, a Message of Google's
	// well-known types, or a Range.
	Scalar func(f *storagepb.TableFieldSchema, x any) (any, error)
}

// Schema builds a message descriptor from the one that a writer sends. That must contain everything
// that it refers to, except Google's wrappers and Timestamp.
func Schema(d *descriptorpb.DescriptorProto) (protoreflect.MessageDescriptor, error) {
	file := &descriptorpb.FileDescriptorProto{
		Name:        proto.String("writer_schema.proto"),
		MessageType: []*descriptorpb.DescriptorProto{d},
		Dependency:  []string{"google/protobuf/wrappers.proto", "google/protobuf/timestamp.proto"},
	}
	built, err := protodesc.NewFile(file, protoregistry.GlobalFiles)
	if err != nil {
		return nil, err
	}
	return built.Messages().Get(0), nil
}

// Row decodes a row: one value for each field, nil for NULL, and []any for a REPEATED field and for a STRUCT.
func (d *Decoder) Row(schema protoreflect.MessageDescriptor, text []byte) ([]any, error) {
	m := dynamicpb.NewMessage(schema)
	if err := proto.Unmarshal(text, m); err != nil {
		return nil, err
	}
	return d.fields(m, d.Fields, func(f *storagepb.TableFieldSchema) any {
		how, ok := d.Missing[f.Name]
		if !ok {
			how = d.Otherwise
		}
		if how == storagepb.AppendRowsRequest_DEFAULT_VALUE && f.DefaultValueExpression != "" {
			return Default{}
		}
		return nil
	})
}

// columnName returns the name of the column for a field of a writer's schema.
func columnName(fd protoreflect.FieldDescriptor) string {
	if o, ok := fd.Options().(*descriptorpb.FieldOptions); ok && proto.HasExtension(o, storagepb.E_ColumnName) {
		name, _ := proto.GetExtension(o, storagepb.E_ColumnName).(string)
		return name
	}
	return string(fd.Name())
}

func (d *Decoder) fields(
	m protoreflect.Message,
	fields []*storagepb.TableFieldSchema,
	absent func(*storagepb.TableFieldSchema) any,
) ([]any, error) {
	if len(m.GetUnknown()) > 0 {
		return nil, errors.New("the row has fields that its schema does not have")
	}
	byName := map[string]protoreflect.FieldDescriptor{}
	for i := range m.Descriptor().Fields().Len() {
		fd := m.Descriptor().Fields().Get(i)
		byName[strings.ToLower(columnName(fd))] = fd
	}
	row := make([]any, len(fields))
	for i, f := range fields {
		fd := byName[strings.ToLower(f.Name)]
		delete(byName, strings.ToLower(f.Name))
		v, err := d.field(m, fd, f, absent)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		row[i] = v
	}
	for name := range byName {
		return nil, fmt.Errorf("the table has no column %s", name)
	}
	return row, nil
}

// field decodes one field. fd is nil if the writer's schema lacks it.
func (d *Decoder) field(
	m protoreflect.Message,
	fd protoreflect.FieldDescriptor,
	f *storagepb.TableFieldSchema,
	absent func(*storagepb.TableFieldSchema) any,
) (any, error) {
	repeated := f.Mode == storagepb.TableFieldSchema_REPEATED
	if fd != nil && fd.IsList() != repeated {
		return nil, fmt.Errorf("the field is %s in the table, and its label in the writer's schema is %s", f.Mode,
			fd.Cardinality())
	}
	if repeated {
		list := []any{}
		for j := 0; fd != nil && j < m.Get(fd).List().Len(); j++ {
			v, err := d.value(f, m.Get(fd).List().Get(j))
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		return list, nil
	}
	if fd == nil || !m.Has(fd) && fd.HasPresence() {
		v := absent(f)
		if v == nil && f.Mode == storagepb.TableFieldSchema_REQUIRED {
			return nil, errors.New("the field is REQUIRED and was not set")
		}
		return v, nil
	}
	return d.value(f, m.Get(fd))
}

func none(*storagepb.TableFieldSchema) any { return nil }

func (d *Decoder) value(f *storagepb.TableFieldSchema, v protoreflect.Value) (any, error) {
	m, isMessage := v.Interface().(protoreflect.Message)
	switch {
	case isMessage && f.Type == storagepb.TableFieldSchema_STRUCT:
		return d.fields(m, f.Fields, none)
	case isMessage && f.Type == storagepb.TableFieldSchema_RANGE:
		end := f.GetRangeElementType().GetType()
		ends := []*storagepb.TableFieldSchema{{Name: "start", Type: end}, {Name: "end", Type: end}}
		bounds, err := d.fields(m, ends, none)
		if err != nil {
			return nil, err
		}
		return d.Scalar(f, Range{bounds[0], bounds[1]})
	}
	return d.Scalar(f, v.Interface())
}

// Unknown returns the first field of a writer's schema without a column, or "".
func (d *Decoder) Unknown(schema protoreflect.MessageDescriptor) string {
	known := map[string]bool{}
	for _, f := range d.Fields {
		known[strings.ToLower(f.Name)] = true
	}
	for i := range schema.Fields().Len() {
		if name := columnName(schema.Fields().Get(i)); !known[strings.ToLower(name)] {
			return name
		}
	}
	return ""
}
