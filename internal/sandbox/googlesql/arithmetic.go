package googlesql

func (a *analyzer) arithmetic(x *binaryExpr, l, r val) val {
	if v, ok := a.dateArithmetic(x, l, r); ok {
		return v
	}
	// Open parameters and NULLs take the other side's type.
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
	if !ok || !t.numeric() {
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

// longOperands is the length from which operands are bound once instead of repeated; the
// one-element list is DuckDB's way to say let.
const longOperands = 200

// arithmeticSQL writes an operation on two values of one type.
func arithmeticSQL(op, l, r string, t Type) string {
	switch {
	case op == "/" && t.Kind == Numeric:
		return numericDivide(l, r)
	case op == "*" && t.Kind == Numeric:
		return "CAST(" + l + " * " + r + " AS DECIMAL(38,9))"
	case t.Kind == Float64 && len(l)+len(r) > longOperands:
		return "list_transform([{'l': " + l + ", 'r': " + r + "}], lambda q: " + arithmeticSQL(op, "q.l", "q.r", t) +
			")[1]"
	case t.Kind == Float64:
		text := "CAST(" + l + " AS VARCHAR) || ' " + op + " ' || CAST(" + r + " AS VARCHAR)"
		zero := ""
		if op == "/" {
			zero = " WHEN " + r + " = 0 THEN error('division by zero: ' || " + text + ")"
		}
		return "(CASE" + zero + " WHEN " + overflow(op, l, r) + " THEN error('double overflow: ' || " + text +
			") ELSE " + l + " " + op + " " + r + " END)"
	}
	return "(" + l + " " + op + " " + r + ")"
}

// overflow is the condition that finite operands have an infinite result: DuckDB goes on
// with infinity, GoogleSQL fails.
func overflow(op, l, r string) string {
	return "isinf(" + l + " " + op + " " + r + ") AND NOT isinf(" + l + ") AND NOT isinf(" + r + ")"
}

// numericDivide divides exactly, rounding half away from zero at the ninth digit. DuckDB
// has no division of DECIMALs, so it goes through 128-bit integers; the one-element list
// evaluates each operand once.
func numericDivide(l, r string) string {
	unscaled := func(s string) string { return "CAST(" + s + " * 1000000000::DECIMAL(10,0) AS HUGEINT)" }
	return "list_transform([{'n': " + unscaled("CAST("+l+" AS DECIMAL(38,9))") + ", 'd': " +
		unscaled("CAST("+r+" AS DECIMAL(38,9))") + "}], lambda q: " +
		"CASE WHEN q.n IS NULL OR q.d IS NULL THEN NULL WHEN q.d = 0 THEN error('division by zero') ELSE " +
		"CAST((q.n * 1000000000) // q.d + CASE WHEN 2 * abs((q.n * 1000000000) % q.d) >= abs(q.d) THEN sign(q.n) * " +
		"sign(q.d) ELSE 0 END AS DECIMAL(38,0))" +
		" * 0.000000001::DECIMAL(10,9) END)[1]"
}
