package bundialect

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// BulkUpdate updates the rows with the primary keys of models in one statement, each with its own
// values. It is bun's Bulk for GoogleSQL:
//
//	UPDATE users AS u SET name = _data.name
//	FROM UNNEST([STRUCT<id INT64, name STRING>(1, 'Ada'), (2, 'Grace')]) AS _data WHERE u.id = _data.id
//
// Models is a slice, or a pointer to one. Columns are the columns to set; the default is all
// columns except the primary key.
func BulkUpdate(db bun.IDB, models any, columns ...string) *bun.UpdateQuery {
	rows := reflect.Indirect(reflect.ValueOf(models))
	if rows.Kind() != reflect.Slice || rows.Len() == 0 {
		return db.NewUpdate().
			Err(fmt.Errorf("bundialect: BulkUpdate: got %T; want a slice of models that is not empty", models))
	}
	typ := rows.Type().Elem()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return db.NewUpdate().Err(fmt.Errorf("bundialect: BulkUpdate: got %T; want a slice of structs", models))
	}
	table := db.Dialect().Tables().Get(typ)
	if len(table.PKs) == 0 {
		return db.NewUpdate().Err(fmt.Errorf("bundialect: BulkUpdate: model %s has no primary key", table.TypeName))
	}
	fields := slices.Clone(table.PKs)
	q := db.NewUpdate().Model(reflect.Zero(reflect.PointerTo(typ)).Interface())
	if len(columns) == 0 {
		for _, f := range table.DataFields {
			if !f.SkipUpdate() {
				columns = append(columns, f.Name)
			}
		}
	}
	for _, name := range columns {
		f := table.FieldMap[name]
		if f == nil {
			return q.Err(fmt.Errorf("bundialect: BulkUpdate: model %s has no column %q", table.TypeName, name))
		}
		fields = append(fields, f)
		q = q.Set("? = _data.?", f.SQLName, f.SQLName)
	}
	for _, pk := range table.PKs {
		q = q.Where("?.? = _data.?", table.SQLAlias, pk.SQLName, pk.SQLName)
	}
	return q.TableExpr("? AS _data", &structs{fields, rows})
}

// structs is UNNEST of an array of STRUCTs with a field for each column.
type structs struct {
	fields []*schema.Field
	rows   reflect.Value
}

// AppendQuery appends it. The first STRUCT has the types of all.
func (s *structs) AppendQuery(gen schema.QueryGen, b []byte) ([]byte, error) {
	types := make([]string, len(s.fields))
	for i, f := range s.fields {
		types[i] = string(f.SQLName) + " " + columntype.OfValues(f.UserSQLType)
	}
	b = append(b, "UNNEST(ARRAY<STRUCT<"+strings.Join(types, ", ")+">>["...)
	for i := range s.rows.Len() {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, "STRUCT("...)
		row := s.rows.Index(i)
		for row.Kind() == reflect.Pointer {
			row = row.Elem()
		}
		for j, f := range s.fields {
			if j > 0 {
				b = append(b, ", "...)
			}
			b = f.AppendValue(gen, b, row)
		}
		b = append(b, ')')
	}
	return append(b, "])"...), nil
}
