package builtin

import (
	"math"
	"slices"
	"sort"
	"strings"
)

// maxJSONArray limits the length of an array that a path creates.
const maxJSONArray = 1_000_000

// set sets the value at a path. If there is none, it creates the missing members and
// elements if create is set.
func (n *node) set(places []place, v *node, create bool) error {
	for i, p := range places {
		if c := n.at(p); c != nil {
			n = c
			continue
		}
		fits := n.kind == 'n' || n.kind == 'o' && p.index < 0 || n.kind == 'a' && p.index >= 0
		if !fits || !create {
			return nil
		}
		for _, rest := range places[i:] {
			if rest.index >= maxJSONArray {
				return failf("Exceeded maximum array size of %d", maxJSONArray)
			}
		}
		for _, rest := range places[i:] {
			n = n.grow(rest)
		}
		break
	}
	*n = *v
	return nil
}

// grow creates the child at a step of a path.
func (n *node) grow(p place) *node {
	child := &node{kind: 'n'}
	if p.index < 0 {
		n.kind = 'o'
		n.keys, n.elems = append(n.keys, p.key), append(n.elems, child)
		return child
	}
	n.kind = 'a'
	for len(n.elems) <= p.index {
		child = &node{kind: 'n'}
		n.elems = append(n.elems, child)
	}
	return child
}

// remove removes the value at a path.
func (n *node) remove(places []place) {
	for _, p := range places[:len(places)-1] {
		if n = n.at(p); n == nil {
			return
		}
	}
	last := places[len(places)-1]
	if n.at(last) == nil {
		return
	}
	i := last.index
	if i < 0 {
		i = slices.Index(n.keys, last.key)
		n.keys = slices.Delete(n.keys, i, i+1)
	}
	n.elems = slices.Delete(n.elems, i, i+1)
}

// insert inserts values into an array, before the element of the path's last step or at the
// end. A null becomes an array.
func (n *node) insert(places []place, values []*node, atEnd bool) error {
	at := -1
	if !atEnd {
		if len(places) == 0 || places[len(places)-1].index < 0 {
			return nil
		}
		at = places[len(places)-1].index
		places = places[:len(places)-1]
	}
	for _, p := range places {
		if n = n.at(p); n == nil {
			return nil
		}
	}
	if n.kind != 'a' && n.kind != 'n' {
		return nil
	}
	if n.kind == 'n' {
		*n = node{kind: 'a'}
	}
	if atEnd {
		at = len(n.elems)
	}
	if at+len(values) > maxJSONArray {
		return failf("Exceeded maximum array size of %d", maxJSONArray)
	}
	for len(n.elems) < at || len(values) == 0 && len(n.elems) <= at && !atEnd {
		n.elems = append(n.elems, &node{kind: 'n'})
	}
	n.elems = slices.Insert(n.elems, at, values...)
	return nil
}

// stripNulls removes the nulls from objects and, if arrays is set, from arrays. With empty
// it also removes objects and arrays that are then empty.
func (n *node) stripNulls(arrays, empty bool) {
	for _, e := range n.elems {
		e.stripNulls(arrays, empty)
	}
	gone := func(e *node) bool {
		return e.kind == 'n' || empty && len(e.elems) == 0 && (e.kind == 'o' || e.kind == 'a' && arrays)
	}
	if n.kind == 'o' || n.kind == 'a' && arrays {
		var keys []string
		var elems []*node
		for i, e := range n.elems {
			if gone(e) {
				continue
			}
			if n.kind == 'o' {
				keys = append(keys, n.keys[i])
			}
			elems = append(elems, e)
		}
		n.keys, n.elems = keys, elems
	}
}

// keyPaths collects the names of members down to a depth. With lax it also searches
// arrays, and with recursive arrays in arrays.
func (n *node) keyPaths(prefix string, depth int64, lax, recursive, inArray bool, out map[string]bool) {
	switch n.kind {
	case 'o':
		if depth <= 0 {
			return
		}
		for i, k := range n.keys {
			name := prefix + keyText(k)
			out[name] = true
			n.elems[i].keyPaths(name+".", depth-1, lax, recursive, false, out)
		}
	case 'a':
		if !lax || inArray && !recursive {
			return
		}
		for _, e := range n.elems {
			e.keyPaths(prefix, depth, lax, recursive, true, out)
		}
	}
}

// keyText returns a member's name in a path.
func keyText(k string) string {
	if m := pathKey.FindString("." + k); len(m) == len(k)+1 && k != "" {
		return k
	}
	return `"` + strings.ReplaceAll(k, `"`, `\"`) + `"`
}

