// Package gormdialect is the dialect that GORM needs to work with BigQuery
// through package driver.
//
//	db, err := gorm.Open(gormdialect.Open("bigqueryuser://my-project/my_dataset?client_secrets=client_secrets.json"))
//
// Use a connector of package driver for client secrets embedded in the program,
// or for a logger:
//
//	db, err := gorm.Open(gormdialect.New(gormdialect.Config{Conn: sql.OpenDB(connector)}))
//
// # Models
//
// Go types become column types. The tag type: adds what the Go type does not
// determine:
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
// Names of types from other databases (varchar(20), bigint, jsonb, bytea,
// timestamptz, uuid ...) become BigQuery's. A slice or struct without a tag is
// a relation for GORM, so ARRAY and STRUCT need the tag.
//
// Other tags are partition, partition:MONTH (or HOUR, DAY, YEAR), and
// partition:0,1000,10 for an INT64; cluster, or cluster:2 with a position;
// comment:text; and options:text for the OPTIONS of a column. The method
// BigQueryTable of a model ([Tabler]) sets more, and so does
// db.Set("gorm:table_options", "OPTIONS(...)").
//
// # Keys
//
// BigQuery has no auto-increment, and an INSERT returns no row. So the dialect
// makes keys in the program, when a row with a zero key is created: a UUID
// (version 7) for a string or a uuid.UUID, and a number that grows with time
// for an int64 or uint, with or without the tag autoIncrement. gorm.Model
// works. The numbers have 63 bits, so JavaScript must read them as text (the
// tag json:",string"). Config.NewKey makes other keys. The tag autoIncrement on
// a field that is not the key, and clause.Returning, are errors.
//
// Keys of tables are NOT ENFORCED: BigQuery accepts a second row with the same
// key. Its optimizer relies on keys nevertheless; Config.WithoutKeys omits
// them. A key that BigQuery does not allow is omitted: a foreign key to its own
// table or to another dataset, or columns of FLOAT64, BYTES or TIME.
//
// # Statements
//
// clause.OnConflict becomes MERGE, or a plain INSERT if the keys were just made
// and so can't be in the table yet. UPDATE and DELETE without a condition fail
// with gorm.ErrMissingWhereClause, as usual; with AllowGlobalUpdate they get
// WHERE TRUE. GORM makes a list of parameters of a slice; [Param] passes it as
// one ARRAY. A value for a column has the column's type, so that BigQuery need
// not be asked for the type of a NULL or a time.
//
// Find, First, Take, Preload and Joins read ARRAY and STRUCT.
// db.Raw("...").Find does too. db.Raw("...").Scan, and Scan into another struct
// than the model, read them into a type that one of these functions or
// AutoMigrate has seen before, or whose fields have the tag
// serializer:bigquery.
//
// # Transactions
//
// GORM runs each Create, Update and Delete in a transaction, which takes three
// requests instead of one, and a session before the first. Set
// gorm.Config{SkipDefaultTransaction: true} if changes are single statements. A
// transaction that conflicts with another one on the same table fails with
// driver.ErrConcurrentUpdate; [RunTransaction] runs it again. BigQuery has no
// savepoints: a transaction inside a transaction joins it, and an error in it
// rolls back both, or it is refused (Config.RefuseNestedTransactions). DDL is
// not allowed in transactions.
//
// # Tables
//
// AutoMigrate creates tables, adds columns (NULLABLE ones, because BigQuery
// adds no others) and foreign keys, widens types, changes comments and defaults
// (the tag default:null drops one) and drops NOT NULL. It drops no columns: use
// Migrator().DropColumn. BigQuery has no indexes on columns, no unique
// constraints and no checks. AutoMigrate omits them, and warns of those that
// would have been enforced.
package gormdialect
