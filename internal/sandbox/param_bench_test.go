package sandbox

import (
	"fmt"
	"strings"
	"testing"

	"cloud.google.com/go/bigquery"
)

// BenchmarkInsertParameters writes rows of two parameters each. The time of a row should not depend on their number.
func BenchmarkInsertParameters(b *testing.B) {
	s, tok := signed(b, Config{NoData: true})
	c := official(b, s, tok, DefaultProject)
	if err := s.Exec(b.Context(), DefaultProject, "CREATE SCHEMA d", "CREATE TABLE d.t (i INT64, s STRING)"); err != nil {
		b.Fatal(err)
	}
	for _, rows := range []int{500, 2500, 5000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			q := c.Query("INSERT INTO d.t VALUES (?, ?)" + strings.Repeat(", (?, ?)", rows-1))
			for i := range rows {
				q.Parameters = append(q.Parameters, bigquery.QueryParameter{Value: int64(i)}, bigquery.QueryParameter{Value: "x"})
			}
			for b.Loop() {
				it, err := q.Read(b.Context())
				if err != nil || it.TotalRows != 0 {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*rows), "µs/row")
		})
	}
}
