package googlesql

func init() {
	def("UPPER", "STRING -> STRING", "upper({1})")
	def("LOWER", "STRING -> STRING", "lower({1})")
}
