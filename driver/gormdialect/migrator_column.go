package gormdialect

import (
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// FullDataTypeOf returns the definition of a column without its name.
func (m Migrator) FullDataTypeOf(field *schema.Field) clause.Expr {
	text := m.DataTypeOf(field)
	if def := defaultSQL(field); def != "" {
		text += " DEFAULT " + def
	}
	if (field.NotNull || field.PrimaryKey) && columntype.Base(text) != "ARRAY" {
		text += " NOT NULL"
	}
	if options := columnOptions(field); options != "" {
		text += " " + options
	}
	return clause.Expr{SQL: text}
}

// defaults are functions in the tags of models for other databases.
var defaults = map[string]string{
	"now()": "CURRENT_TIMESTAMP()", "gen_random_uuid()": "GENERATE_UUID()", "uuid_generate_v4()": "GENERATE_UUID()",
	"uuid()": "GENERATE_UUID()",
}

// defaultSQL returns the expression of a column's default, or "".
func defaultSQL(field *schema.Field) string {
	if !field.HasDefaultValue || field.AutoIncrement {
		return ""
	}
	if v := field.DefaultValueInterface; v != nil {
		if text, err := literal.Append(nil, v); err == nil {
			return string(text)
		}
	}
	switch text := field.DefaultValue; strings.ToLower(text) {
	case "", "(-)", "null":
		return ""
	default:
		if known, ok := defaults[strings.ToLower(text)]; ok {
			return known
		}
		return text
	}
}

// column is a row of INFORMATION_SCHEMA.COLUMNS.
type column struct {
	TableName     string
	ColumnName    string
	DataType      string
	IsNullable    string
	ColumnDefault sql.NullString
}

func (c column) required() bool { return c.IsNullable == "NO" }

func (c column) defaultSQL() string {
	if c.ColumnDefault.String == "NULL" {
		return ""
	}
	return c.ColumnDefault.String
}

// columns returns the columns of tables in one query, in their order.
func (m Migrator) columns(dataset string, tables ...string) (found map[string][]column, err error) {
	var list []column
	err = m.query("SELECT table_name, column_name, data_type, is_nullable, column_default FROM "+dataset+
		".INFORMATION_SCHEMA.COLUMNS WHERE table_name IN UNNEST(?) ORDER BY table_name, ordinal_position",
		Param{tables}).Find(&list).Error
	found = map[string][]column{}
	for _, c := range list {
		found[c.TableName] = append(found[c.TableName], c)
	}
	return found, err
}

// ColumnTypes returns the columns of a table, in their order.
func (m Migrator) ColumnTypes(value any) (types []gorm.ColumnType, err error) {
	p, err := m.locate(value)
	if err != nil {
		return nil, err
	}
	found, err := m.columns(p.dataset, p.table)
	if err == nil && found[p.table] == nil {
		err = fmt.Errorf("gormdialect: there is no table %s.%s", p.dataset, p.table)
	}
	keys, _ := m.primaryKey(p)
	for _, c := range found[p.table] {
		types = append(types, columnType(c, slices.Contains(keys, c.ColumnName)))
	}
	return types, err
}

func columnType(c column, primary bool) gorm.ColumnType {
	t := migrator.ColumnType{
		NameValue:          sql.NullString{String: c.ColumnName, Valid: true},
		DataTypeValue:      sql.NullString{String: columntype.Base(c.DataType), Valid: true},
		ColumnTypeValue:    sql.NullString{String: c.DataType, Valid: true},
		NullableValue:      sql.NullBool{Bool: !c.required(), Valid: true},
		DefaultValueValue:  sql.NullString{String: unquoted(c.defaultSQL()), Valid: c.defaultSQL() != ""},
		PrimaryKeyValue:    sql.NullBool{Bool: primary, Valid: true},
		AutoIncrementValue: sql.NullBool{Valid: true},
		ScanTypeValue:      scanTypes[columntype.Base(c.DataType)],
	}
	if n := columntype.Sizes(c.DataType); n != nil && strings.HasSuffix(columntype.Base(c.DataType), "NUMERIC") {
		t.DecimalSizeValue, t.ScaleValue = sql.NullInt64{
			Int64: int64(n[0]),
			Valid: true,
		}, sql.NullInt64{
			Int64: int64(n[1]),
			Valid: true,
		}
	} else if n != nil {
		t.LengthValue = sql.NullInt64{Int64: int64(n[0]), Valid: true}
	}
	return t
}

// scanTypes are the Go types of the values of columns.
var scanTypes = map[string]reflect.Type{
	"INT64": reflect.TypeFor[int64](), "FLOAT64": reflect.TypeFor[float64](), "BOOL": reflect.TypeFor[bool](),
	"BYTES":  reflect.TypeFor[[]byte](),
	"STRING": reflect.TypeFor[string](), "NUMERIC": reflect.TypeFor[string](),
	"BIGNUMERIC": reflect.TypeFor[string](), "JSON": reflect.TypeFor[string](),
	"GEOGRAPHY": reflect.TypeFor[string](), "INTERVAL": reflect.TypeFor[string](), "TIME": reflect.TypeFor[string](),
	"DATE": reflect.TypeFor[time.Time](), "DATETIME": reflect.TypeFor[time.Time](),
	"TIMESTAMP": reflect.TypeFor[time.Time](),
}

// HasColumn reports whether a table has a column with the name of a field or column.
func (m Migrator) HasColumn(value any, name string) bool {
	types, err := m.ColumnTypes(value)
	if err != nil {
		return false
	}
	m.RunWithValue(value, func(stmt *gorm.Statement) error {
		name = dbName(stmt, name)
		return nil
	})
	for _, t := range types {
		if strings.EqualFold(t.Name(), name) {
			return true
		}
	}
	return false
}

func dbName(stmt *gorm.Statement, name string) string {
	if stmt.Schema != nil {
		if field := stmt.Schema.LookUpField(name); field != nil {
			return field.DBName
		}
	}
	return name
}

// withField calls f with a field of a model, and its table.
func (m Migrator) withField(value any, name string, f func(stmt *gorm.Statement, field *schema.Field) error) error {
	return m.RunWithValue(value, func(stmt *gorm.Statement) error {
		if stmt.Schema == nil {
			return errors.New("gormdialect: got the name of a table; want a model")
		}
		field := stmt.Schema.LookUpField(name)
		if field == nil {
			return fmt.Errorf("gormdialect: model %s has no field %q", stmt.Schema.Name, name)
		}
		return f(stmt, field)
	})
}

// AddColumn adds a column. BigQuery only adds columns that are NULLABLE and have no default, so
// AddColumn sets the default afterwards.
func (m Migrator) AddColumn(value any, name string) error {
	return m.withField(value, name, func(stmt *gorm.Statement, field *schema.Field) error {
		if field.IgnoreMigration {
			return nil
		}
		return m.addColumns(stmt, field)
	})
}

// addColumns adds columns in one statement, and sets each default in another one.
func (m Migrator) addColumns(stmt *gorm.Statement, fields ...*schema.Field) error {
	var list []string
	for _, field := range fields {
		if err := checkField(field); err != nil {
			return err
		}
		text := "ADD COLUMN " + stmt.Quote(field.DBName) + " " + m.DataTypeOf(field)
		if options := columnOptions(field); options != "" {
			text += " " + options
		}
		list = append(list, text)
	}
	if err := m.exec("ALTER TABLE " + m.path(stmt) + " " + strings.Join(list, ", ")); err != nil {
		return err
	}
	for _, field := range fields {
		if def := defaultSQL(field); def != "" {
			if err := m.alter(stmt, field, "SET DEFAULT "+def); err != nil {
				return err
			}
		}
	}
	return nil
}

// alter runs one ALTER COLUMN.
func (m Migrator) alter(stmt *gorm.Statement, field *schema.Field, what string) error {
	return m.exec("ALTER TABLE " + m.path(stmt) + " ALTER COLUMN " + stmt.Quote(field.DBName) + " " + what)
}

// DropColumn drops a column.
func (m Migrator) DropColumn(value any, name string) error {
	return m.RunWithValue(value, func(stmt *gorm.Statement) error {
		return m.exec("ALTER TABLE " + m.path(stmt) + " DROP COLUMN " + stmt.Quote(dbName(stmt, name)))
	})
}

// RenameColumn renames a column.
func (m Migrator) RenameColumn(value any, oldName, newName string) error {
	return m.RunWithValue(value, func(stmt *gorm.Statement) error {
		return m.exec(
			"ALTER TABLE " + m.path(
				stmt,
			) + " RENAME COLUMN " + stmt.Quote(
				dbName(stmt, oldName),
			) + " TO " + stmt.Quote(
				dbName(stmt, newName),
			),
		)
	})
}

// AlterColumn changes the type of a column to that of the model. BigQuery only accepts a wider
// type.
func (m Migrator) AlterColumn(value any, name string) error {
	return m.withField(value, name, func(stmt *gorm.Statement, field *schema.Field) error {
		return m.alter(stmt, field, "SET DATA TYPE "+m.DataTypeOf(field))
	})
}

// MigrateColumn changes a column to that of the model: to a wider type, to NULLABLE, to another
// default. It returns an error if the column's type is neither the model's nor wider, and can't be
// widened to it.
func (m Migrator) MigrateColumn(value any, field *schema.Field, have gorm.ColumnType) error {
	c := column{ColumnName: have.Name(), IsNullable: "YES"}
	c.DataType, _ = have.ColumnType()
	if nullable, ok := have.Nullable(); ok && !nullable {
		c.IsNullable = "NO"
	}
	c.ColumnDefault.String, c.ColumnDefault.Valid = have.DefaultValue()
	return m.RunWithValue(value, func(stmt *gorm.Statement) error { return m.migrateColumn(stmt, field, c) })
}

// MigrateColumnUnique does nothing, because BigQuery does not enforce uniqueness.
func (m Migrator) MigrateColumnUnique(any, *schema.Field, gorm.ColumnType) error { return nil }

func (m Migrator) migrateColumn(stmt *gorm.Statement, field *schema.Field, have column) error {
	if field.IgnoreMigration {
		return nil
	}
	want := m.DataTypeOf(field)
	switch columntype.Compare(have.DataType, want) {
	case columntype.Wider:
		if err := m.alter(stmt, field, "SET DATA TYPE "+want); err != nil {
			return err
		}
	case columntype.Incompatible:
		return fmt.Errorf(
			"gormdialect: column %s of table %s is a %s, which BigQuery can't change to the %s of %s.%s: add a "+
				"column, copy the values and drop this one",
			field.DBName,
			stmt.Table,
			have.DataType,
			want,
			stmt.Schema.Name,
			field.Name,
		)
	}
	if have.required() && !field.NotNull && !field.PrimaryKey {
		if err := m.alter(stmt, field, "DROP NOT NULL"); err != nil {
			return err
		}
	}
	switch def := defaultSQL(field); {
	case def != "" && bare(def) != bare(have.defaultSQL()):
		return m.alter(stmt, field, "SET DEFAULT "+def)
	case def == "" && strings.EqualFold(field.DefaultValue, "null") && have.defaultSQL() != "": // default:null
		return m.alter(stmt, field, "DROP DEFAULT")
	}
	return nil
}

// unquoted returns the text of a STRING literal, and any other expression as it is. It is what GORM
// calls the value of a default.
func unquoted(expr string) string {
	n := len(expr)
	if n < 2 || expr[0] != '\'' && expr[0] != '"' || expr[n-1] != expr[0] ||
		strings.ContainsAny(expr[1:n-1], expr[:1]+`\`) {
		return expr
	}
	return expr[1 : n-1]
}

// bare returns an expression without differences that BigQuery may print: blanks, case, quotes,
// empty parentheses.
func bare(expr string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "'", "", `"`, "", "()", "").Replace(expr))
}
