package bundialect

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// BulkUpdate updates the rows with the primary keys of models in one statement, each with its own
// values. It is bun's Bulk for GoogleSQL:
//
//	UPDATE users AS u SET name = _data.name
//	FROM UNNEST(ARRAY<STRUCT<id INT64, name STRING>>[STRUCT(1, 'Ada'), STRUCT(2, 'Grace')]) AS _data
//	WHERE u.id = _data.id
//
// Models is a slice, or a pointer to one. Columns are the columns to set; the default is all
// columns except the primary key. As in bun's Update, a NULL becomes the column's default.
func BulkUpdate(db bun.IDB, models any, columns ...string) *bun.UpdateQuery {
	m, err := modelsOf(db, models, "BulkUpdate", columns)
	if err != nil {
		return db.NewUpdate().Err(err)
	}
	q := db.NewUpdate().Model(m.nilModel())
	for _, f := range m.columns {
		q = q.Set("? = ?", f.SQLName, bun.Safe(m.value(f)))
	}
	for _, pk := range m.table.PKs {
		q = q.Where("?.? = _data.?", m.table.SQLAlias, pk.SQLName, pk.SQLName)
	}
	return q.TableExpr("? AS _data", &structs{models: m, fields: slices.Concat(m.table.PKs, m.columns)})
}

// Upsert inserts models, and updates the rows that have their primary keys already, by one MERGE. It
// is On("CONFLICT ...") for GoogleSQL:
//
//	MERGE users AS u USING (
//	  SELECT * FROM UNNEST(ARRAY<STRUCT<id INT64, name STRING>>[STRUCT(1, 'Ada'), STRUCT(2, 'Grace')])
//	) AS _data ON u.id = _data.id
//	WHEN MATCHED THEN UPDATE SET name = _data.name
//	WHEN NOT MATCHED THEN INSERT (id, name) VALUES (_data.id, _data.name)
//
// Models is a slice, or a pointer to one, without two models of the same key. Columns are the columns
// to set in existing rows; the default is all columns except the primary key. As in bun's Insert, a
// zero value of a column with a default becomes the default, in existing rows too.
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
		set = append(set, fmt.Sprintf("%s = %s", f.SQLName, m.value(f)))
	}
	for _, f := range m.table.Fields {
		names = append(names, string(f.SQLName))
		values = append(values, m.value(f))
	}
	q := db.NewMerge().Model(m.nilModel()).
		Using("(SELECT * FROM ?) AS _data", &structs{models: m, fields: m.table.Fields, zeroIsDefault: true}).
		On("?", bun.Safe(strings.Join(on, " AND ")))
	if len(set) > 0 {
		q = q.When("MATCHED THEN UPDATE SET ?", bun.Safe(strings.Join(set, ", ")))
	}
	return q.When("NOT MATCHED THEN INSERT (?) VALUES (?)", bun.Safe(strings.Join(names, ", ")),
		bun.Safe(strings.Join(values, ", ")))
}

// models are rows of a table, and the columns to set.
type models struct {
	dialect schema.Dialect
	table   *schema.Table
	rows    reflect.Value
	columns []*schema.Field
}

// value returns the expression of a column's value. A NULL becomes the column's default.
func (m models) value(f *schema.Field) string {
	if def, ok := defaultOf(m.dialect, f); ok {
		return fmt.Sprintf("IFNULL(_data.%s, %s)", f.SQLName, def)
	}
	return "_data." + string(f.SQLName)
}

func modelsOf(db bun.IDB, v any, who string, columns []string) (m models, err error) {
	m.dialect = db.Dialect()
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
	m.table = m.dialect.Tables().Get(typ)
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
	models
	fields        []*schema.Field
	zeroIsDefault bool // the zero value of a column with a default is NULL
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
			if _, ok := defaultOf(s.dialect, f); ok && s.zeroIsDefault && f.HasZeroValue(row) {
				b = dialect.AppendNull(b)
				continue
			}
			b = f.AppendValue(gen, b, row)
		}
		b = append(b, ')')
	}
	return append(b, "])"...), nil
}
