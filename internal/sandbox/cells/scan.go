package cells

import (
	"encoding/base64"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Scan parses the text of a scalar into v, which has its type already, and reports whether the text
// is one of that type.
func Scan(v *engine.Value, text string) bool {
	var err error
	ok := true
	switch v.Type.Kind {
	case googlesql.Int64:
		v.Int, err = strconv.ParseInt(text, 10, 64)
	case googlesql.Float64:
		v.Float, ok = scanFloat(text)
	case googlesql.Bool:
		switch strings.ToLower(text) {
		case "true":
			v.Bool = true
		case "false":
		default:
			ok = false
		}
	case googlesql.String:
		v.Text, ok = text, utf8.ValidString(text)
	case googlesql.JSON:
		v.Text, err = builtin.ParseJSON(text, "exact")
	case googlesql.Bytes:
		var raw []byte
		raw, err = base64.StdEncoding.DecodeString(text)
		v.Text = string(raw)
	case googlesql.Numeric:
		v.Decimal, ok = scanNumeric(text)
	case googlesql.BigNumeric:
		var d *big.Int
		if d, ok = builtin.ParseBigNumeric(text); ok {
			v.Text = builtin.EncodeBigNumeric(d)
		}
	case googlesql.Date:
		var t time.Time
		t, err = time.Parse("2006-01-02", text)
		v.Int, ok = t.Unix()/86400, t.Year() >= 1
	case googlesql.Time:
		var t time.Time
		t, err = time.Parse("15:04:05", text)
		v.Int = int64(t.Hour()*3600+t.Minute()*60+t.Second())*1e6 + int64(t.Nanosecond()/1000)
	case googlesql.Datetime:
		v.Int, ok = scanMoment(text, "")
	case googlesql.Timestamp:
		v.Int, ok = scanMoment(text, "UTC")
	case googlesql.TimestampPicos:
		var d *big.Int
		if d, err = builtin.ParsePicos(text, time.UTC); err == nil {
			v.Decimal, ok = engine.Int128FromBig(d)
		}
	case googlesql.Range:
		var r builtin.Range
		r, err = builtin.ParseRange(text, string(v.Type.Elem.Kind), time.UTC)
		v.Text = r.Encode()
	case googlesql.Interval:
		v.Interval, ok = scanInterval(text)
	default:
		return false
	}
	return ok && err == nil
}

func scanFloat(text string) (float64, bool) {
	switch strings.ToLower(strings.TrimPrefix(text, "+")) {
	case "inf", "infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && !strings.ContainsAny(text, "xX_pP")
}

var decimalText = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$`)

// maxNumeric is 10^38, one more than the largest unscaled NUMERIC.
var maxNumeric = new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)

// scanNumeric rounds a number with more than nine digits after the point half
// away from zero, as BigQuery does.
func scanNumeric(text string) (engine.Int128, bool) {
	if !decimalText.MatchString(text) {
		return engine.Int128{}, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return engine.Int128{}, false
	}
	r.Mul(r, new(big.Rat).SetInt64(1e9))
	twice := new(big.Int).Lsh(new(big.Int).Abs(r.Num()), 1)
	twice.Add(twice, r.Denom())
	n := twice.Quo(twice, new(big.Int).Lsh(r.Denom(), 1))
	if n.Cmp(maxNumeric) >= 0 {
		return engine.Int128{}, false
	}
	if r.Sign() < 0 {
		n.Neg(n)
	}
	return engine.Int128FromBig(n)
}

var (
	momentText = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})(?:[Tt ` +
		`](\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?)?$`)
	zoneText = regexp.MustCompile(`^(.*?)\s*(?:([Zz]|UTC)|([+-])(\d{1,2})(?::?(\d{2}))?)$`)
)

// scanMoment reads a DATETIME (zone "") or a TIMESTAMP (zone "UTC", the default)
// as microseconds since 1970.
func scanMoment(text, zone string) (int64, bool) {
	offset := int64(0)
	if zone != "" && strings.ContainsAny(text, ": ") {
		if m := zoneText.FindStringSubmatch(text); m != nil && (m[2] != "" || strings.Contains(m[1], ":")) {
			hours, _ := strconv.ParseInt("0"+m[4], 10, 64)
			minutes, _ := strconv.ParseInt("0"+m[5], 10, 64)
			if offset = hours*60 + minutes; m[3] == "-" {
				offset = -offset
			}
			text = m[1]
		}
	}
	m := momentText.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	var n [8]int
	for i := 1; i <= 6; i++ {
		n[i], _ = strconv.Atoi("0" + m[i])
	}
	micros, _ := strconv.Atoi("0" + m[7] + strings.Repeat("0", 6-len(m[7])))
	t := time.Date(n[1], time.Month(n[2]), n[3], n[4], n[5], n[6], micros*1000, time.UTC)
	// time.Date takes the 31st of April for the 1st of May.
	if n[1] < 1 || t.Year() != n[1] || int(t.Month()) != n[2] || t.Day() != n[3] || t.Hour() != n[4] ||
		t.Minute() != n[5] || t.Second() != n[6] {
		return 0, false
	}
	v := t.UnixMicro() - offset*60*1e6
	return v, v >= firstMicros && v <= lastMicros
}

// The microseconds of years 1 to 9999.
const (
	firstMicros = -62135596800000000
	lastMicros  = 253402300799999999
)

var intervalText = regexp.MustCompile(`^([+-]?)(\d+)-(\d+) ([+-]?\d+) ([+-]?)(\d+):(\d+):(\d+)(?:\.(\d{1,6}))?$`)

// scanInterval reads the canonical form, Y-M D H:M:S[.F].
func scanInterval(text string) (engine.Interval, bool) {
	m := intervalText.FindStringSubmatch(text)
	if m == nil {
		return engine.Interval{}, false
	}
	var bad bool
	num := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 32)
		bad = bad || err != nil
		return n
	}
	months := num(m[2])*12 + num(m[3])
	days := num(m[4])
	micros := ((num(m[6])*60+num(m[7]))*60+num(m[8]))*1e6 + num("0"+m[9]+strings.Repeat("0", 6-len(m[9])))
	if m[1] == "-" {
		months = -months
	}
	if m[5] == "-" {
		micros = -micros
	}
	if bad || months > 120000 || months < -120000 || days > 3660000 || days < -3660000 {
		return engine.Interval{}, false
	}
	return engine.Interval{Months: int32(months), Days: int32(days), Micros: micros}, true
}
