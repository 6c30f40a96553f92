package builtin

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// timeElement is an element of the format of a CAST from or to a date or time.
type timeElement struct {
	name string // in upper case; "" for a literal, " " for white space
	text string // as it was written; of a literal, what it stands for
	part string // the part of a time that it has
}

// timeParts maps elements to their parts. Elements that no direction of a CAST allows have the part
// "none".
var timeParts = map[string]string{
	"YYYY": "year", "YYY": "year", "YY": "year", "Y": "year", "RRRR": "year", "RR": "year", "Y,YYY": "year",
	"MM": "month", "MON": "month", "MONTH": "month",
	"D": "day", "DD": "day", "DDD": "day", "DAY": "day", "DY": "day",
	"HH": "hour", "HH12": "hour", "HH24": "hour", "MI": "minute", "SS": "second", "SSSSS": "second",
	"FF1": "fraction", "FF2": "fraction", "FF3": "fraction", "FF4": "fraction", "FF5": "fraction",
	"FF6": "fraction", "FF7": "fraction", "FF8": "fraction", "FF9": "fraction",
	"AM": "meridian", "PM": "meridian", "A.M.": "meridian", "P.M.": "meridian", "TZH": "zone", "TZM": "zone",
	"IYYY": "none", "IYY": "none", "IY": "none", "I": "none", "SYYYY": "none", "YEAR": "none", "SYEAR": "none",
	"RM": "none", "J": "none", "CC": "none", "SCC": "none", "Q": "none", "IW": "none", "WW": "none", "W": "none",
	"AD": "none", "BC": "none", "A.D.": "none", "B.C.": "none", "SP": "none", "TH": "none", "SPTH": "none",
	"THSP": "none", "FM": "none",
}

// onlyFormatted has the elements that can be written but not read.
var onlyFormatted = map[string]bool{"D": true, "DDD": true, "DAY": true, "DY": true, "AM": true, "PM": true}

// partsOf are the parts that a type has.
var partsOf = map[string][]string{
	"DATE":      {"year", "month", "day"},
	"TIME":      {"hour", "minute", "second", "fraction", "meridian"},
	"DATETIME":  {"year", "month", "day", "hour", "minute", "second", "fraction", "meridian"},
	"TIMESTAMP": {"year", "month", "day", "hour", "minute", "second", "fraction", "meridian", "zone"},
}

// timeElements cuts a format into its elements: at each place the longest one.
func timeElements(f string) ([]timeElement, error) {
	var out []timeElement
	for i := 0; i < len(f); {
		best := ""
		for w := range timeParts {
			if len(w) > len(best) && len(f)-i >= len(w) && strings.EqualFold(f[i:i+len(w)], w) {
				best = w
			}
		}
		switch {
		case best != "":
			out = append(out, timeElement{best, f[i : i+len(best)], timeParts[best]})
			i += len(best)
		case strings.IndexByte("-./,';:", f[i]) >= 0:
			out = append(out, timeElement{text: f[i : i+1]})
			i++
		case f[i] == ' ':
			n := i
			for n < len(f) && f[n] == ' ' {
				n++
			}
			out = append(out, timeElement{name: " ", text: f[i:n]})
			i = n
		case f[i] == '"':
			e, n, err := quotedElement(f, i)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
			i = n
		default:
			return nil, failf("Cannot find matched format element at %d", i)
		}
	}
	return out, nil
}

// quotedElement reads a text in double quotes, and returns where it ends.
func quotedElement(f string, from int) (timeElement, int, error) {
	var e timeElement
	for i := from + 1; i < len(f); i++ {
		switch f[i] {
		case '"':
			return e, i + 1, nil
		case '\\':
			i++
			if i == len(f) {
				break
			}
			if f[i] != '"' && f[i] != '\\' {
				return e, 0, failf("Unsupported escape sequence \\%c in text at %d", f[i], from)
			}
			e.text += f[i : i+1]
		default:
			e.text += f[i : i+1]
		}
	}
	return e, 0, failf("Cannot find matching \" for quoted literal at %d", from)
}

