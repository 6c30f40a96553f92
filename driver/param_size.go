package driver

import (
	"fmt"

	bq "google.golang.org/api/bigquery/v2"
)

const (
	// maxParameters is the number of parameters that a statement can have.
	maxParameters = 10_000
	// maxArgumentBytes bounds the values of a request, which BigQuery limits to this size.
	maxArgumentBytes = 10 << 20
)

// checkSize returns an error for arguments that are too many or too large for any request.
func checkSize(args []namedArgument) error {
	if len(args) > maxParameters {
		return fmt.Errorf(
			"bigqueryuser: arguments: %d, but a statement can have %d: pass a slice, for UNNEST, "+
				"or write many rows with bulk.Append",
			len(args),
			maxParameters,
		)
	}
	total, largest, at := 0, 0, 0
	for i := range args {
		size := args[i].size()
		if total += size; size > largest {
			largest, at = size, i
		}
	}
	if total > maxArgumentBytes {
		return fmt.Errorf(
			"bigqueryuser: the arguments have %.1f MB, of which %v has %.1f MB, but a request can have 10 MB: "+
				"bulk.Append writes any number of rows",
			float64(total)/1e6,
			&args[at],
			float64(largest)/1e6,
		)
	}
	return nil
}

// size returns a lower bound of the bytes that the value takes in a request.
func (a *argument) size() int {
	if a.value != nil {
		return valueSize(a.value)
	}
	n := len("{}")
	for i := range a.parts {
		n += len(a.parts[i].name) + len(",") + a.parts[i].size()
	}
	return n
}

func valueSize(v *bq.QueryParameterValue) int {
	n := len(`{"value":""}`) + len(v.Value)
	for _, e := range v.ArrayValues {
		n += len(",") + valueSize(e)
	}
	for name, f := range v.StructValues {
		n += len(name) + len(`"":,`) + valueSize(&f)
	}
	return n
}
