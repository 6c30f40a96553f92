package sandbox

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	bq "google.golang.org/api/bigquery/v2"
)

// TestPatchOptions: tables.patch of expiry, filters and keys.
func TestPatchOptions(t *testing.T) {
	t.Parallel()
	s := start(t, Config{NoData: true})
	exec(t, s, "CREATE SCHEMA d", "CREATE TABLE d.other (id INT64 PRIMARY KEY NOT ENFORCED)", "CREATE TABLE d.t (id INT64, "+
		"day DATE, PRIMARY KEY (day) NOT ENFORCED) PARTITION BY day CLUSTER BY id OPTIONS (description = 'x')",
		"CREATE VIEW d.v AS SELECT 1 AS a")
	tok := signIn(t, s, DefaultAccount)
	svc := rest(t, s, tok)
	get := func(name string) *bq.Table {
		t.Helper()
		got, err := svc.Tables.Get(DefaultProject, "d", name).Do()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	later := time.Now().Add(time.Hour).UnixMilli()
	keys := &bq.TableConstraints{PrimaryKey: &bq.TableConstraintsPrimaryKey{Columns: []string{"id"}},
		ForeignKeys: []*bq.TableConstraintsForeignKeys{{Name: "named", ReferencedTable: &bq.
			TableConstraintsForeignKeysReferencedTable{ProjectId: DefaultProject, DatasetId: "d", TableId: "other"},
			ColumnReferences: []*bq.TableConstraintsForeignKeysColumnReferences{{ReferencingColumn: "id",
				ReferencedColumn: "id"}}}}}
	if _, err := svc.Tables.Patch(DefaultProject, "d", "t", &bq.Table{ExpirationTime: later, RequirePartitionFilter: true,
		TimePartitioning: &bq.TimePartitioning{Type: "DAY", Field: "day", ExpirationMs: 86400000},
		TableConstraints: keys}).Do(); err != nil {
		t.Fatal(err)
	}
	got := get("t")
	if got.ExpirationTime != later || !got.RequirePartitionFilter || got.TimePartitioning.ExpirationMs != 86400000 ||
		!reflect.DeepEqual(got.TableConstraints, keys) || got.Description != "x" || got.Clustering == nil {
		t.Errorf("got %+v, %+v; want what was asked for", got, got.TimePartitioning)
	}
	// What is sent back as it was is no change.
	got.NumRows, got.ServerResponse.Header = 0, nil
	if _, err := svc.Tables.Patch(DefaultProject, "d", "t", got).Do(); err != nil {
		t.Error(err)
	}
	if again := get("t"); !reflect.DeepEqual(again.TableConstraints, keys) || again.ExpirationTime != later {
		t.Errorf("sent back: got %+v", again)
	}
	path := "/bigquery/v2/projects/" + DefaultProject + "/datasets/d/tables/"
	status, _, body := call(t, s, tok.AccessToken, "PATCH", path+"t", `{"expirationTime": null, "requirePartitionFilter": `+
		`false, "tableConstraints": null}`)
	if got := get("t"); status != http.StatusOK || got.ExpirationTime != 0 || got.RequirePartitionFilter ||
		got.TableConstraints != nil {
		t.Errorf("null: got %d, %v, %+v; want nothing left", status, body, got)
	}
	if _, err := svc.Tables.Patch(DefaultProject, "d", "v", &bq.Table{ExpirationTime: later}).Do(); err != nil ||
		get("v").ExpirationTime != later {
		t.Errorf("a view: %v", err)
	}
	for _, tt := range []struct{ body, part string }{
		{`{"clustering": {"fields": ["day"]}}`, "changing clustering"},
		{`{"timePartitioning": {"type": "MONTH", "field": "day"}}`, "changing timePartitioning"},
		{`{"timePartitioning": null}`, "changing timePartitioning"},
		{`{"rangePartitioning": {"field": "id", "range": {"start": 0, "end": 9, "interval": 1}}}`,
			"changing rangePartitioning"},
		{`{"tableConstraints": {"primaryKey": {"columns": ["nosuch"]}}}`, "Column nosuch of the key"},
		{`{"expirationTime": "x"}`, "Invalid JSON payload"},
	} {
		status, _, body := call(t, s, tok.AccessToken, "PATCH", path+"t", tt.body)
		if _, message := reasonOf(body); status != http.StatusBadRequest || !strings.Contains(message, tt.part) {
			t.Errorf("%s: got %d, %s; want %s", tt.body, status, message, tt.part)
		}
	}
}
