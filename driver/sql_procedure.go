package driver

import "slices"

// procedureFinder finds the body of a CREATE PROCEDURE, whose semicolons end none of the text's own
// statements. Its zero value is before the first token of a text.
type procedureFinder struct {
	header header
	depth  int // blocks and CASEs that are open
	last   token
}

// header is how far the words before the body are.
type header int

const (
	headerBegins    header = iota // nothing was seen
	headerCreate                  // CREATE, and what may stand before PROCEDURE
	headerProcedure               // the body begins with BEGIN
	headerBody                    // the body has begun, and has ended once no block is open
	headerNone                    // this is another statement
)

// see takes the next token.
func (f *procedureFinder) see(tok token) {
	switch f.header {
	case headerBegins:
		f.header = headerNone
		if tok.is("CREATE") {
			f.header = headerCreate
		}
	case headerCreate:
		switch {
		case tok.is("PROCEDURE"):
			f.header = headerProcedure
		case !isAny(tok, "OR", "REPLACE", "TEMP", "TEMPORARY", "PRIVATE", "PUBLIC"):
			f.header = headerNone
		}
	case headerProcedure:
		// The arguments or the options stand before the body. A procedure in another language has none.
		if tok.is("BEGIN") && f.last.symbol(")") {
			f.header, f.depth = headerBody, 1
			tok = token{} // BEGIN TRANSACTION can be the body's first statement
		} else if tok.symbol(";") {
			f.header = headerNone
		}
	case headerBody:
		f.body(tok)
	}
	f.last = tok
}

// body takes a token of the body, or of what follows it.
func (f *procedureFinder) body(tok token) {
	switch {
	case f.depth == 0 && !f.last.is("END"):
		f.header = headerNone
	case f.last.is("END") && isAny(tok, "IF", "LOOP", "WHILE", "REPEAT", "FOR"):
		f.depth++ // that END was of none that is counted
	case f.last.is("BEGIN") && (tok.is("TRANSACTION") || tok.symbol(";")):
		f.depth--
	case tok.is("END") && !f.last.symbol("."):
		f.depth--
	case tok.is("CASE") && !f.last.is("END") && !f.last.symbol("."), tok.is("BEGIN") && f.begins():
		f.depth++
	}
}

// begins reports whether a statement begins here. A column can have the name BEGIN.
func (f *procedureFinder) begins() bool {
	return f.last.symbol(";") || f.last.symbol(":") || f.last == (token{}) ||
		isAny(f.last, "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT")
}

// inside reports whether the last token is one of the body.
func (f *procedureFinder) inside() bool { return f.depth > 0 }

// isAny reports whether a token is one of these keywords.
func isAny(tok token, keywords ...string) bool { return slices.ContainsFunc(keywords, tok.is) }
