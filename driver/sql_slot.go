package driver

import "strings"

// slotUse is how a statement uses a placeholder, judging by the tokens around it.
type slotUse int

const (
	usedNested   slotUse = iota - 1 // in a part of an argument that is used freely
	usedFreely                      // in an expression
	usedCompared                    // after a name and a comparison: it has the type of the name
	usedAssigned                    // in VALUES or SET: it has the type of the column
)

// slotFinder finds the uses of a statement's placeholders from its tokens.
type slotFinder struct {
	uses     []slotUse // by slot; if a name is used several times, the use that says most about its type
	last     token
	before   token  // the token before the name that ends last
	name     bool   // the last token but operators was a name
	operator string // the comparison after the name
	values   bool   // in the rows of VALUES
	depth    int    // open parentheses since VALUES
	set      bool   // after the SET of an UPDATE
	row      int    // a slot that is a value of a row if it ends here, or -1
}

// see processes the next token. slot is the slot of a placeholder, or -1.
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