// cased gives a word the case of its element.
func (e timeElement) cased(s string) string {
	switch {
	case unicode.IsLower(rune(e.text[0])):
		return strings.ToLower(s)
	case e.part == "meridian" || len(e.text) == 1 || unicode.IsUpper(rune(e.text[1])):
		return strings.ToUpper(s)
	}
	return s
}

// formatTime writes a time by the format of a CAST.
func formatTime(t time.Time, format, kind string) (string, error) {
	elements, err := timeElements(format)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, e := range elements {
		if e.part == "" {
			b.WriteString(e.text)
			continue
		}
		if e.part == "none" || e.name == "Y,YYY" {
			return "", failf("Unsupported format element %s", e.name)
		}
		if !slices.Contains(partsOf[kind], e.part) {
			return "", failf("%s does not support %s", kind, e.name)
		}
		b.WriteString(e.cased(e.write(t)))
	}
	return b.String(), nil
}

func (e timeElement) write(t time.Time) string {
	switch e.name {
	case "YYYY", "RRRR":
		return fmt.Sprintf("%04d", t.Year())
	case "YYY", "YY", "Y", "RR":
		return fmt.Sprintf("%04d", t.Year())[4-len(e.name):]
	case "MM":
		return t.Format("01")
	case "MON":
		return t.Format("Jan")
	case "MONTH":
		return t.Format("January")
	case "D":
		return fmt.Sprint(int(t.Weekday()) + 1)
	case "DD":
		return t.Format("02")
	case "DDD":
		return t.Format("002")
	case "DAY":
		return t.Format("Monday")
	case "DY":
		return t.Format("Mon")
	case "HH", "HH12":
		return t.Format("03")
	case "HH24":
		return t.Format("15")
	case "MI":
		return t.Format("04")
	case "SS":
		return t.Format("05")
	case "SSSSS":
		return fmt.Sprintf("%05d", t.Hour()*3600+t.Minute()*60+t.Second())
	case "AM", "PM":
		return t.Format("PM")
	case "A.M.", "P.M.":
		return t.Format("PM")[:1] + ".M."
	case "TZH":
		return t.Format("-0700")[:3]
	case "TZM":
		return t.Format("-0700")[3:]
	}
	return fmt.Sprintf("%09d", t.Nanosecond())[:e.name[2]-'0'] // FF1 to FF9
}

// checkReading checks the elements against the rules of a format that is read.
func checkReading(elements []timeElement, kind string) error {
	parts, names := map[string]string{}, map[string]bool{}
	for _, e := range elements {
		if e.part == "" {
			continue
		}
		switch {
		case e.part == "none" || onlyFormatted[e.name]:
			return failf("Format element %s is not supported for parsing", e.name)
		case names[e.name]:
			return failf("Format element %s appears more than once in the format string", e.name)
		case !slices.Contains(partsOf[kind], e.part):
			return failf("Format element in category %s (%s) is not allowed for output type %s",
				strings.ToUpper(e.part), e.name, kind)
		}
		if have := parts[e.part]; have != "" && e.part != "second" && e.part != "zone" {
			return failf("More than one format element in category %s exist: %s and %s", strings.ToUpper(e.part), have,
				e.name)
		}
		names[e.name], parts[e.part] = true, e.name
	}
	twelve := names["HH"] || names["HH12"]
	switch {
	case names["HH24"] && parts["meridian"] != "":
		return failf(
			"Format element in category MERIDIAN_INDICATOR and format element HH24 cannot exist simultaneously")
	case twelve != (parts["meridian"] != ""):
		return failf("Format element in category MERIDIAN_INDICATOR is required when format element HH or HH12 " +
			"exists, and needs one of them")
	case names["SSSSS"] && (parts["hour"] != "" || parts["minute"] != "" || names["SS"]):
		return failf("Format element SSSSS cannot stand beside hours, minutes or seconds")
	}
	return nil
}

// digitsOf returns the least and the largest number of digits that an element reads. tight
// means that digits follow.
func (e timeElement) digitsOf(tight bool) (lo, hi int) {
	hi = len(e.name)
	switch {
	case e.name == "YYYY" || e.name == "RRRR":
		if tight {
			return 4, 4
		}
		return 1, 5
	case e.part == "fraction":
		hi = int(e.name[2] - '0')
	case e.part == "hour" || e.part == "zone":
		hi = 2
	}
	if tight {
		return hi, hi
	}
	return 1, hi
}

