package fakebq

// kind says which members the answers of a statement have.
type kind int

const (
	kindQuery  kind = iota // schema with modes, rows
	kindDML                // the table's schema, counts
	kindTable              // the table's schema
	kindNone               // nothing
	kindScript             // what its last statement has if that is a query, else nothing; never counts
)

// tableKinds are the statements, besides DML, whose answer has the schema of the table that they made or filled.
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

// schema is what the answer has for one; nil is no such member.
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

// changed is the schema of the table that a statement changes.
func (a *Answer) changed() []Field {
	if len(a.Fields) > 0 {
		return a.Fields
	}
	return []Field{{Name: "id", Type: "INTEGER"}, {Name: "name", Type: "STRING"}}
}

// withoutMode is a schema as DML and DDL have it: only REPEATED is said.
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
