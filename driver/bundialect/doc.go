// Package bundialect is the dialect that bun needs to work with BigQuery through package driver.
//
//	sqldb, err := sql.Open("bigqueryuser", "bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json")
//	db := bun.NewDB(sqldb, bundialect.New())
//
// # Literals
//
// bun writes arguments into the text of a statement. In GoogleSQL a quote in a string is escaped by a backslash, and so
// is a backslash; a dialect of another database doubles the quote instead, which ends the string. With sqlitedialect or
// pgdialect a value can inject SQL into BigQuery: use this one. Names are quoted by bun itself, which knows no
// backslash: don't give bun.Ident or bun.Name text of strangers.
//
// # Models
//
// Go types become column types; a tag type: names another one, and names of other databases' types
// (varchar, bigint, jsonb, timestamptz, uuid) become BigQuery's. Slices, maps and structs are JSON, as
// everywhere in bun, unless the tag is array or type:ARRAY for a slice, or type:STRUCT for a struct:
// those are read and written as ARRAY and STRUCT of the Go type, without a Scan method, by the names
// of driver.As. civil.Date, civil.DateTime, civil.Time, *big.Rat and json.RawMessage are DATE,
// DATETIME, TIME, NUMERIC and JSON; a time.Time with type:date is a DATE.
//
// CREATE TABLE has its keys NOT ENFORCED, of relations too (WithForeignKeys), and leaves unique out,
// of which BigQuery has nothing. An integer key with the tag autoincrement, and a UUID key with
// default:gen_random_uuid(), are made in the program when a row is inserted, since BigQuery neither
// counts nor returns rows: the model has the key afterwards.
//
// # Statements
//
// There is no RETURNING and no ON CONFLICT: NewMerge is BigQuery's way. Bulk() writes VALUES, which
// GoogleSQL has not in a WITH: [BulkUpdate] is the same by UNNEST. UPDATE and DELETE need Where;
// Where("TRUE") is all rows. An OFFSET needs a LIMIT. NewAddColumn takes ColumnExpr("COLUMN name
// STRING"), since bun leaves the word out. Savepoints, and so transactions in transactions, are
// refused by BigQuery.
//
// # Fixtures and migrations
//
// dbfixture works. bun's migrate does too, without WithUpsert; its Lock relies on a unique constraint, and so locks
// nothing in BigQuery: use [Lock].
package bundialect
