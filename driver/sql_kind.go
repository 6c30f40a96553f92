package driver

import "strings"

// sqlKind is the kind of a statement, as far as the driver needs to know it.
type sqlKind int

const (
	kindOther       sqlKind = iota // LOAD DATA, EXPORT DATA, GRANT, ASSERT and unknown statements
	kindQuery                      // changes nothing
	kindDML                        // INSERT, UPDATE, DELETE, MERGE, TRUNCATE
	kindDDL                        // CREATE, ALTER, DROP, UNDROP
	kindScript                     // several statements, CALL, EXECUTE IMMEDIATE, a block: may have run in part
	kindTransaction                // BEGIN, COMMIT and ROLLBACK TRANSACTION
)

// kindsByWord has the kinds of statements by their first word. Other statements are kindOther.
var kindsByWord = map[string]sqlKind{
	"SELECT": kindQuery, "WITH": kindQuery, "FROM": kindQuery, "GRAPH": kindQuery,
	"INSERT": kindDML, "UPDATE": kindDML, "DELETE": kindDML, "MERGE": kindDML, "TRUNCATE": kindDML,
	"CREATE": kindDDL, "ALTER": kindDDL, "DROP": kindDDL, "UNDROP": kindDDL, "RENAME": kindDDL,
	"CALL": kindScript, "EXECUTE": kindScript, "DECLARE": kindScript, "SET": kindScript, "IF": kindScript,
	"CASE": kindScript, "LOOP": kindScript, "WHILE": kindScript, "REPEAT": kindScript, "FOR": kindScript,
	"BREAK": kindScript, "LEAVE": kindScript, "CONTINUE": kindScript, "ITERATE": kindScript,
	"RETURN": kindScript, "RAISE": kindScript, "BEGIN": kindScript,
	"COMMIT": kindTransaction, "ROLLBACK": kindTransaction,
}

// kindsByType has the kinds of BigQuery's statement types that do not start with a word of
// kindsByWord.
var kindsByType = map[string]sqlKind{"SCRIPT": kindScript, "BEGIN_TRANSACTION": kindTransaction}

// kindOfType returns the kind of a statementType of BigQuery, such as CREATE_TABLE_AS_SELECT.
func kindOfType(statementType string) sqlKind {
	if kind, ok := kindsByType[statementType]; ok {
		return kind
	}
	word, _, _ := strings.Cut(statementType, "_")
	return kindsByWord[word]
}

// voidsTypes reports whether a statement of this kind can change what other statements mean.
func (k sqlKind) voidsTypes() bool { return k == kindDDL || k == kindScript || k == kindOther }

// hasRows reports whether a statement of this kind can return rows.
func (k sqlKind) hasRows() bool { return k == kindQuery || k == kindScript }
