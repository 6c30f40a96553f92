package builtin

import (
	"strings"
	"time"
)

// parsed has the values that PARSE_DATE or a similar function has read so far.
type parsed struct {
	year, century      int
	useCentury         bool
	explicitCentury    bool
	month, day         int
	hour, minute, sec  int
	micros             int
	twelve, afternoon  bool
	epoch              *int64
	zone               *time.Location
	offset             *int // minutes
	week, weekday      *int
	weekSunday         bool
	dayOfYear          *int
	yearAt, monthAt    int // places of the elements that set them
	dayAt, special, at int
}

// parser of a text by a format.
type timeParser struct {
	scanner
	p   parsed
	err error
}

func (t *timeParser) space() {
	for !t.end() && strings.IndexByte(space, t.s[t.i]) >= 0 {
		t.i++
	}
}

// number reads digits after white space, between lo and hi, with a sign as C's parsers
// allow it.
func (t *timeParser) number(width, lo, hi int) (int, bool) {
	neg := false
	if !t.end() && t.s[t.i] == '-' {
		neg = true
		t.i++
		width--
	}
	n, ok := t.digits(1, width)
	if neg {
		if n == 0 {
			return 0, false
		}
		n = -n
	}
	return n, ok && n >= lo && n <= hi
}

func (t *timeParser) set(dst *int, width, lo, hi int) bool {
	n, ok := t.number(width, lo, hi)
	*dst = n
	return ok
}

// name reads one of the names, whole or its first three letters, and gives its place.
func (t *timeParser) name(names []string) (int, bool) {
	rest := strings.ToLower(t.s[t.i:])
	for _, short := range []bool{false, true} {
		for k, n := range names {
			n = strings.ToLower(n)
			if short {
				n = n[:3]
			}
			if strings.HasPrefix(rest, n) {
				t.i += len(n)
				return k, true
			}
		}
	}
	return 0, false
}

var (
	monthNames = names(12, func(i int) string { return time.Month(i + 1).String() })
	dayNames   = names(7, func(i int) string { return time.Weekday(i).String() })
)

func names(n int, name func(int) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = name(i)
	}
	return out
}

func (t *timeParser) meridian() bool {
	if t.i+2 > len(t.s) {
		return false
	}
	switch strings.ToUpper(t.s[t.i : t.i+2]) {
	case "AM":
		t.p.afternoon = false
	case "PM":
		t.p.afternoon = true
	default:
		return false
	}
	t.i += 2
	return true
}

func (t *timeParser) hour12() bool {
	t.space()
	n, ok := t.number(2, 1, 12)
	t.p.hour, t.p.twelve = n%12, true
	return ok
}

// seconds reads SS and, if digits is not 0, a fraction; -1 is any number of digits.
func (t *timeParser) seconds(digits int) bool {
	if !t.set(&t.p.sec, 2, 0, 60) {
		return false
	}
	if digits == 0 || t.end() || t.s[t.i] != '.' {
		return true
	}
	t.i++
	micros, scale, n := 0, 100_000, 0
	for !t.end() && t.s[t.i] >= '0' && t.s[t.i] <= '9' && (digits < 0 || n < digits) {
		micros += int(t.s[t.i]-'0') * scale
		scale /= 10
		t.i++
		n++
	}
	t.p.micros = micros
	return n > 0
}

// zoneOffsetText reads +HHMM or, with a colon, +HH:MM.
func (t *timeParser) zoneOffsetText(colon bool) bool {
	if t.end() || t.s[t.i] != '+' && t.s[t.i] != '-' {
		return false
	}
	neg := t.s[t.i] == '-'
	t.i++
	h, ok := t.digits(2, 2)
	if !ok || h > 23 {
		return false
	}
	at := t.i
	if colon {
		t.accept(':')
	}
	m, ok := t.digits(2, 2)
	if !ok || m > 59 {
		t.i, m = at, 0
	}
	n := h*60 + m
	if n > 14*60 {
		t.err = failf("Timezone offset out of valid range -14:00 to +14:00")
		return false
	}
	if neg {
		n = -n
	}
	t.p.offset = &n
	return true
}

// zoneName reads the name of a zone.
func (t *timeParser) zoneName() bool {
	from := t.i
	for !t.end() && strings.IndexByte(space, t.s[t.i]) < 0 {
		t.i++
	}
	loc, err := Zone(t.s[from:t.i])
	if err != nil {
		t.err = err
		return false
	}
	t.p.zone, t.p.offset = loc, nil
	return true
}

func (t *timeParser) yearTwo() bool {
	n, ok := t.number(2, 0, 99)
	if !t.p.explicitCentury {
		t.p.century = 19
		if n < 69 {
			t.p.century = 20
		}
	}
	t.p.year, t.p.useCentury, t.p.yearAt = n, true, t.p.at
	return ok
}

