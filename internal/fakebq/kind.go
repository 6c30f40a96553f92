package fakebq

// kind selects the members of the answers to a statement.
type kind int

const (
	kindQuery  kind = iota // schema with modes, rows
	kindDML                // the table's schema, counts
	kindTable              // the table's schema
	kindNone               // nothing
	kindScript             // those of its last statement if that is a query, else none; never counts
)

// tableKinds are the statements, besides DML, whose answer has the schema of a table that they
// create or fill.
var tableKinds = map[string]bool{
	"CREATE_TABLE": true, "CREATE_TABLE_AS_SELECT": true, "CREATE_VIEW": true, "CREATE_MATERIALIZED_VIEW": true,
	"LOAD_DATA": true, "CREATE_EXTERNAL_TABLE": true,
}

func (a *Answer) kind() kind {
	switch typ := a.statementType(); typ {
	case "SELECT":
		return kindQuery
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE":
		return kindDML
	case "SCRIPT", "CREATE_PROCEDURE":
		return kindScript
	default:
		if tableKinds[typ] {
			return kindTable
		}
	}
	return kindNone
}

// schema returns the schema of the answer; nil if it has none.
func (j *job) schema() *wireSchema {
	switch j.answer.kind() {
	case kindQuery:
		if j.table == nil {
			return &wireSchema{}
		}
		return &wireSchema{wireFields(j.table.fields)}
	case kindScript:
		if j.table != nil {
			return &wireSchema{wireFields(j.table.fields)}
		}
	case kindDML, kindTable:
		if j.answer.statementType() == "CREATE_EXTERNAL_TABLE" {
			return &wireSchema{}
		}
		return &wireSchema{withoutMode(wireFields(j.answer.changed()))}
	}
	return nil
}

// changed returns the schema of the table that a statement changes.
func (a *Answer) changed() []Field {
	if len(a.Fields) > 0 {
		return a.Fields
	}
	return []Field{{Name: "id", Type: "INTEGER"}, {Name: "name", Type: "STRING"}}
}

// withoutMode returns a schema as DML and DDL have it, where only REPEATED is set.
func withoutMode(fields []wireField) []wireField {
	for i := range fields {
		if fields[i].Mode != "REPEATED" {
			fields[i].Mode = ""
		}
		withoutMode(fields[i].Fields)
	}
	return fields
}

// hasCounts reports whether the statement has numDmlAffectedRows and dmlStats.
func (a *Answer) hasCounts() bool { return a.kind() == kindDML && a.DML != nil }
