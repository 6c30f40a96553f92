package googlesql

func init() {
	code("ARRAY_LENGTH", func(a *analyzer, c *callExpr, s *scope) val {
		a.countArgs(c, 1, 1)
		v := a.arrayArg(c, a.args(c, s))
		return merge("CAST(len("+v.sql+") AS BIGINT)", kind(Int64), v)
	})
}

// arrayArg is the first argument, which must be an array.
func (a *analyzer) arrayArg(c *callExpr, vs []val) val {
	v := vs[0]
	if v.untyped() {
		v, _ = a.coerce(v, arrayOf(kind(Int64)))
	}
	if v.t.Kind != Array {
		a.noSignature(c, vs)
	}
	return v
}
