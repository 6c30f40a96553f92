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

// Name is what Dialector.Name returns.
const Name = "bigquery"

// Config is what New opens. DSN or Conn is needed, the rest is optional.
type Config struct {
	// DSN is the connection string of package dsn. It should name a dataset, in which tables without one are.
	DSN string
	// Conn is used instead of DSN where it is set: a *sql.DB, of which driver.NewConnector and sql.OpenDB make one.
	Conn gorm.ConnPool
	// NewKey makes the key of a row whose model has one primary key field that is zero. It returns a string, or an
	// integer for integer fields, and is called by several goroutines at once. Nil means UUIDs (version 7) for
	// strings and [16]byte arrays, and integers of 63 bits that grow with time.
	NewKey func(field *Field) (any, error)
	// WithoutKeys leaves PRIMARY KEY and FOREIGN KEY out of tables. BigQuery does not enforce keys, but its optimizer
	// relies on them: queries on a table in which a key is not unique can return wrong results.
	WithoutKeys bool
	// RefuseNestedTransactions makes a transaction in a transaction an error. By default it joins the outer one, and
	// an error that it returns rolls back both, since BigQuery has no savepoints.
	RefuseNestedTransactions bool
}

// Dialector is GORM's dialect of BigQuery.
type Dialector struct{ Config }

var (
	_ gorm.Dialector                         = (*Dialector)(nil)
	_ gorm.SavePointerDialectorInterface     = (*Dialector)(nil)
	_ interface{ Apply(*gorm.Config) error } = (*Dialector)(nil)
	// Not gorm.ErrorTranslator: BigQuery enforces no keys, of which GORM's errors are. Errors are
	// those of package driver.
)

// Open is the dialect for a database that the DSN names.
func Open(dsn string) gorm.Dialector { return New(Config{DSN: dsn}) }

// New is the dialect with a configuration.
func New(config Config) gorm.Dialector { return &Dialector{config} }

// Name returns "bigquery".
func (d *Dialector) Name() string { return Name }

// Apply sets the clock of GORM to what BigQuery stores: microseconds in UTC.
func (d *Dialector) Apply(config *gorm.Config) error {
	if config.NowFunc == nil {
		config.NowFunc = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	}
	return nil
}

// Initialize opens the database and registers the callbacks and clauses that BigQuery needs. GORM calls it.
func (d *Dialector) Initialize(db *gorm.DB) error {
	db.ConnPool = d.Conn
	if d.Conn == nil {
		if d.DSN == "" {
			return fmt.Errorf("gormdialect: Config needs a DSN or a Conn")
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

// Migrator returns what creates and alters tables.
func (d *Dialector) Migrator(db *gorm.DB) gorm.Migrator {
	m := Migrator{dialector: d}
	m.DB, m.Dialector, m.CreateIndexAfterCreateTable = db, d, true
	return m
}

// DefaultValueOf returns the word DEFAULT, for which BigQuery puts the column's default.
func (d *Dialector) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "DEFAULT"}
}

// BindVarTo writes a placeholder.
func (d *Dialector) BindVarTo(writer clause.Writer, _ *gorm.Statement, _ any) { writer.WriteByte('?') }

// QuoteTo writes a name in backticks, each part of a path by itself. Parts that are quoted already stay as they are.
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

// Explain writes a statement with its arguments as GoogleSQL literals, for logs, ToSQL and CreateView. What has no
// literal is written as a string.
func (d *Dialector) Explain(statement string, vars ...any) string {
	printable := make([]any, len(vars))
	for i, v := range vars {
		printable[i] = plain(v)
		if _, err := literal.Append(nil, printable[i]); err != nil {
			printable[i] = strings.ToValidUTF8(fmt.Sprint(printable[i]), "\uFFFD")
		}
	}
	text, err := literal.Interpolate(statement, printable...)
	if err != nil { // not as many placeholders as arguments
		return statement
	}
	return text
}

// SavePoint is called for a transaction in a transaction, which joins the outer one.
func (d *Dialector) SavePoint(*gorm.DB, string) error {
	if d.RefuseNestedTransactions {
		return ErrNestedTransaction
	}
	return nil
}

// RollbackTo is called when a transaction in a transaction has failed. BigQuery can't undo a part of a transaction, so
// all of it is rolled back: what follows in the outer one fails with sql.ErrTxDone.
func (d *Dialector) RollbackTo(tx *gorm.DB, _ string) error {
	if tx, ok := tx.Statement.ConnPool.(gorm.TxCommitter); ok && tx != nil {
		return tx.Rollback()
	}
	return gorm.ErrInvalidTransaction
}

// Field is GORM's description of a field of a model.
type Field = schema.Field
