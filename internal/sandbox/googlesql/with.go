package googlesql

import "strings"

// let is a variable of a WITH expression. inAgg and winOK are those of the scope around the
// expression: an aggregate or analytic function that the expression calls can't use the variable.
type let struct {
	name         string
	v            val
	inAgg, winOK bool
}

// findLet finds a variable of this scope alone.
func (s *scope) findLet(name string) *let {
	for i := len(s.lets) - 1; i >= 0; i-- {
		if strings.EqualFold(s.lets[i].name, name) {
			return &s.lets[i]
		}
	}
	return nil
}

func (a *analyzer) useLet(l *let, s *scope, at name) val {
	if s.inAgg != l.inAgg || s.winOK != l.winOK {
		a.fail(at, "Variable %s of a WITH expression cannot be used in an aggregate or analytic function", l.name)
	}
	return l.v
}

// with writes a WITH expression, with the text of each variable wherever it is used.
func (a *analyzer) with(x *withExpr, s *scope) val {
	n := len(s.lets)
	defer func() { s.lets = s.lets[:n] }()
	var vs []val
	for i, value := range x.values {
		v := a.expr(value, s)
		if strings.Contains(v.sql, "random()") || strings.Contains(v.sql, "uuid()") {
			a.refuse(value, "A WITH expression with RAND or GENERATE_UUID")
		}
		if v.untyped() && v.param == 0 {
			v, _ = a.coerce(v, kind(Int64))
		}
		v.lit, v.parts = nil, nil
		vs = append(vs, v)
		s.lets = append(s.lets, let{x.names[i].text, v, s.inAgg, s.winOK})
	}
	out := a.expr(x.result, s)
	return merge(out.sql, resolved(out.t), append(vs, out)...)
}
