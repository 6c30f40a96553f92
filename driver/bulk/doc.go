// Package bulk writes many rows into a BigQuery table: Go structs, plain rows or Arrow, through
// the Storage Write API with the sign-in of a database of package driver.
//
//	type Name struct {
//		Name  string
//		Born  civil.Date
//		Total *int64 `bigquery:"total"` // nil is NULL
//	}
//	result, err := bulk.AppendSlice(ctx, db, "my_dataset.names", []Name{...})
//
// The table must be there. By default all rows are written or none: they go into a pending
// stream, which is committed at the end. With [Committed] rows can be queried as soon as they
// are acknowledged, each exactly once; that is for input without an end. Where the Write API
// can't be used, because a permission is missing or the network lets no gRPC through, the same
// rows go by a load job, which is atomic as well; Result.Fallback says why.
//
// # Rows
//
// A struct's fields are matched with the table's columns by name, without regard to case, or by
// the tag `bigquery:"name"`, as for driver.As and struct arguments. A field without a column is
// an error: leave it out by the tag `bigquery:"-"`. A column without a field gets its default
// value, or NULL; if it is REQUIRED and has no default, that is an error. A nil pointer, an
// invalid sql.Null and a nil interface are NULL, also in a column with a default value. A []any
// has a value for each column of the table, in their order. A map[string]any and a
// driver.Struct have values by name; what a row leaves out is NULL.
//
// Each value is checked against its column before it is sent: its type, its range, the length
// of a STRING(n), the digits of a NUMERIC, NULL in a REQUIRED column or in an ARRAY. An error
// names the row, counted from 1, and the column. TIME, DATE and DATETIME columns take civil
// values, texts in BigQuery's form and, by its wall clock, a time.Time. Times are cut to
// microseconds, but for TIMESTAMP(12), which keeps a time.Time's nanoseconds, or all twelve
// digits of a text.
//
// # Memory and speed
//
// Rows are sent in requests of about 1 MiB, of which 8 at most wait for their acknowledgement;
// the caller's rows are taken no faster than that. A stream that breaks, or
// that acknowledges nothing for a minute, goes on at the first row that was not acknowledged.
//
// # Errors
//
// They are those of package driver. If the answer to the commit was lost and BigQuery can't be
// asked for what became of it, the error is driver.ErrOutcomeUnknown. With a committed stream
// Result.Rows says how many rows are in the table, also beside an error.
package bulk
