package gormdialect

import "errors"

var (
	// ErrNestedTransaction means that a transaction was begun in a transaction, with Config.RefuseNestedTransactions.
	ErrNestedTransaction = errors.New(
		"gormdialect: BigQuery has no savepoints: a transaction can't be begun in a transaction",
	)
	// ErrReturning means that a statement has a clause.Returning.
	ErrReturning = errors.New("gormdialect: BigQuery has no RETURNING: read the rows by a query of their own")
	// ErrAutoIncrement means that a row needs a number that only a database with AUTO_INCREMENT would make.
	ErrAutoIncrement = errors.New("gormdialect: BigQuery has no auto-increment")
	// ErrLocking means that a query has a clause.Locking, such as FOR UPDATE.
	ErrLocking = errors.New(
		"gormdialect: BigQuery has no row locks: leave out clause.Locking; a transaction reads a snapshot",
	)
	// ErrNoIndex means that an index was to be made, dropped or renamed.
	ErrNoIndex = errors.New(
		"gormdialect: BigQuery has no indexes on columns: cluster the table by them, with the tag gorm:\"cluster\"",
	)
	// ErrOnConflict means that a clause.OnConflict says what MERGE can't do.
	ErrOnConflict = errors.New("gormdialect: MERGE can't do what clause.OnConflict says")
)
