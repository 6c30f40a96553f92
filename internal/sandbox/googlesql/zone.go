package googlesql

import (
	"fmt"
	"strings"
	"time"
)

// defaultZone is the time zone of a statement that is in no other.
const defaultZone = "UTC"

// CheckTimeZone says what is wrong with the name of a time zone: that there is none, or that the
// sandbox can't compute with it. "" is nothing.
func CheckTimeZone(name string) string {
	_, problem := duckZone(name)
	return problem
}

// duckZone is DuckDB's name of a time zone. DuckDB knows the names of the IANA database; a fixed
// offset of whole hours is one of them.
func duckZone(text string) (name, problem string) {
	loc, ok := parseZone(text)
	if !ok {
		return "", "Invalid time zone: " + text
	}
	m := zoneForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return loc.String(), ""
	}
	_, offset := time.Unix(0, 0).In(loc).Zone()
	switch {
	case offset%3600 != 0:
		return "", unsupported("A time zone offset that is not whole hours")
	case offset == 0:
		return defaultZone, ""
	}
	return fmt.Sprintf("Etc/GMT%+d", -offset/3600), "" // POSIX signs: Etc/GMT-8 is eight hours east
}

// setZone makes the statement's default time zone known.
func (a *analyzer) setZone() {
	a.zoneName, a.location = defaultZone, time.UTC
	if a.opts.TimeZone == "" {
		return
	}
	name, problem := duckZone(a.opts.TimeZone)
	if problem != "" {
		fail(a.src, 0, "%s", problem)
	}
	a.zoneName = name
	a.location, _ = parseZone(a.opts.TimeZone)
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
	name, problem := duckZone(v.lit.text)
	if problem != "" {
		a.fail(zone, "%s", problem)
	}
	return quoteString(name)
}

// castText is the text of a cast, in the default time zone where the zone matters.
func (a *analyzer) castText(from, to Kind) string {
	text := casts[[2]Kind{from, to}]
	if a.zoneName == defaultZone {
		return text
	}
	zone := quoteString(a.zoneName)
	switch {
	case from == String && to == Timestamp: // a text with a zone of its own keeps it
		plain := `'\s*` + dateText + `([ Tt]` + timeText + `)?\s*'`
		return "(CASE WHEN regexp_full_match({1}, " + plain + ") THEN timezone(" + zone +
			", CAST({1} AS TIMESTAMP)) ELSE " + text + " END)"
	case from == Timestamp && to == String:
		return zonedText(zone)
	case from == Timestamp || to == Timestamp:
		return strings.ReplaceAll(text, "'UTC'", zone)
	}
	return text
}

func (a *analyzer) castSQL(from, to Kind, sql string) string {
	return strings.ReplaceAll(a.castText(from, to), "{1}", sql)
}

// zonedText writes a TIMESTAMP {1} as GoogleSQL does in a zone.
func zonedText(zone string) string {
	return "(" + fractionText("timezone("+zone+", {1})", "%Y-%m-%d %H:%M:%S") + " || " + offsetText("{1}", zone, ":",
		true) + ")"
}

// offsetText writes a zone's offset at a TIMESTAMP, such as +05:30; short leaves :00 out.
func offsetText(ts, zone, colon string, short bool) string {
	minutes := "(epoch_us(timezone(" + zone + ", " + ts + ")) - epoch_us(" + ts + ")) // 60000000"
	rest := "'" + colon + "' || lpad(CAST(abs(q) % 60 AS VARCHAR), 2, '0')"
	if short {
		rest = "CASE WHEN q % 60 = 0 THEN '' ELSE " + rest + " END"
	}
	return let(minutes, "CASE WHEN q < 0 THEN '-' ELSE '+' END || lpad(CAST(abs(q) // 60 AS VARCHAR), 2, '0') || "+rest)
}
