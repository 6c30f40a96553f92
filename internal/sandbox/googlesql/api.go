// Package googlesql translates GoogleSQL, BigQuery's dialect, into DuckDB's
// SQL.
//
// It lexes and parses a statement, resolves every name against a Catalog, gives
// every expression its GoogleSQL type and writes DuckDB text that computes the
// same answer. It refuses what it does not know with an *Error that has the
// position, because it must never give a wrong answer.
package googlesql

import "fmt"

// Kind is a GoogleSQL type name.
type Kind string

// The GoogleSQL types that the sandbox knows, by the names that the REST API's
// standard SQL schema uses.
const (
	Int64      Kind = "INT64"
	Float64    Kind = "FLOAT64"
	Bool       Kind = "BOOL"
	String     Kind = "STRING"
	Bytes      Kind = "BYTES"
	Numeric    Kind = "NUMERIC"
	BigNumeric Kind = "BIGNUMERIC"
	Date       Kind = "DATE"
	Time       Kind = "TIME"
	Datetime   Kind = "DATETIME"
	Timestamp  Kind = "TIMESTAMP"
	Interval   Kind = "INTERVAL"
	JSON       Kind = "JSON"
	Array      Kind = "ARRAY"
	Struct     Kind = "STRUCT"
	Range      Kind = "RANGE"
	// TimestampPicos is a TIMESTAMP to the picosecond.
	TimestampPicos Kind = "TIMESTAMP(12)"
)

// Type is a GoogleSQL type. The zero Type means no type.
type Type struct {
	Kind   Kind
	Elem   *Type   // of an ARRAY; of a RANGE, the type of its ends
	Fields []Field // of a STRUCT
	// Precision and Scale of NUMERIC(p, s); MaxLength of STRING(n) and BYTES(n). Zero: unbounded.
	Precision, Scale, MaxLength int
}

// Field is one field of a STRUCT. Name may be empty.
type Field struct {
	Name string
	Type Type
	// Description is that of OPTIONS in a column's definition.
	Description string
}

// Column is a column of a table or of a result. Required is BigQuery's mode REQUIRED, Default the
// text of a default value, or "". Description is that of OPTIONS in the column's definition; a
// Catalog's columns have none.
type Column struct {
	Name        string
	Type        Type
	Required    bool
	Default     string
	Description string
}

// Key is a PRIMARY KEY or a FOREIGN KEY of a table. BigQuery enforces neither.
type Key struct {
	// Name is pk$ for a PRIMARY KEY and fk$1, fk$2, ... for a FOREIGN KEY without a name.
	Name    string
	Columns []string
	// References is the table of a FOREIGN KEY, nil for a PRIMARY KEY, and Referenced are its columns.
	References *TableName
	Referenced []string
}

// TableName is a table's full name. Project and Dataset are filled in from the
// statement's defaults.
type TableName struct{ Project, Dataset, Table string }

func (t TableName) String() string { return fmt.Sprintf("%s:%s.%s", t.Project, t.Dataset, t.Table) }

// Table is a table of a Catalog.
type Table struct {
	Name    TableName
	Columns []Column
	// SQL is the table's quoted name in DuckDB, or a query in parentheses.
	SQL string
	// View is the query of a view; nil for a table.
	View *View
	// Keys are the table's keys.
	Keys []Key
	// Partition and Cluster are nil for a table without them. RequireFilter requires a filter over
	// the partitions.
	Partition     *Partition
	Cluster       []string
	RequireFilter bool
	// Snapshot reports whether the table is a snapshot, whose rows can't be
	// changed.
	Snapshot bool
	// Refused are columns that BigQuery has and the catalog does not support.
	Refused []string
	// Parts are the tables of a wildcard table. Its query then has the column
	// _TABLE_SUFFIX.
	Parts []TableName
}

// InformationSchema begins the Table of the TableName of a view of INFORMATION_SCHEMA, before its name in
// upper case. The Dataset is then a dataset's, or a region's such as region-us, or "" where the statement
// names neither.
const InformationSchema = "INFORMATION_SCHEMA."

// Catalog resolves tables, and wildcard tables, whose names end with *. An error that is an *Error
// keeps its message; a table that
// does not exist is a nil Table with a nil error.
type Catalog interface {
	Table(name TableName) (*Table, error)
}

// Param is a query parameter. A positional one has no name. A declared one has its
// Type set by the caller; the zero Type asks the translator to infer it.
type Param struct {
	Name string
	Type Type
	// Variable reports whether it stands for the variable of that name instead.
	Variable bool
}

// Variable is a variable that expressions may name, unless a column hides it. The name of
// a system variable begins with @@.
type Variable struct {
	Name string
	Type Type
}

