package builtin

import (
	"fmt"
	"strings"
	"time"
)

// moment is a value that FORMAT_DATE and similar functions write.
type moment struct {
	local   int64 // microseconds of the wall clock
	instant int64
	loc     *time.Location // nil where the value has no zone
}

// isoWeekday returns 1 for Monday to 7 for Sunday.
func isoWeekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// weekOfYear returns the number of the week that begins on a weekday; days before the first
// such day are in week 0.
func weekOfYear(t time.Time, first time.Weekday) int {
	return (t.YearDay() + 6 - (int(t.Weekday())-int(first)+7)%7) / 7
}

// twelve returns the hour on a clock of twelve hours.
func twelve(h int) int { return (h+11)%12 + 1 }

// codes are the elements of formats by their letters.
var codes = map[string]func(t time.Time, m moment) string{
	"A":   func(t time.Time, _ moment) string { return t.Weekday().String() },
	"a":   func(t time.Time, _ moment) string { return t.Weekday().String()[:3] },
	"B":   func(t time.Time, _ moment) string { return t.Month().String() },
	"b":   func(t time.Time, _ moment) string { return t.Month().String()[:3] },
	"h":   func(t time.Time, _ moment) string { return t.Month().String()[:3] },
	"C":   func(t time.Time, _ moment) string { return fmt.Sprintf("%02d", t.Year()/100) },
	"c":   func(t time.Time, _ moment) string { return t.Format("Mon Jan _2 15:04:05 ") + fmt.Sprint(t.Year()) },
	"D":   func(t time.Time, _ moment) string { return t.Format("01/02/06") },
	"x":   func(t time.Time, _ moment) string { return t.Format("01/02/06") },
	"d":   func(t time.Time, _ moment) string { return t.Format("02") },
	"e":   func(t time.Time, _ moment) string { return t.Format("_2") },
	"F":   func(t time.Time, _ moment) string { return fmt.Sprint(t.Year()) + t.Format("-01-02") },
	"G":   func(t time.Time, _ moment) string { y, _ := t.ISOWeek(); return fmt.Sprint(y) },
	"g":   func(t time.Time, _ moment) string { y, _ := t.ISOWeek(); return fmt.Sprintf("%02d", y%100) },
	"H":   func(t time.Time, _ moment) string { return t.Format("15") },
	"I":   func(t time.Time, _ moment) string { return fmt.Sprintf("%02d", twelve(t.Hour())) },
	"j":   func(t time.Time, _ moment) string { return fmt.Sprintf("%03d", t.YearDay()) },
	"k":   func(t time.Time, _ moment) string { return fmt.Sprintf("%2d", t.Hour()) },
	"l":   func(t time.Time, _ moment) string { return fmt.Sprintf("%2d", twelve(t.Hour())) },
	"M":   func(t time.Time, _ moment) string { return t.Format("04") },
	"m":   func(t time.Time, _ moment) string { return t.Format("01") },
	"n":   func(time.Time, moment) string { return "\n" },
	"t":   func(time.Time, moment) string { return "\t" },
	"P":   func(t time.Time, _ moment) string { return t.Format("pm") },
	"p":   func(t time.Time, _ moment) string { return t.Format("PM") },
	"Q":   func(t time.Time, _ moment) string { return fmt.Sprint((int(t.Month())-1)/3 + 1) },
	"R":   func(t time.Time, _ moment) string { return t.Format("15:04") },
	"r":   func(t time.Time, _ moment) string { return t.Format("03:04:05 PM") },
	"S":   func(t time.Time, _ moment) string { return t.Format("05") },
	"s":   func(_ time.Time, m moment) string { return fmt.Sprint(floorDiv(m.instant, 1e6)) },
	"T":   func(t time.Time, _ moment) string { return t.Format("15:04:05") },
	"X":   func(t time.Time, _ moment) string { return t.Format("15:04:05") },
	"U":   func(t time.Time, _ moment) string { return fmt.Sprintf("%02d", weekOfYear(t, time.Sunday)) },
	"u":   func(t time.Time, _ moment) string { return fmt.Sprint(isoWeekday(t)) },
	"V":   func(t time.Time, _ moment) string { _, w := t.ISOWeek(); return fmt.Sprintf("%02d", w) },
	"W":   func(t time.Time, _ moment) string { return fmt.Sprintf("%02d", weekOfYear(t, time.Monday)) },
	"w":   func(t time.Time, _ moment) string { return fmt.Sprint(int(t.Weekday())) },
	"Y":   func(t time.Time, _ moment) string { return fmt.Sprint(t.Year()) },
	"y":   func(t time.Time, _ moment) string { return fmt.Sprintf("%02d", t.Year()%100) },
	"Z":   func(_ time.Time, m moment) string { return zoneText(m) },
	"z":   func(_ time.Time, m moment) string { return offsetText(m, "") },
	"Ez":  func(_ time.Time, m moment) string { return offsetText(m, ":") },
	"E4Y": func(t time.Time, _ moment) string { return fmt.Sprintf("%04d", t.Year()) },
	"E*S": func(t time.Time, m moment) string {
		return strings.TrimSuffix(strings.TrimRight(t.Format("05.000000"), "0"), ".")
	},
	"%": func(time.Time, moment) string { return "%" },
}

