package gormdialect

import (
	"fmt"
	"reflect"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/rowkey"
)

// newKey is the default of Config.NewKey.
func newKey(field *schema.Field) (any, error) {
	t := field.IndirectFieldType
	switch {
	case t.Kind() == reflect.String, t.Kind() == reflect.Array && t.Len() == 16 && t.Elem().Kind() == reflect.Uint8:
		id, err := uuid.NewV7()
		return id.String(), err
	case field.Size >= 64 && (field.DataType == schema.Int || field.DataType == schema.Uint || isInteger(t.Kind())):
		return rowkey.Int64(), nil
	}
	return nil, nil
}

func isInteger(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Uint64 }

// keyField returns the field whose zero value means that a key is needed: the only primary key
// field, or the integer ID of a composite key, which other databases generate. It is nil if a model
// has none.
func keyField(s *schema.Schema) *schema.Field {
	field := s.PrioritizedPrimaryField
	if field == nil || len(s.PrimaryFields) > 1 && !field.AutoIncrement {
		return nil
	}
	return field
}

// counted reports whether a field has the tag autoIncrement and is not a key that this package
// makes.
func counted(field *schema.Field) bool {
	_, asked := field.TagSettings["AUTOINCREMENT"]
	return asked && field.AutoIncrement && field != keyField(field.Schema)
}

// fillKeys sets the keys of the rows to be created, and reports whether it made all of them.
func (d *Dialector) fillKeys(db *gorm.DB) (all bool) {
	s := db.Statement.Schema
	if s == nil {
		return false
	}
	for _, field := range s.Fields {
		if counted(field) {
			d.eachRow(db, field, func() (any, error) {
				return nil, fmt.Errorf(
					"%w, and %s.%s is not the key, which this package makes: set it before Create, or remove the tag "+
						"autoIncrement away", ErrAutoIncrement, s.Name, field.Name)
			})
		}
	}
	field := keyField(s)
	if field == nil || db.Error != nil || !field.Readable { // withKey makes a key that the model may not have
		return false
	}
	return d.eachRow(db, field, func() (any, error) { return d.key(field) })
}

// key makes a key. It returns nil for a type that the program must set, such as a composite or a
// BYTES key.
func (d *Dialector) key(field *schema.Field) (any, error) {
	make := d.NewKey
	if make == nil {
		make = newKey
	}
	key, err := make(field)
	if err == nil && key == nil && field.AutoIncrement {
		err = fmt.Errorf(
			"%w, and a %s is too small for keys that grow with time: set %s.%s before Create, or make it an int64 or "+
				"a string",
			ErrAutoIncrement,
			field.FieldType,
			field.Schema.Name,
			field.Name,
		)
	}
	return key, err
}

// eachRow sets a field to the result of make, unless that is nil, in each row of the statement in
// which it is zero. It reports whether it did so in all rows.
func (d *Dialector) eachRow(db *gorm.DB, field *schema.Field, make func() (any, error)) bool {
	ctx := db.Statement.Context
	rows, done := 0, 0
	set := func(row reflect.Value) {
		if row.Kind() != reflect.Struct || row.Type() != db.Statement.Schema.ModelType {
			return
		}
		rows++
		if _, zero := field.ValueOf(ctx, row); !zero || db.Error != nil {
			return
		}
		v, err := make()
		if err == nil && v != nil {
			err = field.Set(ctx, row, v)
			done++
		}
		db.AddError(err)
	}
	setMap := func(row map[string]any) {
		rows++
		_, byName := row[field.Name]
		_, byColumn := row[field.DBName]
		if byName || byColumn || row == nil || db.Error != nil {
			return
		}
		v, err := make()
		if err == nil && v != nil {
			row[field.DBName] = v
			done++
		}
		db.AddError(err)
	}
	switch dest := db.Statement.Dest.(type) {
	case map[string]any:
		setMap(dest)
	case *map[string]any:
		setMap(*dest)
	case []map[string]any:
		for _, row := range dest {
			setMap(row)
		}
	case *[]map[string]any:
		for _, row := range *dest {
			setMap(row)
		}
	default:
		value := db.Statement.ReflectValue
		switch value.Kind() {
		case reflect.Slice, reflect.Array:
			for i := range value.Len() {
				set(reflect.Indirect(value.Index(i)))
			}
		case reflect.Struct:
			set(value)
		}
	}
	return rows > 0 && rows == done && db.Error == nil
}