// startsDigits reports whether elements begin with a digit.
func startsDigits(elements []timeElement) bool {
	for _, e := range elements {
		switch {
		case e.name == "" && e.text == "":
			continue
		case e.name == "":
			return e.text[0] >= '0' && e.text[0] <= '9'
		case e.name == " " || e.name == "MON" || e.name == "MONTH" || e.part == "meridian" || e.name == "TZH":
			return false
		}
		return true
	}
	return false
}

// readTime reads a text by the format of a CAST.
type readTime struct {
	scanner
	year, month, day, hour, minute, second, micros int
	twelve                                         int
	afternoon, zoned, west                         bool
	zoneHour, zoneMinute                           int
}

func (r *readTime) spaces() int {
	from := r.i
	for !r.end() {
		c := []rune(r.s[r.i:min(len(r.s), r.i+4)])[0]
		if !unicode.IsSpace(c) {
			break
		}
		r.i += len(string(c))
	}
	return r.i - from
}

// number reads digits that make a number between lo and hi.
func (r *readTime) number(e timeElement, tight bool, lo, hi int, to *int) bool {
	n, ok := r.digits(e.digitsOf(tight))
	*to = n
	return ok && n >= lo && n <= hi
}

// read reads one element.
func (r *readTime) read(e timeElement, tight bool) bool {
	switch e.name {
	case "":
		ok := strings.HasPrefix(r.s[r.i:], e.text)
		if ok {
			r.i += len(e.text)
		}
		return ok
	case " ":
		return r.spaces() > 0
	case "YYYY", "RRRR":
		return r.number(e, tight, 0, 10000, &r.year)
	case "YYY", "YY", "Y":
		power, n := map[string]int{"YYY": 1000, "YY": 100, "Y": 10}[e.name], 0
		ok := r.number(e, tight, 0, power-1, &n)
		r.year += n - r.year%power
		return ok
	case "RR":
		n, century := 0, r.year/100
		ok := r.number(e, tight, 0, 99, &n)
		switch now := r.year % 100; {
		case n < 50 && now >= 50:
			century++
		case n >= 50 && now < 50:
			century--
		}
		r.year = century*100 + n
		return ok
	case "Y,YYY":
		n, ok := r.digits(1, 2)
		comma := r.accept(',')
		m, ok2 := r.digits(3, 3)
		r.year = n*1000 + m
		return ok && comma && ok2 && n <= 10
	case "MM":
		return r.number(e, tight, 1, 12, &r.month)
	case "MON", "MONTH":
		for m := time.January; m <= time.December; m++ {
			name := m.String()
			if e.name == "MON" {
				name = name[:3]
			}
			if len(r.s)-r.i >= len(name) && strings.EqualFold(r.s[r.i:r.i+len(name)], name) {
				r.i += len(name)
				r.month = int(m)
				return true
			}
		}
		return false
	case "DD":
		return r.number(e, tight, 1, 31, &r.day)
	case "HH", "HH12":
		return r.number(e, tight, 1, 12, &r.twelve)
	case "HH24":
		return r.number(e, tight, 0, 23, &r.hour)
	case "A.M.", "P.M.":
		if len(r.s)-r.i < 4 {
			return false
		}
		word := strings.ToUpper(r.s[r.i : r.i+4])
		r.i += 4
		r.afternoon = word == "P.M."
		return word == "A.M." || word == "P.M."
	case "MI":
		return r.number(e, tight, 0, 59, &r.minute)
	case "SS":
		return r.number(e, tight, 0, 59, &r.second)
	case "SSSSS":
		n := 0
		ok := r.number(e, tight, 0, 86399, &n)
		r.hour, r.minute, r.second = n/3600, n/60%60, n%60
		return ok
	case "TZH":
		r.zoned = true
		r.west = r.accept('-')
		return (r.west || r.accept('+') || r.accept(' ')) && r.number(e, tight, 0, 14, &r.zoneHour)
	case "TZM":
		r.zoned = true
		return r.number(e, tight, 0, 59, &r.zoneMinute)
	}
	from := r.i // FF1 to FF9
	n, ok := r.digits(e.digitsOf(tight))
	for k := r.i - from; k < 9; k++ {
		n *= 10
	}
	r.micros = n / 1000
	return ok
}

