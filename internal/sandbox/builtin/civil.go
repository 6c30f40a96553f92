package builtin

import (
	"fmt"
	"time"
)

// The range of dates and times: years 1 to 9999.
const (
	dayMicros = 86400 * 1_000_000
	minDate   = -719162
	maxDate   = 2932896
	minMicros = minDate * dayMicros
	maxMicros = (maxDate+1)*dayMicros - 1
)

func civilMicros(n int64) (Value, error) {
	if n < minMicros || n > maxMicros {
		return null, failf("DATETIME value is out of range: the years are 1 to 9999")
	}
	return integer(n), nil
}

func instantMicros(n int64) (Value, error) {
	if n < minMicros || n > maxMicros {
		return null, failf("TIMESTAMP value is out of range: the years are 1 to 9999")
	}
	return integer(n), nil
}

// scanner reads a text from left to right.
type scanner struct {
	s string
	i int
}

func (p *scanner) end() bool { return p.i >= len(p.s) }

func (p *scanner) accept(c byte) bool {
	if p.end() || p.s[p.i] != c {
		return false
	}
	p.i++
	return true
}

// digits reads between lo and hi digits.
func (p *scanner) digits(lo, hi int) (int, bool) {
	n, count := 0, 0
	for count < hi && !p.end() && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		n = n*10 + int(p.s[p.i]-'0')
		p.i++
		count++
	}
	return n, count >= lo
}

// daysIn returns the number of days of a month.
func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// EpochDay returns a date in days since 1970, and whether there is such a day.
func EpochDay(year, month, day int) (int64, bool) {
	if year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400, true
}

// date reads YYYY-[M]M-[D]D.
func (p *scanner) date(maxYear int) (int64, bool) {
	y, ok1 := p.digits(4, maxYear)
	ok2 := p.accept('-')
	m, ok3 := p.digits(1, 2)
	ok4 := p.accept('-')
	d, ok5 := p.digits(1, 2)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 {
		return 0, false
	}
	return EpochDay(y, m, d)
}

// clock reads [H]H:[M]M:[S]S[.ffffff] in microseconds. Second 60 is that of the next
// minute; leap reports it.
func (p *scanner) clock() (micros int64, leap, ok bool) {
	h, ok1 := p.digits(1, 2)
	ok2 := p.accept(':')
	m, ok3 := p.digits(1, 2)
	ok4 := p.accept(':')
	s, ok5 := p.digits(1, 2)
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || h > 23 || m > 59 || s > 60 {
		return 0, false, false
	}
	micros = int64(h*3600+m*60+s) * 1e6
	if p.accept('.') {
		from := p.i
		n, ok := p.digits(1, 6)
		if !ok {
			return 0, false, false
		}
		for k := p.i - from; k < 6; k++ {
			n *= 10
		}
		micros += int64(n)
	}
	return micros, s == 60, true
}

// separator reads the text between a date and a time.
func (p *scanner) separator() bool { return p.accept(' ') || p.accept('T') || p.accept('t') }

// ParseDate reads a DATE's canonical form.
func ParseDate(s string) (int64, bool) {
	p := scanner{s: s}
	d, ok := p.date(4)
	return d, ok && p.end()
}

// ParseTime reads a TIME's canonical form.
func ParseTime(s string) (int64, bool) {
	p := scanner{s: s}
	t, leap, ok := p.clock()
	if leap {
		t -= t % 1e6
	}
	return t % dayMicros, ok && p.end()
}

// ParseDatetime reads a DATETIME's canonical form.
func ParseDatetime(s string) (int64, bool) {
	p := scanner{s: s}
	d, ok := p.date(4)
	if !ok {
		return 0, false
	}
	n := d * dayMicros
	if !p.end() {
		if !p.separator() {
			return 0, false
		}
		t, leap, ok := p.clock()
		if !ok || !p.end() {
			return 0, false
		}
		if leap {
			t -= t % 1e6
		}
		n += t
	}
	return n, n <= maxMicros
}

