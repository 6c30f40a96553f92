package googlesql

// Script is a text of several statements, with variables and control flow.
type Script struct {
	Body []Step
	// Params are the places of the positional parameters, in bytes.
	Params []int
	src    string
}

// Part is a stretch of a script's text, in bytes; To is after its last one.
type Part struct {
	From, To int
	// Params are the positional parameters in it, by their number in the script from 0.
	Params []int
	// Query reports an expression with a query in it.
	Query bool

	expr bool
	// operand is the operand of a CASE statement; the part is a value that it is
	// compared with.
	operand *Part
}

// Where is the part itself, for a Step.
func (p *Part) Where() Part { return *p }

func (p *Part) place(at Part) { *p = at }

// Step is a statement of a script: a pointer to one of the types below. Its part has the
// semicolon after it, if there is one.
type Step interface {
	Where() Part
	place(Part)
}

type (
	// Run is a statement that does not belong to the language of scripts: a query, DML,
	// DDL, transaction control or CALL.
	Run struct{ Part }
	// Declare declares variables. A nil Type means the type of Default. Without Default they
	// are NULL.
	Declare struct {
		Part
		Names   []Name
		Type    *Type
		Default *Part
	}
	// Assign is SET. With Tuple it assigns the fields of a STRUCT to the
	// variables.
	Assign struct {
		Part
		Names []Name
		Tuple bool
		Value Part
	}
	// If runs the body of the first branch whose condition is true, or Else. CASE is one, too.
	If struct {
		Part
		Branches []Branch
		Else     []Step
	}
	// Loop is LOOP, WHILE with its condition before the body and REPEAT with that of UNTIL after it.
	Loop struct {
		Part
		Label        string
		While, Until *Part
		Body         []Step
	}
	// ForEach runs its body for each row of a query; Var holds it as a STRUCT.
	ForEach struct {
		Part
		Label string
		Var   Name
		Rows  Part
		Body  []Step
	}
	// Jump leaves the loop or block with a label, or the innermost loop, or continues with the next
	// iteration.
	Jump struct {
		Part
		Label    string
		Continue bool
	}
	// Block is BEGIN ... END. If it Handles errors, an error in the body runs
	// Handler.
	Block struct {
		Part
		Label   string
		Body    []Step
		Handles bool
		Handler []Step
	}
	// Raise raises an error. Without Message it raises the handled error again.
	Raise struct {
		Part
		Message *Part
	}
	// Return ends the script.
	Return struct{ Part }
	// Execute is EXECUTE IMMEDIATE.
	Execute struct {
		Part
		SQL   Part
		Into  []Name
		Using []Using
	}
)

// Name is an identifier and its place in the text.
type Name struct {
	Text string
	At   int
}

// Branch is a condition with its statements.
type Branch struct {
	If   Part
	Body []Step
}

// Using is an argument of EXECUTE IMMEDIATE. A positional one has no name.
type Using struct {
	Name  string
	Value Part
}

// Single reports whether the text has at most one statement, and is not a script for
// BigQuery.
func (s *Script) Single() bool {
	if len(s.Body) == 0 {
		return true
	}
	for _, st := range s.Body[:len(s.Body)-1] {
		if !s.tempFunctionStep(st) { // those before a statement belong to it
			return false
		}
	}
	_, plain := s.Body[len(s.Body)-1].(*Run)
	return plain
}

// Expression returns the part that is the whole of a text with one expression.
func Expression(text string) Part { return Part{To: len(text), expr: true} }

// Text returns the text of a part.
func (s *Script) Text(p Part) string { return s.src[p.From:p.To] }

// Position returns the line and the column of a place in the text, counted from
// 1:1.
func (s *Script) Position(at int) (line, column int) { return position(s.src, at) }
