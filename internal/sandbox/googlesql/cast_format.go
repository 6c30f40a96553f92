package googlesql

// castFormat analyzes CAST with FORMAT.
func (a *analyzer) castFormat(x *castExpr, v val, s *scope) val {
	a.refuse(x, "CAST with FORMAT")
	return val{}
}
