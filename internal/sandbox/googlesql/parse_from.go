package googlesql

import "slices"

// fromClause parses the tables and joins after FROM, separated by commas.
func (p *parser) fromClause() tableExpr {
	left := p.joins()
	for p.tok().is(",") {
		at := p.tok().pos
		p.i++
		// A comma binds less tightly than a JOIN on its left, and has one table on its
		// right: a, b JOIN c is (a, b) JOIN c.
		left = &joinRef{node: node{at}, kind: "CROSS", l: left, r: p.tablePrimary()}
		left = p.joinTail(left)
	}
	return left
}

func (p *parser) joins() tableExpr {
	p.enter()
	defer p.leave()
	return p.joinTail(p.tablePrimary())
}

func (p *parser) joinTail(left tableExpr) tableExpr {
	for {
		j := p.join(left)
		if j == nil {
			return left
		}
		left = j
	}
}

// join reads one JOIN with its right side. It returns nil if none comes next.
func (p *parser) join(left tableExpr) tableExpr {
	at := p.tok().pos
	kind := ""
	switch {
	case p.accept("JOIN"), p.accept("INNER", "JOIN"):
		kind = "INNER"
	case p.accept("CROSS", "JOIN"):
		kind = "CROSS"
	case p.accept("LEFT", "JOIN"), p.accept("LEFT", "OUTER", "JOIN"):
		kind = "LEFT"
	case p.accept("RIGHT", "JOIN"), p.accept("RIGHT", "OUTER", "JOIN"):
		kind = "RIGHT"
	case p.accept("FULL", "JOIN"), p.accept("FULL", "OUTER", "JOIN"):
		kind = "FULL"
	case p.tok().is("NATURAL"):
		fail(p.src, at, "Natural join not supported") // by BigQuery
	default:
		return nil
	}
	j := &joinRef{node: node{at}, kind: kind, l: left, r: p.tablePrimary()}
	if kind != "CROSS" {
		for p.conditionBehindJoins() {
			nested := p.join(j.r)
			if nested == nil {
				p.unexpected()
			}
			j.r = nested
		}
	}
	switch {
	case kind == "CROSS":
	case p.accept("ON"):
		j.on = p.expr()
	case p.accept("USING"):
		p.expect("(")
		for {
			j.using = append(j.using, p.ident())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
	default:
		if _, ok := j.r.(*unnestRef); !ok && !isPath(j.r) {
			fail(p.src, at, noCondition, kind)
		}
	}
	return j
}

// conditionBehindJoins reports whether the next tokens are joins, and behind them is one condition more than
// they need. It belongs to the JOIN before them: a JOIN b JOIN c ON x ON y is a JOIN (b JOIN c ON x) ON y.
func (p *parser) conditionBehindJoins() bool {
	joins, brackets := 0, 0
	for i := p.i; ; i++ {
		t := p.toks[i]
		switch {
		case t.is("(") || t.is("["):
			brackets++
		case t.is(")") || t.is("]"):
			brackets--
		}
		switch {
		case brackets < 0 || t.kind == tokEOF || t.is(";") || t.is("|>"):
			return false
		case brackets > 0:
		case t.is("JOIN") && !p.toks[i-1].is("CROSS"):
			joins++
		case i == p.i && !slices.ContainsFunc(joinWords, t.is):
			return false
		case (t.is("ON") || t.is("USING")) && joins == 0:
			return true
		case t.is("ON") || t.is("USING"):
			joins--
		case t.is(",") || slices.ContainsFunc(afterFrom, t.is):
			return false
		}
	}
}

// joinWords are the words with which a join begins.
var joinWords = []string{"JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "FULL"}

// afterFrom are the words that come after the tables of a query.
var afterFrom = []string{"WHERE", "GROUP", "HAVING", "QUALIFY", "WINDOW", "ORDER", "LIMIT", "UNION", "INTERSECT",
	"EXCEPT"}

// noCondition is BigQuery's message about a join of tables without ON and USING.
const noCondition = "%s JOIN must have an immediately following ON or USING clause"

// isPath reports whether t may be an array path, whose join needs no condition.
func isPath(t tableExpr) bool {
	r, ok := t.(*tableRef)
	return ok && len(r.path) > 1
}

func (p *parser) tablePrimary() tableExpr {
	at := p.tok().pos
	var t tableExpr
	switch {
	case p.tok().is("(") && p.parenQuery():
		p.i++
		q := p.query()
		p.expect(")")
		t = &subqueryRef{node{at}, q, p.aliasOpt()}
	case p.accept("("):
		t = p.joins()
		p.expect(")")
	case p.accept("UNNEST", "("):
		u := &unnestRef{node: node{at}, x: p.expr()}
		p.expect(")")
		u.alias = p.aliasOpt()
		p.withOffset(u)
		t = u
	case p.tok().kind == tokIdent || p.tok().kind == tokQuoted:
		path := p.tablePath()
		if p.tok().is("(") {
			if name := upperPath(path); name == "GRAPH_TABLE" || reference[name] || family(name) != "" {
				p.refuse(at, "The table function "+name)
			}
			call := p.call(at, upperPath(path), false).(*callExpr)
			call.path = path
			t = &tableCall{node{at}, call, p.aliasOpt()}
			break
		}
		r := &tableRef{node{at}, path, nil}
		p.systemTime()
		r.alias = p.aliasOpt()
		p.systemTime()
		t = r
		if p.isWords("WITH", "OFFSET") {
			x := &pathExpr{node{at}, path}
			u := &unnestRef{node: node{at}, x: x, alias: r.alias}
			if u.alias == nil {
				u.alias = &path[len(path)-1]
			}
			p.withOffset(u)
			t = u
		}
	default:
		p.unexpected()
	}
	if p.isWords("MATCH_RECOGNIZE", "(") {
		p.refuse(p.tok().pos, "MATCH_RECOGNIZE")
	}
	t = p.pivotTail(t)
	p.tableSample()
	return t
}

// tableSample reads TABLESAMPLE. A small table is one block, so a sample has all of its rows or
// none.
func (p *parser) tableSample() bool {
	if !p.accept("TABLESAMPLE") {
		return false
	}
	p.expect("SYSTEM")
	p.expect("(")
	p.primary()
	p.expect("PERCENT")
	p.expect(")")
	return true
}

// systemTime reads FOR SYSTEM_TIME AS OF, which only supports the current time.
func (p *parser) systemTime() {
	at := p.tok().pos
	if !p.accept("FOR", "SYSTEM_TIME") && !p.accept("FOR", "SYSTEM", "TIME") {
		return
	}
	p.expect("AS")
	p.expect("OF")
	if c, ok := p.expr().(*callExpr); !ok || c.name != "CURRENT_TIMESTAMP" {
		p.refuse(at, "FOR SYSTEM_TIME AS OF anything but CURRENT_TIMESTAMP()")
	}
}

func (p *parser) withOffset(u *unnestRef) {
	if p.accept("WITH", "OFFSET") {
		u.withOffset = true
		u.offset = p.aliasOpt()
	}
}
