package builtin

// Bit operators on BYTES.
func init() {
	for name, op := range map[string]func(a, b byte) byte{
		"and": func(a, b byte) byte { return a & b },
		"or":  func(a, b byte) byte { return a | b },
		"xor": func(a, b byte) byte { return a ^ b },
	} {
		def("bq_bytes_"+name, "BYTES, BYTES -> BYTES", func(a []Value) (Value, error) {
			l, r := a[0].Text, a[1].Text
			if len(l) != len(r) {
				return null, failf("Bitwise binary operator for BYTES requires equal length of the inputs. Got %d "+
					"bytes on "+
					"the left hand side and %d bytes on the right hand side.", len(l), len(r))
			}
			out := make([]byte, len(l))
			for i := range out {
				out[i] = op(l[i], r[i])
			}
			return text(string(out)), nil
		})
	}
	def("bq_bytes_not", "BYTES -> BYTES", func(a []Value) (Value, error) {
		out := []byte(a[0].Text)
		for i := range out {
			out[i] = ^out[i]
		}
		return text(string(out)), nil
	})
	def("bq_bytes_shift_left", "BYTES, INT64 -> BYTES", func(a []Value) (Value, error) {
		return shiftBytes(a[0].Text, a[1].Int, true)
	})
	def("bq_bytes_shift_right", "BYTES, INT64 -> BYTES", func(a []Value) (Value, error) {
		return shiftBytes(a[0].Text, a[1].Int, false)
	})
}

// shiftBytes shifts the bits of a whole text, whose first byte is the highest.
func shiftBytes(s string, n int64, left bool) (Value, error) {
	if n < 0 {
		return null, failf("Bitwise shift by negative offset.")
	}
	out := make([]byte, len(s))
	if n >= int64(len(s))*8 {
		return text(string(out)), nil
	}
	whole, part := int(n/8), uint(n%8)
	at := func(i int) byte {
		if i < 0 || i >= len(s) {
			return 0
		}
		return s[i]
	}
	for i := range out {
		if left {
			out[i] = at(i+whole)<<part | byte(uint16(at(i+whole+1))<<part>>8)
		} else {
			out[i] = at(i-whole)>>part | byte(uint16(at(i-whole-1))<<8>>part)
		}
	}
	return text(string(out)), nil
}
