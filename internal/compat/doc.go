// Package compat holds libraries that people use on top of database/sql against the driver and
// the sandbox, unmodified and at their current versions. Its tests are what a program has to
// know:
//
//	sqlx      nothing: sqlx leaves the ? of drivers that it does not know. STRUCT columns need a type with a
//	          Scan method, as home in sandbox_test.go has; columns can't be called "a.b"
//	scany     dbscan.WithColumnSeparator("__") for nested structs: BigQuery allows no dot in a column's name
//	squirrel  nothing: its placeholders are ?
//	goqu      a dialect, as in goqu_test.go; its escapes keep text that is written into a statement from ending it
//	otelsql   nothing; driver.Identity and driver.Estimate look under its connections
//
// Others are idioms of programs that were written for other databases, and steps of a schema as
// migration tools run them: DDL outside of a transaction, since BigQuery has none in one.
package compat