func offsetText(m moment, colon string) string {
	if m.loc == nil {
		return "+00" + colon + "00"
	}
	n := shownOffset(m.instant, m.loc)
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%02d%s%02d", sign, n/3600, colon, n/60%60)
}

// zoneText is UTC with the offset, if there is one: UTC-8, UTC+0530.
func zoneText(m moment) string {
	if m.loc == nil {
		return "UTC"
	}
	n := shownOffset(m.instant, m.loc)
	if n == 0 {
		return "UTC"
	}
	sign := "+"
	if n < 0 {
		sign, n = "-", -n
	}
	if n/60%60 != 0 {
		return fmt.Sprintf("UTC%s%02d%02d", sign, n/3600, n/60%60)
	}
	return fmt.Sprintf("UTC%s%d", sign, n/3600)
}

// element reads the element of a format that begins after a %: its name and its length.
func element(f string) (name string, n int) {
	switch {
	case f == "":
		return "", 0
	case f[0] != 'E' && f[0] != 'O' || len(f) == 1:
		return f[:1], 1
	case f[0] == 'E' && len(f) > 2 && (f[1] == '*' || f[1] >= '0' && f[1] <= '9') && (f[2] == 'S' || f[2] == 'Y'):
		return f[:3], 3
	}
	return f[:2], 2
}

// strange has the elements that a type does not have. They are written
// unchanged.
var strange = map[string]string{
	"DATE":     "cHIklMPpRrSsTXZz",
	"TIME":     "AaBbhCcDdeFGgjmQsUuVWwxYyZz",
	"DATETIME": "Zz",
}

// forbidden reports whether a type has no such element.
func forbidden(kind, name string) bool {
	return name != "%" && strings.Contains(strange[kind], name[len(name)-1:])
}

// Strftime writes a moment by a format.
func Strftime(format, kind string, m moment) (string, error) {
	t := civil(m.local)
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		name, n := element(format[i+1:])
		if n == 0 {
			b.WriteByte('%')
			continue
		}
		i += n
		if forbidden(kind, name) {
			b.WriteString("%" + name)
			continue
		}
		write := codes[name]
		if write == nil && (name[0] == 'E' || name[0] == 'O') {
			write = codes[name[1:]] // another calendar's or other digits, of which English has none
		}
		switch {
		case write != nil:
			b.WriteString(write(t, m))
		case len(name) == 3 && name[0] == 'E' && name[2] == 'S':
			b.WriteString(secondsText(t, int(name[1]-'0')))
		default:
			return "", failf("Format element %%%s is not supported by the sandbox", name)
		}
	}
	return b.String(), nil
}

// secondsText writes seconds with a number of digits after the point.
func secondsText(t time.Time, digits int) string {
	s := t.Format("05")
	if digits > 0 {
		s += "." + fmt.Sprintf("%06d000", t.Nanosecond()/1000)[:digits]
	}
	return s
}

func init() {
	format := func(kind string, m func(a []Value) (moment, error)) {
		sig := "STRING, " + kind + " -> STRING"
		if kind == "TIMESTAMP" {
			sig = "STRING, TIMESTAMP, STRING -> STRING"
		}
		def("bq_format_"+strings.ToLower(kind), sig, func(a []Value) (Value, error) {
			at, err := m(a)
			if err != nil {
				return null, err
			}
			s, err := Strftime(a[0].Text, kind, at)
			return either(text(s), err)
		})
	}
	civilMoment := func(scale int64) func(a []Value) (moment, error) {
		return func(a []Value) (moment, error) {
			return moment{local: a[1].Int * scale, instant: a[1].Int * scale}, nil
		}
	}
	format("DATE", civilMoment(dayMicros))
	format("TIME", civilMoment(1))
	format("DATETIME", civilMoment(1))
	format("TIMESTAMP", func(a []Value) (moment, error) {
		loc, err := Zone(a[2].Text)
		if err != nil {
			return moment{}, err
		}
		return moment{local: shownLocal(a[1].Int, loc), instant: a[1].Int, loc: loc}, nil
	})
}
