package gormdialect

import (
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// DataTypeOf returns the type of a field's column.
func (m Migrator) DataTypeOf(field *schema.Field) string { return typeOfColumn(m.DB, field) }

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
		return m.exec("ALTER TABLE " + m.path(stmt) + " RENAME COLUMN " + stmt.Quote(dbName(stmt, oldName)) +
			" TO " + stmt.Quote(dbName(stmt, newName)))
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
// default or comment. It returns an error if the column's type is neither the model's nor wider, and can't be
// widened to it.
func (m Migrator) MigrateColumn(value any, field *schema.Field, have gorm.ColumnType) error {
	c := column{ColumnName: have.Name(), IsNullable: "YES"}
	c.DataType, _ = have.ColumnType()
	if nullable, ok := have.Nullable(); ok && !nullable {
		c.IsNullable = "NO"
	}
	c.ColumnDefault.String, c.ColumnDefault.Valid = have.DefaultValue()
	c.Description.String, c.Description.Valid = have.Comment()
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
	if field.Comment != "" && field.Comment != have.Description.String {
		if err := m.alter(stmt, field, "SET OPTIONS("+description(field)+")"); err != nil {
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

// bare returns an expression without differences that BigQuery may print: blanks, case, quotes,
// empty parentheses.
func bare(expr string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "'", "", `"`, "", "()", "").Replace(expr))
}
