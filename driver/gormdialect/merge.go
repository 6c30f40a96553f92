package gormdialect

import (
	"fmt"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// source is the name that GORM, like PostgreSQL, uses for the row that could not be inserted.
const source = "excluded"

// maxParameters is the largest number of parameters of a statement in BigQuery.
const maxParameters = 10000

func errTooMany(rows, columns int) error {
	return fmt.Errorf(
		"gormdialect: %d rows of %d columns are %d parameters, but a statement can have %d: use "+
			"CreateInBatches with at most %d rows, or package bulk for many",
		rows,
		columns,
		rows*columns,
		maxParameters,
		max(1, maxParameters/columns),
	)
}

// buildMerge writes INSERT ... ON CONFLICT as MERGE:
//
//	MERGE INTO t USING (SELECT ? AS id, ? AS name UNION ALL SELECT ?, ?) AS excluded ON t.id = excluded.id
//	WHEN NOT MATCHED THEN INSERT (id, name) VALUES (excluded.id, excluded.name)
//	WHEN MATCHED THEN UPDATE SET name = excluded.name
func buildMerge(stmt *gorm.Statement, values clause.Values, on clause.OnConflict, keys []string) {
	stmt.WriteString("MERGE INTO ")
	stmt.WriteQuoted(clause.Table{Name: clause.CurrentTable})
	stmt.WriteString(" USING (")
	for i, row := range values.Values {
		if i > 0 {
			stmt.WriteString(" UNION ALL ")
		}
		stmt.WriteString("SELECT ")
		for j, v := range row {
			if j > 0 {
				stmt.WriteByte(',')
			}
			stmt.AddVar(stmt, defaultOf(stmt, values.Columns[j].Name, v))
			stmt.WriteString(" AS ")
			stmt.WriteQuoted(values.Columns[j].Name)
		}
	}
	stmt.WriteString(") AS " + source + " ON ")
	for i, key := range keys {
		if i > 0 {
			stmt.WriteString(" AND ")
		}
		stmt.WriteQuoted(clause.Column{Table: clause.CurrentTable, Name: key})
		stmt.WriteByte('=')
		stmt.WriteQuoted(clause.Column{Table: source, Name: key})
	}
	stmt.WriteString(" WHEN NOT MATCHED THEN INSERT (")
	for i, c := range values.Columns {
		if i > 0 {
			stmt.WriteByte(',')
		}
		stmt.WriteQuoted(c.Name)
	}
	stmt.WriteString(") VALUES (")
	for i, c := range values.Columns {
		if i > 0 {
			stmt.WriteByte(',')
		}
		stmt.WriteQuoted(clause.Column{Table: source, Name: c.Name})
	}
	stmt.WriteByte(')')
	if !on.DoNothing && len(on.DoUpdates) > 0 {
		stmt.WriteString(" WHEN MATCHED")
		if len(on.Where.Exprs) > 0 {
			stmt.WriteString(" AND ")
			on.Where.Build(stmt)
		}
		stmt.WriteString(" THEN UPDATE SET ")
		typedSet(stmt, on.DoUpdates).Build(stmt)
	}
}

// mergeKeys returns the columns that identify a row: those of the clause, or the primary key. Each
// must be among the values. Without any of them there can be no conflict.
func mergeKeys(stmt *gorm.Statement, values clause.Values, on clause.OnConflict) (keys []string, err error) {
	switch {
	case on.OnConstraint != "":
		return nil, fmt.Errorf(
			"%w: BigQuery does not enforce constraints: set Columns instead of OnConstraint %q",
			ErrOnConflict,
			on.OnConstraint,
		)
	case len(on.TargetWhere.Exprs) > 0:
		return nil, fmt.Errorf(
			"%w: TargetWhere belongs to an index, which BigQuery does not have: use Where",
			ErrOnConflict,
		)
	}
	for _, c := range on.Columns {
		keys = append(keys, c.Name)
	}
	if keys == nil && stmt.Schema != nil {
		for _, f := range stmt.Schema.PrimaryFields {
			keys = append(keys, f.DBName)
		}
	}
	if keys == nil && on.DoNothing {
		return nil, nil
	}
	if keys == nil {
		return nil, fmt.Errorf(
			"%w: the primary key of table %s is not known: set Columns",
			ErrOnConflict,
			stmt.Table,
		)
	}
	for i, key := range keys {
		if stmt.Schema != nil {
			if f := stmt.Schema.LookUpField(key); f != nil {
				keys[i] = f.DBName
			}
		}
		if !slices.ContainsFunc(values.Columns, func(c clause.Column) bool { return c.Name == keys[i] }) {
			return nil, fmt.Errorf(
				"%w: column %s of the conflict is not inserted",
				ErrOnConflict,
				keys[i],
			)
		}
	}
	return keys, nil
}

// distinct finds rows of the statement with the same key, because MERGE would insert all of them.
// If a conflict changes nothing, the first one is kept, as with an INSERT. Otherwise a row would be
// changed twice, which is an error.
func distinct(stmt *gorm.Statement, values clause.Values, on clause.OnConflict, keys []string) ([][]any, error) {
	var at []int
	for i, c := range values.Columns {
		if slices.Contains(keys, c.Name) {
			at = append(at, i)
		}
	}
	seen := map[string]int{}
	var rows [][]any
	for i, row := range values.Values {
		var key []any
		for _, j := range at {
			if _, ok := row[j].(clause.Expression); ok {
				return values.Values, nil // only BigQuery knows the value
			}
			key = append(key, plain(row[j]))
		}
		first, again := seen[fmt.Sprintf("%#v", key)]
		switch {
		case !again:
			seen[fmt.Sprintf("%#v", key)] = i
			rows = append(rows, row)
		case !on.DoNothing:
			return nil, fmt.Errorf(
				"%w: rows %d and %d of table %s have the same key: leave one out",
				ErrOnConflict,
				first,
				i,
				stmt.Table,
			)
		}
	}
	return rows, nil
}

// defaultOf replaces the word DEFAULT, which a query can't contain, by the default's expression,
// and gives NULL its type, which would be INT64 otherwise.
func defaultOf(stmt *gorm.Statement, column string, v any) any {
	field := fieldOf(stmt, column)
	e, ok := v.(clause.Expr)
	if !ok || e.SQL != "DEFAULT" && e.SQL != null.SQL || field == nil {
		return v
	}
	if def := defaultSQL(field); def != "" && e.SQL == "DEFAULT" {
		return clause.Expr{SQL: def}
	}
	return clause.Expr{SQL: "CAST(NULL AS " + columntype.OfValues(typeOfColumn(stmt.DB, field)) + ")"}
}
