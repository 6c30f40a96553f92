package googlesql

func (a *analyzer) arithmetic(x *binaryExpr, l, r val) val {
	if v, ok := a.dateArithmetic(x, l, r); ok {
		return v
	}
	// Parameters of open type and NULLs get the type of the other side.
	vs := []val{l, r}
	for i := range vs {
		if vs[i].untyped() {
			other := vs[1-i].t
			if other.Kind == "" {
				other = kind(Int64)
			}
			vs[i], _ = a.coerce(vs[i], other)
		}
	}
	t, ok := a.supertype(vs)
	if !ok || !t.number() {
		a.noMatch(x, x.op, l, r)
	}
	if x.op == "/" && t.Kind == Int64 {
		t = kind(Float64)
	}
	l1, ok1 := a.coerce(vs[0], t)
	r1, ok2 := a.coerce(vs[1], t)
	if !ok1 || !ok2 {
		a.noMatch(x, x.op, l, r)
	}
	return merge(arithmeticSQL(x.op, l1.sql, r1.sql, t), t, l, r)
}

// operations has the functions of the operators, by type. All others are DuckDB's own
// operators, which also fail on an overflow.
var operations = map[Kind]map[string]string{
	Float64: {"+": "bq_float_add", "-": "bq_float_sub", "*": "bq_float_mul", "/": "bq_float_quo"},
	Numeric: {"*": "bq_numeric_mul", "/": "bq_numeric_quo"},
	BigNumeric: {"+": "bq_bignumeric_add", "-": "bq_bignumeric_sub", "*": "bq_bignumeric_mul",
		"/": "bq_bignumeric_quo"},
}

// arithmeticSQL writes an operation on two values of one type.
func arithmeticSQL(op, l, r string, t Type) string {
	if f := operations[t.Kind][op]; f != "" {
		return f + "(" + l + ", " + r + ")"
	}
	return "(" + l + " " + op + " " + r + ")"
}
