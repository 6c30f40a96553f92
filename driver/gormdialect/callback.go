package gormdialect

import (
	"reflect"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
)

// register registers the callbacks that differ from GORM's own.
func (d *Dialector) register(db *gorm.DB) error {
	const name = "gormdialect:prepare"
	for _, err := range []error{
		db.Callback().Create().Replace("gorm:create", d.create),
		db.Callback().Query().Replace("gorm:query", query),
		db.Callback().Create().Before("*").Register(name, prepareChange),
		db.Callback().Update().Before("*").Register(name, prepareChange),
		db.Callback().Delete().Before("*").Register(name, prepareChange),
		db.Callback().Query().Before("*").Register(name, prepare),
		db.Callback().Row().Before("*").Register(name, prepare),
		db.Callback().Query().After("gorm:query").Before("gorm:preload").Register("gormdialect:absent", absent),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare sets decoders for arrays and structs in the model's fields.
func prepare(db *gorm.DB) {
	readable(db.Statement.Schema)
	mapSecondNames(db.Statement)
}

// prepareChange is prepare for a statement that changes rows.
func prepareChange(db *gorm.DB) {
	prepare(db)
	if _, ok := db.Statement.Clauses["RETURNING"]; ok {
		db.AddError(ErrReturning)
	}
}

// create is GORM's create callback without RETURNING and LastInsertId, which BigQuery does not
// have. It makes keys after the hooks of the model, which may set them.
func (d *Dialector) create(db *gorm.DB) {
	if db.Error != nil {
		return
	}
	stmt := db.Statement
	if stmt.Schema != nil && !stmt.Unscoped {
		for _, c := range stmt.Schema.CreateClauses {
			stmt.AddClause(c)
		}
	}
	if stmt.SQL.Len() == 0 {
		fresh := d.fillKeys(db)
		if db.Error != nil {
			return
		}
		stmt.AddClauseIfNotExists(clause.Insert{})
		values := callbacks.ConvertToCreateValues(stmt)
		d.withKey(stmt, &values)
		if on, ok := stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict); ok && fresh && onKey(stmt, on) {
			delete(
				stmt.Clauses,
				"ON CONFLICT",
			) // no row has a key that was just made, so an INSERT, which reads no table, is enough
		}
		stmt.AddClause(values)
		if db.Error != nil {
			return
		}
		stmt.Build(stmt.BuildClauses...)
	}
	if db.DryRun || db.Error != nil {
		return
	}
	result, err := stmt.ConnPool.ExecContext(stmt.Context, stmt.SQL.String(), stmt.Vars...)
	if db.AddError(err) != nil {
		return
	}
	db.RowsAffected, err = result.RowsAffected()
	db.AddError(err)
	if stmt.Result != nil {
		stmt.Result.Result, stmt.Result.RowsAffected = result, db.RowsAffected
	}
}

// withKey adds the key to the values if Select or a permission of the field has left it out, as for
// a number that other databases generate.
func (d *Dialector) withKey(stmt *gorm.Statement, values *clause.Values) {
	if stmt.Error != nil || stmt.Schema == nil || len(values.Columns) == 0 || stmt.ReflectValue.Kind() == reflect.Map {
		return
	}
	field := keyField(stmt.Schema)
	if field == nil ||
		slices.ContainsFunc(values.Columns, func(c clause.Column) bool { return c.Name == field.DBName }) {
		return
	}
	var rows []reflect.Value
	if list := stmt.ReflectValue; list.Kind() == reflect.Struct {
		rows = append(rows, list)
	} else {
		for i := range list.Len() {
			rows = append(rows, reflect.Indirect(list.Index(i)))
		}
	}
	if len(rows) != len(values.Values) || len(rows) == 0 || rows[0].Kind() != reflect.Struct ||
		rows[0].Type() != stmt.Schema.ModelType {
		return
	}
	for i, row := range rows {
		key, zero := field.ValueOf(stmt.Context, row)
		if zero {
			var err error
			if key, err = d.key(field); err != nil || key == nil {
				stmt.AddError(err)
				return
			}
		}
		values.Values[i] = append(values.Values[i], key)
	}
	values.Columns = append(values.Columns, clause.Column{Name: field.DBName})
}

// onKey reports whether rows conflict only by a key that this package makes.
func onKey(stmt *gorm.Statement, on clause.OnConflict) bool {
	if len(on.TargetWhere.Exprs) > 0 || on.OnConstraint != "" {
		return false
	}
	return len(on.Columns) == 0 || slices.ContainsFunc(on.Columns, func(c clause.Column) bool {
		return fieldOf(stmt, c.Name) == keyField(stmt.Schema)
	})
}
