package gormdialect

import (
	"context"
	"fmt"
	"reflect"

	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

func init() { schema.RegisterSerializer("bigquery", Serializer{}) }

// Serializer reads and writes ARRAY, STRUCT and JSON columns through GORM's serializer interface,
// with the tag serializer:bigquery. In models the tags type:ARRAY and type:STRUCT do the same; the
// serializer is for structs that are not models and that db.Raw(...).Scan reads.
type Serializer struct{}

var _ schema.SerializerInterface = Serializer{}

// Scan decodes a value into a field.
func (Serializer) Scan(ctx context.Context, field *schema.Field, row reflect.Value, value any) error {
	to := field.ReflectValueOf(ctx, row)
	if value == nil {
		to.SetZero()
		return nil
	}
	if err := decode(to, value, columntype.Base(dataTypeOf(field)) == "JSON"); err != nil {
		return fmt.Errorf("field %s.%s: %w", field.Schema.Name, field.Name, err)
	}
	return nil
}

// Value returns the value as an argument of the driver.
func (Serializer) Value(_ context.Context, field *schema.Field, _ reflect.Value, value any) (any, error) {
	if columntype.Base(dataTypeOf(field)) == "JSON" {
		return jsonValue(value), nil
	}
	return value, nil
}
