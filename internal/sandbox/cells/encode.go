// Package cells reads and writes the text of values in the REST API: the cells
// of a result, and the scalars of a request.
package cells

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Encoder writes cells as the REST API does.
type Encoder struct {
	// Int64Timestamps: TIMESTAMP as microseconds, else as float seconds.
	Int64Timestamps bool
	// ISOTimestamps: with all twelve digits of a second, 2006-01-02T15:04:05.123456789012Z.
	ISOTimestamps bool
}

// Row appends {"f":[{"v":...},...]}.
func (e Encoder) Row(dst []byte, columns []*engine.Vector, i int) []byte {
	dst = append(dst, `{"f":[`...)
	for k, v := range columns {
		if k > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"v":`...)
		dst = e.cell(dst, v, i)
		dst = append(dst, '}')
	}
	return append(dst, "]}"...)
}

func (e Encoder) cell(dst []byte, v *engine.Vector, i int) []byte {
	if v.Null(i) {
		return append(dst, "null"...)
	}
	switch v.Type.Kind {
	case googlesql.Array:
		dst = append(dst, '[')
		for k := v.Offsets[i]; k < v.Offsets[i+1]; k++ {
			if k > v.Offsets[i] {
				dst = append(dst, ',')
			}
			dst = append(dst, `{"v":`...)
			dst = e.cell(dst, v.Elem, int(k))
			dst = append(dst, '}')
		}
		return append(dst, ']')
	case googlesql.Struct:
		return e.Row(dst, v.Fields, i)
	case googlesql.String, googlesql.JSON:
		return appendString(dst, v.Bytes(i))
	}
	dst = append(dst, '"')
	dst = e.scalar(dst, v, i)
	return append(dst, '"')
}

// scalar appends text that needs no escaping.
func (e Encoder) scalar(dst []byte, v *engine.Vector, i int) []byte {
	switch v.Type.Kind {
	case googlesql.Int64:
		return strconv.AppendInt(dst, v.Ints[i], 10)
	case googlesql.Float64:
		return appendFloat(dst, v.Floats[i])
	case googlesql.Bool:
		return strconv.AppendBool(dst, v.Bools[i])
	case googlesql.Bytes:
		return base64.StdEncoding.AppendEncode(dst, v.Bytes(i))
	case googlesql.Numeric:
		return v.Decimals[i].AppendDecimal(dst, 9)
	case googlesql.Range:
		end := engine.Vector{Type: *v.Type.Elem, Len: 1, Ints: []int64{0}}
		return append(dst, builtin.DecodeRange(v.Bytes(i)).Text(func(n int64) string {
			end.Ints[0] = n
			return string(e.scalar(nil, &end, 0))
		})...)
	case googlesql.BigNumeric:
		return append(dst, builtin.BigNumericText(builtin.DecodeBigNumeric(v.Bytes(i)))...)
	case googlesql.Date:
		return time.Unix(v.Ints[i]*86400, 0).UTC().AppendFormat(dst, "2006-01-02")
	case googlesql.Time:
		return appendMoment(dst, v.Ints[i], "15:04:05")
	case googlesql.Datetime:
		return appendMoment(dst, v.Ints[i], "2006-01-02T15:04:05")
	case googlesql.TimestampPicos:
		micros, rest := builtin.SplitPicos(v.Decimals[i].Big())
		return e.timestamp(dst, micros, rest)
	case googlesql.Timestamp:
		return e.timestamp(dst, v.Ints[i], 0)
	case googlesql.Interval:
		return appendInterval(dst, v.Intervals[i])
	}
	return dst
}

// timestamp writes an instant in microseconds, and the picoseconds beyond them, which only the ISO
// form shows.
func (e Encoder) timestamp(dst []byte, micros, rest int64) []byte {
	if e.ISOTimestamps {
		return append(dst, builtin.PicosISO(micros, rest)...)
	}
	if e.Int64Timestamps {
		return strconv.AppendInt(dst, micros, 10)
	}
	// Seconds in a float64 can't hold the microseconds of far years: neither
	// can BigQuery's.
	return appendFloat(dst, float64(micros)/1e6)
}

// appendMoment writes microseconds since 1970 with six digits of a fraction, or
// with none.
func appendMoment(dst []byte, micros int64, layout string) []byte {
	if micros%1e6 != 0 {
		layout += ".000000"
	}
	return time.UnixMicro(micros).UTC().AppendFormat(dst, layout)
}

// appendFloat writes the shortest text that gives the value back, always with a
// point, and with an E from ten million on and below a thousandth.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if abs := math.Abs(f); abs == 0 || (abs >= 1e-3 && abs < 1e7) {
		n := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[n:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], f, 'e', -1, 64) // d.ddde-07
	point := false
	for k, c := range text {
		if c != 'e' {
			point = point || c == '.'
			dst = append(dst, c)
			continue
		}
		if !point {
			dst = append(dst, ".0"...)
		}
		exp, _ := strconv.Atoi(string(text[k+1:])) // strconv wrote it
		return strconv.AppendInt(append(dst, 'E'), int64(exp), 10)
	}
	return dst
}

// appendInterval writes Y-M D H:M:S[.F]; a fraction has three or six digits.
func appendInterval(dst []byte, iv engine.Interval) []byte {
	months, micros := int64(iv.Months), iv.Micros
	if months < 0 {
		dst, months = append(dst, '-'), -months
	}
	dst = strconv.AppendInt(dst, months/12, 10)
	dst = strconv.AppendInt(append(dst, '-'), months%12, 10)
	dst = strconv.AppendInt(append(dst, ' '), int64(iv.Days), 10)
	dst = append(dst, ' ')
	if micros < 0 {
		dst, micros = append(dst, '-'), -micros
	}
	dst = strconv.AppendInt(dst, micros/3600e6, 10)
	dst = strconv.AppendInt(append(dst, ':'), micros/60e6%60, 10)
	dst = strconv.AppendInt(append(dst, ':'), micros/1e6%60, 10)
	if frac := micros % 1e6; frac != 0 {
		dst = append(dst, '.')
		digits := strconv.AppendInt(nil, 1e6+frac, 10)[1:]
		if frac%1000 == 0 {
			digits = digits[:3]
		}
		dst = append(dst, digits...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendString writes a JSON string.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for len(s) > 0 {
		c := s[0]
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c < 0x20 || c == 0x7f:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, size := utf8.DecodeRune(s)
			dst = utf8.AppendRune(dst, r)
			s = s[size:]
			continue
		}
		s = s[1:]
	}
	return append(dst, '"')
}
