package googlesql

import (
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/builtin"
)

// defaultZone is the time zone of a statement that is in no other.
const defaultZone = "UTC"

// CheckTimeZone returns what is wrong with the name of a time zone, or "".
func CheckTimeZone(name string) string {
	if _, err := builtin.Zone(name); err != nil {
		return builtinText(err)
	}
	return ""
}

// zoneName returns the name of a time zone. All names of UTC become one.
func zoneName(text string) string {
	if loc, err := builtin.Zone(text); err == nil && loc == time.UTC {
		return defaultZone
	}
	return text
}

// setZone sets the statement's default time zone.
func (a *analyzer) setZone() {
	a.zoneName, a.location = defaultZone, time.UTC
	if a.opts.TimeZone == "" {
		return
	}
	loc, err := builtin.Zone(a.opts.TimeZone)
	if err != nil {
		fail(a.src, 0, "%s", builtinText(err))
	}
	a.zoneName, a.location = zoneName(a.opts.TimeZone), loc
}

// zone writes a time zone's name, the default one's if zone is nil.
func (a *analyzer) zone(zone expr, s *scope) string {
	if zone == nil {
		return quoteString(a.zoneName)
	}
	v := a.expr(zone, s)
	v = a.must(v, kind(String), zone, "A time zone must be a STRING, but is %s", v.t.name())
	if v.lit == nil {
		return v.sql
	}
	if problem := CheckTimeZone(v.lit.text); problem != "" {
		a.fail(zone, "%s", problem)
	}
	return quoteString(zoneName(v.lit.text))
}
