package builtin

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// extract returns the value at a path of a JSON, or nothing if s is not JSON. raw is for
// STRING input: numbers keep their text, and a null counts as nothing.
func extract(s, path string, legacy, raw bool) (*node, error) {
	steps, err := parsePath(path, legacy)
	if err != nil {
		return nil, err
	}
	if !raw {
		n, err := parseJSON(s, "")
		if err != nil {
			return nil, nil
		}
		return n.follow(steps), nil
	}
	r := &jsonReader{s: s}
	n, err := r.seek(steps)
	if n == nil || err != nil || n.kind == 'n' { // a text that is not JSON has no values
		return nil, nil
	}
	if len(steps) == 0 {
		if r.space(); r.i < len(s) {
			return nil, nil
		}
	}
	return n, nil
}

// scalar returns the text of a JSON scalar, or nothing.
func (n *node) scalar(raw bool) Value {
	if n == nil {
		return null
	}
	switch n.kind {
	case 'n', 'a', 'o':
		return null
	case 's':
		return text(n.text)
	}
	return text(n.text1(raw))
}

func (n *node) text1(raw bool) string {
	var b strings.Builder
	n.write(&b, "", raw)
	return b.String()
}

// defExtract adds the functions that read a path, for STRING or JSON, in the standard or the
// legacy form of paths.
func defExtract(kind string, legacy bool) {
	raw := kind == "STRING"
	suffix := "_" + strings.ToLower(kind)
	if legacy {
		suffix += "_legacy"
	}
	get := func(a []Value) (*node, error) { return extract(a[0].Text, a[1].Text, legacy, raw) }
	def("bq_json_value"+suffix, kind+", STRING -> STRING", func(a []Value) (Value, error) {
		n, err := get(a)
		return either(n.scalar(raw), err)
	})
	def("bq_json_query"+suffix, kind+", STRING -> "+kind, func(a []Value) (Value, error) {
		n, err := get(a)
		if n == nil || err != nil {
			return null, err
		}
		return text(n.text1(raw)), nil
	})
	def("bq_json_query_array"+suffix, kind+", STRING -> []"+kind, func(a []Value) (Value, error) {
		n, err := get(a)
		if n == nil || err != nil || n.kind != 'a' {
			return null, err
		}
		v := Value{List: []Value{}}
		for _, e := range n.elems {
			v.List = append(v.List, text(e.text1(raw)))
		}
		return v, nil
	})
	def("bq_json_value_array"+suffix, kind+", STRING -> []STRING", func(a []Value) (Value, error) {
		n, err := get(a)
		if n == nil || err != nil || n.kind != 'a' {
			return null, err
		}
		v := Value{List: []Value{}}
		for _, e := range n.elems {
			if e.kind == 'a' || e.kind == 'o' {
				return null, nil
			}
			v.List = append(v.List, e.scalar(raw))
		}
		return v, nil
	})
}

// maxExact is the largest integer below which a FLOAT64 holds all integers
// exactly.
const maxExact = 1 << 53

// prettyJSON writes a JSON in lines.
func prettyJSON(s string) (string, error) {
	n, err := parseJSON(s, "")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	n.write(&b, "\n", true)
	return b.String(), nil
}

func init() {
	for _, kind := range []string{"STRING", "JSON"} {
		defExtract(kind, false)
		defExtract(kind, true)
	}
	def("bq_parse_json", "STRING, STRING -> JSON", func(a []Value) (Value, error) {
		if a[1].Text != "exact" && a[1].Text != "round" {
			return null, failf("Invalid `wide_number_mode` specified: %s", a[1].Text)
		}
		s, err := ParseJSON(a[0].Text, a[1].Text)
		if err != nil {
			return null, failf("%s", strings.TrimPrefix(err.Error(), Mark))
		}
		return text(s), nil
	})
	def("bq_json_pretty", "STRING -> STRING", func(a []Value) (Value, error) {
		s, err := prettyJSON(a[0].Text)
		return either(text(s), err)
	})
	def("bq_json_string", "STRING -> STRING", func(a []Value) (Value, error) {
		var b strings.Builder
		quoteJSON(&b, a[0].Text, true)
		return text(b.String()), nil
	})
	read := func(name, sig string, get func(n *node) (Value, error)) {
		def(name, sig, func(a []Value) (Value, error) {
			n, err := parseJSON(a[0].Text, "")
			if err != nil {
				return null, err
			}
			if strings.Contains(sig, "[]") {
				return eachJSON(n, get)
			}
			return get(n)
		})
	}
	for _, suffix := range []string{"", "_array"} {
		list := ""
		if suffix != "" {
			list = "[]"
		}
		read("bq_json_bool"+suffix, "JSON -> "+list+"BOOL", jsonBool)
		read("bq_json_int"+suffix, "JSON -> "+list+"INT64", jsonInt)
		read("bq_json_text"+suffix, "JSON -> "+list+"STRING", jsonText)
		read("bq_json_float_exact"+suffix, "JSON -> "+list+"FLOAT64",
			func(n *node) (Value, error) { return jsonNumber(n, true) })
		read("bq_json_float_round"+suffix, "JSON -> "+list+"FLOAT64",
			func(n *node) (Value, error) { return jsonNumber(n, false) })
	}
	read("bq_json_type", "JSON -> STRING", func(n *node) (Value, error) {
		return text(map[byte]string{'n': "null", 'b': "boolean", 'i': "number", 'f': "number", 's': "string",
			'a': "array",
			'o': "object"}[n.kind]), nil
	})
}

