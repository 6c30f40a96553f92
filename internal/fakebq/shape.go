package fakebq

import "strings"

// Phase is the phase of a statement at an answer.
type Phase string

// The phases of a statement, and the answers in them.
const (
	Complete   Phase = "complete"     // jobs.query, the job has ended
	Incomplete Phase = "not complete" // jobs.query, the job runs
	Polled     Phase = "polled"       // jobs.getQueryResults, the job has ended
	Duplicate  Phase = "duplicate"    // jobs.query with a known requestId, the job has ended
	Inserted   Phase = "inserted"     // jobs.insert or jobs.get, the job runs
	Got        Phase = "got"          // jobs.get, the job has ended
)

// Shape lists members of the answers to a kind of statement, as recorded or documented. It is
// written from these facts, not from this package: tests check the fakes and the driver against it.
type Shape struct {
	// Type is the statementType, and SQL a statement of it on a table t(id INT64, name STRING).
	Type, SQL string
	Phase     Phase
	// Has lists members that the answer has, as paths such as statistics.query.statementType, and
	// Lacks members that it does not have. Neither list is complete.
	Has, Lacks []string
	// Modes reports whether the fields of the schema have modes.
	Modes bool
	// Repeats reports whether the same requestId runs the statement again.
	Repeats bool
}

var (
	counts  = []string{"numDmlAffectedRows", "dmlStats"}
	running = []string{"jobReference", "jobComplete", "jobCreationReason", "location", "creationTime", "startTime",
		"statementType", "queryId"}
	ended = []string{"schema", "rows", "totalRows", "numDmlAffectedRows", "dmlStats", "endTime"}
)

