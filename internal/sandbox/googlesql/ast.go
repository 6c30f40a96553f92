package googlesql

// expr is a parsed expression; pos is its first byte in the statement.
type expr interface{ pos() int }

type node struct{ at int }

func (n node) pos() int { return n.at }

type name struct {
	node
	text   string
	quoted bool
	path   string // in backticks as a whole, that the name is a part of
}

type (
	// pathExpr is a.b.c: a column, a field of a column, or a date part.
	pathExpr struct {
		node
		parts []name
	}
	dotExpr struct {
		node
		x     expr
		field name
	}
	// indexExpr is x[i], x[OFFSET(i)] and so on; how is "" or the word.
	indexExpr struct {
		node
		x, index expr
		how      string
	}
	literal struct {
		node
		kind Kind // "" for NULL
		text string
	}
	paramExpr struct {
		node
		index int
	}
	sysVarExpr struct {
		node
		name string
	}
	callExpr struct {
		node
		name      string // upper case
		path      []name // as it was written
		safe      bool
		args      []expr
		named     []namedArg
		star      bool
		distinct  bool
		nulls     string // IGNORE or RESPECT
		having    string // MAX or MIN
		havingX   expr
		havingVal val
		order     []orderItem
		limit     expr
		over      *window
	}
	castExpr struct {
		node
		x      expr
		to     Type
		safe   bool
		format expr // nil without FORMAT
		zone   expr // of AT TIME ZONE after it
	}
	extractExpr struct {
		node
		part expr
		x    expr
		zone expr
	}
	caseExpr struct {
		node
		operand expr
		whens   []when
		other   expr
	}
	when       struct{ cond, then expr }
	binaryExpr struct {
		node
		op   string
		l, r expr
	}
	unaryExpr struct {
		node
		op string
		x  expr
	}
	isExpr struct {
		node
		x    expr
		not  bool
		what string // NULL, TRUE, FALSE
	}
	distinctExpr struct {
		node
		l, r expr
		not  bool
	}
	betweenExpr struct {
		node
		x, lo, hi expr
		not       bool
	}
	inExpr struct {
		node
		x      expr
		not    bool
		list   []expr
		query  *query
		unnest expr
	}
	// subqueryExpr is (SELECT ..), EXISTS(..) or ARRAY(..); kind is "", EXISTS or ARRAY.
	subqueryExpr struct {
		node
		kind string
		q    *query
	}
	arrayExpr struct {
		node
		typ   *Type
		elems []expr
	}
	structExpr struct {
		node
		typ    *Type
		values []expr
		names  []string
	}
	typedLit struct {
		node
		kind Kind
		text string
	}
	intervalExpr struct {
		node
		x        expr
		part, to string
	}
	// withExpr is WITH(a AS x, b AS y, result).
	withExpr struct {
		node
		names  []name
		values []expr
		result expr
	}
	// defaultExpr is DEFAULT in INSERT and UPDATE.
	defaultExpr struct{ node }
)

// namedArg is name => x.
type namedArg struct {
	name name
	x    expr
}

type orderItem struct {
	x     expr
	desc  bool
	nulls string // FIRST, LAST or ""
}

type window struct {
	node
	base      string
	partition []expr
	order     []orderItem
	frame     *frame
}

type frame struct {
	unit   string // ROWS, RANGE
	lo, hi bound
}

type bound struct {
	kind string // UNBOUNDED PRECEDING, CURRENT ROW, PRECEDING, FOLLOWING, UNBOUNDED FOLLOWING
	x    expr
}

// query is a query expression: WITH, a body, ORDER BY and LIMIT.
type query struct {
	node
	recursive bool
	with      []cte
	body      queryBody
	order     []orderItem
	orderAt   int // the place of ORDER BY
	limit     expr
	offset    expr
	keepOrder bool // rows of a lone UNNEST come in the array's order
}

type cte struct {
	name  name
	q     *query
	words map[string]bool // of its text, in lower case
}

type queryBody interface{ pos() int }

type setOp struct {
	node
	op       string // UNION, INTERSECT, EXCEPT
	distinct bool
	l, r     queryBody
	// byName matches the columns by their names. mode is FULL, LEFT, INNER or STRICT. on has
	// the names to match; nil means all.
	byName bool
	mode   string
	on     []name
}

type selectBody struct {
	node
	distinct bool
	asKind   string // "", STRUCT, VALUE
	items    []selectItem
	from     tableExpr
	where    expr
	groupBy  *grouping
	having   expr
	qualify  expr
	windows  map[string]*window
	clauses  map[string]node // where WHERE, HAVING, QUALIFY and WINDOW stand
}

type grouping struct {
	node
	all   bool
	items []groupItem
}

// groupItem is a key; or ROLLUP, CUBE or GROUPING SETS with its items; or a SET of keys in one of
// these.
type groupItem struct {
	kind  string
	keys  []expr
	items []groupItem
}

// selectItem is an expression, or a star of everything or of one expression.
type selectItem struct {
	node
	x       expr
	alias   *name
	star    bool
	except  []name
	replace []selectItem
}

type tableExpr interface{ pos() int }

type (
	tableRef struct {
		node
		path  []name
		alias *name
	}
	subqueryRef struct {
		node
		q     *query
		alias *name
	}
	unnestRef struct {
		node
		x          expr
		alias      *name
		withOffset bool
		offset     *name
	}
	// tableCall is a table function.
	tableCall struct {
		node
		call  *callExpr
		alias *name
	}
	joinRef struct {
		node
		kind  string // INNER, LEFT, RIGHT, FULL, CROSS
		l, r  tableExpr
		on    expr
		using []name
	}
)

// statement is a parsed statement.
type statement interface{ pos() int }
