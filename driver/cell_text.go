package driver

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"
	"unsafe"
)

// Parsers of the strings that the REST API sends. None keeps its argument, which is a part of the
// page.

var (
	errNumber = errors.New("not a number")
	errTime   = errors.New("not in the documented format")
	errYear   = errors.New("outside the years 1 to 9999")
)

// parseInt is strconv.ParseInt in base 10 for bytes.
func parseInt(b []byte) (int64, error) {
	digits := b
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, errNumber
	}
	var n uint64 // 19 digits fit
	for _, ch := range digits {
		if ch < '0' || ch > '9' {
			return 0, errNumber
		}
		n = n*10 + uint64(ch-'0')
	}
	switch {
	case neg && n <= 1<<63:
		return -int64(n), nil
	case !neg && n < 1<<63:
		return int64(n), nil
	}
	return 0, errors.New("out of range")
}

func parseFloat(b []byte) (float64, error) {
	// ParseFloat accepts NaN, Inf and Infinity with a sign, and also hexadecimal, which BigQuery
	// never sends.
	for _, ch := range b {
		if ch == 'x' || ch == 'X' || ch == '_' {
			return 0, errNumber
		}
	}
	// ParseFloat keeps no part of the string.
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	if err != nil {
		return 0, errNumber
	}
	return f, nil
}

func parseBool(b []byte) (bool, error) {
	switch string(b) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, errors.New("neither true nor false")
}

func checkString(b []byte) ([]byte, error) {
	if !utf8.Valid(b) {
		return nil, errNotUTF8
	}
	return b, nil
}

func parseBytes(b []byte) ([]byte, error) {
	out := make([]byte, base64.StdEncoding.DecodedLen(len(b)))
	n, err := base64.StdEncoding.Decode(out, b)
	if err != nil {
		return nil, errors.New("not base64")
	}
	return out[:n], nil
}

// checkDecimal checks a decimal number and drops trailing zeros of its fraction.
func checkDecimal(b []byte) ([]byte, error) {
	digits, dot := 0, -1
	for i, ch := range b {
		switch {
		case ch >= '0' && ch <= '9':
			digits++
		case ch == '.' && dot < 0 && i > 0:
			dot = i
		case ch == '-' && i == 0:
		default:
			return nil, errNumber
		}
	}
	if digits == 0 {
		return nil, errNumber
	}
	if dot >= 0 {
		b = trimFraction(b)
	}
	return b, nil
}

// trimFraction drops trailing zeros of a fraction, and a point with nothing after it.
func trimFraction(b []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimRight(b, "0"), []byte("."))
}

const (
	minMicros = -62135596800000000 // 0001-01-01 00:00:00
	maxMicros = 253402300799999999 // 9999-12-31 23:59:59.999999
)

// parseTimestamp parses microseconds since 1970 or, in a result with a TIMESTAMP(12), ISO 8601.
func parseTimestamp(b []byte) (time.Time, error) {
	if len(b) > 10 && b[10] == 'T' {
		t, _, err := parsePicos(b)
		return t, err
	}
	n, err := parseInt(b)
	if err != nil {
		return time.Time{}, err
	}
	if n < minMicros || n > maxMicros {
		return time.Time{}, errYear
	}
	return time.UnixMicro(n).UTC(), nil
}

// parsePicos parses 2006-01-02T15:04:05Z with up to twelve digits of a fraction. It returns the
// picoseconds below the last nanosecond separately.
func parsePicos(b []byte) (time.Time, uint16, error) {
	clock, ok := bytes.CutSuffix(b, []byte("Z"))
	if !ok || len(clock) < len("2006-01-02T15:04:05") {
		return time.Time{}, 0, errTime
	}
	seconds, fraction := clock[:19], clock[19:]
	t, err := parseDatetime(seconds)
	if err != nil || len(fraction) == 0 {
		return t, 0, err
	}
	if fraction[0] != '.' || len(fraction) < 2 || len(fraction) > 1+picosPrecision {
		return t, 0, errTime
	}
	all := [picosPrecision]byte([]byte("000000000000"))
	copy(all[:], fraction[1:])
	nanos, ok1 := digits(all[:9])
	picos, ok2 := digits(all[9:])
	if !ok1 || !ok2 {
		return t, 0, errTime
	}
	return t.Add(time.Duration(nanos)), uint16(picos), nil
}

func parseDate(b []byte) (time.Time, error) {
	y, m, d, err := splitDate(b)
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC), nil
}

func parseDatetime(b []byte) (time.Time, error) {
	if len(b) < 19 || b[10] != 'T' {
		return time.Time{}, errTime
	}
	y, m, d, err := splitDate(b[:10])
	if err != nil {
		return time.Time{}, err
	}
	ns, err := splitTime(b[11:])
	if err != nil {
		return time.Time{}, err
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Add(ns), nil
}

func checkTime(b []byte) ([]byte, error) {
	if _, err := splitTime(b); err != nil {
		return nil, err
	}
	if len(b) > len("15:04:05") {
		b = trimFraction(b)
	}
	return b, nil
}

// checkInterval drops trailing zeros of a fraction.
func checkInterval(b []byte) ([]byte, error) {
	if bytes.IndexByte(b, '.') >= 0 {
		b = trimFraction(b)
	}
	return checkString(b)
}

// splitDate parses 2006-01-02.
func splitDate(b []byte) (int, time.Month, int, error) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return 0, 0, 0, errTime
	}
	y, ok1 := digits(b[:4])
	m, ok2 := digits(b[5:7])
	d, ok3 := digits(b[8:])
	if !ok1 || !ok2 || !ok3 {
		return 0, 0, 0, errTime
	}
	if y < 1 {
		return 0, 0, 0, errYear
	}
	if m < 1 || m > 12 || d < 1 || d > daysIn(y, m) {
		return 0, 0, 0, errors.New("no such day")
	}
	return y, time.Month(m), d, nil
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// splitTime parses 15:04:05 with up to six digits of a fraction.
func splitTime(b []byte) (time.Duration, error) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, errTime
	}
	h, ok1 := digits(b[:2])
	m, ok2 := digits(b[3:5])
	s, ok3 := digits(b[6:8])
	if !ok1 || !ok2 || !ok3 || h > 23 || m > 59 || s > 59 {
		return 0, errTime
	}
	micros := 0
	if frac := b[8:]; len(frac) > 0 {
		if frac[0] != '.' || len(frac) < 2 || len(frac) > 7 {
			return 0, errTime
		}
		n, ok := digits(frac[1:])
		if !ok {
			return 0, errTime
		}
		for range 7 - len(frac) {
			n *= 10
		}
		micros = n
	}
	seconds := (h*60+m)*60 + s
	return time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond, nil
}

func digits(b []byte) (int, bool) {
	n := 0
	for _, ch := range b {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		n = n*10 + int(ch-'0')
	}
	return n, true
}