// parseTime reads a text by the format of a CAST: days for a DATE, else microseconds.
func parseTime(s, format, kind string, now time.Time, zone *time.Location) (int64, error) {
	elements, err := timeElements(format)
	if err != nil {
		return 0, err
	}
	if err := checkReading(elements, kind); err != nil {
		return 0, err
	}
	r := &readTime{scanner: scanner{s: s}, year: now.Year(), month: int(now.Month()), day: 1}
	r.spaces()
	done := 0
	for ; done < len(elements) && !r.end(); done++ {
		at := r.i
		if e := elements[done]; !r.read(e, startsDigits(elements[done+1:])) {
			return 0, failf("Failed to parse input timestamp string at %d with format element %s", at, e.shown())
		}
	}
	r.spaces()
	for done < len(elements) && elements[done].name+elements[done].text == "" {
		done++
	}
	switch {
	case !r.end():
		return 0, failf("Illegal non-space trailing data '%s' in timestamp string", s[r.i:])
	case done < len(elements):
		return 0, failf("Entire timestamp string has been parsed before dealing with format element %s",
			elements[done].shown())
	}
	return r.value(kind, zone)
}

func (e timeElement) shown() string {
	if e.name == "" {
		return "\"" + e.text + "\""
	}
	return e.name
}

// value returns the text as a value of a type.
func (r *readTime) value(kind string, zone *time.Location) (int64, error) {
	if r.twelve != 0 {
		r.hour = r.twelve % 12
		if r.afternoon {
			r.hour += 12
		}
	}
	clock := int64(r.hour*3600+r.minute*60+r.second)*1e6 + int64(r.micros)
	if kind == "TIME" {
		return clock, nil
	}
	// A time zone can bring the hours around the first and the last year into them.
	far := kind == "TIMESTAMP" && (r.year == 0 || r.year == 10000)
	day, ok := EpochDay(r.year, r.month, r.day)
	if !ok && (!far || r.day > daysIn(r.year, r.month)) {
		return 0, failf("Invalid result from year, month, day values after parsing")
	}
	if far {
		day = time.Date(r.year, time.Month(r.month), r.day, 0, 0, 0, 0, time.UTC).Unix() / 86400
	}
	if kind == "DATE" {
		return day, nil
	}
	local := day*dayMicros + clock
	if kind == "DATETIME" {
		return local, nil
	}
	if r.zoned {
		offset := r.zoneHour*60 + r.zoneMinute
		if offset > 14*60 {
			return 0, failf("Invalid time zone offset")
		}
		if r.west {
			offset = -offset
		}
		zone = time.FixedZone("", offset*60)
	}
	v, err := instantMicros(Instant(local, zone))
	return v.Int, err
}

func init() {
	for _, kind := range []string{"DATE", "TIME", "DATETIME", "TIMESTAMP"} {
		low := strings.ToLower(kind)
		def("bq_cast_format_"+low, kind+", STRING, STRING -> STRING", func(a []Value) (Value, error) {
			loc, err := Zone(a[2].Text)
			if err != nil {
				return null, err
			}
			t := time.UnixMicro(a[0].Int)
			if kind == "DATE" {
				t = time.Unix(a[0].Int*86400, 0)
			}
			if kind != "TIMESTAMP" {
				loc = time.UTC
			} else {
				loc = time.FixedZone("", int(shownOffset(a[0].Int, loc)))
			}
			s, err := formatTime(t.In(loc), a[1].Text, kind)
			return either(text(s), err)
		})
		def("bq_cast_parse_"+low, "STRING, STRING, TIMESTAMP, STRING -> "+kind, func(a []Value) (Value, error) {
			loc, err := Zone(a[3].Text)
			if err != nil {
				return null, err
			}
			n, err := parseTime(a[0].Text, a[1].Text, kind, time.UnixMicro(a[2].Int).In(loc), loc)
			return either(integer(n), err)
		})
	}
}
