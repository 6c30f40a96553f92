package gormdialect

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/migrator"
)

// Migrator creates and alters tables. Its methods do what GORM documents, with these differences:
// there are no indexes, keys are NOT ENFORCED, added columns are NULLABLE, and the type of a column
// can only be widened.
type Migrator struct {
	migrator.Migrator
	dialector *Dialector
}

var _ gorm.Migrator = Migrator{}

// place is the dataset and name of a table.
type place struct {
	dataset string // quoted, with its project if it has one
	table   string
}

// placeOf returns the place of a statement's table. Its dataset is the one in the name, or the
// default.
func (m Migrator) placeOf(stmt *gorm.Statement) (place, error) {
	name := stmt.Table
	if stmt.TableExpr != nil && len(stmt.TableExpr.Vars) == 0 && !strings.ContainsAny(stmt.TableExpr.SQL, " \t\n") {
		name = stmt.TableExpr.SQL
	}
	path := splitPath(name)
	if len(path) == 0 {
		return place{}, fmt.Errorf("gormdialect: the statement has no table")
	}
	p := place{table: path[len(path)-1]}
	if len(path) == 1 {
		dataset := m.CurrentDatabase()
		if dataset == "" {
			return p, fmt.Errorf(
				"gormdialect: table %s: neither the DSN nor the name of the table has a dataset: add one",
				p.table,
			)
		}
		path = []string{dataset, p.table}
	}
	p.dataset = stmt.Quote(strings.Join(path[:len(path)-1], "."))
	return p, nil
}

// locate is placeOf for an argument of a Migrator's method: a model or the name of a table.
func (m Migrator) locate(value any) (p place, err error) {
	err = m.RunWithValue(value, func(stmt *gorm.Statement) (err error) {
		p, err = m.placeOf(stmt)
		return err
	})
	return p, err
}

// query runs a query of the migrator itself, in dry runs too.
func (m Migrator) query(text string, args ...any) *gorm.DB {
	tx, _ := m.GetQueryAndExecTx()
	return tx.Raw(text, args...)
}

// exec runs a statement without arguments.
func (m Migrator) exec(text string) error {
	_, tx := m.GetQueryAndExecTx()
	return tx.Exec(text).Error
}

// path returns the quoted name of a statement's table.
func (m Migrator) path(stmt *gorm.Statement) string {
	if stmt.TableExpr != nil {
		return stmt.TableExpr.SQL
	}
	return stmt.Quote(clause.Table{Name: stmt.Table})
}

// CurrentDatabase returns the default dataset.
func (m Migrator) CurrentDatabase() (name string) {
	m.query("SELECT @@dataset_id").Row().Scan(&name)
	return name
}

// GetTables returns the names of the tables in the default dataset.
func (m Migrator) GetTables() (tables []string, err error) {
	stmt := &gorm.Statement{DB: m.DB}
	err = m.query("SELECT table_name FROM " + stmt.Quote(m.CurrentDatabase()) +
		".INFORMATION_SCHEMA.TABLES WHERE table_type = 'BASE TABLE' ORDER BY table_name").Scan(&tables).Error
	return tables, err
}

// HasTable reports whether a table or view exists.
func (m Migrator) HasTable(value any) bool {
	p, err := m.locate(value)
	if err != nil {
		return false
	}
	var count int64
	err = m.query("SELECT COUNT(*) FROM "+p.dataset+".INFORMATION_SCHEMA.TABLES WHERE table_name = ?", p.table).
		Row().
		Scan(&count)
	return err == nil && count > 0
}

// DropTable drops tables, starting with the last one.
func (m Migrator) DropTable(values ...any) error {
	values = m.ReorderModels(values, false)
	for i := len(values) - 1; i >= 0; i-- {
		if err := m.RunWithValue(values[i], func(stmt *gorm.Statement) error {
			return m.exec("DROP TABLE IF EXISTS " + m.path(stmt))
		}); err != nil {
			return err
		}
	}
	return nil
}

// RenameTable renames a table within its dataset. BigQuery renames no table that has a primary key:
// the key is dropped before and added again.
func (m Migrator) RenameTable(oldName, newName any) error {
	to, err := m.locateName(newName)
	if err != nil {
		return err
	}
	return m.RunWithValue(oldName, func(stmt *gorm.Statement) error {
		p, err := m.placeOf(stmt)
		if err != nil {
			return err
		}
		key, err := m.primaryKey(p)
		if err != nil {
			return err
		}
		for i, name := range key {
			key[i] = stmt.Quote(name)
		}
		old := m.path(stmt)
		renamed := strings.TrimSuffix(old, stmt.Quote(p.table)) + stmt.Quote(to)
		statements := []string{"ALTER TABLE " + old + " RENAME TO " + stmt.Quote(to)}
		if len(key) > 0 {
			statements = []string{
				"ALTER TABLE " + old + " DROP PRIMARY KEY",
				statements[0],
				"ALTER TABLE " + renamed + " ADD PRIMARY KEY (" + strings.Join(key, ", ") + ") NOT ENFORCED",
			}
		}
		for _, text := range statements {
			if err := m.exec(text); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m Migrator) locateName(value any) (name string, err error) {
	err = m.RunWithValue(value, func(stmt *gorm.Statement) error {
		path := splitPath(stmt.Table)
		name = path[len(path)-1]
		return nil
	})
	return name, err
}

// DropView drops a view.
func (m Migrator) DropView(name string) error {
	stmt := &gorm.Statement{DB: m.DB}
	return m.exec("DROP VIEW IF EXISTS " + stmt.Quote(clause.Table{Name: name}))
}

// TableType returns the kind of a table, such as BASE TABLE or VIEW. Its Comment is not set.
func (m Migrator) TableType(value any) (gorm.TableType, error) {
	p, err := m.locate(value)
	if err != nil {
		return nil, err
	}
	var t migrator.TableType
	err = m.query("SELECT table_schema, table_name, table_type FROM "+p.dataset+".INFORMATION_SCHEMA.TABLES WHERE "+
		"table_name = ?", p.table).
		Row().
		Scan(&t.SchemaValue, &t.NameValue, &t.TypeValue)
	return t, err
}

// HasIndex returns false, because BigQuery has no indexes on columns.
func (m Migrator) HasIndex(any, string) bool { return false }

// CreateIndex returns ErrNoIndex. AutoMigrate ignores indexes.
func (m Migrator) CreateIndex(any, string) error { return ErrNoIndex }

// DropIndex returns ErrNoIndex.
func (m Migrator) DropIndex(any, string) error { return ErrNoIndex }

// RenameIndex returns ErrNoIndex.
func (m Migrator) RenameIndex(any, string, string) error { return ErrNoIndex }

// GetIndexes returns no indexes.
func (m Migrator) GetIndexes(any) ([]gorm.Index, error) { return nil, nil }

// warn logs what a model declares and BigQuery can't enforce.
func (m Migrator) warn(stmt *gorm.Statement) {
	var list []string
	for _, index := range stmt.Schema.ParseIndexes() {
		if index.Class == "UNIQUE" {
			list = append(list, "unique index "+index.Name)
		}
	}
	for name := range stmt.Schema.ParseUniqueConstraints() {
		list = append(list, "unique constraint "+name)
	}
	for name := range stmt.Schema.ParseCheckConstraints() {
		list = append(list, "check constraint "+name)
	}
	if len(list) > 0 {
		m.DB.Logger.Warn(
			context.Background(),
			"gormdialect: table %s is made without what BigQuery does not enforce: %s",
			stmt.Table,
			strings.Join(list, ", "),
		)
	}
}
