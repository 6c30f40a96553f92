package driver

import "strings"

// slotUse is how a statement uses a placeholder, as far as the tokens around it say.
type slotUse int

const (
	usedNested   slotUse = iota - 1 // inside of an argument of which nothing is known
	usedFreely                      // as a part of some expression
	usedCompared                    // after a name and a comparison: its type is that of the name
	usedAssigned                    // to a column, by VALUES or SET: its type is that of the column
)

// slotFinder finds the uses of a statement's placeholders from its tokens.
type slotFinder struct {
	uses     []slotUse // by slot; of several uses of one name the one that says most
	last     token
	before   token  // the one before the name that last ends
	name     bool   // a name was last, but for an operator
	operator string // the comparison after the name
	values   bool   // among the rows of VALUES
	depth    int    // open parentheses since VALUES
	set      bool   // after the SET of an UPDATE
	row      int    // a slot that is a value of a row if it ends here, or -1
}

// see takes the next token; slot is that of a placeholder, else -1.
func (f *slotFinder) see(tok token, slot int) {
	if f.row >= 0 && (tok.symbol(",") || tok.symbol(")")) {
		f.uses[f.row] = usedAssigned
	}
	f.row = -1
	isName := tok.kind == tokenWord || tok.kind == tokenQuoted && strings.HasPrefix(tok.text, "`")
	switch {
	case slot >= 0:
		f.placeholder(slot)
		f.name, f.operator = false, ""
	case tok.symbol("="), tok.symbol("<"), tok.symbol(">"), tok.symbol("!"):
		f.operator += tok.text
	case isName && !f.last.symbol("."):
		f.before, f.name, f.operator = f.last, true, ""
	case !isName && !tok.symbol("."):
		f.name, f.operator = false, ""
	}
	switch {
	case tok.is("VALUES"):
		f.values, f.depth = true, 0
	case tok.is("SET"):
		f.set = true
	case tok.is("WHERE"):
		f.set = false
	case tok.symbol("("):
		f.depth++
	case tok.symbol(")"):
		f.depth--
	case f.depth <= 0 && !tok.symbol(","):
		f.values = false
	}
	f.last = tok
}

func (f *slotFinder) placeholder(slot int) {
	for len(f.uses) <= slot {
		f.uses = append(f.uses, usedFreely)
	}
	use := usedFreely
	switch {
	case f.values && f.depth == 1 && (f.last.symbol("(") || f.last.symbol(",")):
		f.row = slot
	case f.name && f.operator == "=" && f.set && (f.before.is("SET") || f.before.symbol(",")):
		use = usedAssigned
	case f.name && f.operator != "":
		use = usedCompared
	}
	f.uses[slot] = max(f.uses[slot], use)
}
