package bundialect

import (
	"database/sql"
	"errors"
	"math"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/uptrace/bun/dialect"
	"github.com/uptrace/bun/dialect/feature"
	"github.com/uptrace/bun/schema"

	"github.com/bigqueryuser/bigqueryuser/internal/literal"
)

// Name is the result of Dialect.Name. bun has no number for BigQuery; its String is "custom".
const Name dialect.Name = 2010 // the year of BigQuery

// Dialect is bun's dialect of BigQuery.
type Dialect struct {
	schema.BaseDialect
	tables   *schema.Tables
	defaults sync.Map // *schema.Field -> string: the expression of its column's default
}

var _ schema.Dialect = (*Dialect)(nil)

// New returns the dialect for one bun.DB.
func New() *Dialect {
	d := &Dialect{}
	d.tables = schema.NewTables(d)
	return d
}

// Features returns the features of GoogleSQL.
func (d *Dialect) Features() feature.Feature {
	return feature.CTE | feature.DefaultPlaceholder | feature.CompositeIn | feature.SelectExists |
		feature.UpdateFromTable | feature.UpdateTableAlias | feature.DeleteTableAlias | feature.Merge |
		feature.TableTruncate | feature.TableNotExists
	// Not AlterColumnExists: bun omits the word COLUMN, which GoogleSQL needs.
}

// Init does nothing.
func (d *Dialect) Init(*sql.DB) {}

// Name returns Name.
func (d *Dialect) Name() dialect.Name { return Name }

// Tables returns the known models.
func (d *Dialect) Tables() *schema.Tables { return d.tables }

// IdentQuote returns a backtick.
func (d *Dialect) IdentQuote() byte { return '`' }

// DefaultVarcharLen returns 0: a STRING needs no length.
func (d *Dialect) DefaultVarcharLen() int { return 0 }

// DefaultSchema returns "": the DSN names the default dataset.
func (d *Dialect) DefaultSchema() string { return "" }

// AppendSequence appends nothing, because BigQuery has no sequences.
func (d *Dialect) AppendSequence(b []byte, _ *schema.Table, _ *schema.Field) []byte { return b }

var (
	errNotUTF8  = errors.New("bundialect: a string is not valid UTF-8: pass a []byte for BYTES")
	errTooLarge = errors.New("bundialect: a number is above 9223372036854775807, the largest INT64")
	errYear     = errors.New("bundialect: a year is outside BigQuery's 1 to 9999")
)

// AppendString appends a STRING literal.
func (d *Dialect) AppendString(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		return dialect.AppendError(b, errNotUTF8)
	}
	return literal.String(b, s)
}

// AppendBytes appends a BYTES literal.
func (d *Dialect) AppendBytes(b, p []byte) []byte { return literal.Bytes(b, p) }

// AppendJSON appends a JSON literal.
func (d *Dialect) AppendJSON(b, text []byte) []byte {
	if !utf8.Valid(text) {
		return dialect.AppendError(b, errNotUTF8)
	}
	return literal.String(append(b, "JSON "...), string(text))
}

// AppendTime appends a TIMESTAMP literal.
func (d *Dialect) AppendTime(b []byte, t time.Time) []byte {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return dialect.AppendError(b, errYear)
	}
	return literal.Time(b, t)
}

// AppendUint64 appends an INT64.
func (d *Dialect) AppendUint64(b []byte, n uint64) []byte {
	if n > math.MaxInt64 {
		return dialect.AppendError(b, errTooLarge)
	}
	return strconv.AppendUint(b, n, 10)
}

// OnTable sets the types, defaults, literals and decoders of a model's fields, and makes its keys
// NOT ENFORCED. bun calls it once for each model. bun writes NOT NULL before DEFAULT, and keys
// without NOT ENFORCED, so both are appended to a column's type or default, which bun copies.
func (d *Dialect) OnTable(table *schema.Table) {
	table.Unique = nil
	for _, f := range table.Fields {
		d.onField(f)
	}
	for _, f := range table.FieldMap { // fields of relations, and embedded fields, are not columns
		if !slices.Contains(table.Fields, f) {
			d.onField(f)
		}
	}
	for _, rel := range table.Relations {
		setForeignKey(rel)
	}
	if n := len(table.Fields); n > 0 && len(table.PKs) > 0 {
		appendDDL(table.Fields[n-1], primaryKey(table.PKs))
	}
}

// appendDDL appends to a field's part of CREATE TABLE.
func appendDDL(f *schema.Field, text string) {
	if f.SQLDefault != "" {
		f.SQLDefault += text
	} else {
		f.CreateTableSQLType += text
	}
}
