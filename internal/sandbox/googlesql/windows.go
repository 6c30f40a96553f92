package googlesql

import (
	"fmt"
	"strconv"
	"strings"
)

// overClause writes the parentheses of OVER, with the definitions of named
// windows.
func (a *analyzer) overClause(c *callExpr, f *function, s *scope) string {
	w := a.resolveWindow(c.over, s, 0)
	saved := s.winOK
	s.winOK = false
	defer func() { s.winOK = saved }()
	var parts []string
	if len(w.partition) > 0 {
		var keys []string
		for _, p := range w.partition {
			v := a.expr(p, s)
			if !groupable(v.t) || strings.Contains(v.t.name(), string(Float64)) {
				a.fail(p, "Partitioning by expressions of type %s is not allowed", v.t.name())
			}
			keys = append(keys, v.sql)
		}
		parts = append(parts, "PARTITION BY "+strings.Join(keys, ", "))
	}
	offset := kind(Int64) // the type of a frame's offsets
	numbered := w.frame != nil && w.frame.unit == "RANGE" && (w.frame.lo.x != nil || w.frame.hi.x != nil)
	if len(w.order) > 0 {
		order := a.orderBy(w.order, s, nil)
		if order == "" { // ordered by constants alone: all rows are peers
			order = " ORDER BY NULL"
		}
		if numbered {
			order, offset = a.rangeOrder(w, s)
		}
		parts = append(parts, strings.TrimPrefix(order, " "))
	}
	if unordered[c.name] && len(w.order) > 0 {
		a.fail(c, "Window ORDER BY is not allowed for analytic function %s", c.name)
	}
	if rankLike[c.name] && len(w.order) == 0 && c.name != "ROW_NUMBER" {
		a.fail(c, "Window ORDER BY is required for analytic function %s", c.name)
	}
	if w.frame != nil {
		if f.window && !framed[c.name] {
			a.fail(c, "Window framing clause is not allowed for analytic function %s", c.name)
		}
		a.checkFrame(w)
		parts = append(parts, w.frame.unit+" BETWEEN "+a.boundSQL(w.frame.lo, offset, s)+" AND "+
			a.boundSQL(w.frame.hi, offset, s))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// resolveWindow merges a named window into the specification.
func (a *analyzer) resolveWindow(w *window, s *scope, depth int) *window {
	if w.base == "" {
		return w
	}
	base := s.windows[strings.ToLower(w.base)]
	if base == nil || depth > 20 {
		a.fail(w, "Unrecognized window alias %s", w.base)
	}
	b := *a.resolveWindow(base, s, depth+1)
	if len(w.partition) > 0 {
		a.fail(w, "PARTITION BY is not allowed when a window reference is present")
	}
	if len(w.order) > 0 {
		if len(b.order) > 0 {
			a.fail(w, "Conflicting ORDER BY clauses between the two windows")
		}
		b.order = w.order
	}
	if w.frame != nil {
		b.frame = w.frame
	}
	return &b
}

// checkFrame fails for a frame that can't contain a row, and for a RANGE frame without an
// order.
func (a *analyzer) checkFrame(w *window) {
	lo, hi := w.frame.lo.kind, w.frame.hi.kind
	place := map[string]int{"UNBOUNDED PRECEDING": 0, "PRECEDING": 1, "CURRENT ROW": 2, "FOLLOWING": 3,
		"UNBOUNDED FOLLOWING": 4}
	shown := func(kind string) string {
		if kind == "PRECEDING" || kind == "FOLLOWING" {
			return "OFFSET " + kind
		}
		return kind
	}
	switch {
	case lo == "UNBOUNDED FOLLOWING":
		a.fail(w, "Starting window framing expression cannot be UNBOUNDED FOLLOWING")
	case hi == "UNBOUNDED PRECEDING":
		a.fail(w, "Ending window framing expression cannot be UNBOUNDED PRECEDING")
	case place[lo] > place[hi]:
		a.fail(w, "Starting window framing expression cannot be %s when the ending window framing expression is %s",
			shown(lo), shown(hi))
	case w.frame.unit != "RANGE" || len(w.order) > 0:
	case w.frame.lo.x != nil || w.frame.hi.x != nil:
		a.fail(w, "A RANGE-based window including an OFFSET PRECEDING or OFFSET FOLLOWING window frame boundary "+
			"requires an ORDER BY")
	case lo == "CURRENT ROW" || hi == "CURRENT ROW":
		a.fail(w, "A RANGE-based window without ORDER BY cannot include a CURRENT ROW window frame boundary")
	}
}

// rangeOrder returns the ORDER BY of a RANGE frame, which has one numeric key.
func (a *analyzer) rangeOrder(w *window, s *scope) (string, Type) {
	if len(w.order) != 1 {
		a.fail(w, "Window framing with an offset in RANGE needs exactly one ORDER BY key")
	}
	it := w.order[0]
	v := a.expr(it.x, s)
	key := v
	switch {
	case !v.t.number() && !v.untyped():
		a.fail(it.x, "ORDER BY key must be numeric in a RANGE-based window with OFFSET PRECEDING or OFFSET FOLLOWING "+
			"boundaries, but has type %s", v.t.name())
	case v.t.Kind == BigNumeric:
		a.refuse(it.x, "A RANGE frame over "+v.t.name())
	case v.t.Kind == Float64 && v.lit == nil: // DuckDB has NaN at the other end
		key.t = kind(Int64)
		key.sql = "CASE WHEN isnan(" + v.sql + ") THEN " + raise(quoteString(unsupported("A RANGE frame over NaN")),
			"DOUBLE") + " ELSE " + v.sql + " END"
	}
	return " ORDER BY " + a.sortKeys(key, it)[0], resolved(v.t)
}

// boundSQL writes a bound of a frame. The offset is converted to a type.
func (a *analyzer) boundSQL(b bound, t Type, s *scope) string {
	if b.x == nil {
		return b.kind
	}
	v := a.expr(b.x, s)
	if v.untyped() && v.param == 0 {
		a.fail(b.x, "Window framing expression cannot be NULL")
	}
	w := a.must(v, t, b.x, "Window framing expression must be of type %s, but is %s", t, v.t.name())
	if v.lit == nil && v.param == 0 {
		a.fail(b.x, "Window framing expression must be a literal or a parameter")
	}
	if v.lit != nil && strings.HasPrefix(v.lit.text, "-") {
		a.fail(b.x, "Window framing expression must not be negative")
	}
	return w.sql + " " + b.kind
}

// rankLike functions need an ORDER BY, unordered functions must have none, and
// framed functions accept a frame.
var (
	unordered = map[string]bool{"PERCENTILE_CONT": true, "PERCENTILE_DISC": true}
	rankLike  = map[string]bool{"RANK": true, "DENSE_RANK": true, "PERCENT_RANK": true, "CUME_DIST": true,
		"NTILE": true, "LAG": true, "LEAD": true}
	framed = map[string]bool{"FIRST_VALUE": true, "LAST_VALUE": true, "NTH_VALUE": true}
)

// windowFunc adds functions that need OVER.
func windowFunc(names string, f aggCode) {
	for _, n := range strings.Fields(names) {
		aggs[n] = f
		functions[n] = &function{window: true}
	}
}

func init() {
	windowFunc("ROW_NUMBER RANK DENSE_RANK", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 0, 0)
		return call(strings.ToLower(c.name), ""), kind(Int64)
	})
	windowFunc("PERCENT_RANK CUME_DIST", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 0, 0)
		return call(strings.ToLower(c.name), ""), kind(Float64)
	})
	windowFunc("NTILE", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		return call("ntile", a.constantArg(c, vs, 0, 1)), kind(Int64)
	})
	windowFunc("LAG LEAD", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 3)
		x, other := vs[0], ""
		if len(vs) > 2 {
			both, _ := a.unify([]val{vs[0], vs[2]}, c, "function "+c.name)
			x, other = both[0], ", "+both[1].sql
		}
		args := x.sql
		if len(vs) > 1 {
			args += ", " + a.constantArg(c, vs, 1, 0)
		}
		return call(strings.ToLower(c.name), args+other), resolved(x.t)
	})
	windowFunc("FIRST_VALUE LAST_VALUE", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 1, 1)
		return call(strings.ToLower(c.name), vs[0].sql+nullsOf(c)), resolved(vs[0].t)
	})
	windowFunc("NTH_VALUE", func(a *analyzer, c *callExpr, vs []val, call aggCall) (string, Type) {
		a.countArgs(c, 2, 2)
		return call("nth_value", vs[0].sql+", "+a.constantArg(c, vs, 1, 1)+nullsOf(c)), resolved(vs[0].t)
	})
}

// constantArg writes an argument that must be a constant INT64, least or greater.
func (a *analyzer) constantArg(c *callExpr, vs []val, i int, least int64) string {
	v := vs[i]
	message := fmt.Sprintf("Argument %d to %s must be an INT64 of at least %d", i+1, c.name, least)
	if v.untyped() && v.param == 0 {
		a.fail(c.args[i], "%s", message)
	}
	v = a.must(v, kind(Int64), c.args[i], "%s", message)
	switch {
	case v.lit != nil:
		if n, err := strconv.ParseInt(v.lit.text, 0, 64); err != nil || n < least {
			a.fail(c.args[i], "%s", message)
		}
		return v.sql
	case v.param == 0:
		a.fail(c.args[i], "Argument %d to %s must be a literal or query parameter", i+1, c.name)
	}
	return fmt.Sprintf("(CASE WHEN %s >= %d THEN %s ELSE %s END)", v.sql, least, v.sql,
		raise(quoteString(message), "BIGINT"))
}

func nullsOf(c *callExpr) string {
	if c.nulls == "" {
		return ""
	}
	return " " + c.nulls + " NULLS"
}
