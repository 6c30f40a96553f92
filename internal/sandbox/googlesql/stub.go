package googlesql

var knownFunctions = map[string]bool{}

func (a *analyzer) cast(x *castExpr, s *scope) val       { a.refuse(x, "CAST"); return val{} }
func (a *analyzer) extract(x *extractExpr, s *scope) val { a.refuse(x, "EXTRACT"); return val{} }
func (a *analyzer) interval(x *intervalExpr, s *scope) val {
	a.refuse(x, "INTERVAL")
	return val{}
}
func (a *analyzer) dateArithmetic(x *binaryExpr, l, r val) (val, bool) { return val{}, false }
