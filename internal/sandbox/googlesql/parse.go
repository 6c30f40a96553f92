package googlesql

import "strings"

// maxDepth limits the nesting of expressions and queries.
const maxDepth = 250

// parser is a recursive-descent parser over a statement's tokens.
type parser struct {
	src        string
	toks       []token
	i          int
	depth      int
	tries      int // parentheses that were tried as a query
	positional bool
	params     []paramUse
	inColumn   bool // the type belongs to a table's column
}

// paramUse is a parameter of the statement. Each ? is a parameter of its own;
// all uses of a name are one.
type paramUse struct {
	name string
	pos  int
}

func (p *parser) tok() token { return p.toks[p.i] }

func (p *parser) ahead(n int) token {
	return p.toks[min(p.i+n, len(p.toks)-1)]
}

// isWords reports whether the next tokens are the given words.
func (p *parser) isWords(words ...string) bool {
	for n, w := range words {
		if !p.ahead(n).is(w) {
			return false
		}
	}
	return true
}

// accept consumes the given words if they come next.
func (p *parser) accept(words ...string) bool {
	if !p.isWords(words...) {
		return false
	}
	p.i += len(words)
	return true
}

// expect consumes a word that must come next.
func (p *parser) expect(word string) token {
	t := p.tok()
	if !t.is(word) {
		want := "keyword " + word
		if !isLetter(word[0]) {
			want = `"` + word + `"`
		}
		fail(p.src, t.pos, "Syntax error: Expected %s but got %s", want, t.describe())
	}
	p.i++
	return t
}

func (p *parser) unexpected() {
	t := p.tok()
	fail(p.src, t.pos, "Syntax error: Unexpected %s", t.describe())
}

func (p *parser) refuse(at int, what string) { fail(p.src, at, "%s", unsupported(what)) }

func (p *parser) enter() {
	p.depth++
	if p.depth > maxDepth {
		fail(p.src, p.tok().pos, "Syntax error: statement is nested too deeply")
	}
}

func (p *parser) leave() { p.depth-- }

// ident reads one identifier.
func (p *parser) ident() name {
	t := p.tok()
	if t.kind != tokIdent && t.kind != tokQuoted {
		p.unexpected()
	}
	p.i++
	return name{node: node{t.pos}, text: t.text, quoted: t.kind == tokQuoted}
}

// fieldName reads an identifier after a dot, where reserved words are allowed.
func (p *parser) fieldName() name {
	if t := p.tok(); t.kind == tokKeyword {
		p.i++
		return name{node: node{t.pos}, text: p.src[t.pos:t.end]}
	}
	return p.ident()
}

// aliasOpt reads [AS] alias.
func (p *parser) aliasOpt() *name {
	if p.accept("AS") {
		n := p.ident()
		return &n
	}
	if k := p.tok().kind; k == tokIdent && !p.clauseWord() || k == tokQuoted {
		n := p.ident()
		return &n
	}
	return nil
}

// clauseWord reports whether an unreserved word begins a clause here and is not
// an alias.
func (p *parser) clauseWord() bool {
	switch strings.ToUpper(p.tok().text) {
	case "PIVOT", "MATCH_RECOGNIZE":
		return p.ahead(1).is("(")
	case "UNPIVOT":
		return p.ahead(1).is("(") || p.ahead(1).is("INCLUDE") || p.ahead(1).is("EXCLUDE")
	}
	return false
}

// tablePath reads the path of a table: parts may be in backticks as a whole, and a
// project's name may have dashes.
func (p *parser) tablePath() []name {
	var parts []name
	for {
		parts = append(parts, p.tablePart(len(parts) == 0)...)
		if !p.accept(".") {
			return parts
		}
	}
}

// tablePart reads one part. A path in backticks returns several.
func (p *parser) tablePart(first bool) []name {
	if p.tok().kind == tokQuoted {
		n := p.ident()
		split := splitPath(n.text)
		if len(split) == 1 {
			return []name{n}
		}
		var parts []name
		for _, s := range split {
			parts = append(parts, name{n.node, s, true, n.text})
		}
		return parts
	}
	if !first { // where BigQuery has no dashes
		return []name{p.fieldName()}
	}
	return []name{p.dashed(p.ident())}
}

