// Package load reads rows from the bytes of a load job and of
// tabledata.insertAll: lines of JSON, CSV and Parquet. It makes them values of
// a table's columns, or finds the columns itself.
package load

import (
	"fmt"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/engine"
	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Options are what a load job says of its data. The zero value is BigQuery's default, except the delimiter and the
// quote.
type Options struct {
	// Columns are those of the table; nil asks for autodetection.
	Columns             []googlesql.Column
	IgnoreUnknownValues bool
	// MaxBadRecords is how many rows may be wrong; they are left out.
	MaxBadRecords int64

	// Of CSV.
	Delimiter           byte
	Quote               string // "" for none
	SkipLeadingRows     int
	NullMarker          string
	AllowJaggedRows     bool
	AllowQuotedNewlines bool
}

// Rows is what was read.
type Rows struct {
	Columns []googlesql.Column
	// Values has one for each column and row. One without a Type stands for the column's default.
	Values     [][]engine.Value
	BadRecords int64
	// Problems are those of the rows that are wrong.
	Problems []string
}

// Problem is what is wrong with a value, in BigQuery's words. It is of a field, whose path has dots.
type Problem struct {
	Field, Message string
}

func (p *Problem) Error() string { return p.Message }

func problemf(field, format string, args ...any) *Problem {
	return &Problem{field, fmt.Sprintf(format, args...)}
}

// bad counts a row that is wrong. It reports whether the job goes on.
func (r *Rows) bad(o *Options, problem string) bool {
	r.BadRecords++
	if len(r.Problems) < 10 {
		r.Problems = append(r.Problems, problem)
	}
	return r.BadRecords <= o.MaxBadRecords
}

// TooMany returns the error of a job with too many bad rows, "" for one with few
// enough.
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