// Options configure the translation of a statement.
type Options struct {
	Catalog        Catalog
	DefaultProject string
	DefaultDataset string // "" = an unqualified table name is an error
	Positional     bool   // parameters are `?`, else `@name`
	Params         []Param
	// as a dry run does: infer the types of parameters not in Params
	AllowUndeclared bool
	SessionUser     string                               // what SESSION_USER() answers
	SchemaSQL       func(project, dataset string) string // DuckDB's quoted schema name of a dataset
	Variables       []Variable
	Part            *Part // nil = the text is one statement
	Want            Type  // of an expression; the zero Type = whatever it has
	// TimeZone is the default time zone, "" for UTC: one that CheckTimeZone takes.
	TimeZone string
	// System has the values of system variables, by name without @@. A missing variable is NULL,
	// unless another option determines it.
	System map[string]string
	// Temp says where temporary tables are; nil outside of scripts and sessions.
	Temp *TempTables
	// Function finds a user's function, or nil; the Dataset of a temporary one is "".
	Function func(name TableName) *Function
}

// TempTables are the temporary tables that a statement may name without a dataset, or with
// the dataset _SESSION.
type TempTables struct {
	Project, Dataset string                  // where BigQuery keeps them: a dataset without a name of its own
	Has              func(table string) bool // whether there is one of the name
}

// Statement is a translated statement.
type Statement struct {
	// BigQuery's statementType: SELECT, INSERT, UPDATE, DELETE, CREATE_TABLE,
	// CREATE_TABLE_AS_SELECT, CREATE_SCHEMA, DROP_TABLE, DROP_SCHEMA, TRUNCATE_TABLE,
	// BEGIN_TRANSACTION, COMMIT_TRANSACTION, ROLLBACK_TRANSACTION, CALL, ...
	Type    string
	SQL     string   // DuckDB's text, "" for transactions and CALL; parameters are $1, $2, ... in the order of Params
	Columns []Column // of the result; nil for DML and DDL
	// Params are the statement's parameters with their types, in the order of $1, $2, ...
	// A positional parameter appears once for each `?`, a named one and a variable once.
	Params     []Param
	Undeclared []Param     // those of Params whose type was inferred
	Tables     []TableName // read by the statement, each once
	Target     *TableName  // written by DML or DDL (for CREATE SCHEMA, Table is "")
	// the columns of a table that CREATE TABLE makes, or has after ALTER TABLE, whose SQL may be
	// several statements
	NewColumns []Column
	After      string // what DuckDB does after SQL, without parameters: defaults of CREATE TABLE AS
	NewKeys    []Key
	// of CREATE TABLE; Source is the table that LIKE, COPY or CLONE names, and Copied is COPY, CLONE or
	// SNAPSHOT where its rows are copied, too
	Source    *TableName
	Copied    string
	Partition *Partition
	Cluster   []string
	NewName   string // of ALTER TABLE RENAME TO
	// of ALTER TABLE: the old names of columns that have another now, and the descriptions that change
	Renamed, Descriptions map[string]string
	// Options are those that the statement sets. OptionsSQL is a query of one row with their values,
	// as text; "" if there are none.
	Options    []Option
	OptionsSQL string
	Duplicate  string // a column's name that the result had twice, "" for none
	// NewFunction is that of CREATE FUNCTION, NewView that of CREATE VIEW, whose columns are NewColumns.
	NewFunction                      *Function
	NewView                          *View
	NewProcedure                     *Procedure
	IfExists, IfNotExists, OrReplace bool   // of DDL
	Ordered                          bool   // the outermost query has an ORDER BY
	SystemVariable                   string // the system variable that SET changes; SQL is a query for its value
	Session                          string // that CALL BQ.ABORT_SESSION names; "" = the session it runs in
}

// Error is an error at a position in the statement, counted from 1:1.
type Error struct {
	Line, Column int
	Message      string
	inner        bool // it is in the body of a function or view
}

func (e *Error) Error() string { return fmt.Sprintf("%s at [%d:%d]", e.Message, e.Line, e.Column) }

// Translate parses one statement and translates it. Its errors are *Error.
//
// The types in DuckDB: INT64 BIGINT, FLOAT64 DOUBLE, BOOL BOOLEAN, STRING VARCHAR, BYTES BLOB,
// NUMERIC DECIMAL(38,9), DATE DATE, TIME TIME, DATETIME TIMESTAMP, TIMESTAMP TIMESTAMPTZ (session
// time zone UTC), INTERVAL INTERVAL, JSON JSON, ARRAY LIST, STRUCT STRUCT. BIGNUMERIC has more
// digits than DuckDB's decimals and is a BLOB, as package builtin encodes it, and so is RANGE.
// TIMESTAMP(12) is a HUGEINT of picoseconds.
//
// With Options.Part it translates that part of a script, as a statement or as an expression. An
// expression becomes a query of one row with the value in the first column. For an ARRAY the
// second column says whether it is NULL.
func Translate(sql string, opts Options) (st *Statement, err error) {
	defer recoverError(&err)
	return translate(sql, opts), nil
}
