package builtin

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// A TIMESTAMP(12) is computed and kept in picoseconds since 1970, of which a microsecond has a million.
var picosInMicro = big.NewInt(1e6)

// moreDigits finds the digits of a second from the seventh on.
var moreDigits = regexp.MustCompile(`(:[0-9]{1,2}\.[0-9]{6})([0-9]{1,6})([^0-9]|$)`)

// ParsePicos reads a TIMESTAMP's canonical form with up to twelve digits of a second.
func ParsePicos(s string, zone *time.Location) (*big.Int, error) {
	rest := int64(0)
	short := s
	if m := moreDigits.FindStringSubmatchIndex(s); m != nil {
		for _, c := range s[m[4]:m[5]] + strings.Repeat("0", 6-(m[5]-m[4])) {
			rest = rest*10 + int64(c-'0')
		}
		short = s[:m[4]] + s[m[5]:]
	}
	n, err := ParseTimestamp(short, zone)
	if err != nil {
		return nil, failf("Invalid timestamp: '%s'", s)
	}
	return MicrosPicos(n, rest), nil
}

// MicrosPicos returns the instant at microseconds and the picoseconds beyond
// them.
func MicrosPicos(micros, rest int64) *big.Int {
	d := new(big.Int).Mul(big.NewInt(micros), picosInMicro)
	return d.Add(d, big.NewInt(rest))
}

// SplitPicos is the inverse of MicrosPicos: the microseconds are rounded down.
func SplitPicos(d *big.Int) (micros, rest int64) {
	q, r := new(big.Int).DivMod(d, picosInMicro, new(big.Int))
	return q.Int64(), r.Int64()
}

// PicosISO returns a moment with all twelve digits of a second, as the REST API
// writes it.
func PicosISO(micros, rest int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000") + fmt.Sprintf("%06dZ", rest)
}

// picosText writes a TIMESTAMP(12) in a zone, with digits of a second in groups of three,
// as many as are needed.
func picosText(d *big.Int, loc *time.Location) string {
	micros, rest := SplitPicos(d)
	s := timestampText(micros, loc)
	if rest == 0 {
		return s
	}
	second := strings.LastIndexByte(s, ':')
	if len(s) > 22 && s[len(s)-3] == ':' && (s[len(s)-6] == '+' || s[len(s)-6] == '-') { // of a zone
		second = strings.LastIndexByte(s[:second], ':')
	}
	digits := fmt.Sprintf("%06d%06d", micros-floorDiv(micros, 1e6)*1e6, rest)
	for strings.HasSuffix(digits, "000") {
		digits = digits[:len(digits)-3]
	}
	tail := strings.TrimLeft(s[second+3:], ".0123456789")
	return s[:second+3] + "." + digits + tail
}

func init() {
	def("bq_parse_picos", "STRING, STRING -> TIMESTAMP(12)", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		d, err := ParsePicos(a[0].Text, loc)
		return either(decimal(d), err)
	})
	def("bq_picos_text", "TIMESTAMP(12), STRING -> STRING", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		return text(picosText(a[0].Dec, loc)), nil
	})
	def("bq_micros_picos", "TIMESTAMP -> TIMESTAMP(12)",
		func(a []Value) (Value, error) { return decimal(MicrosPicos(a[0].Int, 0)), nil })
	def("bq_picos_micros", "TIMESTAMP(12) -> TIMESTAMP", func(a []Value) (Value, error) {
		micros, _ := SplitPicos(a[0].Dec)
		return integer(micros), nil
	})
}