// yearFour reads a year of up to five digits, or four where another element follows.
func (t *timeParser) yearFour(next byte) bool {
	width := 5
	if next == '%' {
		width = 4
	}
	t.p.useCentury, t.p.explicitCentury, t.p.yearAt = false, false, t.p.at
	return t.set(&t.p.year, width, 0, 10000)
}

func (t *timeParser) monthOf(width int) bool {
	t.p.monthAt = t.p.at
	return t.set(&t.p.month, width, 1, 12)
}

func (t *timeParser) dayOf(width int) bool {
	t.p.dayAt = t.p.at
	return t.set(&t.p.day, width, 1, 31)
}

// centuryOf reads the first digits of a year.
func (t *timeParser) centuryOf(next byte) bool {
	width := 3
	if next == '%' {
		width = 2
	}
	if !t.p.useCentury {
		t.p.year = 0
	}
	t.p.useCentury, t.p.explicitCentury, t.p.yearAt = true, true, t.p.at
	return t.set(&t.p.century, width, 0, 100)
}

// sequences maps elements to the elements that they stand for.
var sequences = map[string]string{
	"D": "%m/%d/%y", "x": "%m/%d/%y", "F": "%Y-%m-%d", "T": "%H:%M:%S", "X": "%H:%M:%S", "R": "%H:%M",
	"r": "%I:%M:%S %p", "c": "%a %b %e %H:%M:%S %Y",
}

// one reads the element of a name; next is the byte of the format after it.
func (t *timeParser) one(name string, next byte) (ok bool) {
	p := &t.p
	switch name {
	case "Y", "EY":
		return t.yearFour(next)
	case "E4Y":
		from := t.i
		p.useCentury, p.yearAt = false, p.at
		return t.set(&p.year, 4, 0, 9999) && t.i-from == 4
	case "y", "Ey":
		return t.yearTwo()
	case "C", "EC":
		return t.centuryOf(next)
	case "m":
		return t.monthOf(2)
	case "B", "b", "h":
		n, ok := t.name(monthNames)
		p.month, p.monthAt = n+1, p.at
		return ok
	case "d":
		return t.dayOf(2)
	case "e":
		t.space()
		return t.dayOf(2)
	case "Q":
		n, ok := t.number(1, 1, 4)
		p.month, p.day, p.monthAt, p.dayAt = (n-1)*3+1, 1, p.at, p.at
		return ok
	case "H":
		p.twelve = false
		return t.set(&p.hour, 2, 0, 23)
	case "k":
		t.space()
		p.twelve = false
		return t.set(&p.hour, 2, 0, 23)
	case "I", "l":
		return t.hour12()
	case "M":
		return t.set(&p.minute, 2, 0, 59)
	case "S":
		return t.seconds(0)
	case "E*S":
		return t.seconds(-1)
	case "p", "P":
		return t.meridian()
	case "s":
		n, ok := t.number(12, -62135596800, 253402300799)
		v := int64(n)
		p.epoch = &v
		return ok
	case "z":
		return t.zoneOffsetText(false)
	case "Ez":
		if t.accept('Z') {
			p.offset = new(int)
			return true
		}
		return t.zoneOffsetText(true)
	case "Z":
		return t.zoneName()
	case "n", "t":
		t.space()
		return true
	case "%":
		return t.accept('%')
	case "j":
		n, ok := t.number(3, 1, 366)
		p.dayOfYear, p.special = &n, p.at
		p.week = nil
		return ok
	case "U", "W":
		n, ok := t.number(2, 0, 53)
		p.week, p.weekSunday, p.special = &n, name == "U", p.at
		return ok
	case "A", "a":
		n, ok := t.name(dayNames)
		p.weekday = &n
		return ok
	case "u", "w":
		n, ok := t.number(1, 0, 7)
		p.weekday = &n
		return ok && (name == "w" && n < 7 || name == "u" && n > 0)
	}
	if len(name) == 3 && name[0] == 'E' && name[2] == 'S' {
		return t.seconds(int(name[1] - '0'))
	}
	t.err = failf("Format element %%%s in PARSE functions is not supported by the sandbox", name)
	return false
}

// run reads the text by the format.
func (t *timeParser) run(format string) bool {
	for i := 0; i < len(format); i++ {
		c := format[i]
		switch {
		case strings.IndexByte(space, c) >= 0:
			t.space()
			continue
		case c != '%':
			if !t.accept(c) {
				return false
			}
			continue
		}
		name, n := element(format[i+1:])
		if n == 0 {
			t.err = failf("Format string cannot end with a single '%%'")
			return false
		}
		i += n
		var next byte
		if i+1 < len(format) {
			next = format[i+1]
		}
		t.p.at++
		if seq := sequences[name]; seq != "" {
			if !t.run(seq) {
				return false
			}
			continue
		}
		if t.end() && name != "n" && name != "t" || !t.one(name, next) {
			return false
		}
	}
	return true
}

