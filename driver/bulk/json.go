package bulk

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A load job gets the rows of the Write API as lines of JSON.

var errMessage = errors.New("malformed message")

// appendJSON appends a message as a JSON object. null has the columns that are written as null if
// the message has no value for them; others are left out, so that they get their default values.
func appendJSON(out []byte, columns []*column, message []byte, null func(i int) bool) ([]byte, error) {
	values := make([][][]byte, len(columns)) // the elements of each field, in the order of the message
	for len(message) > 0 {
		number, typ, n := protowire.ConsumeTag(message)
		if n < 0 || int(number) > len(columns) {
			return out, errMessage
		}
		size := protowire.ConsumeFieldValue(number, typ, message[n:])
		if size < 0 {
			return out, errMessage
		}
		values[number-1] = append(values[number-1], message[n:n+size])
		message = message[n+size:]
	}
	out = append(out, '{')
	first := true
	var err error
	for i, c := range columns {
		if len(values[i]) == 0 && !null(i) {
			continue
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		name, err := json.Marshal(c.name)
		if err != nil {
			return out, err
		}
		out = append(append(out, name...), ':')
		switch {
		case c.repeated():
			out = append(out, '[')
			for j, v := range values[i] {
				if j > 0 {
					out = append(out, ',')
				}
				if out, err = c.appendValue(out, v); err != nil {
					return out, err
				}
			}
			out = append(out, ']')
		case len(values[i]) == 0:
			out = append(out, "null"...)
		default:
			if out, err = c.appendValue(out, values[i][0]); err != nil {
				return out, err
			}
		}
	}
	return append(out, '}'), err
}

// appendValue appends a value in the format of load jobs.
func (c *column) appendValue(out, value []byte) ([]byte, error) {
	switch c.typ {
	case "INT64", "BOOL", "DATE", "TIMESTAMP":
		if c.picos {
			break
		}
		v, n := protowire.ConsumeVarint(value)
		if n < 0 {
			return out, errMessage
		}
		return appendNumber(out, c.typ, v), nil
	case "FLOAT64":
		bits, n := protowire.ConsumeFixed64(value)
		if n < 0 {
			return out, errMessage
		}
		return appendFloat(out, math.Float64frombits(bits)), nil
	}
	v, n := protowire.ConsumeBytes(value)
	if n < 0 {
		return out, errMessage
	}
	switch c.typ {
	case "STRUCT":
		return appendJSON(out, c.fields, v, func(int) bool { return true })
	case "RANGE":
		return appendJSON(out, c.ends(), v, func(int) bool { return true })
	case "BYTES":
		return append(base64.StdEncoding.AppendEncode(append(out, '"'), v), '"'), nil
	case "JSON":
		line := bytes.NewBuffer(out)
		err := json.Compact(line, v) // without line breaks
		return line.Bytes(), err
	}
	text, err := json.Marshal(string(v))
	return append(out, text...), err
}

// appendNumber appends a number of a message. 64-bit integers are written as text, because JSON
// parsers round them.
func appendNumber(out []byte, typ string, v uint64) []byte {
	switch typ {
	case "BOOL":
		return strconv.AppendBool(out, v != 0)
	case "DATE":
		return time.Unix(int64(v)*24*60*60, 0).UTC().AppendFormat(out, `"2006-01-02"`)
	case "TIMESTAMP":
		return time.UnixMicro(int64(v)).UTC().AppendFormat(out, `"2006-01-02T15:04:05.999999Z"`)
	}
	return append(strconv.AppendInt(append(out, '"'), int64(v), 10), '"')
}

func appendFloat(out []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(out, `"NaN"`...)
	case math.IsInf(f, 0):
		return fmt.Appendf(out, `"%s"`, map[bool]string{true: "Infinity", false: "-Infinity"}[f > 0])
	}
	return strconv.AppendFloat(out, f, 'g', -1, 64)
}