func join(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// statementShape is the row of a kind of statements in the table of members.
type statementShape struct {
	typ, sql                    string
	schema, modes, rows, counts bool
	repeats                     bool
	cacheHit                    bool
}

// statementShapes is the table of the first answers by statement type.
var statementShapes = []statementShape{
	{typ: "SELECT", sql: "SELECT id, name FROM t", schema: true, modes: true, rows: true, repeats: true,
		cacheHit: true},
	{typ: "INSERT", sql: "INSERT INTO t (id) VALUES (1)", schema: true, counts: true},
	{typ: "UPDATE", sql: "UPDATE t SET name = 'x' WHERE id = 1", schema: true, counts: true},
	{typ: "DELETE", sql: "DELETE FROM t WHERE id = 1", schema: true, counts: true},
	{typ: "MERGE", sql: "MERGE t USING (SELECT 7 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT (id) VALUES " +
		"(s.id)",
		schema: true, counts: true},
	{typ: "TRUNCATE_TABLE", sql: "TRUNCATE TABLE t", schema: true, counts: true},
	{typ: "CREATE_TABLE", sql: "CREATE TABLE made (id INT64, name STRING)", schema: true},
	{typ: "CREATE_TABLE_AS_SELECT", sql: "CREATE TABLE copied AS SELECT id, name FROM t", schema: true},
	{typ: "CREATE_VIEW", sql: "CREATE VIEW v AS SELECT id, name FROM t", schema: true},
	{typ: "DROP_TABLE", sql: "DROP TABLE t"},
	{typ: "ALTER_TABLE", sql: "ALTER TABLE t ADD COLUMN more INT64"},
	{typ: "CREATE_SCHEMA", sql: "CREATE SCHEMA other"},
	{typ: "CREATE_FUNCTION", sql: "CREATE FUNCTION f(x INT64) AS (x + 1)"},
	{typ: "SCRIPT", sql: "INSERT INTO t (id) VALUES (2); SELECT id, name FROM t", schema: true, modes: true, rows: true,
		repeats: true},
	{typ: "SCRIPT", sql: "SELECT 1; INSERT INTO t (id) VALUES (2)", repeats: true},
}

// Shapes returns the shapes of all statements in all phases.
func Shapes() []Shape {
	var all []Shape
	for _, s := range statementShapes {
		add := func(p Phase, has, lacks []string) {
			all = append(all, Shape{Type: s.typ, SQL: s.sql, Phase: p, Has: has, Lacks: lacks, Modes: s.modes,
				Repeats: s.repeats})
		}
		has := []string{"jobReference", "jobComplete"}
		var lacks []string
		put := func(is bool, names ...string) {
			if is {
				has = append(has, names...)
			} else {
				lacks = append(lacks, names...)
			}
		}
		put(s.schema, "schema")
		put(s.rows, "rows", "totalRows")
		put(s.counts, "numDmlAffectedRows")
		if s.typ == "SCRIPT" {
			lacks = append(lacks, "cacheHit")
		}
		first, lacksFirst := join(has, []string{"statementType", "location", "queryId"}), lacks
		if s.counts {
			first = append(first, "dmlStats")
		} else {
			lacksFirst = join(lacksFirst, []string{"dmlStats"})
		}
		add(Complete, first, lacksFirst)
		add(Polled, has, join(lacks, []string{"statementType", "dmlStats", "sessionInfo"}))
		add(Incomplete, running, ended)
		if !s.repeats {
			repeat, not := join(running, []string{"endTime"}), []string{"schema", "rows", "totalRows"}
			if s.counts {
				repeat = join(repeat, counts)
			} else {
				not = join(not, counts)
			}
			add(Duplicate, repeat, not)
		}
		add(Inserted, []string{"jobReference", "configuration.query.query", "statistics.query.statementType",
			"statistics.creationTime", "status.state"}, []string{"statistics.endTime", "status.errorResult"})
		got := []string{"statistics.query.statementType", "statistics.endTime", "statistics.startTime"}
		if s.counts {
			add(Got, join(got, []string{"statistics.query.numDmlAffectedRows", "statistics.query.dmlStats"}), nil)
		} else {
			add(Got, got, []string{"statistics.query.numDmlAffectedRows", "statistics.query.dmlStats"})
		}
	}
	return all
}

// Script returns the answer with which a Server plays the shape's statement.
func (s Shape) Script() Answer {
	a := Answer{StatementType: s.Type, Fields: []Field{{Name: "id", Type: "INTEGER"}, {Name: "name", Type: "STRING"}}}
	rows := [][]any{{1, "Ada"}, {2, nil}}
	switch s.Type {
	case "SELECT":
		a.Rows = rows
	case "INSERT":
		a.DML = &DML{Inserted: 1}
	case "UPDATE":
		a.DML = &DML{Updated: 1}
	case "DELETE", "TRUNCATE_TABLE":
		a.DML = &DML{Deleted: 1}
	case "MERGE":
		a.DML = &DML{Inserted: 1}
	case "CREATE_TABLE_AS_SELECT":
		a.Created = &Created{Table: "my-project.d.copied", Rows: 2}
	case "SCRIPT":
		a.Fields = nil
		read := Answer{StatementType: "SELECT", Fields: []Field{{Name: "id", Type: "INTEGER"},
			{Name: "name", Type: "STRING"}},
			Rows: rows}
		write := Answer{DML: &DML{Inserted: 1}}
		if a.Children = []Answer{write, read}; !s.Modes {
			a.Children = []Answer{read, write}
		}
	}
	return a
}

// Check returns the differences between an answer, decoded from JSON, and the shape.
func (s Shape) Check(answer map[string]any) []string {
	var wrong []string
	for _, path := range s.Has {
		if lookUp(answer, path) == nil {
			wrong = append(wrong, "has no "+path)
		}
	}
	for _, path := range s.Lacks {
		if v := lookUp(answer, path); v != nil {
			wrong = append(wrong, "has "+path)
		}
	}
	if complete, ok := answer["jobComplete"].(bool); ok && complete != (s.Phase == Complete || s.Phase == Polled) {
		wrong = append(wrong, "has another jobComplete")
	}
	fields, _ := lookUp(answer, "schema.fields").([]any)
	for _, f := range fields {
		if f, ok := f.(map[string]any); ok && (f["mode"] != nil) != s.Modes {
			wrong = append(wrong, "has a schema with modes, or should have them")
			break
		}
	}
	for _, path := range []string{"statementType", "statistics.query.statementType"} {
		if typ := lookUp(answer, path); typ != nil && typ != s.Type {
			wrong = append(wrong, "has another "+path)
		}
	}
	return wrong
}

// lookUp returns the member at a path such as a.b; nil if there is none.
func lookUp(object map[string]any, path string) any {
	var v any = object
	for name := range strings.SplitSeq(path, ".") {
		o, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = o[name]
	}
	return v
}
