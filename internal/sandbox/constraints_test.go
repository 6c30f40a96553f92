package sandbox

import (
	"reflect"
	"strings"
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d",
		"CREATE TABLE d.person (id INT64 NOT NULL, part STRING, PRIMARY KEY (part, id) NOT ENFORCED)",
		"CREATE TABLE d.city (name STRING PRIMARY KEY NOT ENFORCED)",
		"CREATE TABLE d.visit (who INT64, part STRING, city STRING REFERENCES d.city(name) NOT ENFORCED, "+
			"CONSTRAINT visitor FOREIGN KEY (who, part) REFERENCES d.person(id, part) NOT ENFORCED)",
		"CREATE TABLE d.plain (id INT64, who INT64, part STRING, city STRING)")
	c := newClient(t, s, DefaultAccount)
	const (
		constraints = "SELECT STRING_AGG(CONCAT(constraint_name, ' ', constraint_type), ', ' ORDER BY " +
			"constraint_name) FROM d.INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE table_name = 'plain' AND enforced = " +
			"'NO'"
		columns = "SELECT STRING_AGG(FORMAT('%s %s %d %t', constraint_name, column_name, ordinal_position, " +
			"position_in_unique_constraint), ', ' ORDER BY constraint_name, ordinal_position) FROM " +
			"d.INFORMATION_SCHEMA.KEY_COLUMN_USAGE"
		used = "SELECT STRING_AGG(CONCAT(constraint_name, ' ', table_name, ' ', column_name), ', ' ORDER BY " +
			"constraint_name, column_name) FROM d.INFORMATION_SCHEMA.CONSTRAINT_COLUMN_USAGE"
	)
	if got, want := c.value(columns), "city.pk$ name 1 NULL, person.pk$ part 1 NULL, person.pk$ id 2 NULL, "+
		"visit.fk$1 city 1 1, visit.visitor who 1 2, visit.visitor part 2 1"; got != want {
		t.Errorf("KEY_COLUMN_USAGE: got %s; want %s", got, want)
	}
	if got, want := c.value(used), "city.pk$ city name, person.pk$ person id, person.pk$ person part, "+
		"visit.fk$1 city name, visit.visitor person id, visit.visitor person part"; got != want {
		t.Errorf("CONSTRAINT_COLUMN_USAGE: got %s; want %s", got, want)
	}
	for _, tt := range []struct{ sql, want string }{
		{"ALTER TABLE d.plain ADD PRIMARY KEY (id) NOT ENFORCED, ADD FOREIGN KEY (city) REFERENCES d.city(name) NOT " +
			"ENFORCED", "plain.fk$1 FOREIGN KEY, plain.pk$ PRIMARY KEY"},
		{"ALTER TABLE d.plain ADD CONSTRAINT visitor FOREIGN KEY (part, who) REFERENCES d.person(part, id) NOT ENFORCED",
			"plain.fk$1 FOREIGN KEY, plain.pk$ PRIMARY KEY, plain.visitor FOREIGN KEY"},
		{"ALTER TABLE d.plain ADD CONSTRAINT IF NOT EXISTS visitor FOREIGN KEY (city) REFERENCES d.city(name) NOT " +
			"ENFORCED, ADD COLUMN extra INT64",
			"plain.fk$1 FOREIGN KEY, plain.pk$ PRIMARY KEY, plain.visitor FOREIGN KEY"},
		{"ALTER TABLE d.plain DROP PRIMARY KEY", "plain.fk$1 FOREIGN KEY, plain.visitor FOREIGN KEY"},
		{"ALTER TABLE d.plain DROP PRIMARY KEY IF EXISTS, DROP CONSTRAINT IF EXISTS nosuch, DROP CONSTRAINT visitor",
			"plain.fk$1 FOREIGN KEY"},
		{"ALTER TABLE d.plain DROP CONSTRAINT `plain.fk$1`, ADD PRIMARY KEY (who) NOT ENFORCED",
			"plain.pk$ PRIMARY KEY"},
		{"ALTER TABLE d.plain DROP CONSTRAINT `pk$`", "NULL"},
	} {
		c.exec(tt.sql)
		if got := c.value("SELECT IFNULL((" + constraints + "), 'NULL')"); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.sql, got, tt.want)
		}
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"ALTER TABLE d.person ADD PRIMARY KEY (id) NOT ENFORCED", "invalidQuery", "Multiple primary keys"},
		{"ALTER TABLE d.plain DROP PRIMARY KEY", "invalidQuery", "has no primary key"},
		{"ALTER TABLE d.plain DROP CONSTRAINT nosuch", "invalidQuery", "Not found: Constraint nosuch"},
		{"ALTER TABLE d.visit ADD CONSTRAINT visitor FOREIGN KEY (city) REFERENCES d.city(name) NOT ENFORCED",
			"invalidQuery", "Already Exists: Constraint visitor"},
		{"ALTER TABLE d.plain ADD PRIMARY KEY (nosuch) NOT ENFORCED", "invalidQuery", "Column nosuch of the key"},
		{"ALTER TABLE d.plain ADD PRIMARY KEY (id)", "invalidQuery", "NOT ENFORCED must be given"},
		{"ALTER TABLE d.plain ADD CHECK (id > 0)", "invalidQuery", "ALTER ... ADD CHECK"},
		{"ALTER TABLE d.plain ADD FOREIGN KEY (city) REFERENCES d.nosuch(name) NOT ENFORCED", "notFound", "nosuch"},
		{"ALTER TABLE d.person RENAME TO human", "invalidQuery", "has a primary key and cannot be renamed"},
		{"ALTER TABLE d.person RENAME COLUMN id TO n", "invalidQuery", "part of the key pk$"},
		{"ALTER TABLE d.person ALTER COLUMN id SET DATA TYPE NUMERIC", "invalidQuery", "part of the key pk$"},
		{"ALTER TABLE d.visit DROP COLUMN city", "invalidQuery", "of the key fk$1 is not supported by the sandbox"},
		{"SELECT * FROM `region-us`.INFORMATION_SCHEMA.TABLE_CONSTRAINTS", "invalidQuery", "qualified with a dataset"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	// A key goes with its table, and stays with the rows.
	c.exec("INSERT INTO d.city VALUES ('x'), ('x'), (NULL)", "DELETE FROM d.city WHERE name IS NULL")
	const ofCity = "SELECT COUNT(*) FROM d.INFORMATION_SCHEMA.TABLE_CONSTRAINTS WHERE table_name = 'city'"
	if got := c.value(ofCity); got != "1" {
		t.Errorf("after DML: got %s keys; want 1", got)
	}
	if got := c.value("SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'visit'"); !strings.Contains(got,
		"CONSTRAINT `visitor` FOREIGN KEY (`who`, `part`) REFERENCES `my-billing-project.d.person` (`id`, `part`) NOT "+
			"ENFORCED") {
		t.Errorf("got %s; want the key", got)
	}
	c.exec("CREATE OR REPLACE TABLE d.city (name STRING)")
	if got := c.value(ofCity); got != "0" {
		t.Errorf("a table that was replaced: got %s keys; want 0", got)
	}
}