// splitPath cuts a.b.c, keeping the dot of a legacy project's domain: a colon marks it.
func splitPath(s string) []string {
	domain := ""
	if i := strings.IndexByte(s, ':'); i >= 0 {
		domain, s = s[:i+1], s[i+1:]
	}
	parts := strings.Split(s, ".")
	parts[0] = domain + parts[0]
	return parts
}

// dashed joins the tokens of my-project-1, which have no white space between
// them.
func (p *parser) dashed(n name) name {
	end := p.toks[p.i-1].end
	for p.tok().is("-") && p.tok().pos == end {
		next := p.ahead(1)
		if next.pos != p.tok().end || next.kind != tokIdent && next.kind != tokInt && next.kind != tokFloat &&
			next.kind != tokKeyword {
			break
		}
		text := p.src[next.pos:next.end]
		if next.kind == tokFloat {
			if !strings.HasSuffix(text, ".") {
				break
			}
			// "1." of my-project-1.dataset: leave the dot to be read next.
			p.i++
			p.toks[p.i] = token{kind: tokPunct, text: ".", pos: next.end - 1, end: next.end}
			n.text += "-" + strings.TrimSuffix(text, ".")
			return n
		}
		p.i += 2
		end = next.end
		n.text += "-" + text
		// 12abc is lexed as two tokens.
		if t := p.tok(); t.kind == tokIdent && t.pos == end {
			n.text += t.text
			end = t.end
			p.i++
		}
	}
	return n
}

// parseStatement parses the one statement of the text.
func (p *parser) parseStatement() statement {
	for p.accept(";") {
	}
	st := p.statement()
	for p.accept(";") {
	}
	if p.tok().kind != tokEOF {
		if p.toks[p.i-1].is(";") {
			fail(p.src, p.tok().pos, "Only one statement can stand here")
		}
		p.unexpectedAfter()
	}
	return st
}

// unexpectedAfter reports a token after a complete statement.
func (p *parser) unexpectedAfter() {
	t := p.tok()
	fail(p.src, t.pos, "Syntax error: Expected end of input but got %s", t.describe())
}

func (p *parser) statement() statement {
	t := p.tok()
	switch {
	case t.is("SELECT"), t.is("WITH"), t.is("("), t.is("FROM"):
		return p.query()
	}
	if f := statementParsers[strings.ToUpper(t.text)]; f != nil && (t.kind == tokIdent || t.kind == tokKeyword) {
		return f(p)
	}
	if what := refusedStatements[strings.ToUpper(t.text)]; what != "" && t.kind != tokQuoted && t.kind != tokString {
		p.refuse(t.pos, what)
	}
	if word := strings.ToUpper(t.text); t.kind != tokQuoted && (stepParsers[word] != nil || labelled[word] != nil) {
		fail(p.src, t.pos, "%s can't stand here: it is a statement of scripts", word)
	}
	p.unexpected()
	return nil
}

// statementParsers has the parsers of statements that are not queries, by their
// first word.
var statementParsers map[string]func(*parser) statement

// refusedStatements are the statements that BigQuery has and the sandbox lacks.
var refusedStatements = map[string]string{
	"ASSERT": "ASSERT", "EXPORT": "EXPORT DATA", "LOAD": "LOAD DATA", "GRANT": "GRANT", "REVOKE": "REVOKE",
	"UNDROP": "UNDROP", "GRAPH": "GRAPH",
}

