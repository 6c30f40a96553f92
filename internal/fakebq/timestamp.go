package fakebq

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	bigquery "google.golang.org/api/bigquery/v2"
)

// Picos is a TIMESTAMP with precision 12, such as 2024-02-29T15:04:05.123456789012Z.
type Picos string

// time returns the value to the nanosecond.
func (p Picos) time() (time.Time, error) {
	t, err := time.Parse("2006-01-02T15:04:05.000000000000Z", string(p))
	if err != nil {
		return t, fmt.Errorf("is a TIMESTAMP and has %q: write twelve digits of a second and a Z", string(p))
	}
	return t, nil
}

// timestampFormat is the format of TIMESTAMP cells.
type timestampFormat int

const (
	floatSeconds timestampFormat = iota // the service's default
	int64Micros                         // useInt64Timestamp, which cuts a precision of 12
	iso8601                             // timestampOutputFormat ISO8601_STRING: twelve digits of a second
	timestampFormats
)

// timestampFormatOf parses the format options of a request.
func timestampFormatOf(int64s bool, output string) (timestampFormat, *Error) {
	switch {
	case output == "ISO8601_STRING" && int64s:
		return 0, &Error{Reason: "invalid", Location: "formatOptions",
			Message: "useInt64Timestamp and timestampOutputFormat ISO8601_STRING exclude each other"}
	case output == "ISO8601_STRING":
		return iso8601, nil
	case int64s || output == "INT64":
		return int64Micros, nil
	case output == "" || output == "FLOAT64" || output == "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED":
		return floatSeconds, nil
	}
	return 0, &Error{Reason: "invalid", Location: "formatOptions.timestampOutputFormat",
		Message: "Invalid value for timestampOutputFormat: " + output}
}

func formatOptions(f *bigquery.DataFormatOptions) (timestampFormat, *Error) {
	if f == nil {
		return floatSeconds, nil
	}
	return timestampFormatOf(f.UseInt64Timestamp, f.TimestampOutputFormat)
}

// timestamp writes a time in the format. Seconds are in E notation, as the service sends them to
// clients that request no other format.
func (c cells) timestamp(t time.Time) string {
	micros := t.UnixMicro()
	switch c.format {
	case int64Micros:
		return strconv.FormatInt(micros, 10)
	case iso8601:
		return t.UTC().Truncate(time.Microsecond).Format("2006-01-02T15:04:05.000000") + strings.Repeat("0", 6) + "Z"
	}
	return eNotation(strconv.FormatFloat(float64(micros)/1e6, 'E', -1, 64))
}

// picos writes a value of precision 12 in the format.
func (c cells) picos(p Picos) (string, error) {
	t, err := p.time()
	if err != nil || c.format == iso8601 {
		return string(p), err
	}
	return c.timestamp(t), nil
}
