package bulk

import (
	"fmt"
	"regexp"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	bq "google.golang.org/api/bigquery/v2"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/descriptorpb"
)

// column is a column of the table, or a field of a STRUCT.
type column struct {
	name       string
	typ        string // in GoogleSQL
	mode       string // NULLABLE, REQUIRED or REPEATED
	elem       string // of a RANGE
	length     int64  // of STRING(n) and BYTES(n); 0 means no limit
	precision  int64  // of NUMERIC and BIGNUMERIC; 0 means the type's own
	scale      int64
	picos      bool // TIMESTAMP(12)
	hasDefault bool
	fields     []*column
	number     protowire.Number // of the field in the messages
}

func (c *column) required() bool { return c.mode == "REQUIRED" }
func (c *column) repeated() bool { return c.mode == "REPEATED" }

// element returns the column without its ARRAY.
func (c *column) element() *column {
	e := *c
	e.mode = "NULLABLE"
	return &e
}

// parameterType returns the type for a query parameter.
func (c *column) parameterType() *bq.QueryParameterType {
	t := &bq.QueryParameterType{Type: c.typ}
	switch {
	case c.typ == "RANGE":
		t.RangeElementType = &bq.QueryParameterType{Type: c.elem}
	case c.typ == "STRUCT":
		for _, f := range c.fields {
			t.StructTypes = append(
				t.StructTypes,
				&bq.QueryParameterTypeStructTypes{Name: f.name, Type: f.parameterType()},
			)
		}
	}
	if c.repeated() {
		return &bq.QueryParameterType{Type: "ARRAY", ArrayType: t}
	}
	return t
}

// legacyTypes maps the type names of the REST API and the Storage API to GoogleSQL's, where they
// differ.
var legacyTypes = map[string]string{
	"INTEGER": "INT64", "FLOAT": "FLOAT64", "DOUBLE": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT",
}

func googleSQL(typ string) string {
	if name := legacyTypes[typ]; name != "" {
		return name
	}
	return typ
}

// columnsOfStream returns the columns of a write stream's schema.
func columnsOfStream(schema *storagepb.TableSchema) []*column {
	return streamColumns(schema.GetFields())
}

func streamColumns(fields []*storagepb.TableFieldSchema) []*column {
	out := make([]*column, len(fields))
	for i, f := range fields {
		out[i] = &column{
			name: f.Name, typ: googleSQL(f.Type.String()), mode: f.Mode.String(), length: f.MaxLength,
			precision: f.Precision, scale: f.Scale, hasDefault: f.DefaultValueExpression != "",
			picos:  f.GetTimestampPrecision().GetValue() == 12,
			fields: streamColumns(f.Fields), number: protowire.Number(i + 1),
		}
		if e := f.RangeElementType; e != nil {
			out[i].elem = e.Type.String()
		}
	}
	return out
}

// columnsOfTable returns the columns of a table's schema.
func columnsOfTable(schema *bq.TableSchema) []*column {
	if schema == nil {
		return nil
	}
	return tableColumns(schema.Fields)
}

func tableColumns(fields []*bq.TableFieldSchema) []*column {
	out := make([]*column, len(fields))
	for i, f := range fields {
		out[i] = &column{
			name: f.Name, typ: googleSQL(f.Type), mode: f.Mode, length: f.MaxLength,
			precision: f.Precision, scale: f.Scale, hasDefault: f.DefaultValueExpression != "",
			picos:  f.TimestampPrecision != nil && *f.TimestampPrecision == 12,
			fields: tableColumns(f.Fields), number: protowire.Number(i + 1),
		}
		if f.RangeElementType != nil {
			out[i].elem = f.RangeElementType.Type
		}
	}
	return out
}

// protoTypes are the types of the fields in the messages.
var protoTypes = map[string]descriptorpb.FieldDescriptorProto_Type{
	"INT64": descriptorpb.FieldDescriptorProto_TYPE_INT64, "FLOAT64": descriptorpb.FieldDescriptorProto_TYPE_DOUBLE,
	"BOOL": descriptorpb.FieldDescriptorProto_TYPE_BOOL, "BYTES": descriptorpb.FieldDescriptorProto_TYPE_BYTES,
	"TIMESTAMP": descriptorpb.FieldDescriptorProto_TYPE_INT64, "DATE": descriptorpb.FieldDescriptorProto_TYPE_INT32,
	"STRUCT": descriptorpb.FieldDescriptorProto_TYPE_MESSAGE, "RANGE": descriptorpb.FieldDescriptorProto_TYPE_MESSAGE,
}

func (c *column) protoType() descriptorpb.FieldDescriptorProto_Type {
	if typ, ok := protoTypes[c.typ]; ok && !c.picos {
		return typ
	}
	return descriptorpb.FieldDescriptorProto_TYPE_STRING // text, which the service parses as the column's type
}

var (
	protoName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	ownName   = regexp.MustCompile(`^(column|Message)_[0-9]+$`)
)

// descriptor returns the description of the rows' messages, with those of STRUCTs nested in it.
func descriptor(name string, columns []*column) *descriptorpb.DescriptorProto {
	d := &descriptorpb.DescriptorProto{Name: proto.String(name)}
	for _, c := range columns {
		f := &descriptorpb.FieldDescriptorProto{
			Name: proto.String(c.name), Number: proto.Int32(int32(c.number)),
			Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(), Type: c.protoType().Enum(),
		}
		// A name in BigQuery can contain letters that a name in a message can't, or be one of those
		// made here.
		if !protoName.MatchString(c.name) || ownName.MatchString(c.name) {
			f.Name, f.Options = proto.String(fmt.Sprintf("column_%d", c.number)), &descriptorpb.FieldOptions{}
			proto.SetExtension(f.Options, storagepb.E_ColumnName, c.name)
		}
		if c.repeated() {
			f.Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}
		if *f.Type == descriptorpb.FieldDescriptorProto_TYPE_MESSAGE {
			inner := fmt.Sprintf("Message_%d", c.number)
			parts := c.fields
			if c.typ == "RANGE" {
				parts = c.ends()
			}
			f.TypeName = proto.String(inner)
			d.NestedType = append(d.NestedType, descriptor(inner, parts))
		}
		d.Field = append(d.Field, f)
	}
	return d
}

// ends returns the two fields of a RANGE's message.
func (c *column) ends() []*column {
	return []*column{
		{name: "start", typ: c.elem, mode: "NULLABLE", number: 1},
		{name: "end", typ: c.elem, mode: "NULLABLE", number: 2},
	}
}
