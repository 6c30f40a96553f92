// Package wire has the messages of BigQuery's REST API that the sandbox reads or sends. The names are those of the
// discovery document v2; numbers of 64 bits travel as text. It knows how a table's schema and keys are written in
// GoogleSQL, and nothing of what there is: no catalog, no job, no HTTP.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Int64 is a number of 64 bits: sent as text, taken as text or number.
type Int64 int64

// MarshalJSON writes the number as text.
func (n Int64) MarshalJSON() ([]byte, error) {
	return strconv.AppendQuote(nil, strconv.FormatInt(int64(n), 10)), nil
}

// UnmarshalJSON reads the number as text or as a number.
func (n *Int64) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" {
		return nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not a whole number of 64 bits", data)
	}
	*n = Int64(v)
	return nil
}

// Empty reports whether a member of a message has a value that says nothing.
func Empty(value json.RawMessage) bool {
	return slices.Contains([]string{"null", "[]", "{}", `""`, "false", "0", `"0"`}, string(bytes.TrimSpace(value)))
}
