package googlesql_test

import (
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

func TestPartitionBy(t *testing.T) {
	t.Parallel()
	opts := googlesql.Options{DefaultProject: "p"}
	for _, tt := range []struct {
		by   string
		want googlesql.Partition
	}{
		{"d", googlesql.Partition{Column: "d", Unit: "DAY"}},
		{"_PARTITIONDATE", googlesql.Partition{Unit: "DAY"}},
		{"DATE(_PARTITIONTIME)", googlesql.Partition{Unit: "DAY"}},
		{"TIMESTAMP_TRUNC(_partitiontime, HOUR)", googlesql.Partition{Unit: "HOUR"}},
		{"DATE_TRUNC(_PARTITIONTIME, MONTH)", googlesql.Partition{Unit: "MONTH"}},
		{"DATE(ts)", googlesql.Partition{Column: "ts", Unit: "DAY"}},
		{"DATE(dt)", googlesql.Partition{Column: "dt", Unit: "DAY"}},
		{"TIMESTAMP_TRUNC(TS, hour)", googlesql.Partition{Column: "ts", Unit: "HOUR"}},
		{"DATETIME_TRUNC(dt, YEAR)", googlesql.Partition{Column: "dt", Unit: "YEAR"}},
		{"DATE_TRUNC(d, YEAR)", googlesql.Partition{Column: "d", Unit: "YEAR"}},
		{"RANGE_BUCKET(n, GENERATE_ARRAY(-10, 100, 10))",
			googlesql.Partition{Column: "n", Start: -10, End: 100, Interval: 10}},
	} {
		st, err := googlesql.Translate("CREATE TABLE x.t (d DATE, ts TIMESTAMP, dt DATETIME, n INT64) PARTITION BY "+tt.by+
			" CLUSTER BY n, D", opts)
		if err != nil {
			t.Errorf("%s: %v", tt.by, err)
			continue
		}
		if *st.Partition != tt.want || strings.Join(st.Cluster, " ") != "n d" {
			t.Errorf("%s: got %+v, %v; want %+v", tt.by, st.Partition, st.Cluster, tt.want)
		}
	}
	for _, by := range []string{"ts", "dt", "n", "DATE_TRUNC(d, DAY)", "TIMESTAMP_TRUNC(ts, MINUTE)", "DATE(d)",
		"DATE_TRUNC(ts, MONTH)", "TIMESTAMP_TRUNC(dt, DAY)", "RANGE_BUCKET(n, [1, 2])",
		"RANGE_BUCKET(d, GENERATE_ARRAY(1, 2))",
		"EXTRACT(YEAR FROM d)", "MOD(n, 5)", "d = d"} {
		_, err := googlesql.Translate("CREATE TABLE x.t (d DATE, ts TIMESTAMP, dt DATETIME, n INT64) PARTITION BY "+by, opts)
		if err == nil || !strings.HasPrefix(err.Error(), "PARTITION BY expression must be") {
			t.Errorf("%s: got %v; want an error about the form", by, err)
		}
	}
}

// TestRequiredFilter: which statements over a table that demands a filter over its partitions have one.
func TestRequiredFilter(t *testing.T) {
	t.Parallel()
	_, cat := open(t)
	orders, customers := *cat["orders"], *cat["customers"]
	orders.RequireFilter, orders.Partition = true, &googlesql.Partition{Column: "created", Unit: "DAY"}
	customers.RequireFilter, customers.Partition = true, &googlesql.Partition{Unit: "DAY"}
	cat["orders"], cat["customers"] = &orders, &customers
	cat["v"] = &googlesql.Table{Name: googlesql.TableName{Project: "my-project", Dataset: "d", Table: "v"},
		Columns: orders.Columns, View: &googlesql.View{Query: "SELECT * FROM d.orders", Project: "my-project"}}
	const (
		day   = "created > TIMESTAMP '2024-01-01'"
		error = "Cannot query over table 'my-project.d.orders' without a filter over column(s) 'created' that can be " +
			"used for partition elimination"
	)
	for _, sql := range []string{
		"SELECT * FROM orders WHERE " + day,
		"SELECT id FROM orders AS o WHERE o.created IS NOT NULL AND id = 1",
		"SELECT id FROM orders WHERE DATE(created) = '2024-01-01'",
		"SELECT id FROM orders WHERE DATE(created) BETWEEN '2024-01-01' AND '2024-02-01'",
		"SELECT id FROM orders WHERE TIMESTAMP_TRUNC(created, MONTH) IN ('2024-01-01')",
		"SELECT id FROM orders WHERE (CAST(created AS DATE) = '2024-01-01')",
		"SELECT id FROM orders WHERE (" + day + " AND id = 1) OR created IS NULL",
		"SELECT id FROM (SELECT id, created AS c FROM orders) WHERE c > '2024-01-01'",
		"WITH w AS (SELECT * FROM orders) SELECT id FROM w WHERE " + day,
		"SELECT id FROM (SELECT id, created FROM orders UNION ALL SELECT id, created FROM orders) WHERE " + day,
		"SELECT id FROM v WHERE " + day,
		"FROM orders |> WHERE " + day + " |> SELECT id",
		"SELECT o.id FROM orders AS o JOIN usa_1910_current AS u ON o.id = u.number AND o.created > '2024-01-01'",
		"UPDATE orders SET id = 1 WHERE " + day,
		"DELETE orders WHERE " + day,
		"MERGE orders AS o USING usa_1910_current AS u ON o.id = u.number AND o.created > '2024-01-01' WHEN MATCHED THEN " +
			"DELETE",
		"INSERT orders (id) VALUES (1)",
		"TRUNCATE TABLE orders",
		"SELECT id FROM customers WHERE _PARTITIONDATE = '2024-01-01'",
		"SELECT id FROM customers AS c WHERE c._PARTITIONTIME > '2024-01-01'",
	} {
		if _, err := googlesql.Translate(sql, options(cat)); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, sql := range []string{
		"SELECT * FROM orders",
		"SELECT * FROM orders WHERE id = 1",
		"SELECT created FROM orders LIMIT 1",
		"SELECT id FROM orders WHERE " + day + " OR id = 1",
		"SELECT id FROM orders WHERE NOT " + day,
		"SELECT id FROM orders WHERE EXTRACT(YEAR FROM created) = 2024",
		"SELECT id FROM (SELECT id, id AS created FROM orders) WHERE created > 1",
		"SELECT a.id FROM orders AS a, orders AS b WHERE a." + day,
		"SELECT * FROM v",
		"FROM orders |> WHERE id = 1",
		"CREATE TABLE d.x AS SELECT * FROM orders",
		"UPDATE orders SET id = 1 WHERE TRUE",
		"DELETE orders WHERE id = 1",
		"INSERT usa_1910_current (number) SELECT id FROM orders",
	} {
		if _, err := googlesql.Translate(sql, options(cat)); err == nil || !strings.HasPrefix(err.Error(), error) {
			t.Errorf("%s: got %v; want %s", sql, err, error)
		}
	}
	_, err := googlesql.Translate("SELECT 1 FROM customers", options(cat))
	if err == nil || !strings.Contains(err.Error(), "'_PARTITION_LOAD_TIME', '_PARTITIONDATE', '_PARTITIONTIME'") {
		t.Errorf("by the time of ingestion: got %v", err)
	}
}
