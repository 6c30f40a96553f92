package gormdialect

import (
	"math"
	"strconv"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// clauseBuilders write the clauses that differ in GoogleSQL.
var clauseBuilders = map[string]clause.ClauseBuilder{
	"INSERT":      buildInsert,
	"VALUES":      buildValues,
	"ON CONFLICT": func(clause.Clause, clause.Builder) {}, // the MERGE of buildValues contains it
	"SET":         buildSet,
	"FROM":        buildFrom,
	"LIMIT":       buildLimit,
	"FOR":         func(_ clause.Clause, b clause.Builder) { addError(b, ErrLocking) },
}

// addError adds an error to the statement.
func addError(builder clause.Builder, err error) {
	if stmt, ok := builder.(*gorm.Statement); ok && err != nil {
		stmt.AddError(err)
	}
}

func has(builder clause.Builder, name string) bool {
	stmt, ok := builder.(*gorm.Statement)
	if !ok {
		return false
	}
	c, ok := stmt.Clauses[name]
	return ok && c.Expression != nil
}

// buildInsert writes INSERT INTO, or nothing if buildValues writes a MERGE.
func buildInsert(c clause.Clause, builder clause.Builder) {
	if !has(builder, "ON CONFLICT") {
		c.Build(builder)
	}
}

// buildValues writes the rows, with values of their columns' types, or a MERGE if the statement has
// a conflict clause. A row without values gets the default of one column, because GoogleSQL has no
// DEFAULT VALUES.
func buildValues(c clause.Clause, builder clause.Builder) {
	stmt, isStatement := builder.(*gorm.Statement)
	values, isValues := c.Expression.(clause.Values)
	if !isStatement || !isValues {
		c.Build(builder)
		return
	}
	if len(values.Columns) == 0 {
		if stmt.Schema == nil || len(stmt.Schema.DBNames) == 0 {
			addError(builder, gorm.ErrEmptySlice)
			return
		}
		values.Columns = []clause.Column{{Name: stmt.Schema.DBNames[0]}}
		values.Values = [][]any{{clause.Expr{SQL: "DEFAULT"}}}
	}
	if n := len(values.Columns) * len(values.Values); n > maxParameters {
		addError(builder, errTooMany(len(values.Values), len(values.Columns)))
		return
	}
	for _, row := range values.Values {
		for i, v := range row {
			row[i] = typed(stmt, values.Columns[i].Name, v)
		}
	}
	if onConflict, ok := stmt.Clauses["ON CONFLICT"].Expression.(clause.OnConflict); ok {
		keys, err := mergeKeys(stmt, values, onConflict)
		if err == nil && keys != nil {
			if values.Values, err = distinct(stmt, values, onConflict, keys); err == nil {
				buildMerge(stmt, values, onConflict, keys)
				return
			}
		}
		if err != nil {
			addError(builder, err)
			return
		}
		clause.Clause{Name: "INSERT", Expression: stmt.Clauses["INSERT"].Expression}.Build(builder)
		builder.WriteByte(' ')
	}
	values.Build(builder)
}

// buildSet writes assignments with values of their columns' types.
func buildSet(c clause.Clause, builder clause.Builder) {
	if set, ok := c.Expression.(clause.Set); ok {
		if stmt, ok := builder.(*gorm.Statement); ok {
			c.Expression = typedSet(stmt, set)
		}
	}
	c.Build(builder)
	if !has(builder, "FROM") {
		whereTrue(builder)
	}
}

func typedSet(stmt *gorm.Statement, set clause.Set) clause.Set {
	list := make(clause.Set, len(set))
	for i, a := range set {
		list[i] = clause.Assignment{Column: a.Column, Value: typed(stmt, a.Column.Name, a.Value)}
	}
	return list
}

// buildFrom writes FROM and the WHERE that GoogleSQL needs in each UPDATE and DELETE.
func buildFrom(c clause.Clause, builder clause.Builder) {
	c.Build(builder)
	if has(builder, "DELETE") || has(builder, "SET") {
		whereTrue(builder)
	}
}

// whereTrue writes the WHERE of a statement that changes all rows. GORM refuses such a statement
// unless AllowGlobalUpdate is set.
func whereTrue(builder clause.Builder) {
	if !has(builder, "WHERE") {
		builder.WriteString(" WHERE TRUE")
	}
}

// buildLimit adds a LIMIT to an OFFSET, which GoogleSQL needs.
func buildLimit(c clause.Clause, builder clause.Builder) {
	if limit, ok := c.Expression.(clause.Limit); ok && limit.Offset > 0 && (limit.Limit == nil || *limit.Limit < 0) {
		builder.WriteString("LIMIT " + strconv.FormatInt(math.MaxInt64, 10) + " ")
	}
	c.Build(builder)
}
