package gormdialect

import "errors"

var (
	// ErrNestedTransaction means that a transaction was begun inside a transaction, with
	// Config.RefuseNestedTransactions.
	ErrNestedTransaction = errors.New(
		"gormdialect: a transaction can't be begun inside a transaction, because BigQuery has no savepoints",
	)
	// ErrReturning means that a statement has a clause.Returning.
	ErrReturning = errors.New("gormdialect: BigQuery has no RETURNING: read the rows with a query")
	// ErrAutoIncrement means that a row needs a number that only a database with AUTO_INCREMENT
	// generates.
	ErrAutoIncrement = errors.New("gormdialect: BigQuery has no auto-increment")
	// ErrLocking means that a query has a clause.Locking, such as FOR UPDATE.
	ErrLocking = errors.New(
		"gormdialect: BigQuery has no row locks: leave out clause.Locking; a transaction reads a snapshot",
	)
	// ErrNoIndex means that an index was to be created, dropped or renamed.
	ErrNoIndex = errors.New(
		"gormdialect: BigQuery has no indexes on columns: cluster the table by them, with the tag gorm:\"cluster\"",
	)
	// ErrOnConflict means that a clause.OnConflict can't be written as MERGE.
	ErrOnConflict = errors.New("gormdialect: clause.OnConflict can't be written as MERGE")
)
