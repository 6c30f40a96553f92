package googlesql

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones by name, also where the system has none
)

var (
	dateForm = regexp.MustCompile(`^(\d{4})-(\d{1,2})-(\d{1,2})`)
	timeForm = regexp.MustCompile(`^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{0,9})?)?`)
	zoneForm = regexp.MustCompile(`^([+-])(\d{1,2})(?::?(\d{2}))?$`)
)

// temporalLiteral reads the text of a DATE, TIME, DATETIME or TIMESTAMP literal and
// writes DuckDB's literal.
func (a *analyzer) temporalLiteral(k Kind, s string) (string, bool) {
	t, ok := parseTemporal(k, s, a.location)
	if !ok {
		return "", false
	}
	switch k {
	case Date:
		return "DATE '" + t.Format("2006-01-02") + "'", true
	case Time:
		return "TIME '" + t.Format("15:04:05.000000") + "'", true
	case Datetime:
		return "TIMESTAMP '" + t.Format("2006-01-02 15:04:05.000000") + "'", true
	}
	return "TIMESTAMPTZ '" + t.UTC().Format("2006-01-02 15:04:05.000000") + "+00'", true
}

// parseTemporal reads the canonical formats of the GoogleSQL reference. zone is that of a TIMESTAMP
// that names none.
func parseTemporal(k Kind, s string, zone *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	year, month, day := 1970, 1, 1
	if k != Time {
		m := dateForm.FindStringSubmatch(s)
		if m == nil {
			return time.Time{}, false
		}
		year, month, day = atoi(m[1]), atoi(m[2]), atoi(m[3])
		s = s[len(m[0]):]
		if k == Date {
			if s != "" {
				return time.Time{}, false
			}
		}
		if len(s) > 1 && (s[0] == ' ' || s[0] == 'T' || s[0] == 't') {
			s = s[1:]
		}
	}
	hour, minute, sec, nano := 0, 0, 0, 0
	if m := timeForm.FindStringSubmatch(s); m != nil {
		hour, minute, sec = atoi(m[1]), atoi(m[2]), atoi(m[3])
		frac := strings.TrimPrefix(m[4], ".")
		if len(frac) > 6 {
			return time.Time{}, false
		}
		nano = atoi((frac + "000000000")[:9])
		s = s[len(m[0]):]
	} else if k == Time {
		return time.Time{}, false
	}
	if k != Timestamp {
		zone = time.UTC
	}
	if s != "" {
		if k != Timestamp {
			return time.Time{}, false
		}
		var ok bool
		if zone, ok = parseZone(s); !ok {
			return time.Time{}, false
		}
	}
	if year < 1 || month < 1 || month > 12 || hour > 23 || minute > 59 || sec > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, sec, nano, zone)
	return t, t.Day() == day && t.Month() == time.Month(month)
}

func atoi(s string) int { n, _ := strconv.Atoi(s); return n }

// parseZone reads Z, +hh[:mm] or the name of a time zone.
func parseZone(s string) (*time.Location, bool) {
	s = strings.TrimSpace(s)
	if s == "Z" || s == "z" || strings.EqualFold(s, "UTC") {
		return time.UTC, true
	}
	if m := zoneForm.FindStringSubmatch(s); m != nil {
		h, mm := atoi(m[2]), atoi(m[3])
		if h > 14 || mm > 59 {
			return nil, false
		}
		off := h*3600 + mm*60
		if m[1] == "-" {
			off = -off
		}
		return time.FixedZone(fmt.Sprintf("%+d", off), off), true
	}
	if s == "" || strings.EqualFold(s, "local") {
		return nil, false
	}
	loc, err := time.LoadLocation(s)
	return loc, err == nil
}
