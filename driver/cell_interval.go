package driver

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"cloud.google.com/go/bigquery"
)

// The text of an INTERVAL, Y-M D H:M:S[.F], in both directions. The official client's functions are
// not used, because they lose the sign of an interval whose years or hours are 0, round its
// fraction and overflow at 292 years of hours.

// The largest INTERVAL has 10,000 years either way, in each of its three parts.
const (
	maxIntervalMonths  = 120_000
	maxIntervalDays    = 3_660_000
	maxIntervalSeconds = maxIntervalDays * secondsOfDay
)

// intervalText writes an interval in BigQuery's canonical form. Months, days and time have a sign
// each. Nanoseconds are cut to microseconds.
func intervalText(v *bigquery.IntervalValue) (string, error) {
	months := int64(v.Years)*12 + int64(v.Months)
	seconds := (int64(v.Hours)*60+int64(v.Minutes))*60 + int64(v.Seconds) + int64(v.SubSecondNanos)/1e9
	nanos := int64(v.SubSecondNanos) % 1e9
	switch { // seconds and nanos have one sign
	case seconds > 0 && nanos < 0:
		seconds, nanos = seconds-1, nanos+1e9
	case seconds < 0 && nanos > 0:
		seconds, nanos = seconds+1, nanos-1e9
	}
	ms, m := signed(months)
	_, d := signed(int64(v.Days))
	ts, t := signed(seconds)
	if seconds == 0 {
		ts, _ = signed(nanos)
	}
	_, n := signed(nanos)
	if m > maxIntervalMonths || d > maxIntervalDays || t > maxIntervalSeconds || t == maxIntervalSeconds && n > 0 {
		return "", errors.New(
			"the interval is outside BigQuery's range of 10000 years, 3660000 days and 87840000 hours either way")
	}
	return fmt.Sprintf("%s%d-%d %d %s%d:%d:%d%s",
		ms, m/12, m%12, v.Days, ts, t/3600, t/60%60, t%60, fractionText(int(n))), nil
}

func signed(n int64) (sign string, abs int64) {
	if n < 0 {
		return "-", -n
	}
	return "", n
}

var errInterval = errors.New("not of the form Y-M D H:M:S[.F]")

// parseInterval parses BigQuery's text. Each number has the sign of its part.
func parseInterval(text string) (bigquery.IntervalValue, error) {
	var v bigquery.IntervalValue
	parts := strings.Split(text, " ")
	if len(parts) != 3 {
		return v, errInterval
	}
	months, negative := strings.CutPrefix(parts[0], "-")
	if !intervalNumbers(months, "-", negative, &v.Years, &v.Months) {
		return v, errInterval
	}
	days, negative := strings.CutPrefix(parts[1], "-")
	if !intervalNumbers(days, "", negative, &v.Days) {
		return v, errInterval
	}
	clock, negative := strings.CutPrefix(parts[2], "-")
	clock, fraction, dot := strings.Cut(clock, ".")
	if dot && (fraction == "" || len(fraction) > 9) {
		return v, errInterval
	}
	fraction += strings.Repeat("0", 9-len(fraction))
	if !intervalNumbers(clock, ":", negative, &v.Hours, &v.Minutes, &v.Seconds) ||
		!intervalNumbers(fraction, "", negative, &v.SubSecondNanos) {
		return v, errInterval
	}
	return v, nil
}

// intervalNumbers parses as many numbers as into has elements, all with one sign.
func intervalNumbers(text, between string, negative bool, into ...*int32) bool {
	numbers := []string{text}
	if between != "" {
		numbers = strings.Split(text, between)
	}
	if len(numbers) != len(into) {
		return false
	}
	for i, number := range numbers {
		n, err := strconv.ParseUint(number, 10, 31)
		if err != nil {
			return false
		}
		if *into[i] = int32(n); negative {
			*into[i] = -int32(n)
		}
	}
	return true
}
