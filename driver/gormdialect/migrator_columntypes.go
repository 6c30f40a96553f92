package gormdialect

import (
	"database/sql"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/migrator"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// column is a row of INFORMATION_SCHEMA.COLUMNS, with its description, which is in another view.
type column struct {
	TableName     string
	ColumnName    string
	DataType      string
	IsNullable    string
	ColumnDefault sql.NullString
	Description   sql.NullString
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
	err = m.query("SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default, f.description "+
		"FROM "+dataset+".INFORMATION_SCHEMA.COLUMNS AS c LEFT JOIN "+dataset+".INFORMATION_SCHEMA.COLUMN_FIELD_PATHS "+
		"AS f ON f.table_name = c.table_name AND f.field_path = c.column_name WHERE c.table_name IN UNNEST(?) "+
		"ORDER BY c.table_name, c.ordinal_position", Param{tables}).Find(&list).Error
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
		CommentValue:       sql.NullString{String: c.Description.String, Valid: true},
		ScanTypeValue:      scanTypes[columntype.Base(c.DataType)],
	}
	if n := columntype.Sizes(c.DataType); n != nil && strings.HasSuffix(columntype.Base(c.DataType), "NUMERIC") {
		t.DecimalSizeValue = sql.NullInt64{Int64: int64(n[0]), Valid: true}
		t.ScaleValue = sql.NullInt64{Int64: int64(n[1]), Valid: true}
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
