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
	m, err := modelsOf(db, models, "BulkUpdate", columns)
	if err != nil {
		return db.NewUpdate().Err(err)
	}
	q := db.NewUpdate().Model(m.nilModel())
	for _, f := range m.columns {
		q = q.Set("? = _data.?", f.SQLName, f.SQLName)
	}
	for _, pk := range m.table.PKs {
		q = q.Where("?.? = _data.?", m.table.SQLAlias, pk.SQLName, pk.SQLName)
	}
	return q.TableExpr("? AS _data", &structs{slices.Concat(m.table.PKs, m.columns), m.rows})
}

// Upsert inserts models, and updates the rows that have their primary keys already, by one MERGE. It is what
// On("CONFLICT ...") is in other databases:
//
//	MERGE users AS u USING (SELECT * FROM UNNEST([STRUCT<id INT64, name STRING>(1, 'Ada'), (2, 'Grace')])) AS _data
//	ON u.id = _data.id WHEN MATCHED THEN UPDATE SET name = _data.name
//	WHEN NOT MATCHED THEN INSERT (id, name) VALUES (_data.id, _data.name)
//
// Models is a slice, or a pointer to one, without two models of the same key. Columns are the columns
// to set in existing rows; the default is all columns except the primary key.
func Upsert(db bun.IDB, models any, columns ...string) *bun.MergeQuery {
	m, err := modelsOf(db, models, "Upsert", columns)
	if err != nil {
		return db.NewMerge().Err(err)
	}
	var on, set, names, values []string
	for _, pk := range m.table.PKs {
		on = append(on, fmt.Sprintf("%s.%s = _data.%s", m.table.SQLAlias, pk.SQLName, pk.SQLName))
	}
	for _, f := range m.columns {
		set = append(set, fmt.Sprintf("%s = _data.%s", f.SQLName, f.SQLName))
	}
	for _, f := range m.table.Fields {
		names = append(names, string(f.SQLName))
		value := "_data." + string(f.SQLName)
		if def, ok := defaultOf(db.Dialect(), f); ok && f.NullZero {
			value = "IFNULL(" + value + ", " + def + ")"
		}
		values = append(values, value)
	}
	q := db.NewMerge().Model(m.nilModel()).Using("(SELECT * FROM ?) AS _data", &structs{m.table.Fields, m.rows}).
		On("?", bun.Safe(strings.Join(on, " AND ")))
	if len(set) > 0 {
		q = q.When("MATCHED THEN UPDATE SET ?", bun.Safe(strings.Join(set, ", ")))
	}
	return q.When("NOT MATCHED THEN INSERT (?) VALUES (?)", bun.Safe(strings.Join(names, ", ")),
		bun.Safe(strings.Join(values, ", ")))
}

// models are rows of a table, and the columns to set.
type models struct {
	table   *schema.Table
	rows    reflect.Value
	columns []*schema.Field
}

func modelsOf(db bun.IDB, v any, who string, columns []string) (m models, err error) {
	m.rows = reflect.Indirect(reflect.ValueOf(v))
	if m.rows.Kind() != reflect.Slice || m.rows.Len() == 0 {
		return m, fmt.Errorf("bundialect: %s: got %T; want a slice of models that is not empty", who, v)
	}
	typ := m.rows.Type().Elem()
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return m, fmt.Errorf("bundialect: %s: got %T; want a slice of structs", who, v)
	}
	m.table = db.Dialect().Tables().Get(typ)
	if len(m.table.PKs) == 0 {
		return m, fmt.Errorf("bundialect: %s: model %s has no primary key", who, m.table.TypeName)
	}
	if len(columns) == 0 {
		for _, f := range m.table.DataFields {
			if !f.SkipUpdate() {
				m.columns = append(m.columns, f)
			}
		}
	}
	for _, name := range columns {
		f := m.table.FieldMap[name]
		if f == nil {
			return m, fmt.Errorf("bundialect: %s: model %s has no column %q", who, m.table.TypeName, name)
		}
		m.columns = append(m.columns, f)
	}
	return m, nil
}

// nilModel returns a nil pointer to the model's type, by which bun knows the
// table.
func (m models) nilModel() any { return reflect.Zero(reflect.PointerTo(m.table.Type)).Interface() }

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
