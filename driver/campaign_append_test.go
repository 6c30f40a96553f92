package driver_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/bigqueryuser/bigqueryuser/driver/bulk"
)

// appendRows writes rows 0 to campaignRows-1 in several requests. The table then has all of them or none, as
// reported, each once and in order. A committed stream has as many as its result says.
func appendRows(opts ...bulk.Option) func(context.Context, *scenario, *sql.DB) error {
	long := strings.Repeat("x", 2000)
	return func(ctx context.Context, s *scenario, db *sql.DB) error {
		result, err := bulk.Append(ctx, db, campaignTarget, func(yield func(numbered, error) bool) {
			for i := range campaignRows {
				if !yield(numbered{i, fmt.Sprint("row ", i, long)}, nil) {
					return
				}
			}
		}, opts...)
		s.appended = func() {
			rows := s.server.TableRows(campaignTarget)
			for i, row := range rows {
				if row[0] != int64(i) {
					s.violate("wrong rows", "row %d is %v", i, row[0])
					return
				}
			}
			n := int64(len(rows))
			switch {
			case err == nil && n != campaignRows:
				s.violate("reported done, but was not", "%d rows of %d", n, campaignRows)
			case len(opts) > 0 && n < result.Rows:
				s.violate("rows are lost", "%d of %d that were acknowledged", n, result.Rows)
			case len(opts) == 0 && err != nil && n != 0 && !(outcomeUnknown(err) && n == campaignRows):
				s.violate("reported failed, but was done", "%d rows: %v", n, err)
			}
		}
		return err
	}
}
