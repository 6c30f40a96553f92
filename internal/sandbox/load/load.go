// Package load reads rows from the bytes of a load job and of
// tabledata.insertAll: lines of JSON, CSV and Parquet. It converts them to
// values of a table's columns, or detects the columns.
package load

import (
	"fmt"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Options describe the data of a load job. Except for the delimiter and the quote, the zero value
// is BigQuery's default.
type Options struct {
	// Columns are the columns of the table; nil requests autodetection.
	Columns             []googlesql.Column
	IgnoreUnknownValues bool
	// MaxBadRecords is how many bad rows are allowed. They are left out.
	MaxBadRecords int64

	// Of CSV.
	Delimiter           byte
	Quote               string // "" for none
	SkipLeadingRows     int
	NullMarker          string
	AllowJaggedRows     bool
	AllowQuotedNewlines bool
}

// Rows are the rows that were read.
type Rows struct {
	Columns []googlesql.Column
	// Values has a value for each column and row. A value without a Type stands for the column's
	// default.
	Values     [][]engine.Value
	BadRecords int64
	// Problems are the problems of bad rows.
	Problems []string
}

// Problem is the problem of a value, with BigQuery's text. The path of its field has dots.
type Problem struct {
	Field, Message string
}

func (p *Problem) Error() string { return p.Message }

func problemf(field, format string, args ...any) *Problem {
	return &Problem{field, fmt.Sprintf(format, args...)}
}

// bad counts a bad row. It reports whether the job continues.
func (r *Rows) bad(o *Options, problem string) bool {
	r.BadRecords++
	if len(r.Problems) < 10 {
		r.Problems = append(r.Problems, problem)
	}
	return r.BadRecords <= o.MaxBadRecords
}

// TooMany returns the error of a job with too many bad rows, or "".
func (r *Rows) TooMany(format string, o *Options) string {
	if r.BadRecords <= o.MaxBadRecords {
		return ""
	}
	return fmt.Sprintf("Error while reading data, error message: %s table encountered too many errors, giving up. "+
		"Rows: %d; errors: %d. Please look into the errors[] collection for more details.", format,
		int64(len(r.Values))+r.BadRecords, r.BadRecords)
}

func null(t googlesql.Type) engine.Value {
	return engine.Value{Type: t, Null: t.Kind != googlesql.Array}
}

func join(path, name string) string { return strings.TrimPrefix(path+"."+name, ".") }
