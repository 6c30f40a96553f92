// Package gormdialect is the dialect that GORM needs to work with BigQuery through package driver.
//
//	db, err := gorm.Open(gormdialect.Open("bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json"))
//
// With a connector of package driver, for client secrets in the program or a logger:
//
//	db, err := gorm.Open(gormdialect.New(gormdialect.Config{Conn: sql.OpenDB(connector)}))
//
// # Models
//
// Go types become column types, and the tag type: says what Go does not:
//
//	bool, ints, floats, string, []byte       BOOL, INT64, FLOAT64, STRING, BYTES; STRING(n) and BYTES(n) with size:n
//	time.Time                                TIMESTAMP; with type:DATE, type:DATETIME or type:TIME that
//	civil.Date, civil.DateTime, civil.Time   DATE, DATETIME, TIME
//	float64 or string, precision:10;scale:2  NUMERIC(10, 2), or BIGNUMERIC where more digits are wanted
//	*big.Rat, string, type:NUMERIC(10,2)     NUMERIC(10, 2)
//	json.RawMessage                          JSON
//	any type, type:JSON                      JSON, by encoding/json
//	[]string, []time, type:ARRAY             ARRAY<...> of the Go type; no Scan method is needed
//	a struct, type:STRUCT                    STRUCT<...> of its fields, named as driver.As names them
//	[]struct, type:ARRAY                     ARRAY<STRUCT<...>>
//	bigquery.NullInt64, type:INT64; ...      the type of the name
//
// Names of types from other databases (varchar(20), bigint, jsonb, bytea, timestamptz, uuid ...) become BigQuery's.
// GORM decides by itself that a slice or struct without a tag is a relation, so the tag is needed.
//
// Other tags: partition, partition:MONTH (HOUR, DAY, YEAR), partition:0,1000,10 of an INT64; cluster, cluster:2 for a
// position; comment:text; options:text for the OPTIONS of a column. A model with the method BigQueryTable says more
// ([Tabler]), and so does db.Set("gorm:table_options", "OPTIONS(...)").
//
// # Keys
//
// BigQuery counts nothing up and returns no row of an INSERT, so keys are made in the program, when a
// row is created whose key is zero: a UUID (version 7) for a string or a uuid.UUID, a number that
// grows with time for an int64 or uint, with the tag autoIncrement or without. gorm.Model works. The numbers have 63
// bits, so JavaScript must read them as text (the tag json:",string"). Config.NewKey makes other keys. The tag
// autoIncrement of a field that is not the key is refused, and so is clause.Returning.
//
// Keys of tables are NOT ENFORCED: nothing keeps a second row of the same key out but the program. The optimizer relies
// on them all the same; Config.WithoutKeys leaves them out.
//
// # Statements
//
// clause.OnConflict becomes MERGE; for rows whose keys were made just now, which are in no table, a plain INSERT.
// UPDATE and DELETE without a condition fail with gorm.ErrMissingWhereClause as elsewhere; with AllowGlobalUpdate they
// get WHERE TRUE. A slice is a list of parameters for GORM; [Param] makes one ARRAY of it.
// Values that are written into a column have its type, so that NULLs and times need no question to BigQuery.
//
// ARRAY and STRUCT are read by Find, First, Take, Preload and Joins. db.Raw("...").Scan, and Scan into another
// struct than the model, read them into a type that one of these, or AutoMigrate, has seen before, or whose fields have
// the tag serializer:bigquery; db.Raw("...").Find always does.
//
// # Transactions
//
// GORM runs each Create, Update and Delete in a transaction, which makes three requests of one, and a
// session before the first: gorm.Config{SkipDefaultTransaction: true} is the better setting where a
// change is one statement. A transaction that another one's change of the same table has spoilt fails
// with driver.ErrConcurrentUpdate; [RunTransaction] runs it again. There are no savepoints: a
// transaction in a transaction joins it, and its error rolls back both, or it is refused
// (Config.RefuseNestedTransactions). DDL can't stand in a transaction.
//
// # Tables
//
// AutoMigrate creates tables, adds columns (NULLABLE ones: BigQuery adds no others) and foreign keys, widens types and
// drops NOT NULL. It drops no column: Migrator().DropColumn does. BigQuery has no indexes on columns, no unique
// constraints and no checks: AutoMigrate leaves them out, with a warning for what it would have enforced.
package gormdialect
