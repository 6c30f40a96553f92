package compat

import (
	"database/sql"
	"reflect"
	"slices"
	"testing"

	"github.com/georgysavva/scany/v2/dbscan"
	"github.com/georgysavva/scany/v2/sqlscan"
)

func TestScanySelect(t *testing.T) {
	t.Parallel()
	db := open(t)
	var all []*user
	err := sqlscan.Select(t.Context(), db, &all, "SELECT * FROM users WHERE id IN UNNEST(?) ORDER BY id", []int{1, 2})
	if err != nil || len(all) != 2 {
		t.Fatalf("got %d, %v; want 2", len(all), err)
	}
	for i, u := range all {
		if !reflect.DeepEqual(*u, users[i]) {
			t.Errorf("got %+v; want %+v", *u, users[i])
		}
	}
	var emails []*string
	if err := sqlscan.Select(t.Context(), db, &emails, "SELECT email FROM users ORDER BY id"); err != nil ||
		len(emails) != 2 || *emails[0] != *users[0].Email || emails[1] != nil {
		t.Errorf("one column with a NULL: got %v, %v", emails, err)
	}
}

func TestScanyGet(t *testing.T) {
	t.Parallel()
	db := open(t)
	var n int
	if err := sqlscan.Get(t.Context(), db, &n, "SELECT COUNT(*) FROM users WHERE email IS NULL"); err != nil || n != 1 {
		t.Errorf("got %d, %v; want 1", n, err)
	}
	var u user
	if err := sqlscan.Get(t.Context(), db, &u, "SELECT * FROM users WHERE id = @id", sql.Named("id", 2)); err != nil ||
		!reflect.DeepEqual(u, users[1]) {
		t.Errorf("got %+v, %v; want %+v", u, err, users[1])
	}
	if err := sqlscan.Get(t.Context(), db, &u, "SELECT * FROM users WHERE id = 9"); !sqlscan.NotFound(err) {
		t.Errorf("no such row: got %v; want NotFound", err)
	}
	m := map[string]any{}
	if err := sqlscan.Get(t.Context(), db, &m, "SELECT id, email, tags FROM users WHERE id = 2"); err != nil ||
		!reflect.DeepEqual(m, map[string]any{"id": int64(2), "email": nil, "tags": []string{}}) {
		t.Errorf("a map: got %v, %v", m, err)
	}
}

// TestScanyScanAll: nested structs by columns of the form parent__field. BigQuery allows no dot
// in the name of a column, which is scany's own separator.
func TestScanyScanAll(t *testing.T) {
	t.Parallel()
	db := open(t)
	scan, err := sqlscan.NewDBScanAPI(dbscan.WithColumnSeparator("__"))
	if err != nil {
		t.Fatal(err)
	}
	api, err := sqlscan.NewAPI(scan)
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		City *string
		Zip  sql.Null[int64]
	}
	type row struct {
		ID    int64
		Home  place
		First *struct {
			Item string
			Cost sql.NullString
		}
	}
	rows, err := db.QueryContext(t.Context(), `SELECT id, home.city AS home__city, home.zip AS home__zip,
		COALESCE(orders[SAFE_OFFSET(0)].item, '') AS first__item, orders[SAFE_OFFSET(0)].price AS first__cost
		FROM users ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	var got []row
	if err := api.ScanAll(&got, rows); err != nil || len(got) != 2 {
		t.Fatalf("got %d rows, %v; want 2", len(got), err)
	}
	if g := got[0]; *g.Home.City != "London" || g.Home.Zip.V != 1 ||
		g.First.Item != "pen" || g.First.Cost.String != "1.5" {
		t.Errorf("got %+v, %+v", g, g.First)
	}
	if g := got[1]; g.Home.City != nil || g.Home.Zip.Valid || g.First.Item != "" || g.First.Cost.Valid {
		t.Errorf("NULLs: got %+v, %+v", g, g.First)
	}
}

func TestScanyRowByRow(t *testing.T) {
	t.Parallel()
	db := open(t)
	rows, err := db.QueryContext(t.Context(), "SELECT id, name FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	scanner := sqlscan.NewRowScanner(rows)
	var names []string
	for rows.Next() {
		var u user
		if err := scanner.Scan(&u); err != nil {
			t.Fatal(err)
		}
		names = append(names, u.Name)
	}
	if err := rows.Err(); err != nil || !slices.Equal(names, []string{"Ada", "Grace"}) {
		t.Errorf("got %q, %v", names, err)
	}
}
