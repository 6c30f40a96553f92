package driver

import (
	"fmt"

	bq "google.golang.org/api/bigquery/v2"
)

const (
	// maxParameters is how many parameters a statement can have.
	maxParameters = 10_000
	// maxArgumentBytes is how large the values of a request can be: more than that is no request
	// that BigQuery takes.
	maxArgumentBytes = 10 << 20
)

// checkSize refuses arguments that BigQuery takes in no case.
func checkSize(args []namedArgument) error {
	if len(args) > maxParameters {
		return fmt.Errorf(
			"bigqueryuser: the statement has %d arguments, and BigQuery takes %d at most: pass a slice, for UNNEST, "+
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
			"bigqueryuser: the arguments are %.1f MB, and BigQuery takes 10 MB a request: %v has %.1f MB; "+
				"bulk.Append writes any number of rows",
			float64(total)/1e6,
			&args[at],
			float64(largest)/1e6,
		)
	}
	return nil
}

// size is how many bytes of the request the value takes at least.
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
