// Package bundialect is the dialect that bun needs to work with BigQuery
// through package driver.
//
//	sqldb, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
//	db := bun.NewDB(sqldb, bundialect.New())
//
// # Literals
//
// bun writes arguments into the text of a statement. GoogleSQL escapes a quote
// in a string by a backslash, and a backslash too. Dialects of other databases
// double the quote instead, which ends the string: with sqlitedialect or
// pgdialect a value can inject SQL into BigQuery. Use this dialect. bun itself
// quotes names, and does not escape backslashes: never pass untrusted text to
// bun.Ident or bun.Name.
//
// # Models
//
// Go types become column types. The tag type: chooses another one; names of
// other databases' types (varchar, bigint, jsonb, timestamptz, uuid) become
// BigQuery's. Slices, maps and structs are JSON, as with other dialects, unless
// the tag is array or type:ARRAY for a slice, or type:STRUCT for a struct.
// Those are read and written as ARRAY and STRUCT, need no Scan method, and have
// the field names of driver.As. civil.Date, civil.DateTime, civil.Time,
// *big.Rat and json.RawMessage are DATE, DATETIME, TIME, NUMERIC and JSON. A
// time.Time with type:date is a DATE.
//
// CREATE TABLE makes keys NOT ENFORCED, also those of relations
// (WithForeignKeys). A key that BigQuery does not allow is omitted: one of
// FLOAT64, BYTES or TIME, and a foreign key that refers to its own table, to
// another dataset, or to other columns than the primary key. The text of a
// ForeignKey must end with NOT ENFORCED. CREATE TABLE omits unique, which
// BigQuery does not have. BigQuery has no auto-increment and no RETURNING, so
// an integer key with the tag autoincrement, and a UUID key with
// default:gen_random_uuid(), get their values in the program when a row is
// inserted. The model has the key afterwards.
//
// # Statements
//
// BigQuery has no ON CONFLICT: [Upsert] inserts models or updates their rows by
// MERGE, and NewMerge writes any other. BigQuery has no RETURNING and no INSERT
// IGNORE: bun omits Returning and Ignore without an error, so that Ignore
// inserts a second row with the same key. Bulk() writes VALUES, which GoogleSQL
// does not allow in a WITH: use [BulkUpdate]. Union writes UNION without
// DISTINCT, which GoogleSQL does not allow: use UnionAll. UPDATE and DELETE
// need Where; Where("TRUE") is for all rows. An OFFSET needs a LIMIT.
// NewAddColumn needs ColumnExpr("COLUMN name STRING"), because bun omits the
// word COLUMN. BigQuery has no savepoints, and so no transactions inside
// transactions.
//
// bun writes slices and structs in the arguments of Where and Set as JSON,
// decimals, NaN and the infinities as text, and whole numbers of a float64 as
// INT64, which fails from 9.3e18 on. [Value] writes the literal of the
// argument's type. Leave a blank between a minus sign and its placeholder: bun
// writes the float64 -0 as -0, and two minus signs begin a comment.
//
// # Fixtures and migrations
//
// dbfixture works. So does bun's migrate, without WithUpsert. Its Lock relies
// on a unique constraint and locks nothing in BigQuery: use [Lock].
package bundialect
