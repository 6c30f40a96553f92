package driver

import "slices"

// procedureFinder finds the body of a CREATE PROCEDURE, because semicolons in it do not end the
// statement. The zero value is for the start of a text.
type procedureFinder struct {
	header header
	depth  int // number of open blocks and CASEs
	last   token
}

// header is how much of the statement before the body was read.
type header int

const (
	headerBegins    header = iota // nothing
	headerCreate                  // CREATE and the words that can precede PROCEDURE
	headerProcedure               // the body starts with BEGIN
	headerBody                    // the body has started, and ends when no block is open
	headerNone                    // not a CREATE PROCEDURE
)

// see processes the next token.
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
		// The arguments or options precede the body. A procedure in another language has no body.
		if tok.is("BEGIN") && f.last.symbol(")") {
			f.header, f.depth = headerBody, 1
			tok = token{} // the body can start with BEGIN TRANSACTION
		} else if tok.symbol(";") {
			f.header = headerNone
		}
	case headerBody:
		f.body(tok)
	}
	f.last = tok
}

// body processes a token of the body, or after it.
func (f *procedureFinder) body(tok token) {
	switch {
	case f.depth == 0 && !f.last.is("END"):
		f.header = headerNone
	case f.last.is("END") && isAny(tok, "IF", "LOOP", "WHILE", "REPEAT", "FOR"):
		f.depth++ // END of a statement that is not counted, such as END IF
	case f.last.is("BEGIN") && (tok.is("TRANSACTION") || tok.symbol(";")):
		f.depth--
	case tok.is("END") && !f.last.symbol("."):
		f.depth--
	case tok.is("CASE") && !f.last.is("END") && !f.last.symbol("."), tok.is("BEGIN") && f.begins():
		f.depth++
	}
}

// begins reports whether a statement starts here. BEGIN can also be the name of a column.
func (f *procedureFinder) begins() bool {
	return f.last.symbol(";") || f.last.symbol(":") || f.last == (token{}) ||
		isAny(f.last, "BEGIN", "THEN", "ELSE", "DO", "LOOP", "REPEAT")
}

// inside reports whether the last token is in the body.
func (f *procedureFinder) inside() bool { return f.depth > 0 }

// isAny reports whether a token is one of these keywords.
func isAny(tok token, keywords ...string) bool { return slices.ContainsFunc(keywords, tok.is) }