// parseType reads a type with its parameters.
func (p *parser) parseType() Type {
	p.enter()
	defer p.leave()
	t := p.tok()
	word := strings.ToUpper(t.text)
	if t.kind != tokIdent && t.kind != tokKeyword {
		p.unexpected()
	}
	switch word {
	case "ARRAY":
		p.i++
		p.expect("<")
		elem := p.parseType()
		p.closeAngle()
		if elem.Kind == Array {
			fail(p.src, t.pos, "Arrays of arrays are not supported")
		}
		return Type{Kind: Array, Elem: &elem}
	case "STRUCT":
		p.i++
		p.expect("<")
		st := Type{Kind: Struct}
		for !p.tok().is(">") && !p.tok().is(">>") {
			var f Field
			if k := p.ahead(1); (p.tok().kind == tokIdent || p.tok().kind == tokQuoted) &&
				(k.kind == tokIdent || k.kind == tokKeyword) {
				f.Name = p.ident().text
			}
			f.Type = p.parseType()
			if p.inColumn {
				p.fieldOptions(&f)
			}
			st.Fields = append(st.Fields, f)
			if !p.accept(",") {
				break
			}
		}
		p.closeAngle()
		return st
	}
	if word == "RANGE" {
		return p.rangeType()
	}
	kind, ok := typeNames[word]
	if !ok {
		if t.kind == tokKeyword && word != "INTERVAL" {
			p.unexpected()
		}
		switch word {
		case "GEOGRAPHY":
			p.refuse(t.pos, "Type "+word)
		}
		fail(p.src, t.pos, "Type not found: %s", t.text)
	}
	p.i++
	typ := Type{Kind: kind}
	if p.tok().is("(") {
		p.typeParams(&typ)
	}
	return typ
}

// fieldOptions reads the options after the type of a field of a STRUCT column.
func (p *parser) fieldOptions(f *Field) {
	if p.isWords("NOT", "NULL") {
		p.refuse(p.tok().pos, "NOT NULL of a field of a STRUCT")
	}
	if text := p.description(); text != nil {
		f.Description = *text
	}
}

// closeAngle consumes a >, splitting >> where types nest.
func (p *parser) closeAngle() {
	if t := p.tok(); t.is(">>") {
		p.toks[p.i] = token{kind: tokPunct, text: ">", pos: t.pos + 1, end: t.end}
		return
	}
	p.expect(">")
}

var typeNames = map[string]Kind{
	"INT64": Int64, "INT": Int64, "SMALLINT": Int64, "INTEGER": Int64, "BIGINT": Int64, "TINYINT": Int64,
	"BYTEINT": Int64,
	"FLOAT64": Float64, "BOOL": Bool, "BOOLEAN": Bool, "STRING": String, "BYTES": Bytes,
	"NUMERIC": Numeric, "DECIMAL": Numeric, "BIGNUMERIC": BigNumeric, "BIGDECIMAL": BigNumeric,
	"DATE": Date, "TIME": Time, "DATETIME": Datetime, "TIMESTAMP": Timestamp, "INTERVAL": Interval, "JSON": JSON,
}

// typeParams reads (n) or (p, s).
func (p *parser) typeParams(t *Type) {
	open := p.expect("(")
	var nums []int
	for {
		n := p.tok()
		if n.kind != tokInt {
			p.unexpected()
		}
		p.i++
		v, ok := smallInt(n.text)
		if !ok {
			fail(p.src, n.pos, "Type parameter %s is out of range", n.text)
		}
		nums = append(nums, v)
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	switch {
	case (t.Kind == String || t.Kind == Bytes) && len(nums) == 1 && nums[0] > 0:
		t.MaxLength = nums[0]
	case t.Kind == Numeric && len(nums) <= 2:
		t.Precision = nums[0]
		if len(nums) == 2 {
			t.Scale = nums[1]
		}
		if t.Scale > 9 || t.Precision < max(1, t.Scale) || t.Precision > t.Scale+29 {
			fail(p.src, open.pos, "In NUMERIC(P, S), P must be between max(S, 1) and S + 29, and S between 0 and 9")
		}
	case t.Kind == Timestamp && len(nums) == 1:
		switch nums[0] {
		case 6:
		case 12:
			t.Kind = TimestampPicos
		default:
			fail(p.src, open.pos, "In TIMESTAMP(P), P must be 6 or 12")
		}
	case t.Kind == BigNumeric && len(nums) <= 2:
		t.Precision = nums[0]
		if len(nums) == 2 {
			t.Scale = nums[1]
		}
		if t.Scale > 38 || t.Precision < max(1, t.Scale) || t.Precision > t.Scale+38 {
			fail(p.src, open.pos, "In BIGNUMERIC(P, S), P must be between max(S, 1) and S + 38, and S between 0 and 38")
		}
	default:
		fail(p.src, open.pos, "%s does not support type parameters like these", t.Kind)
	}
}

func smallInt(s string) (int, bool) {
	if len(s) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