// date returns the day that was read.
func (p *parsed) date() (int64, error) {
	year := p.year
	if p.useCentury {
		year += p.century * 100
	}
	bad := failf("Out-of-range datetime field in parsing function")
	first, ok := EpochDay(year, 1, 1)
	if !ok {
		return 0, bad
	}
	day := int64(-1)
	switch {
	case p.dayOfYear != nil && (p.week == nil || p.weekday == nil):
		if *p.dayOfYear == 366 && daysIn(year, 2) == 28 {
			return 0, failf("Year %d has 365 days, but the specified day of year was 366", year)
		}
		day = first + int64(*p.dayOfYear) - 1
	case p.week != nil && p.weekday != nil:
		return 0, failf("Weekday parse elements are not supported yet")
	case p.week != nil:
		start := time.Monday
		if p.weekSunday {
			start = time.Sunday
		}
		t := time.Unix(first*86400, 0).UTC()
		skip := (int(start) - int(t.Weekday()) + 7) % 7
		day = first + int64(skip) + 7*int64(*p.week-1)
		days := 337 + daysIn(year, 2)
		last := 52
		if days-skip > 364 {
			last = 53
		}
		if *p.week > last || *p.week == 0 && skip == 0 {
			return 0, failf("Week number %d is invalid for year %d", *p.week, year)
		}
	}
	if day >= 0 || p.dayOfYear != nil || p.week != nil {
		t := time.Unix(day*86400, 0).UTC()
		if p.yearAt < p.special {
			year = t.Year()
		}
		if p.monthAt < p.special {
			p.month = int(t.Month())
		}
		if p.dayAt < p.special {
			p.day = t.Day()
		}
	}
	n, ok := EpochDay(year, p.month, p.day)
	if !ok {
		return 0, bad
	}
	return n, nil
}

// Strptime reads a text by a format. zone is that of a text without one; the result is a
// moment.
func Strptime(format, s, kind string, zone *time.Location) (int64, error) {
	if bad := badElement(format, kind); bad != "" {
		return 0, failf("Invalid format: %%%s is not allowed for the %s type.", bad, kind)
	}
	t := &timeParser{scanner: scanner{s: s}, p: parsed{year: 1970, month: 1, day: 1, zone: zone}}
	t.space()
	ok := t.run(format)
	if t.err != nil {
		return 0, t.err
	}
	t.space()
	if !ok || !t.end() {
		return 0, failf("Failed to parse input string %q", s)
	}
	p := &t.p
	if p.epoch != nil {
		return *p.epoch * 1e6, nil
	}
	if p.twelve && p.afternoon {
		p.hour += 12
	}
	day, err := p.date()
	if err != nil {
		return 0, err
	}
	if p.sec == 60 {
		p.micros = 0
	}
	local := day*dayMicros + int64(p.hour*3600+p.minute*60+p.sec)*1e6 + int64(p.micros)
	if p.offset != nil {
		local -= int64(*p.offset) * 60e6
	} else {
		local = Instant(local, p.zone)
	}
	v, err := instantMicros(local)
	if err != nil {
		return 0, failf("Invalid result from parsing function")
	}
	return v.Int, nil
}

// badElement returns the first element of a format that can't be used to read
// the type.
func badElement(format, kind string) string {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			continue
		}
		name, n := element(format[i+1:])
		if n > 0 && forbidden(kind, name) && !(kind == "TIME" && name == "Q") {
			return name
		}
		i += n
	}
	return ""
}

func init() {
	for _, kind := range []string{"DATE", "DATETIME", "TIME"} {
		def("bq_strptime_"+strings.ToLower(kind), "STRING, STRING -> "+kind, func(a []Value) (Value, error) {
			n, err := Strptime(a[0].Text, a[1].Text, kind, time.UTC)
			switch kind {
			case "DATE":
				n = floorDiv(n, dayMicros)
			case "TIME":
				n = floorMod(n, dayMicros)
			}
			return either(integer(n), err)
		})
	}
	def("bq_strptime_timestamp", "STRING, STRING, STRING -> TIMESTAMP", func(a []Value) (Value, error) {
		loc, err := Zone(a[2].Text)
		if err != nil {
			return null, err
		}
		n, err := Strptime(a[0].Text, a[1].Text, "TIMESTAMP", loc)
		return either(integer(n), err)
	})
}