// queryLax collects the values at a path, also inside arrays.
func (n *node) queryLax(places []place, recursive bool, out *[]*node) {
	if len(places) == 0 {
		*out = append(*out, n)
		return
	}
	p := places[0]
	switch {
	case p.index >= 0 && n.kind == 'a':
		if p.index < len(n.elems) {
			n.elems[p.index].queryLax(places[1:], recursive, out)
		}
	case p.index == 0:
		n.queryLax(places[1:], recursive, out)
	case p.index > 0:
	case n.kind == 'o':
		if m := n.member(p.key); m != nil {
			m.queryLax(places[1:], recursive, out)
		}
	case n.kind == 'a':
		for _, e := range n.elems {
			switch {
			case e.kind == 'o':
				if m := e.member(p.key); m != nil {
					m.queryLax(places[1:], recursive, out)
				}
			case e.kind == 'a' && recursive:
				e.queryLax(places, recursive, out)
			}
		}
	}
}

// changeJSON adds a function whose arguments are a JSON, a list of paths and
// values in JSON.
func changeJSON(name string, change func(n *node, places []place, value *node, flag bool) error) {
	def(name+"?", "JSON, BOOL, STRING... -> JSON", func(a []Value) (Value, error) {
		if a[0].Null {
			return null, nil
		}
		if a[1].Null {
			return a[0], nil
		}
		n, err := parseJSON(a[0].Text, "")
		if err != nil {
			return null, err
		}
		for i := 2; i+1 < len(a); i += 2 {
			if a[i].Null {
				return a[0], nil
			}
			places, _, _, err := strictPath(a[i].Text, false)
			if err != nil {
				return null, err
			}
			v := &node{kind: 'n'}
			if !a[i+1].Null {
				if v, err = parseJSON(a[i+1].Text, ""); err != nil {
					return null, err
				}
			}
			if err := change(n, places, v, a[1].Bool); err != nil {
				return null, err
			}
		}
		return text(n.canonical().String()), nil
	})
}

