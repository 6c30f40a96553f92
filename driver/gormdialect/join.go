package gormdialect

import (
	"context"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// absent sets joined rows that do not exist to nil. GORM creates a joined struct if one of its
// columns is not NULL, but an ARRAY never is: for a row that a LEFT JOIN has not found BigQuery
// returns an empty one.
func absent(db *gorm.DB) {
	stmt := db.Statement
	if db.Error != nil || stmt.Schema == nil || len(stmt.Joins) == 0 {
		return
	}
	rows := stmt.ReflectValue
	switch rows.Kind() {
	case reflect.Struct:
		absentIn(stmt, rows)
	case reflect.Slice, reflect.Array:
		for i := range rows.Len() {
			absentIn(stmt, reflect.Indirect(rows.Index(i)))
		}
	}
}

func absentIn(stmt *gorm.Statement, row reflect.Value) {
	if row.Kind() != reflect.Struct || row.Type() != stmt.Schema.ModelType {
		return
	}
	for _, join := range stmt.Joins {
		value, s := row, stmt.Schema
		for name := range strings.SplitSeq(join.Name, ".") {
			rel := s.Relationships.Relations[name]
			if rel == nil {
				break
			}
			field := rel.Field.ReflectValueOf(stmt.Context, value)
			if field.Kind() == reflect.Pointer {
				if field.IsNil() {
					break
				}
				if hasArray(rel.FieldSchema) && withoutKey(stmt.Context, rel.FieldSchema, field.Elem()) {
					field.SetZero()
					break
				}
				field = field.Elem()
			}
			value, s = field, rel.FieldSchema
		}
	}
}

func hasArray(s *schema.Schema) bool {
	for _, f := range s.Fields {
		if f.DBName != "" && columntype.Base(dataTypeOf(f)) == "ARRAY" {
			return true
		}
	}
	return false
}

func withoutKey(ctx context.Context, s *schema.Schema, row reflect.Value) bool {
	for _, f := range s.PrimaryFields {
		if _, zero := f.ValueOf(ctx, row); !zero {
			return false
		}
	}
	return len(s.PrimaryFields) > 0
}

// mapSecondNames makes GORM find the columns of a model that embeds two with fields of the same
// name. In SELECT a.*, b.* BigQuery names the second column id_1, whereas other databases return
// two columns named id.
func mapSecondNames(stmt *gorm.Statement) {
	if stmt.Schema == nil {
		return
	}
	count := map[string]int{}
	mapping := maps.Clone(stmt.ColumnMapping)
	for _, field := range stmt.Schema.Fields {
		if field.DBName == "" {
			continue
		}
		n := count[field.DBName]
		count[field.DBName]++
		second := field.DBName + "_" + strconv.Itoa(n)
		if n == 0 || stmt.Schema.LookUpField(second) != nil {
			continue
		}
		if mapping == nil {
			mapping = map[string]string{}
		}
		if _, chosen := mapping[second]; !chosen {
			mapping[second] = field.DBName
		}
	}
	stmt.ColumnMapping = mapping
}
