package gormdialect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// AutoMigrate creates missing tables, and adds columns and foreign keys to existing ones. It widens
// columns and makes them NULLABLE. It drops nothing. It ignores indexes, and logs a warning for
// constraints that BigQuery does not enforce. It looks up all tables of a dataset in one query.
func (m Migrator) AutoMigrate(values ...any) error {
	values = m.ReorderModels(values, true)
	places := make([]place, len(values))
	tables := map[string][]string{} // by dataset
	for i, value := range values {
		p, err := m.locate(value)
		if err != nil {
			return err
		}
		places[i] = p
		tables[p.dataset] = append(tables[p.dataset], p.table)
	}
	found := map[place][]column{}
	for dataset, names := range tables {
		columns, err := m.columns(dataset, names...)
		if err != nil {
			return err
		}
		for table, list := range columns {
			found[place{dataset, table}] = list
		}
	}
	var missing []any
	for i, value := range values {
		if found[places[i]] == nil {
			missing = append(missing, value)
			continue
		}
		if err := m.RunWithValue(value, func(stmt *gorm.Statement) error {
			if stmt.Schema == nil {
				return errors.New("gormdialect: AutoMigrate: no model was passed")
			}
			return m.migrateColumns(stmt, found[places[i]])
		}); err != nil {
			return err
		}
	}
	if len(missing) > 0 {
		if err := m.CreateTable(missing...); err != nil {
			return err
		}
	}
	for i, value := range values {
		if found[places[i]] == nil {
			continue
		}
		if err := m.RunWithValue(value, func(stmt *gorm.Statement) error {
			return m.migrateKeys(stmt,
				places[i])
		}); err != nil {
			return err
		}
	}
	return nil
}

// migrateColumns adds missing columns in one statement, and migrates the others.
func (m Migrator) migrateColumns(stmt *gorm.Statement, have []column) error {
	readable(stmt.Schema)
	var add []*schema.Field
	for _, name := range stmt.Schema.DBNames {
		field := stmt.Schema.FieldsByDBName[name]
		if field.IgnoreMigration {
			continue
		}
		at := -1
		for i, c := range have {
			if strings.EqualFold(c.ColumnName, name) { // names of columns are case-insensitive in BigQuery
				at = i
			}
		}
		if at < 0 {
			add = append(add, field)
			continue
		}
		if err := m.migrateColumn(stmt, field, have[at]); err != nil {
			return err
		}
	}
	if len(add) == 0 {
		return nil
	}
	return m.addColumns(stmt, add...)
}

// migrateKeys adds missing foreign keys in one statement. It adds no primary key to an existing
// table, which may lack one on purpose.
func (m Migrator) migrateKeys(stmt *gorm.Statement, p place) error {
	wanted := m.foreignKeys(stmt)
	if len(wanted) == 0 {
		return nil
	}
	have, err := m.constraints(p)
	if err != nil {
		return err
	}
	var add []string
	for _, c := range wanted {
		if !have[c.Name] {
			add = append(add, "ADD "+m.foreignKeySQL(stmt, c))
		}
	}
	if len(add) == 0 {
		return nil
	}
	return m.exec("ALTER TABLE " + m.path(stmt) + " " + strings.Join(add, ", "))
}

// foreignKeys returns the foreign keys of a model's table that BigQuery can have: those that refer
// to a whole primary key of another table of the dataset.
func (m Migrator) foreignKeys(stmt *gorm.Statement) (list []*schema.Constraint) {
	if m.dialector.WithoutKeys || m.DB.DisableForeignKeyConstraintWhenMigrating ||
		m.DB.IgnoreRelationshipsWhenMigrating ||
		stmt.Schema == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, name := range sortedRelations(stmt.Schema) {
		rel := stmt.Schema.Relationships.Relations[name]
		if rel.Field.IgnoreMigration {
			continue
		}
		c := rel.ParseConstraint()
		if c == nil || c.Schema != stmt.Schema || seen[c.Name] || m.foreignKeyError(c) != nil {
			continue
		}
		seen[c.Name] = true
		list = append(list, c)
	}
	return list
}

// foreignKeyError says why BigQuery can't have a foreign key, or is nil.
func (m Migrator) foreignKeyError(c *schema.Constraint) error {
	reason := ""
	switch {
	case !isPrimaryKey(c):
		reason = "does not refer to the primary key of " + c.ReferenceSchema.Table
	case c.Schema.Table == c.ReferenceSchema.Table:
		reason = "refers to its own table"
	case datasetOf(c.Schema.Table) != datasetOf(c.ReferenceSchema.Table):
		reason = "refers to a table of another dataset"
	case !m.canBeKey(c.References):
		reason = "refers to columns of types that BigQuery has no keys of"
	default:
		return nil
	}
	return fmt.Errorf("gormdialect: table %s: the foreign key %s %s, which BigQuery does not allow",
		c.Schema.Table, c.Name, reason)
}

