package driver_test

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

// readTyped reads the same rows by Query.
func readTyped(text string) func(context.Context, *scenario, *sql.DB) error {
	return func(ctx context.Context, s *scenario, db *sql.DB) error {
		check := newNumberCheck(s, campaignRows, text == campaignOrdered)
		for row, err := range driver.Query[numbered](ctx, db, text) {
			if err != nil {
				return err
			}
			if !check.row(row.I, row.S) {
				return errUnexpected
			}
		}
		return check.end()
	}
}

// readArrow reads the same rows by QueryArrow.
func readArrow(text string) func(context.Context, *scenario, *sql.DB) error {
	return func(ctx context.Context, s *scenario, db *sql.DB) error {
		records, err := driver.QueryArrow(ctx, db, text)
		if err != nil {
			return err
		}
		defer records.Release()
		check := newNumberCheck(s, campaignRows, text == campaignOrdered)
		for records.Next() {
			i, text := records.RecordBatch().Column(0).(*array.Int64), records.RecordBatch().Column(1).(*array.String)
			for row := range i.Len() {
				if !check.row(int(i.Value(row)), text.Value(row)) {
					return errUnexpected
				}
			}
		}
		if err := records.Err(); err != nil {
			return err
		}
		return check.end()
	}
}

// numberCheck checks that each of the rows 0 to n-1 comes once, and in order if the query orders.
type numberCheck struct {
	s       *scenario
	seen    []bool
	got     int
	ordered bool
}

func newNumberCheck(s *scenario, n int, ordered bool) *numberCheck {
	return &numberCheck{s: s, seen: make([]bool, n), ordered: ordered}
}

func (c *numberCheck) row(i int, text string) bool {
	if i < 0 || i >= len(c.seen) || c.seen[i] || text != fmt.Sprint("row ", i) || c.ordered && i != c.got {
		c.s.violate("wrong rows", "row %d is %d, %q", c.got, i, text)
		return false
	}
	c.seen[i] = true
	c.got++
	return true
}

func (c *numberCheck) end() error {
	if c.got != len(c.seen) {
		c.s.violate("rows are lost", "got %d of %d without an error", c.got, len(c.seen))
	}
	return nil
}
