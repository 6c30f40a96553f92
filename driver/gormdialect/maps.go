package gormdialect

import (
	"maps"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/schema"
)

// query is GORM's query callback, except that a map gets values whose Go types database/sql can't
// scan into, such as big.Rat or a struct, as the driver returns them.
func query(db *gorm.DB) {
	if db.Error != nil {
		return
	}
	callbacks.BuildQuerySQL(db)
	stmt := db.Statement
	if db.DryRun || db.Error != nil {
		return
	}
	rows, err := stmt.ConnPool.QueryContext(stmt.Context, stmt.SQL.String(), stmt.Vars...)
	if err != nil {
		db.AddError(err)
		return
	}
	defer func() { db.AddError(rows.Close()) }()
	whole := stmt.Schema
	switch stmt.Dest.(type) {
	case map[string]any, *map[string]any, *[]map[string]any:
		stmt.Schema = scannable(whole)
	}
	gorm.Scan(rows, db, 0)
	stmt.Schema = whole
	if stmt.Result != nil {
		stmt.Result.RowsAffected = db.RowsAffected
	}
}

// scannable returns a schema without the fields that need a decoder or a serializer.
func scannable(s *schema.Schema) *schema.Schema {
	if s == nil {
		return nil
	}
	rest := &schema.Schema{FieldsByName: maps.Clone(s.FieldsByName), FieldsByDBName: maps.Clone(s.FieldsByDBName)}
	for _, field := range s.Fields {
		if _, decoded := field.NewValuePool.(cells); decoded || field.Serializer != nil {
			delete(rest.FieldsByName, field.Name)
			delete(rest.FieldsByDBName, field.DBName)
		}
	}
	return rest
}