// eachJSON reads the elements of an array.
func eachJSON(n *node, get func(n *node) (Value, error)) (Value, error) {
	if n.kind != 'a' {
		return null, failf("The provided JSON input is not an array")
	}
	v := Value{List: []Value{}}
	for _, e := range n.elems {
		x, err := get(e)
		if err != nil {
			return null, err
		}
		v.List = append(v.List, x)
	}
	return v, nil
}

func jsonBool(n *node) (Value, error) {
	if n.kind != 'b' {
		return null, failf("The provided JSON input is not a boolean")
	}
	return boolean(n.bool), nil
}

func jsonText(n *node) (Value, error) {
	if n.kind != 's' {
		return null, failf("The provided JSON input is not a string")
	}
	return text(n.text), nil
}

func jsonInt(n *node) (Value, error) {
	switch n.kind {
	case 'i':
		if i, err := ParseInt(n.text); err == nil {
			return integer(i), nil
		}
	case 'f':
		if i := int64(n.num); float64(i) == n.num && n.num >= -1<<63 && n.num < 1<<63 {
			return integer(i), nil
		}
		return null, failf("The provided JSON number: %s cannot be converted to an int64", n.text)
	}
	return null, failf("The provided JSON input is not an integer")
}

func jsonNumber(n *node, exact bool) (Value, error) {
	switch n.kind {
	case 'f':
		return float(n.num), nil
	case 'i':
		if i, err := ParseInt(n.text); exact && (err != nil || i > maxExact || i < -maxExact) {
			return null, failf("JSON number: %s cannot be converted to FLOAT64 without loss of precision", n.text)
		}
		return float(n.num), nil
	}
	return null, failf("The provided JSON input is not a number")
}

// jsonScalar writes a FLOAT64: as TO_JSON_STRING does if plain, else as TO_JSON.
func jsonScalar(f float64, plain bool) string {
	switch {
	case math.IsNaN(f):
		return `"NaN"`
	case math.IsInf(f, 1):
		return `"Infinity"`
	case math.IsInf(f, -1):
		return `"-Infinity"`
	case plain:
		return FloatText(f)
	case f == 0:
		return "0.0"
	}
	return jsonFloat(f)
}

func init() {
	def("bq_json_float", "FLOAT64, BOOL -> STRING", func(a []Value) (Value, error) {
		return text(jsonScalar(a[0].Float, a[1].Bool)), nil
	})
	exact := big.NewInt(maxExact)
	exact.Mul(exact, unit)
	// A NUMERIC with a fraction, or beyond what a FLOAT64 holds, is a string.
	def("bq_json_numeric", "NUMERIC -> STRING", func(a []Value) (Value, error) {
		s := NumericText(a[0].Dec)
		if a[0].Dec.CmpAbs(exact) > 0 || strings.Contains(s, ".") {
			s = `"` + s + `"`
		}
		return text(s), nil
	})
	def("bq_json_bignumeric", "BIGNUMERIC -> STRING", func(a []Value) (Value, error) {
		s := BigNumericText(a[0].Dec)
		if n, ok := new(big.Int).SetString(s, 10); !ok || n.CmpAbs(new(big.Int).Quo(exact, unit)) > 0 {
			s = `"` + s + `"`
		}
		return text(s), nil
	})
	// As a number of JSON, or where a FLOAT64 can't hold it and wide is set, as a string.
	def("bq_json_numeric_of", "NUMERIC, BOOL -> STRING", func(a []Value) (Value, error) {
		d, wide := a[0].Dec, a[1].Bool
		s := NumericText(d)
		if n, ok := new(big.Int).SetString(s, 10); ok && (n.IsInt64() || n.IsUint64()) {
			if wide && d.CmpAbs(exact) > 0 {
				s = `"` + s + `"`
			}
			return text(s), nil
		}
		f := NumericFloat(d)
		if wide && !sameDecimal(s, jsonFloat(f)) {
			return text(`"` + s + `"`), nil
		}
		return text(jsonScalar(f, false)), nil
	})
}

func init() {
	child := func(a []Value, st step) (Value, error) {
		n, err := parseJSON(a[0].Text, "")
		if err != nil {
			return null, err
		}
		if n = n.child(st); n == nil {
			return null, nil
		}
		return text(n.String()), nil
	}
	def("bq_json_member", "JSON, STRING -> JSON", func(a []Value) (Value, error) {
		if strings.HasPrefix(strings.TrimLeft(a[0].Text, " "), "[") {
			return null, nil
		}
		return child(a, step{key: a[1].Text})
	})
	def("bq_json_element", "JSON, INT64 -> JSON", func(a []Value) (Value, error) {
		if !strings.HasPrefix(a[0].Text, "[") {
			return null, nil
		}
		return child(a, step{key: strconv.FormatInt(a[1].Int, 10)})
	})
	for _, kind := range []string{"STRING", "BYTES"} {
		def("bq_fit_"+lowerASCII(kind), kind+", INT64, STRING -> "+kind, func(a []Value) (Value, error) {
			if n := length(a[0].Text, kind == "BYTES"); n > a[1].Int {
				return null, failf("Value is too long: %s has a maximum length of %d", a[2].Text, a[1].Int)
			}
			return a[0], nil
		})
	}
}
