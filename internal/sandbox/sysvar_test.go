package sandbox

import (
	"testing"

	bq "google.golang.org/api/bigquery/v2"
)

// TestSystemVariables sets them in a session, by a request, and by both.
func TestSystemVariables(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true, Projects: map[string][]string{DefaultAccount: {DefaultProject, "second"}}})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.t AS SELECT 'first' AS v", "CREATE SCHEMA second.d",
		"CREATE TABLE second.d.t AS SELECT 'second' AS v")
	c := newClient(t, s, DefaultAccount)
	const noon = "SELECT CAST(TIMESTAMP '2024-07-01 12:00:00Z' AS STRING)"
	value := func(sql, key, text string) string {
		t.Helper()
		resp, err := c.svc.Jobs.Query(DefaultProject, &bq.QueryRequest{
			Query: sql, UseLegacySql: legacyOff, ConnectionProperties: append(c.properties(),
				&bq.ConnectionProperty{Key: key, Value: text}),
		}).Do()
		if err != nil {
			t.Fatalf("%s with %s=%s: %v", sql, key, text, err)
		}
		return resp.Rows[0].F[0].V.(string)
	}
	if got := value(noon, "time_zone", "Asia/Tokyo"); got != "2024-07-01 21:00:00+09" {
		t.Errorf("a request's time zone: got %s", got)
	}
	c.exec("SET @@time_zone = 'Europe/Zurich'")
	if got := c.value(noon); got != "2024-07-01 14:00:00+02" {
		t.Errorf("the session's time zone: got %s", got)
	}
	if got := value(noon, "time_zone", "Asia/Tokyo"); got != "2024-07-01 21:00:00+09" {
		t.Errorf("a request's time zone over the session's: got %s", got)
	}
	if got := c.with("").value(noon); got != "2024-07-01 12:00:00+00" {
		t.Errorf("outside: got %s", got)
	}
	c.fails("SET @@time_zone = CONCAT('Ma', 'rs')", "invalidQuery", "Invalid time zone: Mars")
	c.fails("SET @@time_zone = NULL", "invalidQuery", "NULL")
	c.fails("SET nosuch = 5", "invalidQuery", "at [1:")
	for sql, want := range map[string]string{
		"SELECT @@session_id": c.session, "SELECT @@time_zone": "Europe/Zurich", "SELECT @@project_id": DefaultProject,
		"SELECT @@session_id IS NULL": "false",
	} {
		if got := c.value(sql); got != want {
			t.Errorf("%s: got %s; want %s", sql, got, want)
		}
	}
	if got := c.with("").value("SELECT @@session_id IS NULL"); got != "true" {
		t.Errorf("outside, @@session_id IS NULL: got %s", got)
	}
	c.exec("SET @@dataset_id = 'd'")
	if got := c.value("SELECT v FROM t"); got != "first" {
		t.Errorf("the session's dataset: got %s", got)
	}
	if got := value("SELECT v FROM d.t", "dataset_project_id", "second"); got != "second" {
		t.Errorf("a request's project of datasets: got %s", got)
	}
	c.exec("SET @@dataset_project_id = 'second'")
	if got := c.value("SELECT CONCAT(v, @@project_id) FROM t"); got != "second"+DefaultProject {
		t.Errorf("the session's project of datasets: got %s", got)
	}
	// A dry run knows them as well.
	dry := queryJob("SELECT v FROM t", "")
	dry.Configuration.DryRun, dry.Configuration.Query.ConnectionProperties = true, c.properties()
	j, err := c.svc.Jobs.Insert(DefaultProject, dry).Do()
	if err != nil || j.Statistics.Query.ReferencedTables[0].ProjectId != "second" {
		t.Errorf("dry run: got %+v, %v", j, err)
	}
	dry.Configuration.Query.ConnectionProperties = []*bq.ConnectionProperty{{Key: "time_zone", Value: "nowhere"}}
	if _, err := c.svc.Jobs.Insert(DefaultProject, dry).Do(); apiErr(t, err).Message != "Invalid time zone: nowhere" {
		t.Errorf("dry run in an unknown zone: got %v", err)
	}
}
