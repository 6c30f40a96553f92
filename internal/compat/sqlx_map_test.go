package compat

import (
	sqldriver "database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/bigqueryuser/bigqueryuser/driver"
)

func TestSqlxMapScan(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	rows, err := db.QueryxContext(t.Context(), "SELECT * FROM users ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := []map[string]any{
		{
			"id":      int64(1),
			"name":    "Ada",
			"email":   "ada@example.com",
			"joined":  users[0].Joined,
			"seen":    *users[0].Seen,
			"balance": "12345678901234567890.5",
			"photo":   []byte{0, 255},
			"tags":    []string{"a", "b"},
			"home": driver.Struct{Fields: []driver.StructField{
				{Name: "city", Value: "London"},
				{Name: "zip", Value: int64(1)},
			}},
			"orders": []driver.Struct{
				{Fields: []driver.StructField{{Name: "item", Value: "pen"}, {Name: "price", Value: "1.5"}}},
				{Fields: []driver.StructField{{Name: "item", Value: "ink"}, {Name: "price", Value: "20"}}},
			},
		},
		{
			"id":      int64(2),
			"name":    "Grace",
			"email":   nil,
			"joined":  users[1].Joined,
			"seen":    nil,
			"balance": nil,
			"photo":   nil,
			"tags":    []string{},
			"home":    nil,
			"orders":  []driver.Struct{},
		},
	}
	for i := 0; rows.Next(); i++ {
		m := map[string]any{}
		if err := rows.MapScan(m); err != nil || !reflect.DeepEqual(m, want[i]) {
			t.Errorf("MapScan: got %v, %v; want %v", m, err, want[i])
		}
		list, err := rows.SliceScan()
		if err != nil || len(list) != len(m) || !reflect.DeepEqual(list[:2], []any{m["id"], m["name"]}) {
			t.Errorf("SliceScan: got %v, %v", list, err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// properties is a map that is kept as JSON text. Its Value is []byte, as that of most such types is.
type properties map[string]string

func (p properties) Value() (sqldriver.Value, error) {
	if len(p) == 0 {
		return nil, nil
	}
	return json.Marshal(p)
}

func (p *properties) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("properties are text, not a %T", src)
	}
	return json.Unmarshal([]byte(text), p)
}

// TestSqlxEmbeddedMaps keeps maps in columns of text and of JSON, through embedded structs and
// named parameters.
func TestSqlxEmbeddedMaps(t *testing.T) {
	t.Parallel()
	db := openSqlx(t)
	for _, typ := range []string{"STRING", "JSON"} {
		table := "maps_" + strings.ToLower(typ)
		db.MustExecContext(t.Context(), "CREATE TABLE "+table+" (id INT64, properties "+typ+")")
		type Base struct {
			Properties properties `db:"properties"`
		}
		type row struct {
			ID int64 `db:"id"`
			Base
		}
		want := []row{{1, Base{properties{"one": "1", "two": "2"}}}, {2, Base{properties{"three": "3"}}}}
		for _, r := range want {
			if _, err := db.NamedExecContext(
				t.Context(),
				"INSERT INTO "+table+" (id, properties) VALUES (:id, :properties)",
				r,
			); err != nil {
				t.Fatal(err)
			}
		}
		var got []row
		if err := db.SelectContext(
			t.Context(),
			&got,
			"SELECT id, properties FROM "+table+" ORDER BY id",
		); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v; want %v", typ, got, want)
		}
		if _, err := db.ExecContext(
			t.Context(),
			"INSERT INTO "+table+" (id, properties) VALUES (?, ?)",
			3,
			properties{},
		); err != nil {
			t.Errorf("%s: no properties: %v", typ, err)
		}
	}
}
