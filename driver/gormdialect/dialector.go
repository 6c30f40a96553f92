package gormdialect

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/bigqueryuser/bigqueryuser/driver"
	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// Name is the result of Dialector.Name.
const Name = "bigquery"

// Config configures [New]. DSN or Conn is needed; the rest is optional.
type Config struct {
	// DSN is the connection string of package dsn. It should name the dataset of tables whose names
	// have none.
	DSN string
	// Conn is used instead of DSN if it is not nil. It is a *sql.DB, such as sql.OpenDB with a
	// driver.NewConnector.
	Conn gorm.ConnPool
	// NewKey makes the key of a row, if the model has one primary key field and it is zero. It
	// returns a string, or an integer for integer fields. Several goroutines may call it at once.
	// Nil means UUIDs (version 7) for strings and [16]byte arrays, and integers of 63 bits that
	// grow with time.
	NewKey func(field *Field) (any, error)
	// WithoutKeys omits PRIMARY KEY and FOREIGN KEY from tables. BigQuery does not enforce keys,
	// but its optimizer relies on them: queries on a table with duplicate keys can return wrong
	// results.
	WithoutKeys bool
	// RefuseNestedTransactions makes a transaction inside a transaction an error. By default it
	// joins the outer one, and an error in it rolls back both, because BigQuery has no savepoints.
	RefuseNestedTransactions bool
}

// Dialector is GORM's dialect of BigQuery.
type Dialector struct{ Config }

var (
	_ gorm.Dialector                         = (*Dialector)(nil)
	_ gorm.SavePointerDialectorInterface     = (*Dialector)(nil)
	_ interface{ Apply(*gorm.Config) error } = (*Dialector)(nil)
	// Not gorm.ErrorTranslator: GORM's errors are about keys, which BigQuery does not enforce.
	// Errors are those of package driver.
)

// Open returns the dialect for the database of a DSN.
func Open(dsn string) gorm.Dialector { return New(Config{DSN: dsn}) }

// New returns the dialect with a configuration.
func New(config Config) gorm.Dialector { return &Dialector{config} }

// Name returns "bigquery".
func (d *Dialector) Name() string { return Name }

// Apply sets GORM's clock to BigQuery's precision: microseconds in UTC.
func (d *Dialector) Apply(config *gorm.Config) error {
	if config.NowFunc == nil {
		config.NowFunc = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	}
	return nil
}

// Initialize opens the database and registers the callbacks and clauses of BigQuery. GORM calls it.
func (d *Dialector) Initialize(db *gorm.DB) error {
	db.ConnPool = d.Conn
	if d.Conn == nil {
		if d.DSN == "" {
			return fmt.Errorf("gormdialect: Config has neither DSN nor Conn: set one")
		}
		pool, err := sql.Open(driver.Name, d.DSN)
		if err != nil {
			return err
		}
		db.ConnPool = pool
	}
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses: []string{"INSERT", "VALUES", "ON CONFLICT"},
		UpdateClauses: []string{"UPDATE", "SET", "FROM", "WHERE"},
		DeleteClauses: []string{"DELETE", "FROM", "WHERE"},
	})
	for name, build := range clauseBuilders {
		db.ClauseBuilders[name] = build
	}
	return d.register(db)
}

// Migrator returns the [Migrator] of the database.
func (d *Dialector) Migrator(db *gorm.DB) gorm.Migrator {
	m := Migrator{dialector: d}
	m.DB, m.Dialector, m.CreateIndexAfterCreateTable = db, d, true
	return m
}

// DefaultValueOf returns the word DEFAULT, which BigQuery replaces by the column's default.
func (d *Dialector) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "DEFAULT"}
}

// BindVarTo writes a placeholder.
func (d *Dialector) BindVarTo(writer clause.Writer, _ *gorm.Statement, _ any) { writer.WriteByte('?') }

// QuoteTo writes a name in backticks, each part of a path separately. It leaves quoted parts as
// they are.
func (d *Dialector) QuoteTo(writer clause.Writer, name string) {
	for i, part := range splitPath(name) {
		if i > 0 {
			writer.WriteByte('.')
		}
		switch {
		case part == "*":
			writer.WriteByte('*')
		default:
			writer.WriteString(string(literal.Ident(nil, part)))
		}
	}
}

// splitPath splits a.b.c and `a.b`.c into parts without quotes. A part in backticks is not split again.
func splitPath(name string) (parts []string) {
	for name != "" {
		if name[0] == '`' {
			if end := strings.IndexByte(name[1:], '`'); end >= 0 {
				parts = append(parts, name[1:1+end])
				name = strings.TrimPrefix(name[end+2:], ".")
				continue
			}
		}
		part, rest, _ := strings.Cut(name, ".")
		parts = append(parts, part)
		name = rest
	}
	return parts
}

// Explain returns a statement with its arguments as GoogleSQL literals, for logs, ToSQL and
// CreateView. Values without a literal are written as strings.
func (d *Dialector) Explain(statement string, vars ...any) string {
	printable := make([]any, len(vars))
	for i, v := range vars {
		printable[i] = plain(v)
		if _, err := literal.Append(nil, printable[i]); err != nil {
			printable[i] = strings.ToValidUTF8(fmt.Sprint(printable[i]), "\uFFFD")
		}
	}
	text, err := literal.Interpolate(statement, printable...)
	if err != nil { // the numbers of placeholders and arguments differ
		return statement
	}
	return text
}

// SavePoint is called for a transaction inside a transaction, which joins the outer one.
func (d *Dialector) SavePoint(*gorm.DB, string) error {
	if d.RefuseNestedTransactions {
		return ErrNestedTransaction
	}
	return nil
}

// RollbackTo is called when a transaction inside a transaction has failed. BigQuery can't undo a
// part of a transaction, so all of it is rolled back, and later statements of the outer one fail
// with sql.ErrTxDone.
func (d *Dialector) RollbackTo(tx *gorm.DB, _ string) error {
	if tx, ok := tx.Statement.ConnPool.(gorm.TxCommitter); ok && tx != nil {
		return tx.Rollback()
	}
	return gorm.ErrInvalidTransaction
}

// Field is GORM's description of a field of a model.
type Field = schema.Field