func isPrimaryKey(c *schema.Constraint) bool {
	if len(c.References) != len(c.ReferenceSchema.PrimaryFields) {
		return false
	}
	for _, field := range c.References {
		if !field.PrimaryKey {
			return false
		}
	}
	return true
}

// datasetOf returns the dataset in the name of a table, or "" for the default
// one.
func datasetOf(table string) string {
	path := splitPath(table)
	return strings.Join(path[:max(0, len(path)-1)], ".")
}

// canBeKey reports whether BigQuery allows a primary key of columns.
func (m Migrator) canBeKey(fields []*schema.Field) bool {
	types := make([]string, len(fields))
	for i, field := range fields {
		types[i] = m.DataTypeOf(field)
	}
	return columntype.CanBeKey(types...)
}

func (m Migrator) foreignKeySQL(stmt *gorm.Statement, c *schema.Constraint) string {
	return "CONSTRAINT " + stmt.Quote(c.Name) + " FOREIGN KEY (" + columnList(stmt, c.ForeignKeys) + ") REFERENCES " +
		stmt.Quote(c.ReferenceSchema.Table) + " (" + columnList(stmt, c.References) + ") NOT ENFORCED"
}

// constraints returns the names of a table's keys. BigQuery returns them with the name of the table
// and a dot before.
func (m Migrator) constraints(p place) (map[string]bool, error) {
	var names []string
	err := m.query("SELECT constraint_name FROM "+p.dataset+".INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE table_name "+
		"= ?", p.table).
		Scan(&names).
		Error
	found := map[string]bool{}
	for _, name := range names {
		found[strings.TrimPrefix(name, p.table+".")] = true
	}
	return found, err
}

// primaryKey reads the names of the columns of a table's primary key, in order.
func (m Migrator) primaryKey(p place) (names []string, err error) {
	if m.dialector.WithoutKeys {
		return nil, nil
	}
	err = m.query("SELECT column_name FROM "+p.dataset+".INFORMATION_SCHEMA.KEY_COLUMN_USAGE WHERE table_name = ? "+
		"AND constraint_name LIKE '%pk$' ORDER BY ordinal_position", p.table).
		Scan(&names).
		Error
	return names, err
}

// constraintOf runs f with the name of a constraint and a statement of the table that has it. It
// takes the name of the constraint or that of its field. The foreign key of a has-one, has-many or
// many2many relation is in the other table.
func (m Migrator) constraintOf(value any, name string, f func(stmt *gorm.Statement, name string) error) error {
	return m.RunWithValue(value, func(stmt *gorm.Statement) error {
		constraint, table := m.GuessConstraintInterfaceAndTable(stmt, name)
		if constraint == nil {
			return f(stmt, name)
		}
		if table == stmt.Table {
			return f(stmt, constraint.GetName())
		}
		return f(&gorm.Statement{DB: m.DB, Table: table}, constraint.GetName())
	})
}

// HasConstraint reports whether a table has a key, by its name or by the name of its field.
func (m Migrator) HasConstraint(value any, name string) bool {
	has := false
	m.constraintOf(value, name, func(stmt *gorm.Statement, name string) error {
		p, err := m.placeOf(stmt)
		if err != nil {
			return err
		}
		names, err := m.constraints(p)
		has = names[name]
		return err
	})
	return has
}

// CreateConstraint adds a foreign key. It returns an error for checks and unique constraints.
func (m Migrator) CreateConstraint(value any, name string) error {
	return m.RunWithValue(value, func(stmt *gorm.Statement) error {
		constraint, _ := m.GuessConstraintInterfaceAndTable(stmt, name)
		c, ok := constraint.(*schema.Constraint)
		if !ok {
			return fmt.Errorf(
				"gormdialect: table %s: %q is not a foreign key of the model, and BigQuery has no other constraints",
				stmt.Table,
				name,
			)
		}
		if err := m.foreignKeyError(c); err != nil {
			return err
		}
		return m.exec("ALTER TABLE " + stmt.Quote(c.Schema.Table) + " ADD " + m.foreignKeySQL(stmt, c))
	})
}

// DropConstraint drops a foreign key.
func (m Migrator) DropConstraint(value any, name string) error {
	return m.constraintOf(value, name, func(stmt *gorm.Statement, name string) error {
		return m.exec("ALTER TABLE " + m.path(stmt) + " DROP CONSTRAINT " + stmt.Quote(name))
	})
}

// sortedRelations returns the names of a model's relations, in alphabetical order.
func sortedRelations(s *schema.Schema) []string {
	return slices.Sorted(maps.Keys(s.Relationships.Relations))
}
