package googlesql_test

import (
	"testing"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// TestTimeZone holds what depends on the default time zone, and what does not.
func TestTimeZone(t *testing.T) {
	t.Parallel()
	db, cat := open(t)
	// The customers table has a column of STRING for what is no literal.
	exec(t, db, "INSERT INTO d.customers (id, name) VALUES (9, '2024-07-01 12:00:00'), (10, '2024-07-01 12:00:00Z')")
	for _, tt := range []struct{ zone, sql, want string }{
		{"", "SELECT CAST(TIMESTAMP '2024-01-01 23:30:00' AS STRING)", "2024-01-01 23:30:00+00"},
		{"Europe/Zurich", "SELECT @@time_zone", "Europe/Zurich"},
		{"Europe/Zurich", "SELECT TIMESTAMP '2024-07-01 12:00:00'", "2024-07-01 10:00:00+00"},
		{"Europe/Zurich", "SELECT TIMESTAMP '2024-07-01 12:00:00Z'", "2024-07-01 12:00:00+00"},
		{"Europe/Zurich", "SELECT DATETIME '2024-07-01 12:00:00'", "2024-07-01T12:00:00"},
		{"Europe/Zurich", "SELECT TIMESTAMP(name) FROM customers WHERE id >= 9 ORDER BY id",
			"2024-07-01 10:00:00+00\n2024-07-01 12:00:00+00"},
		{"Europe/Zurich", "SELECT CAST(TIMESTAMP '2024-01-01 23:30:00.5Z' AS STRING)", "2024-01-02 00:30:00.500+01"},
		{"Europe/Zurich", "SELECT STRING(TIMESTAMP '2024-07-01 23:30:00Z')", "2024-07-02 01:30:00+02"},
		{"Europe/Zurich", "SELECT STRING(TIMESTAMP '2024-07-01 23:30:00Z', 'UTC')", "2024-07-01 23:30:00+00"},
		{"Asia/Kolkata", "SELECT CAST(TIMESTAMP '2024-07-01 20:00:00Z' AS STRING)", "2024-07-02 01:30:00+05:30"},
		{"America/St_Johns", "SELECT CAST(TIMESTAMP '2024-01-01 02:00:00Z' AS STRING)", "2023-12-31 22:30:00-03:30"},
		{"-08:00", "SELECT CAST(TIMESTAMP '2024-01-01 02:00:00Z' AS STRING)", "2023-12-31 18:00:00-08"},
		{"Europe/Zurich", "SELECT DATE(TIMESTAMP '2024-01-01 23:30:00Z'), CAST(TIMESTAMP '2024-01-01 23:30:00Z' AS " +
			"DATE)", "2024-01-02|2024-01-02"},
		{"Europe/Zurich", "SELECT DATETIME(TIMESTAMP '2024-01-01 23:30:00Z'), TIME(TIMESTAMP '2024-01-01 23:30:00Z')",
			"2024-01-02T00:30:00|00:30:00"},
		{"Europe/Zurich", "SELECT DATE(TIMESTAMP '2024-01-01 23:30:00Z', 'UTC')", "2024-01-01"},
		{"Europe/Zurich", "SELECT TIMESTAMP(DATE '2024-07-01'), CAST(DATETIME '2024-07-01 00:00:00' AS TIMESTAMP)",
			"2024-06-30 22:00:00+00|2024-06-30 22:00:00+00"},
		{"Europe/Zurich", "SELECT EXTRACT(DAY FROM t), EXTRACT(HOUR FROM t), EXTRACT(HOUR FROM t AT TIME ZONE " +
			"'UTC') FROM (SELECT TIMESTAMP '2024-01-01 23:30:00Z' AS t)", "2|0|23"},
		{"Europe/Zurich", "SELECT FORMAT_TIMESTAMP('%F %T %z %Ez', TIMESTAMP '2024-07-01 23:30:00Z')",
			"2024-07-02 01:30:00 +0200 +02:00"},
		{"Europe/Zurich", "SELECT FORMAT_TIMESTAMP('%T %z %Z', TIMESTAMP '2024-07-01 23:30:00Z', 'UTC')",
			"23:30:00 +0000 UTC"},
		{"Europe/Zurich", "SELECT PARSE_TIMESTAMP('%F %T', '2024-07-01 12:00:00')", "2024-07-01 10:00:00+00"},
		{"Europe/Zurich", "SELECT TIMESTAMP_TRUNC(TIMESTAMP '2024-07-01 23:30:00Z', DAY), TIMESTAMP_TRUNC(TIMESTAMP " +
			"'2024-07-01 23:30:00Z', DAY, 'UTC')", "2024-07-01 22:00:00+00|2024-07-01 00:00:00+00"},
		// 24 hours
		{"Europe/Zurich", "SELECT TIMESTAMP_ADD(TIMESTAMP '2024-03-30 12:00:00', INTERVAL 1 DAY)",
			"2024-03-31 11:00:00+00"},
		{"Europe/Zurich", "SELECT FORMAT('%t', TIMESTAMP '2024-07-01 00:00:00Z'), TO_JSON_STRING(TIMESTAMP " +
			"'2024-07-01 00:00:00Z')", "2024-07-01 02:00:00+02|\"2024-07-01T00:00:00Z\""},
		{"Europe/Zurich", "SELECT SAFE_CAST(name AS TIMESTAMP) FROM customers WHERE id IN (1, 9) ORDER BY id",
			"NULL\n2024-07-01 10:00:00+00"},
		{"Pacific/Kiritimati", "SELECT DATE_DIFF(CURRENT_DATE(), DATE(CURRENT_TIMESTAMP(), 'UTC'), DAY) BETWEEN 0 " +
			"AND 1, CURRENT_DATETIME() > CURRENT_DATETIME('UTC'), EXTRACT(HOUR FROM CURRENT_TIME()) = EXTRACT(HOUR " +
			"FROM CURRENT_TIME('Pacific/Kiritimati'))", "true|true|true"},
	} {
		opts := options(cat)
		opts.TimeZone = tt.zone
		st, err := googlesql.Translate(tt.sql, opts)
		if err != nil {
			t.Errorf("%s: %s: %v", tt.zone, tt.sql, err)
			continue
		}
		debug(t, st.SQL)
		got, err := run(db, st)
		if err != nil || got != tt.want {
			t.Errorf("%s: %s: got %s, %v; want %s", tt.zone, tt.sql, got, err, tt.want)
		}
	}
}

func TestSet(t *testing.T) {
	t.Parallel()
	_, cat := open(t)
	for _, tt := range []struct{ sql, name, problem string }{
		{"SET @@time_zone = 'Europe/Zurich'", "time_zone", ""},
		{"set @@TIME_ZONE = CONCAT('U', 'TC');", "time_zone", ""},
		{"SET @@dataset_id = @x", "dataset_id", ""},
		{"SET @@time_zone = 'Mars'", "", "Invalid time zone: Mars at [1:19]"},
		{"SET @@time_zone = 5", "", "Cannot coerce expression of type INT64 to type STRING of the system variable " +
			"@@time_zone at [1:19]"},
		{"SET @@session_id = 'x'", "", "Cannot assign to the read-only system variable @@session_id at [1:5]"},
		{"SET @@time_zone", "", "Syntax error: Expected \"=\" but got end of statement at [1:16]"},
	} {
		st, err := googlesql.Translate(tt.sql, options(cat))
		switch {
		case tt.problem == "" && (err != nil || st.SystemVariable != tt.name || st.Columns != nil):
			t.Errorf("%s: got %+v, %v; want the variable %s", tt.sql, st, err, tt.name)
		case tt.problem != "" && (err == nil || err.Error() != tt.problem):
			t.Errorf("%s: got %v; want %s", tt.sql, err, tt.problem)
		}
	}
}