func TestTableConstraints(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.one (id INT64 PRIMARY KEY NOT ENFORCED)")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	want := &bq.TableConstraints{
		PrimaryKey: &bq.TableConstraintsPrimaryKey{Columns: []string{"id", "other"}},
		ForeignKeys: []*bq.TableConstraintsForeignKeys{
			{ReferencedTable: &bq.TableConstraintsForeignKeysReferencedTable{ProjectId: DefaultProject, DatasetId: "d",
				TableId: "one"}, ColumnReferences: []*bq.TableConstraintsForeignKeysColumnReferences{
				{ReferencingColumn: "other", ReferencedColumn: "id"}}},
			{Name: "named", ReferencedTable: &bq.TableConstraintsForeignKeysReferencedTable{ProjectId: DefaultProject,
				DatasetId: "d", TableId: "one"}, ColumnReferences: []*bq.TableConstraintsForeignKeysColumnReferences{
				{ReferencingColumn: "id", ReferencedColumn: "id"}}},
		},
	}
	made, err := svc.Tables.Insert(DefaultProject, "d", &bq.Table{
		TableReference: &bq.TableReference{ProjectId: DefaultProject, DatasetId: "d", TableId: "two"},
		Schema: &bq.TableSchema{Fields: []*bq.TableFieldSchema{
			{Name: "id", Type: "INTEGER", Mode: "REQUIRED", Description: "the id", DefaultValueExpression: "7"},
			{Name: "other", Type: "INTEGER"},
		}},
		TableConstraints: want,
	}).Do()
	if err != nil {
		t.Fatal(err)
	}
	got, err := svc.Tables.Get(DefaultProject, "d", "two").Do()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.TableConstraints, want) || !reflect.DeepEqual(made.TableConstraints, want) {
		t.Errorf("got %+v; want %+v", got.TableConstraints, want)
	}
	if f := got.Schema.Fields[0]; f.DefaultValueExpression != "7" || f.Description != "the id" || f.Mode != "REQUIRED" {
		t.Errorf("got %+v; want the default, the description and the mode", f)
	}
	one, err := svc.Tables.Get(DefaultProject, "d", "one").Do()
	if err != nil || one.TableConstraints.ForeignKeys != nil {
		t.Errorf("got %+v, %v; want a primary key alone", one, err)
	}
}
