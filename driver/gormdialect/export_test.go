package gormdialect

import (
	"database/sql"

	"gorm.io/gorm"
)

// ColumnOf is a column as INFORMATION_SCHEMA describes it.
func ColumnOf(name, dataType string, required bool, def string) gorm.ColumnType {
	c := column{
		ColumnName:    name,
		DataType:      dataType,
		IsNullable:    "YES",
		ColumnDefault: sql.NullString{String: "NULL", Valid: true},
	}
	if required {
		c.IsNullable = "NO"
	}
	if def != "" {
		c.ColumnDefault.String = def
	}
	return columnType(c, false)
}
