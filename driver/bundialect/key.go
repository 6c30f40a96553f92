package bundialect

import (
	"slices"
	"strings"

	"github.com/uptrace/bun/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/columntype"
)

// primaryKey returns what CREATE TABLE says of a primary key. A key that BigQuery does not allow becomes a comment,
// because bun writes a key of its own where it finds none.
func primaryKey(fields []*schema.Field) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = string(f.SQLName)
	}
	if !canBeKey(fields) {
		return " /* no PRIMARY KEY of these types */"
	}
	return ", PRIMARY KEY (" + strings.Join(names, ", ") + ") NOT ENFORCED"
}

// setForeignKey makes the foreign key of a relation NOT ENFORCED. One that BigQuery does not allow is omitted. bun
// writes none for columns that are a primary key, so the relation gets copies of its columns that look like one.
func setForeignKey(rel *schema.Relation) {
	rel.OnUpdate, rel.OnDelete = "", "NOT ENFORCED"
	if rel.Type == schema.ManyToManyRelation || canReference(rel) {
		return
	}
	fields := make([]*schema.Field, len(rel.BasePKs))
	for i, f := range rel.BasePKs {
		same := *f
		same.IsPK = true
		fields[i] = &same
	}
	rel.BasePKs = fields
}

// canReference reports whether BigQuery allows the foreign key of a relation: it refers to the whole primary key of
// another table of the dataset.
func canReference(rel *schema.Relation) bool {
	from, to := rel.Field.Table, rel.JoinTable
	if from.SQLName == to.SQLName || datasetOf(from) != datasetOf(to) || len(rel.JoinPKs) != len(to.PKs) {
		return false
	}
	for _, f := range rel.JoinPKs {
		if !slices.Contains(to.PKs, f) {
			return false
		}
	}
	return canBeKey(rel.JoinPKs) && canBeKey(rel.BasePKs)
}

// datasetOf returns the dataset in the name of a table, or "" for the default
// one.
func datasetOf(table *schema.Table) string {
	name := string(table.SQLName)
	return name[:max(0, strings.LastIndexByte(name, '.'))]
}

func canBeKey(fields []*schema.Field) bool {
	types := make([]string, len(fields))
	for i, f := range fields {
		types[i] = typeOf(f)
	}
	return columntype.CanBeKey(types...)
}
