package sandbox

import (
	"reflect"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

func TestPartitions(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{now: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}
	s := start(t, Config{NoData: true, Now: clock.Now})
	exec(t, s, "CREATE SCHEMA d",
		"CREATE TABLE d.days (day DATE, a STRING, b INT64) PARTITION BY day CLUSTER BY b, a OPTIONS "+
			"(partition_expiration_days = 5, require_partition_filter = true)",
		"CREATE TABLE d.ranges (n INT64) PARTITION BY RANGE_BUCKET(n, GENERATE_ARRAY(0, 30, 10))",
		"CREATE TABLE d.arrived (a INT64) PARTITION BY _PARTITIONDATE",
		"CREATE TABLE d.months PARTITION BY TIMESTAMP_TRUNC(ts, MONTH) AS SELECT TIMESTAMP '2026-01-05' AS ts",
		"CREATE TABLE d.copied (a INT64) PARTITION BY DATE(_PARTITIONTIME)", "INSERT INTO d.copied VALUES (7)",
		"INSERT INTO d.days VALUES ('2026-01-04', 'x', 1), ('2026-01-06', 'y', 2), (NULL, 'z', 3)",
		"INSERT INTO d.ranges VALUES (-1), (0), (9), (10), (30), (NULL)", "INSERT INTO d.arrived VALUES (1)",
		"INSERT INTO d.arrived (a) SELECT 2", "INSERT INTO d.copied VALUES (8)")
	c := newClient(t, s, DefaultAccount)
	for _, tt := range []struct{ name, sql, want string }{
		{"a partition expires", "SELECT STRING_AGG(a ORDER BY a) FROM d.days WHERE day IS NULL OR day > '2000-01-01'",
			"y,z"},
		{"columns", "SELECT STRING_AGG(FORMAT('%s %s %t', column_name, is_partitioning_column, " +
			"clustering_ordinal_position), ', ' ORDER BY ordinal_position) FROM d.INFORMATION_SCHEMA.COLUMNS WHERE " +
			"table_name = 'days'", "day YES NULL, a NO 2, b NO 1"},
		{"options", "SELECT STRING_AGG(CONCAT(option_name, ' ', option_type, ' ', option_value), ', ' ORDER BY " +
			"option_name) FROM d.INFORMATION_SCHEMA.TABLE_OPTIONS WHERE table_name = 'days'",
			"partition_expiration_days FLOAT64 5.0, require_partition_filter BOOL true"},
		{"days", "SELECT STRING_AGG(FORMAT('%s %d %d', partition_id, total_rows, total_logical_bytes), ', ' ORDER BY " +
			"partition_id) FROM d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'days'", "20260106 1 19, __NULL__ 1 11"},
		{"ranges", "SELECT STRING_AGG(CONCAT(partition_id, ' ', total_rows), ', ' ORDER BY partition_id) FROM " +
			"d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'ranges'",
			"0 2, 10 1, __NULL__ 1, __UNPARTITIONED__ 2"},
		{"months", "SELECT partition_id FROM d.INFORMATION_SCHEMA.PARTITIONS WHERE table_name = 'months'", "202601"},
		{"arrival", "SELECT CONCAT(COUNT(*), ' ', COUNT(DISTINCT _PARTITIONTIME)) FROM d.arrived WHERE _PARTITIONDATE = " +
			"DATE(_PARTITIONTIME) AND _PARTITIONTIME <= CURRENT_TIMESTAMP()", "2 1"},
		{"arrival of what is copied", "SELECT COUNT(_PARTITIONTIME) FROM d.copied AS c WHERE c._PARTITIONDATE > '2020-01-01'",
			"2"},
		{"no star takes it", "SELECT TO_JSON_STRING(t) FROM d.arrived AS t ORDER BY a LIMIT 1", `{"a":1}`},
		{"ddl", "SELECT ddl FROM d.INFORMATION_SCHEMA.TABLES WHERE table_name = 'days'",
			"CREATE TABLE `my-billing-project.d.days`\n(\n  day DATE,\n  a STRING,\n  b INT64\n)\nPARTITION BY day\nCLUSTER " +
				"BY b, a\nOPTIONS(\n  partition_expiration_days=5.0,\n  require_partition_filter=true\n);"},
	} {
		if got := c.value(tt.sql); got != tt.want {
			t.Errorf("%s: got %s; want %s", tt.name, got, tt.want)
		}
	}
	clock.add(24 * time.Hour)
	c = newClient(t, s, DefaultAccount)
	if got := c.value("SELECT COUNT(*) FROM d.days WHERE day > '2000-01-01'"); got != "0" {
		t.Errorf("a day later: got %s; want 0", got)
	}
	for _, tt := range []struct{ sql, reason, part string }{
		{"SELECT * FROM d.days", "invalidQuery", "Cannot query over table 'my-billing-project.d.days' without a filter"},
		{"ALTER TABLE d.days DROP COLUMN day", "invalidQuery", "partitioned or clustered by it"},
		{"ALTER TABLE d.days RENAME COLUMN a TO z", "invalidQuery", "partitioned or clustered by it"},
		{"ALTER TABLE d.ranges SET OPTIONS (partition_expiration_days = 1)", "invalid", "partitioned by time"},
		{"CREATE TABLE d.x (a INT64) OPTIONS (require_partition_filter = true)", "invalid", "needs a partitioned table"},
		{"CREATE TABLE d.x (a DATE) PARTITION BY a OPTIONS (partition_expiration_days = -1)", "invalid", "positive number"},
		{"INSERT INTO d.arrived (_PARTITIONTIME, a) VALUES ('2026-01-01', 1)", "invalidQuery", "Writing _PARTITIONTIME"},
		{"UPDATE d.arrived SET _PARTITIONTIME = '2026-01-01' WHERE TRUE", "invalidQuery", "Writing _PARTITIONTIME"},
		{"SELECT _PARTITIONTIME FROM d.ranges", "invalidQuery", "Unrecognized name"},
	} {
		c.fails(tt.sql, tt.reason, tt.part)
	}
	c.exec("ALTER TABLE d.days SET OPTIONS (require_partition_filter = NULL, partition_expiration_days = NULL)",
		"ALTER TABLE d.days ADD COLUMN z INT64", "INSERT INTO d.days (day) VALUES ('2000-01-01')")
	if got := c.value("SELECT COUNT(*) FROM d.days"); got != "2" {
		t.Errorf("without the options: got %s rows; want 2", got)
	}
}

func TestPartitionsOfResource(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t (ts TIMESTAMP) PARTITION BY TIMESTAMP_TRUNC(ts, HOUR)")
	svc := rest(t, s, signIn(t, s, DefaultAccount))
	for _, want := range []*bq.Table{
		{TimePartitioning: &bq.TimePartitioning{Type: "MONTH", Field: "day", ExpirationMs: 86400000},
			Clustering: &bq.Clustering{Fields: []string{"n"}}, RequirePartitionFilter: true},
		{TimePartitioning: &bq.TimePartitioning{Type: "DAY"}},
		{TimePartitioning: &bq.TimePartitioning{Type: "HOUR", Field: "dt"}},
		{RangePartitioning: &bq.RangePartitioning{Field: "n", Range: &bq.RangePartitioningRange{Start: 0, End: 10,
			Interval: 2}}},
		{Clustering: &bq.Clustering{Fields: []string{"n", "day"}}, ExpirationTime: 4102444800000},
	} {
		req := *want
		req.TableReference = &bq.TableReference{ProjectId: DefaultProject, DatasetId: "d", TableId: "made"}
		req.Schema = &bq.TableSchema{Fields: []*bq.TableFieldSchema{{Name: "day", Type: "DATE"},
			{Name: "n", Type: "INTEGER"}, {Name: "dt", Type: "DATETIME"}}}
		if _, err := svc.Tables.Insert(DefaultProject, "d", &req).Do(); err != nil {
			t.Errorf("%+v: %v", want, err)
			continue
		}
		got, err := svc.Tables.Get(DefaultProject, "d", "made").Do()
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.TimePartitioning, want.TimePartitioning) || !reflect.DeepEqual(got.Clustering,
			want.Clustering) || got.RequirePartitionFilter != want.RequirePartitionFilter || got.ExpirationTime !=
			want.ExpirationTime || (got.RangePartitioning == nil) != (want.RangePartitioning == nil) {
			t.Errorf("got %+v, %+v; want %+v, %+v", got, got.TimePartitioning, want, want.TimePartitioning)
		}
		if want.RangePartitioning != nil && got.RangePartitioning.Range.Interval != 2 {
			t.Errorf("got %+v; want the range", got.RangePartitioning.Range)
		}
		if err := svc.Tables.Delete(DefaultProject, "d", "made").Do(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := svc.Tables.Insert(DefaultProject, "d", &bq.Table{
		TableReference:   &bq.TableReference{ProjectId: DefaultProject, DatasetId: "d", TableId: "made"},
		Schema:           &bq.TableSchema{Fields: []*bq.TableFieldSchema{{Name: "n", Type: "INTEGER"}}},
		TimePartitioning: &bq.TimePartitioning{Type: "DAY", Field: "n"}}).Do()
	if e := apiErr(t, err); !strings.Contains(e.Message, "PARTITION BY expression must be") {
		t.Errorf("a field that is no date: got %v", err)
	}
	if got, err := svc.Tables.Get(DefaultProject, "d", "t").Do(); err != nil || got.TimePartitioning.Type != "HOUR" {
		t.Errorf("got %+v, %v; want hours", got, err)
	}
}

func TestExpiration(t *testing.T) {
	t.Parallel()
	clock := &fakeClock{now: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}
	s := start(t, Config{NoData: true, Now: clock.Now})
	exec(t, s, "CREATE SCHEMA d OPTIONS (default_table_expiration_days = 2, default_partition_expiration_days = 3.5)",
		"CREATE TABLE d.short (a INT64) OPTIONS (expiration_timestamp = TIMESTAMP '2026-01-11')",
		"CREATE VIEW d.look OPTIONS (expiration_timestamp = '2026-01-11') AS SELECT 1 AS a",
		"CREATE TABLE d.usual (a INT64)", "CREATE TABLE d.parts (a DATE) PARTITION BY a",
		"CREATE TABLE d.always (a INT64) OPTIONS (expiration_timestamp = NULL)")
	c := newClient(t, s, DefaultAccount)
	names := "SELECT STRING_AGG(table_name ORDER BY table_name) FROM d.INFORMATION_SCHEMA.TABLES"
	if got := c.value(names); got != "always,look,parts,short,usual" {
		t.Errorf("got %s; want all tables", got)
	}
	if got, want := c.value("SELECT STRING_AGG(CONCAT(table_name, ' ', option_value) ORDER BY table_name) FROM "+
		"d.INFORMATION_SCHEMA.TABLE_OPTIONS"), `look TIMESTAMP "2026-01-11T00:00:00.000Z",parts 3.5,short TIMESTAMP `+
		`"2026-01-11T00:00:00.000Z",usual TIMESTAMP "2026-01-12T12:00:00.000Z"`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	if got, want := c.value("SELECT STRING_AGG(CONCAT(option_name, '=', option_value) ORDER BY option_name) FROM "+
		"INFORMATION_SCHEMA.SCHEMATA_OPTIONS"), `default_partition_expiration_days=3.5,default_table_expiration_days=2.0,`+
		`location="us"`; got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	ds, err := c.svc.Datasets.Get(DefaultProject, "d").Do()
	if err != nil || ds.DefaultTableExpirationMs != 172800000 || ds.DefaultPartitionExpirationMs != 302400000 {
		t.Errorf("got %+v, %v; want the dataset's expiry", ds, err)
	}
	ds, err = c.svc.Datasets.Insert(DefaultProject, &bq.Dataset{DatasetReference: &bq.DatasetReference{DatasetId: "e"},
		DefaultTableExpirationMs: 3600000}).Do()
	if err != nil || ds.DefaultTableExpirationMs != 3600000 {
		t.Errorf("got %+v, %v; want a dataset with an expiry", ds, err)
	}
	clock.add(12 * time.Hour)
	c = newClient(t, s, DefaultAccount)
	if got := c.value(names); got != "always,parts,usual" {
		t.Errorf("12 hours later: got %s; want always,parts,usual", got)
	}
	c.fails("SELECT * FROM d.short", "notFound", "d.short")
	c.fails("INSERT INTO d.short VALUES (1)", "notFound", "d.short")
	c.exec("CREATE TABLE d.short (b STRING)", "INSERT INTO d.short VALUES ('new')",
		"ALTER TABLE d.usual SET OPTIONS (expiration_timestamp = NULL)", "CREATE VIEW d.look AS SELECT 2 AS a")
	clock.add(1000 * time.Hour)
	c = newClient(t, s, DefaultAccount)
	if got := c.value(names); got != "always,look,parts,usual" {
		t.Errorf("weeks later: got %s; want always,look,parts,usual", got)
	}
	c.exec("DROP SCHEMA d CASCADE")
}
