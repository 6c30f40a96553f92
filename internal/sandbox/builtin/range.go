package builtin

import (
	"encoding/binary"
	"math"
	"strings"
	"time"
)

// A RANGE is kept as 16 bytes that sort like the ranges: its start and its end, highest byte first,
// with the sign bit inverted. The unit of the ends depends on the type: days or microseconds.
const (
	noStart = math.MinInt64 // of a RANGE without a lower bound
	noEnd   = math.MaxInt64 // of a RANGE without an upper bound
)

// Range is a value of RANGE<DATE>, RANGE<DATETIME> or RANGE<TIMESTAMP>.
type Range struct{ start, end int64 }

// MakeRange returns a range; nil means no bound. It returns an error if the start is not
// before the end.
func MakeRange(start, end *int64, kind string) (Range, error) {
	r := Range{noStart, noEnd}
	if start != nil {
		r.start = *start
	}
	if end != nil {
		r.end = *end
	}
	if r.start >= r.end {
		return r, failf("Range start element must be smaller than range end element: %s",
			r.Text(func(n int64) string { return endText(n, kind, time.UTC) }))
	}
	return r, nil
}

// Ends returns the bounds; nil means no bound.
func (r Range) Ends() (start, end *int64) {
	if r.start != noStart {
		start = &r.start
	}
	if r.end != noEnd {
		end = &r.end
	}
	return start, end
}

// Encode writes the bytes of a range.
func (r Range) Encode() string {
	b := binary.BigEndian.AppendUint64(nil, uint64(r.start)^1<<63)
	return string(binary.BigEndian.AppendUint64(b, uint64(r.end)^1<<63))
}

// DecodeRange reads the bytes.
func DecodeRange(b []byte) Range {
	return Range{int64(binary.BigEndian.Uint64(b) ^ 1<<63), int64(binary.BigEndian.Uint64(b[8:]) ^ 1<<63)}
}

// Text writes [start, end), with the text of an end.
func (r Range) Text(end func(int64) string) string {
	ends := []string{"UNBOUNDED", "UNBOUNDED"}
	if r.start != noStart {
		ends[0] = end(r.start)
	}
	if r.end != noEnd {
		ends[1] = end(r.end)
	}
	return "[" + ends[0] + ", " + ends[1] + ")"
}

func endText(n int64, kind string, loc *time.Location) string {
	switch kind {
	case "DATE":
		return DateText(n)
	case "DATETIME":
		return DatetimeText(n, " ")
	}
	return timestampText(n, loc)
}

// ParseRange reads the canonical form.
func ParseRange(s, kind string, loc *time.Location) (Range, error) {
	bad := failf("Invalid RANGE<%s> value: %s", kind, shorten(s))
	inner, ok := strings.CutPrefix(s, "[")
	inner, ok2 := strings.CutSuffix(inner, ")")
	from, to, ok3 := strings.Cut(inner, ", ")
	if !ok || !ok2 || !ok3 {
		return Range{}, bad
	}
	var ends [2]*int64
	for i, text := range []string{from, to} {
		if up := strings.ToUpper(text); up == "UNBOUNDED" || up == "NULL" {
			continue
		}
		var n int64
		ok := false
		switch kind {
		case "DATE":
			n, ok = ParseDate(text)
		case "DATETIME":
			n, ok = ParseDatetime(text)
		default:
			var err error
			n, err = ParseTimestamp(text, loc)
			ok = err == nil
		}
		if !ok || strings.TrimSpace(text) != text {
			return Range{}, bad
		}
		ends[i] = &n
	}
	return MakeRange(ends[0], ends[1], kind)
}

// Intersect returns the intersection of two ranges, if it is not empty.
func (r Range) Intersect(o Range) (Range, bool) {
	r.start, r.end = max(r.start, o.start), min(r.end, o.end)
	return r, r.start < r.end
}

func rangeOf(v Value) Range { return DecodeRange([]byte(v.Text)) }

func init() {
	def("bq_range_contains", "RANGE, RANGE -> BOOL", func(a []Value) (Value, error) {
		x, y := rangeOf(a[0]), rangeOf(a[1])
		return boolean(x.start <= y.start && y.end <= x.end), nil
	})
	def("bq_range_overlaps", "RANGE, RANGE -> BOOL", func(a []Value) (Value, error) {
		_, ok := rangeOf(a[0]).Intersect(rangeOf(a[1]))
		return boolean(ok), nil
	})
	for _, kind := range []string{"DATE", "DATETIME", "TIMESTAMP"} {
		rangeFunctions(kind, "_"+strings.ToLower(kind))
	}
}

func rangeFunctions(kind, suffix string) {
	shown := func(r Range) string { return r.Text(func(n int64) string { return endText(n, kind, time.UTC) }) }
	bound := func(n int64) Value { return Value{Int: n, Null: n == noStart || n == noEnd} }
	def("bq_range"+suffix+"?", kind+", "+kind+" -> RANGE", func(a []Value) (Value, error) {
		var ends [2]*int64
		for i := range ends {
			if !a[i].Null {
				ends[i] = &a[i].Int
			}
		}
		r, err := MakeRange(ends[0], ends[1], kind)
		return either(text(r.Encode()), err)
	})
	def("bq_range_start"+suffix, "RANGE -> "+kind,
		func(a []Value) (Value, error) { return bound(rangeOf(a[0]).start), nil })
	def("bq_range_end"+suffix, "RANGE -> "+kind,
		func(a []Value) (Value, error) { return bound(rangeOf(a[0]).end), nil })
	def("bq_range_has"+suffix, "RANGE, "+kind+" -> BOOL", func(a []Value) (Value, error) {
		r := rangeOf(a[0])
		return boolean(r.start <= a[1].Int && a[1].Int < r.end), nil
	})
	def("bq_range_intersect"+suffix, "RANGE, RANGE -> RANGE", func(a []Value) (Value, error) {
		x, y := rangeOf(a[0]), rangeOf(a[1])
		r, ok := x.Intersect(y)
		if !ok {
			return null, failf("Provided RANGE inputs: %s and %s do not overlap. Please check that ranges overlap "+
				"before calling RANGE_INTERSECT", shown(x), shown(y))
		}
		return text(r.Encode()), nil
	})
	def("bq_range_parse"+suffix, "STRING, STRING -> RANGE", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		r, err := ParseRange(a[0].Text, kind, loc)
		return either(text(r.Encode()), err)
	})
	def("bq_range_text"+suffix, "RANGE, STRING -> STRING", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		return text(rangeOf(a[0]).Text(func(n int64) string { return endText(n, kind, loc) })), nil
	})
	// The range, where its pieces begin, the step, and whether a shorter piece is one.
	def("bq_range_split"+suffix+"?", "RANGE, []"+kind+", INT64, BOOL -> []RANGE", func(a []Value) (Value, error) {
		if a[0].Null || a[2].Null || a[3].Null {
			return null, nil
		}
		r := rangeOf(a[0])
		if r.start == noStart || r.end == noEnd {
			return null, failf("GENERATE_RANGE_ARRAY does not support unbounded ranges: %s", shown(r))
		}
		if a[2].Int <= 0 {
			return null, failf("GENERATE_RANGE_ARRAY needs a step that is greater than zero")
		}
		out := Value{List: []Value{}}
		starts := a[1].List
		for i, s := range starts {
			piece := Range{s.Int, r.end}
			if i+1 < len(starts) {
				piece.end = starts[i+1].Int
			} else if !a[3].Bool {
				break
			}
			if piece.start < piece.end {
				out.List = append(out.List, text(piece.Encode()))
			}
		}
		return out, nil
	})
}