// ParseTimestamp reads a TIMESTAMP's canonical form; zone is that of a text without one.
func ParseTimestamp(s string, zone *time.Location) (int64, error) {
	bad := failf("Invalid timestamp: '%s'", s)
	p := scanner{s: s}
	d, ok := p.date(5)
	if !ok {
		return 0, bad
	}
	n := d * dayMicros
	if !p.end() {
		if !p.separator() || p.i+2 > len(s) {
			return 0, bad
		}
		switch c := s[p.i]; {
		case c >= '0' && c <= '9':
			t, _, ok := p.clock()
			if !ok {
				return 0, bad
			}
			n += t
		case c != '+' && c != '-':
			return 0, bad
		}
	}
	if !p.end() {
		loc, err := p.zone()
		if err != nil {
			return 0, err
		}
		if loc == nil {
			return 0, bad
		}
		zone = loc
	}
	v, err := instantMicros(Instant(n, zone))
	if err != nil {
		return 0, bad
	}
	return v.Int, nil
}

// zone reads the zone after a TIMESTAMP's time: Z, an offset, or a space and a name or
// UTC with an offset. It returns nil for anything else.
func (p *scanner) zone() (*time.Location, error) {
	rest := p.s[p.i:]
	if len(rest) >= 4 && rest[:4] == " UTC" {
		if rest = rest[4:]; rest == "" {
			return time.UTC, nil
		}
	}
	switch {
	case rest[0] == '+' || rest[0] == '-':
		return Zone(rest)
	case rest == "Z" || rest == "z":
		return time.UTC, nil
	case rest[0] != ' ' || len(rest) < 2 || rest[1] == '+' || rest[1] == '-':
		return nil, nil
	}
	return Zone(rest[1:])
}

// civil returns a civil time in microseconds as Go's time in UTC.
func civil(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// DateText writes a DATE.
func DateText(days int64) string { return time.Unix(days*86400, 0).UTC().Format("2006-01-02") }

// fraction writes a fraction of a second with no, three or six digits.
func fraction(micros int64) string {
	switch f := floorMod(micros, 1e6); {
	case f == 0:
		return ""
	case f%1000 == 0:
		return fmt.Sprintf(".%03d", f/1000)
	default:
		return fmt.Sprintf(".%06d", f)
	}
}

// DatetimeText writes a DATETIME with a separator between date and time.
func DatetimeText(micros int64, separator string) string {
	return civil(micros).Format("2006-01-02"+separator+"15:04:05") + fraction(micros)
}

// TimeText writes a TIME.
func TimeText(micros int64) string { return civil(micros).Format("15:04:05") + fraction(micros) }

// timestampText writes a TIMESTAMP in a zone, with the minutes of its offset only if it has some.
func timestampText(instant int64, loc *time.Location) string {
	offset := shownOffset(instant, loc)
	sign := '+'
	if offset < 0 {
		sign, offset = '-', -offset
	}
	s := fmt.Sprintf("%s%c%02d", DatetimeText(shownLocal(instant, loc), " "), sign, offset/3600)
	if m := offset / 60 % 60; m != 0 {
		s += fmt.Sprintf(":%02d", m)
	}
	return s
}

func init() {
	parse := func(name, kind, result string, read func(string) (int64, bool)) {
		def(name, "STRING -> "+result, func(a []Value) (Value, error) {
			n, ok := read(a[0].Text)
			if !ok {
				return null, failf("Invalid %s: '%s'", kind, a[0].Text)
			}
			return integer(n), nil
		})
	}
	parse("bq_parse_date", "date", "DATE", ParseDate)
	parse("bq_parse_time", "time", "TIME", ParseTime)
	parse("bq_parse_datetime", "datetime", "DATETIME", ParseDatetime)
	def("bq_parse_timestamp", "STRING, STRING -> TIMESTAMP", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		n, err := ParseTimestamp(a[0].Text, loc)
		return either(integer(n), err)
	})
	def("bq_date_text", "DATE -> STRING", func(a []Value) (Value, error) { return text(DateText(a[0].Int)), nil })
	def("bq_time_text", "TIME -> STRING", func(a []Value) (Value, error) { return text(TimeText(a[0].Int)), nil })
	def("bq_datetime_text", "DATETIME, STRING -> STRING", func(a []Value) (Value, error) {
		return text(DatetimeText(a[0].Int, a[1].Text)), nil
	})
}
