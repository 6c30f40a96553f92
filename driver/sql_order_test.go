package driver

import "testing"

// TestIsOrdered: an order that a statement's rows have is always seen. The other way round is
// only slower.
func TestIsOrdered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		sql  string
		want bool
	}{
		{"SELECT a FROM t ORDER BY a", true},
		{"select a from t order\n by a", true},
		{"SELECT a FROM t ORDER/* so */BY a -- LIMIT", true},
		{"SELECT a FROM t # first\nORDER # then\nBY a", true},
		{"SELECT * FROM (SELECT a FROM t) ORDER BY a LIMIT 5", true},
		{"(SELECT a FROM t ORDER BY a)", true},
		{" ((SELECT a FROM t ORDER BY a))", true},
		{"-- all\n(SELECT a FROM t ORDER BY a) LIMIT 10", true},
		{"WITH x AS (SELECT 1 AS a) SELECT a FROM x ORDER BY a", true},
		{"WITH x AS (SELECT 1 AS a) (SELECT a FROM x ORDER BY a)", true},
		{"WITH x AS (SELECT 1 AS a), y AS (SELECT 2) ((SELECT a FROM x ORDER BY a))", true},
		{"FROM t |> WHERE a > 1 |> ORDER BY a", true},
		{"SELECT 1 UNION ALL SELECT 2 ORDER BY 1", true},
		{"(SELECT a FROM (SELECT a FROM t) ORDER BY a)", true},

		{"", false},
		{"SELECT a FROM t", false},
		{"SELECT 'ORDER BY a' FROM t", false},
		{"SELECT a FROM t -- ORDER BY a", false},
		{"SELECT a FROM t /* ORDER BY a */ LIMIT 5", false},
		{"SELECT `order` by, r'ORDER BY' FROM t", false},
		{"SELECT * FROM (SELECT a FROM t ORDER BY a)", false},
		{"WITH x AS (SELECT a FROM t ORDER BY a LIMIT 3) SELECT * FROM x", false},
		{"SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t", false},
		{"SELECT ARRAY_AGG(a ORDER BY a), ARRAY(SELECT b FROM u ORDER BY b) FROM t", false},
		{"(SELECT ROW_NUMBER() OVER (ORDER BY a) FROM t)", false},
		{"SELECT a FROM t WHERE a IN (SELECT b FROM u ORDER BY b LIMIT 1)", false},
		{"SELECT a, order_by, by_order FROM t", false},
		{")))(", false},
	} {
		if got, err := scanText(tt.sql); got.ordered != tt.want || err != nil {
			t.Errorf("%s: got %v, %v; want %v", tt.sql, got.ordered, err, tt.want)
		}
	}
}