func init() {
	changeJSON("bq_json_set", func(n *node, places []place, v *node,
		create bool) error {
		return n.set(places, v, create)
	})
	changeJSON("bq_json_remove", func(n *node, places []place, _ *node, _ bool) error {
		if len(places) == 0 {
			return failf("The JSONPath cannot be '$'")
		}
		n.remove(places)
		return nil
	})
	for name, atEnd := range map[string]bool{"bq_json_array_append": true, "bq_json_array_insert": false} {
		changeJSON(name, func(n *node, places []place, v *node, each bool) error {
			// A SQL array is wrapped in an object, to distinguish it from a JSON
			// array.
			values := []*node{v}
			if v.kind == 'o' && len(v.keys) == 1 && v.keys[0] == ArrayMark {
				values = values[:0]
				list := v.elems[0]
				switch {
				case each && list.kind == 'n':
					return nil
				case each:
					values = list.elems
				default:
					values = append(values, list)
				}
			}
			return n.insert(places, values, atEnd)
		})
	}
	def("bq_json_strip_nulls", "JSON, STRING, BOOL, BOOL -> JSON", func(a []Value) (Value, error) {
		places, _, _, err := strictPath(a[1].Text, false)
		if err != nil {
			return null, err
		}
		n, err := parseJSON(a[0].Text, "")
		if err != nil {
			return null, err
		}
		at := n
		for _, p := range places {
			if at = at.at(p); at == nil {
				return a[0], nil
			}
		}
		at.stripNulls(a[2].Bool, a[3].Bool)
		if a[3].Bool && len(at.elems) == 0 && (at.kind == 'o' || at.kind == 'a' && a[2].Bool) {
			*at = node{kind: 'n'}
		}
		return text(n.canonical().String()), nil
	})
	def("bq_json_keys", "JSON, INT64, STRING -> []STRING", func(a []Value) (Value, error) {
		lax, recursive := false, false
		switch strings.ToLower(a[2].Text) {
		case "strict":
		case "lax":
			lax = true
		case "lax recursive", "recursive lax":
			lax, recursive = true, true
		default:
			return null, failf("Invalid JSON mode specified: %s", a[2].Text)
		}
		if a[1].Int <= 0 {
			return null, failf("max_depth must be positive")
		}
		n, err := parseJSON(a[0].Text, "")
		if err != nil {
			return null, err
		}
		set := map[string]bool{}
		n.keyPaths("", a[1].Int, lax, recursive, false, set)
		var keys []string
		for k := range set {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		return texts(keys), nil
	})
	def("bq_json_query_lax", "JSON, STRING -> JSON", func(a []Value) (Value, error) {
		places, _, recursive, err := strictPath(a[1].Text, true)
		if err != nil {
			return null, err
		}
		n, err := parseJSON(a[0].Text, "")
		if err != nil {
			return null, err
		}
		out := &node{kind: 'a'}
		n.queryLax(places, recursive, &out.elems)
		return text(out.String()), nil
	})
	def("bq_json_object?", "BOOL, STRING... -> JSON", func(a []Value) (Value, error) {
		n := &node{kind: 'o'}
		for i := 1; i+1 < len(a); i += 2 {
			if a[i].Null {
				return null, failf("Invalid JSON key: NULL")
			}
			v := &node{kind: 'n'}
			if !a[i+1].Null {
				var err error
				if v, err = parseJSON(a[i+1].Text, ""); err != nil {
					return null, err
				}
			}
			n.keys, n.elems = append(n.keys, a[i].Text), append(n.elems, v)
		}
		return text(n.canonical().String()), nil
	})
	def("bq_json_object_of?", "[]STRING, JSON -> JSON", func(a []Value) (Value, error) {
		if a[0].Null || a[1].Null {
			return null, failf("The key and value arrays of JSON_OBJECT must not be NULL")
		}
		list, err := parseJSON(a[1].Text, "")
		if err != nil {
			return null, err
		}
		if len(list.elems) != len(a[0].List) {
			return null, failf("The number of keys and values must match")
		}
		n := &node{kind: 'o', elems: list.elems}
		for _, k := range a[0].List {
			if k.Null {
				return null, failf("Invalid JSON key: NULL")
			}
			n.keys = append(n.keys, k.Text)
		}
		return text(n.canonical().String()), nil
	})
	defLax()
}

// ArrayMark is the only member of the object in which a SQL ARRAY is passed to
// JSON_ARRAY_APPEND and JSON_ARRAY_INSERT.
const ArrayMark = "\u0001array"

// defLax adds the conversions that return NULL for values that they can't
// convert.
func defLax() {
	lax := func(name, result string, get func(n *node) Value) {
		def("bq_lax_"+name, "JSON -> "+result, func(a []Value) (Value, error) {
			n, err := parseJSON(a[0].Text, "")
			if err != nil {
				return null, err
			}
			return get(n), nil
		})
		def("bq_lax_"+name+"_array", "JSON -> []"+result, func(a []Value) (Value, error) {
			n, err := parseJSON(a[0].Text, "")
			if err != nil || n.kind != 'a' {
				return null, err
			}
			v := Value{List: []Value{}}
			for _, e := range n.elems {
				v.List = append(v.List, get(e))
			}
			return v, nil
		})
	}
	lax("bool", "BOOL", func(n *node) Value {
		switch {
		case n.kind == 'b':
			return boolean(n.bool)
		case n.kind == 'i' || n.kind == 'f':
			return boolean(n.num != 0)
		case n.kind == 's' && strings.EqualFold(n.text, "true"):
			return boolean(true)
		case n.kind == 's' && strings.EqualFold(n.text, "false"):
			return boolean(false)
		}
		return null
	})
	lax("int64", "INT64", func(n *node) Value {
		switch n.kind {
		case 'b':
			if n.bool {
				return integer(1)
			}
			return integer(0)
		case 'i':
			if i, err := ParseInt(n.text); err == nil {
				return integer(i)
			}
		case 'f':
			if f := math.Round(n.num); f >= -1<<63 && f < 1<<63 {
				return integer(int64(f))
			}
		case 's':
			return laxDecimal(n.text)
		}
		return null
	})
	lax("float64", "FLOAT64", func(n *node) Value {
		switch n.kind {
		case 'i', 'f':
			return float(n.num)
		case 's':
			if f, err := ParseFloat(n.text); err == nil {
				return float(f)
			}
		}
		return null
	})
	lax("string", "STRING", func(n *node) Value {
		switch n.kind {
		case 'b', 'i':
			return text(n.String())
		case 'f':
			return text(FloatText(n.num))
		case 's':
			return text(n.text)
		}
		return null
	})
}

// laxDecimal rounds a decimal text to an INT64.
func laxDecimal(s string) Value {
	d, ok := ParseNumeric(s)
	if !ok {
		return null
	}
	if n := quoHalfAway(d, unit); n.IsInt64() {
		return integer(n.Int64())
	}
	return null
}
