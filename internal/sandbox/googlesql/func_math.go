package googlesql

func init() {
	def("DIV", "INT64, INT64 -> INT64", "(CASE WHEN {2} = 0 THEN error('division by zero: DIV') ELSE {1} // {2} END)")
	def("MOD", "INT64, INT64 -> INT64", "(CASE WHEN {2} = 0 THEN error('division by zero: MOD') ELSE {1} % {2} END)")
	def("MOD", "NUMERIC, NUMERIC -> NUMERIC", "(CASE WHEN {2} = 0 THEN error('division by zero: MOD') ELSE {1} % {2} END)")
}
