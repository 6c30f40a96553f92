package builtin

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones by name, also where the system has none
)

var (
	zonesMu sync.Mutex
	zones   = map[string]*time.Location{}
)

// maxZones limits the cache, because names may come from users' tables.
const maxZones = 2000

// Zone finds a time zone: [UTC]+/-H[H][[:]M[M]], or a name of the IANA database.
func Zone(name string) (*time.Location, error) {
	zonesMu.Lock()
	loc := zones[name]
	zonesMu.Unlock()
	if loc != nil {
		return loc, nil
	}
	loc, err := findZone(name)
	if err != nil {
		return nil, err
	}
	zonesMu.Lock()
	defer zonesMu.Unlock()
	if len(zones) >= maxZones {
		clear(zones)
	}
	zones[name] = loc
	return loc, nil
}

func findZone(name string) (*time.Location, error) {
	if name == "" {
		return nil, failf("Invalid empty time zone")
	}
	if offset, ok := zoneOffset(strings.TrimPrefix(name, "UTC")); ok {
		if offset < -14*60 || offset > 14*60 {
			return nil, failf("Invalid time zone: %s", name)
		}
		return time.FixedZone(name, offset*60), nil
	}
	if strings.EqualFold(name, "UTC") || strings.EqualFold(name, "Z") && name == "UTC" {
		return time.UTC, nil
	}
	if strings.EqualFold(name, "local") || strings.HasPrefix(name, "/") || strings.Contains(name, "..") {
		return nil, failf("Invalid time zone: %s", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, failf("Invalid time zone: %s", name)
	}
	return loc, nil
}

// zoneOffset reads a sign, one or two digits of hours and as many of minutes, in minutes.
func zoneOffset(s string) (int, bool) {
	if s == "" || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	p := scanner{s: s, i: 1}
	h, ok := p.digits(1, 2)
	if !ok {
		return 0, false
	}
	m := 0
	if !p.end() {
		p.accept(':')
		if m, ok = p.digits(1, 2); !ok || !p.end() {
			return 0, false
		}
	}
	if m > 59 {
		return 15 * 60, true // which no zone has
	}
	n := h*60 + m
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// Instant returns the instant of a local time, both in microseconds. If the zone has the
// time twice, it is the first one. If the zone skips the time, it is read with the
// offset before the gap.
func Instant(local int64, loc *time.Location) int64 {
	if loc == time.UTC {
		return local
	}
	sec := floorDiv(local, 1e6)
	t := time.Unix(sec, 0).UTC()
	guess := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc)
	_, offset := guess.Zone()
	start, end := guess.ZoneBounds()
	for _, change := range []time.Time{start, end} {
		if change.IsZero() {
			continue
		}
		_, before := change.Add(-time.Second).Zone()
		_, after := change.Zone()
		at := change.Unix()
		if sec >= at+int64(min(before, after)) && sec < at+int64(max(before, after)) {
			offset = before
		}
	}
	return local - int64(offset)*1e6
}

// Local returns the local time of an instant, both in microseconds.
func Local(instant int64, loc *time.Location) int64 {
	return instant + int64(offsetAt(instant, loc))*1e6
}

// offsetAt returns a zone's offset in seconds.
func offsetAt(instant int64, loc *time.Location) int {
	if loc == time.UTC {
		return 0
	}
	_, offset := time.Unix(floorDiv(instant, 1e6), 0).In(loc).Zone()
	return offset
}

// shownOffset returns the offset as texts show it, in whole minutes.
func shownOffset(instant int64, loc *time.Location) int {
	n := offsetAt(instant, loc)
	return n - n%60
}

// shownLocal returns the local time as texts show it.
func shownLocal(instant int64, loc *time.Location) int64 {
	return instant + int64(shownOffset(instant, loc))*1e6
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

func init() {
	// The wall-clock time of an instant, and the instant of a wall-clock time.
	def("bq_local", "TIMESTAMP, STRING -> DATETIME", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		return civilMicros(Local(a[0].Int, loc))
	})
	def("bq_instant", "DATETIME, STRING -> TIMESTAMP", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		return instantMicros(Instant(a[0].Int, loc))
	})
	def("bq_timestamp_text", "TIMESTAMP, STRING -> STRING", func(a []Value) (Value, error) {
		loc, err := Zone(a[1].Text)
		if err != nil {
			return null, err
		}
		return text(timestampText(a[0].Int, loc)), nil
	})
}
