package main

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// column is a column of a result.
type column struct {
	name string
	typ  string // as BigQuery names it
}

func (c column) base() string {
	name, _, _ := strings.Cut(c.typ, "<")
	name, _, _ = strings.Cut(name, "(")
	return name
}

// number reports whether the column holds numbers, which are right-aligned.
func (c column) number() bool {
	switch c.base() {
	case "INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC":
		return true
	}
	return false
}

// result is the part of the last result that \chart needs.
type result struct {
	columns []column
	rows    [][]any
	cut     bool // there were more rows
}

const kept = 1000

// writer writes a result in a format.
type writer interface {
	begin(columns []column) error
	row(values []any) error
	end(rows int) error
}

var errEnough = errors.New("no more rows are wanted") // the pager was left

// print prints all results of a statement: one for a query, several for a script.
func (s *shell) print(rows *sql.Rows, stats *driver.Stats) error {
	for {
		if err := s.printSet(rows, stats); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
		if !rows.NextResultSet() {
			return rows.Err()
		}
	}
}

func (s *shell) printSet(rows *sql.Rows, stats *driver.Stats) error {
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if len(types) == 0 ||
		stats.StatementType != "SELECT" && stats.StatementType != "SCRIPT" && stats.StatementType != "" {
		return s.done(stats)
	}
	columns := make([]column, len(types))
	for i, t := range types {
		columns[i] = column{t.Name(), t.DatabaseTypeName()}
	}
	s.last = &result{columns: columns}
	w := s.writer()
	if err := w.begin(columns); err != nil {
		return err
	}
	n := 0
	for ; rows.Next(); n++ {
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			return err
		}
		if n < kept {
			s.last.rows = append(s.last.rows, values)
		}
		if err := w.row(values); err != nil {
			return err
		}
	}
	s.last.cut = n > kept
	if err := rows.Err(); err != nil {
		return err
	}
	return w.end(n)
}

// done prints what a statement without rows did.
func (s *shell) done(stats *driver.Stats) error {
	switch stats.StatementType {
	case "INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE_TABLE":
		return s.say("%s: %s", stats.StatementType, count(int(stats.RowsAffected)))
	case "", "SCRIPT":
		return s.say("done")
	}
	return s.say("%s", strings.ReplaceAll(stats.StatementType, "_", " "))
}

func count(n int) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// formats returns the names of the formats.
func formats() []string { return []string{"table", "csv", "json", "jsonl", "markdown", "parquet"} }

func (s *shell) writer() writer {
	switch s.format {
	case "csv":
		return newCSV(s.out)
	case "json":
		return &jsonWriter{out: s.out, array: true}
	case "jsonl":
		return &jsonWriter{out: s.out}
	case "markdown":
		return &tableWriter{s: s, markdown: true}
	case "parquet":
		return &parquetWriter{s: s}
	}
	if s.expanded {
		return &expandedWriter{out: s.out}
	}
	return &tableWriter{s: s}
}

// text returns a value as text, and whether it is NULL.
func (c column) text(v any) (text string, null bool) {
	switch v := c.plain(v).(type) {
	case nil:
		return "NULL", true
	case string:
		return v, false
	case float64, int64, bool:
		return fmt.Sprint(v), false
	default:
		encoded, err := json.Marshal(v)
		if err != nil {
			return fmt.Sprint(v), false
		}
		return string(encoded), false
	}
}

// visible returns a text for a terminal, where the control characters of data could move the cursor, set colours or
// worse. Only ends of lines stay as they are.
func visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || unicode.IsPrint(r) || r == '\u200d' { // which joins emoji
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// plain returns a value for JSON: times are text of the column's type, bytes are base64, arrays and
// structs are unchanged.
func (c column) plain(v any) any {
	switch v := v.(type) {
	case time.Time:
		switch c.base() {
		case "DATE":
			return v.Format("2006-01-02")
		case "DATETIME":
			return v.Format("2006-01-02 15:04:05.999999")
		}
		return v.UTC().Format("2006-01-02 15:04:05.999999 UTC")
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case driver.Range:
		return v.String()
	case float64: // JSON has no numbers for these
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 1):
			return "Infinity"
		case math.IsInf(v, -1):
			return "-Infinity"
		}
	case string:
		if c.base() == "JSON" {
			return json.RawMessage(v)
		}
	}
	return v
}
