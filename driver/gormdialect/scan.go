package gormdialect

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"database/sql"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// schemas has the schemas with decoders, each with its sync.Once, and roots those whose relations
// have them too. GORM keeps schemas as long as its DB.
var schemas, roots sync.Map

// readable sets decoders for the fields of a model, and of models that it refers to, that GORM
// can't read: ARRAY and STRUCT into slices and structs, JSON, and the number types of math/big.
func readable(s *schema.Schema) {
	if s == nil {
		return
	}
	if _, done := roots.Load(s); done {
		return
	}
	eachSchema(s, map[*schema.Schema]bool{})
	roots.Store(s, true)
}

func eachSchema(s *schema.Schema, seen map[*schema.Schema]bool) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	once, _ := schemas.LoadOrStore(s, new(sync.Once))
	once.(*sync.Once).Do(func() {
		for _, field := range s.Fields {
			if needsDecoder(field) {
				decodable(field)
			}
		}
	})
	for _, rel := range s.Relationships.Relations {
		eachSchema(rel.FieldSchema, seen)
		eachSchema(rel.JoinTable, seen)
	}
}

// needsDecoder reports whether neither GORM nor database/sql can read into a field's Go type.
func needsDecoder(field *schema.Field) bool {
	if field.DBName == "" || !field.Readable || field.Serializer != nil || field.NewValuePool == nil {
		return false
	}
	t := field.IndirectFieldType
	if columntype.Element(t) != t { // sql.Null[T]
		t = columntype.Element(t)
	} else if reflect.PointerTo(t).Implements(scannerType) {
		return false
	}
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[[]byte]():
		return false
	case reflect.TypeFor[civil.Date](), reflect.TypeFor[civil.DateTime](), reflect.TypeFor[civil.Time]():
		return true
	}
	return slices.Contains(
		[]reflect.Kind{reflect.Slice, reflect.Struct, reflect.Map, reflect.Array, reflect.Interface},
		t.Kind(),
	)
}

var scannerType = reflect.TypeFor[sql.Scanner]()

// decodable makes a field scan the driver's value, and decode it when it is set.
func decodable(field *schema.Field) {
	set := field.Set
	field.NewValuePool = cells{}
	field.Set = func(ctx context.Context, row reflect.Value, v any) error {
		c, ok := v.(**cell)
		if !ok {
			return set(ctx, row, v)
		}
		to := field.ReflectValueOf(ctx, row)
		if *c == nil {
			to.SetZero()
			return nil
		}
		if err := decode(to, (*c).value, columntype.Base(dataTypeOf(field)) == "JSON"); err != nil {
			return fmt.Errorf("field %s.%s: %w", field.Schema.Name, field.Name, err)
		}
		return nil
	}
}

func decode(to reflect.Value, value any, isJSON bool) error {
	text, isText := value.(string)
	switch {
	case isText && to.Type() == reflect.TypeFor[json.RawMessage]():
		to.SetBytes([]byte(text))
		return nil
	case isText && isJSON && to.Type() != reflect.TypeFor[bigquery.NullJSON]():
		into := reflect.New(to.Type())
		if err := json.Unmarshal([]byte(text), into.Interface()); err != nil {
			return err
		}
		to.Set(into.Elem())
		return nil
	}
	return driver.As(to.Addr().Interface()).Scan(value)
}

// cell holds a value of a row until it is decoded. GORM scans into a pointer to it, which is nil
// for NULL.
type cell struct{ value any }

// Scan keeps the value. Bytes belong to the driver until the next row.
func (c *cell) Scan(src any) error {
	if b, ok := src.([]byte); ok {
		src = slices.Clone(b)
	}
	c.value = src
	return nil
}

// cells returns the destinations to scan fields into. They are not reused: their content becomes
// part of the model.
type cells struct{}

func (cells) Get() any { return new(*cell) }
func (cells) Put(any)  {}
