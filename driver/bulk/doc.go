// Package bulk writes many rows into a BigQuery table: Go structs, plain rows
// or Arrow record batches. It uses the Storage Write API, with the sign-in of a
// database of package driver.
//
//	type Name struct {
//		Name  string
//		Born  civil.Date
//		Total *int64 `bigquery:"total"` // nil is NULL
//	}
//	result, err := bulk.AppendSlice(ctx, db, "my_dataset.names", []Name{...})
//
// The table must exist. By default either all rows are written or none: they go
// into a pending stream, which is committed at the end. With [Committed] rows
// can be queried as soon as they are acknowledged, each exactly once; that is
// for input that does not end. If the Write API can't be used, because a
// permission is missing or the network blocks gRPC, a load job writes the same
// rows, also all or none. Result.Fallback says why. A load job makes NULL of
// JSON's null. Append takes no transaction, because BigQuery's transactions
// have no write streams and no load jobs: in one, use INSERT.
//
// # Rows
//
// The fields of a struct are matched with the columns of the table by name,
// without regard to case, or by the tag `bigquery:"name"`, as for driver.As and
// struct arguments. A field without a column is an error; the tag
// `bigquery:"-"` leaves a field out. A column without a field gets its default
// value, or NULL; if it is REQUIRED and has no default, that is an error. A nil
// pointer, an invalid sql.Null and a nil interface are NULL, also in a column
// with a default value. A []any has a value for each column of the table, in
// order. A map[string]any and a driver.Struct have values by name, and missing
// values are NULL.
//
// Each value is checked against its column before it is sent: its type and
// range, the length of a STRING(n), the digits of a NUMERIC, NULL in a REQUIRED
// column or in an ARRAY. An error names the row, counted from 1, and the
// column. TIME, DATE and DATETIME columns accept civil values, texts in
// BigQuery's format and a time.Time, whose wall-clock time they get.
// Times are cut to microseconds, except in a TIMESTAMP(12), which keeps the
// nanoseconds of a time.Time and all twelve digits of a text, and of an any
// with a value of a query. A json.Number, as json.Decoder.UseNumber reads it,
// goes into columns for numbers with all its digits.
//
// # Memory and speed
//
// Rows are sent in requests of about 1 MiB. At most 8 requests wait for their
// acknowledgement. Append reads the rows no faster than that. If the connection
// breaks, or nothing is acknowledged for some 40 seconds, it is reopened and
// continues at the first row that was not acknowledged.
//
// # Errors
//
// Errors are those of package driver. If the answer to the commit was lost and
// BigQuery can't be asked about it, the error matches driver.ErrOutcomeUnknown.
// With [Committed], Result.Rows is the number of rows in the table, also after
// an error.
package bulk
