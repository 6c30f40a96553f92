package driver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// sqlText is the result of scanning a statement's text. The zero value is that of an empty text.
type sqlText struct {
	positional int       // number of ? placeholders
	names      []string  // of @name placeholders, each once and in lower case: names are case-insensitive in GoogleSQL
	uses       []slotUse // of the placeholders, in order
	kind       sqlKind
	verb       string // the first word, in upper case
	reads      bool   // no statement of the text changes anything; the kind of a script does not say so
	ordered    bool   // the rows can have an order
	end        int    // of the last token; blanks and comments follow
}

// count returns the number of arguments that the statement needs.
func (t *sqlText) count() int {
	if len(t.names) > 0 {
		return len(t.names)
	}
	return t.positional
}

// mode returns the REST API's parameterMode.
func (t *sqlText) mode() string {
	if len(t.names) > 0 {
		return "NAMED"
	}
	return "POSITIONAL"
}

// useOf returns the use of a slot.
func (t *sqlText) useOf(slot int) slotUse {
	if slot < len(t.uses) {
		return t.uses[slot]
	}
	return usedFreely
}

// slot returns the index of a name in names, or -1.
func (t *sqlText) slot(name string) int { return slices.Index(t.names, strings.ToLower(name)) }

func (t *sqlText) add(name string) {
	if name != "" && t.slot(name) < 0 {
		t.names = append(t.names, strings.ToLower(name))
	}
}

// scanText scans the text of a statement once. It ignores placeholders in strings, quoted names and
// comments, and @@system_variables. It leaves errors of syntax to BigQuery. It returns an error if
// the text is not UTF-8, because JSON would change it silently, or if it mixes ? and @name.
func scanText(sql string) (sqlText, error) {
	var t sqlText
	if !utf8.ValidString(sql) {
		return t, errors.New("bigqueryuser: the statement is not valid UTF-8")
	}
	var kind kindFinder
	var order orderFinder
	use := slotFinder{row: -1}
	hint := false
	for tok, ok := nextToken(sql, 0); ok; tok, ok = nextToken(sql, t.end) {
		t.end = tok.end
		slot := -1
		switch tok.kind {
		case tokenPositional:
			slot = t.positional
			t.positional++
		case tokenNamed:
			t.add(tok.text)
			slot = t.slot(tok.text)
		case tokenHint:
			hint = true
		}
		if hint { // which changes neither the kind nor the order
			hint = !tok.symbol("}")
			continue
		}
		kind.see(tok)
		order.see(tok)
		use.see(tok, slot)
	}
	t.uses = use.uses
	t.kind, t.verb = kind.found()
	t.reads = t.kind == kindQuery || t.kind == kindScript && !kind.changes && !kind.creates
	// EXECUTE IMMEDIATE and procedures hide the statements that they run.
	t.ordered = order.ordered || t.kind == kindScript
	if t.positional > 0 && len(t.names) > 0 {
		return t, fmt.Errorf("bigqueryuser: the statement mixes ? and @%s: use one style of placeholders", t.names[0])
	}
	return t, nil
}

// kindFinder finds the kind of a statement from its tokens.
type kindFinder struct {
	words   [2]string // the first two words of the statement, in upper case
	n       int       // number of words in first
	ended   bool      // the last token was a semicolon
	several bool      // there are tokens after a semicolon
	label   bool      // the statement has a label, as blocks and loops can have
	writer  string    // the pipe operator that changes something; "" if there is none
	changes bool      // there is a word of a statement that changes something

	creates, temporary bool // the last words are CREATE TEMP or the like
	procedure          procedureFinder
	last               token
}

// pipeWriters are the pipe operators that make a query change something.
var pipeWriters = []string{"INSERT", "CREATE", "EXPORT", "UPDATE", "DELETE", "MERGE"}

// changingWords start the statements that can change something, also inside a script.
var changingWords = func() map[string]bool {
	words := map[string]bool{"CALL": true, "EXECUTE": true, "LOAD": true, "EXPORT": true, "GRANT": true, "REVOKE": true}
	for word, kind := range kindsByWord {
		if kind != kindQuery && kind != kindScript {
			words[word] = true
		}
	}
	return words
}()

func (f *kindFinder) see(tok token) {
	f.procedure.see(tok)
	f.several = f.several || f.ended && !tok.symbol(";")
	f.ended = tok.symbol(";") && !f.procedure.inside() || f.ended && !f.several
	switch {
	case tok.kind == tokenWord && f.n < 2:
		f.words[f.n] = strings.ToUpper(tok.text)
		f.n++
	case f.n == 0 && !tok.symbol("(") && !f.ended:
		f.n++ // not a keyword
	case tok.symbol(":") && f.n == 1 && f.last.kind == tokenWord:
		f.label = true
	}
	if tok.kind == tokenWord {
		f.changing(strings.ToUpper(tok.text))
	}
	f.last = tok
}

// changing processes a word that can change something. CREATE does not if it creates a temporary
// function.
func (f *kindFinder) changing(word string) {
	switch {
	case f.creates && (word == "OR" || word == "REPLACE" || word == "TEMP" || word == "TEMPORARY"):
		f.temporary = f.temporary || strings.HasPrefix(word, "TEMP")
		return
	case f.creates:
		f.changes = f.changes || !f.temporary || word != "FUNCTION"
		f.creates, f.temporary = false, false
	case word == "CREATE":
		f.creates = true
	}
	f.changes = f.changes || changingWords[word] && word != "CREATE"
	if f.last.symbol("|>") && slices.Contains(pipeWriters, word) {
		f.writer = word
	}
}

func (f *kindFinder) found() (kind sqlKind, verb string) {
	verb, second := f.words[0], f.words[1]
	switch kind = kindsByWord[verb]; {
	case f.several || f.label:
		return kindScript, verb
	case verb == "BEGIN" && (second == "" || second == "TRANSACTION"):
		return kindTransaction, verb
	case kind == kindQuery && f.writer != "":
		return kindOther, f.writer
	}
	return kind, verb
}

// orderFinder finds whether the rows of a statement have an order: by an ORDER BY outside of
// parentheses, or by a direction in pipe syntax, which needs no ORDER BY. An ORDER BY in
// parentheses orders only a part, unless the parentheses are around the whole statement or around
// all that follows its WITH. Treating an unordered statement as ordered costs time; missing an
// order would be wrong.
type orderFinder struct {
	ordered   bool
	pipe      bool // in pipe syntax
	direction bool // ASC, DESC or NULLS outside of parentheses
	depth     int  // open parentheses
	around    int  // how many of them are around the whole statement
	inner     bool // the last token was neither ( nor )
	last      token
}

func (f *orderFinder) see(tok token) {
	switch {
	case tok.symbol("("):
		if f.depth == f.around && !f.inner {
			f.around++
		}
		f.depth++
	case tok.symbol(")"):
		f.depth--
		f.around = min(f.around, f.depth)
	case tok.symbol("|>"):
		f.pipe = true
	case f.pipe && f.last.symbol("|>") && tok.is("ORDER"):
		f.ordered = true // also in the parentheses of FORK and IF
	case f.depth == f.around:
		f.ordered = f.ordered || f.last.is("ORDER") && tok.is("BY")
		f.direction = f.direction || tok.is("ASC") || tok.is("DESC") || tok.is("NULLS")
	}
	f.ordered = f.ordered || f.pipe && f.direction
	f.inner = !tok.symbol("(") && !tok.symbol(")")
	f.last = tok
}
