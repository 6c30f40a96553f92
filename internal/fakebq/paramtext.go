package fakebq

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// scalarTypes are the types of parameters other than ARRAY, STRUCT and RANGE, with the texts that
// they accept.
var scalarTypes = map[string]func(string) bool{
	"INT64": func(s string) bool { _, err := strconv.ParseInt(s, 10, 64); return err == nil },
	"FLOAT64": func(s string) bool {
		_, err := strconv.ParseFloat(s, 64)
		return err == nil && !strings.ContainsAny(s, "xX_")
	},
	"BOOL":       func(s string) bool { return strings.EqualFold(s, "true") || strings.EqualFold(s, "false") },
	"STRING":     func(string) bool { return true },
	"BYTES":      func(s string) bool { _, err := base64.StdEncoding.DecodeString(s); return err == nil },
	"NUMERIC":    decimal.MatchString,
	"BIGNUMERIC": decimal.MatchString,
	"DATE":       clockText(`2006-1-2`),
	"TIME":       clockText(`15:4:5`),
	"DATETIME":   clockText(`2006-1-2 15:4:5`, `2006-1-2T15:4:5`, `2006-1-2`),
	"TIMESTAMP": clockText(
		`2006-1-2 15:4:5`, `2006-1-2T15:4:5`, `2006-1-2 15:4:5Z07:00`, `2006-1-2T15:4:5Z07:00`, `2006-1-2 15:4:5Z07`,
		`2006-1-2 15:4:5 MST`, `2006-1-2`,
	),
	"INTERVAL":  interval.MatchString,
	"GEOGRAPHY": func(string) bool { return true },
	"JSON":      func(s string) bool { return json.Valid([]byte(s)) },
}

var (
	decimal  = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$`)
	interval = regexp.MustCompile(`^[+-]?[0-9]+-[0-9]+ [+-]?[0-9]+ [+-]?[0-9]+:[0-9]+:[0-9]+(\.[0-9]{1,9})?$`)
	// picosText also is a text of a TIMESTAMP with precision 12.
	picosText = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{7,12}(Z|\+00:00)$`)
	fraction  = regexp.MustCompile(`[0-9]\.[0-9]{7}`)
)

// clockText accepts the texts of the layouts. Seconds have at most six decimals, and years four
// digits.
func clockText(layouts ...string) func(string) bool {
	return func(s string) bool {
		if fraction.MatchString(s) {
			return false
		}
		for _, layout := range layouts {
			if t, err := time.Parse(layout, s); err == nil && (t.Year() >= 1 || !strings.HasPrefix(layout, "2006")) {
				return true
			}
		}
		return false
	}
}
