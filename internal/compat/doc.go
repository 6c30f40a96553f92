// Package compat holds libraries that people use on top of database/sql against
// the driver and the sandbox, unmodified and at their current versions. Its
// tests are what a program has to know:
//
//	sqlx      nothing: sqlx leaves the ? of drivers that it does not know. STRUCT columns need a type with a
//	          Scan method, as home in sandbox_test.go has; columns can't be called "a.b"
//	scany     dbscan.WithColumnSeparator("__") for nested structs: BigQuery allows no dot in a column's name
//	squirrel  nothing: its placeholders are ?
//	goqu      a dialect, as in goqu_test.go; its escapes keep text that is written into a statement from ending it
//	otelsql   nothing; driver.Identity and driver.Estimate look under its connections
//
//	GORM      driver/gormdialect
//	bun       driver/bundialect, and no other dialect: values are written into the text
//	migrate   driver/migrate: golang-migrate's own tests of a driver, goose, two programs at once
//	ent       its sql builder with the dialect of MySQL
//	xorm      twelve lines, as in xorm_test.go, and no Sync
//	dburl     the scheme, as in dburl_test.go
//
// Others are idioms of programs that were written for other databases, and
// steps of a schema as migration tools run them: DDL outside of a transaction,
// since BigQuery has none in one.
package compat
