//go:build go1.27

package driver_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakebq"
)

func init() { scansOwnText = true }

// TestScanColumn: values go into destinations of their own type, JSON into json.RawMessage too,
// and all else is as database/sql has it.
func TestScanColumn(t *testing.T) {
	t.Parallel()
	server := fakebq.Run(t, fakebq.Options{})
	at := time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC)
	server.On("SELECT *", fakebq.Answer{
		Fields: []fakebq.Field{
			{Name: "i", Type: "INTEGER"},
			{Name: "s", Type: "STRING"},
			{Name: "f", Type: "FLOAT"},
			{Name: "b", Type: "BOOLEAN"},
			{Name: "t", Type: "TIMESTAMP"},
			{Name: "x", Type: "BYTES"},
			{Name: "j", Type: "JSON"},
			{Name: "a", Type: "INTEGER", Mode: "REPEATED"},
		},
		Rows: [][]any{{1, "one", 1.5, true, at, []byte{1}, `{"a":1}`, []int{1, 2}}, make([]any, 8)},
	})
	rows, err := open(t, server).QueryContext(t.Context(), "SELECT *")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var (
		i    int64
		s    string
		f    float64
		b    bool
		when time.Time
		x    []byte
		j    json.RawMessage
		a    []int64
	)
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if err := rows.Scan(&i, &s, &f, &b, &when, &x, &j, &a); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(i, s, f, b, when, x, string(j), a)
	if want := fmt.Sprint(1, "one", 1.5, true, at, []byte{1}, `{"a":1}`, []int64{1, 2}); got != want {
		t.Errorf("got %s; want %s", got, want)
	}
	// The bytes are the caller's own.
	x[0] = 9
	values := make([]any, 8)
	dest := make([]any, 8)
	for k := range values {
		dest[k] = &values[k]
	}
	if err := rows.Scan(dest...); err != nil ||
		!reflect.DeepEqual(values, []any{int64(1), "one", 1.5, true, at, []byte{1}, `{"a":1}`, []int64{1, 2}}) {
		t.Errorf("got %v, %v", values, err)
	}
	// What does not fit is database/sql's error; a string is not JSON because it is text.
	for k, bad := range []any{&when, &j, &b, &i, &i, &i, &i, &i} {
		dest[k] = bad
		if err := rows.Scan(dest...); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("column index %d", k)) {
			t.Errorf("column %d into %T: got %v", k, bad, err)
		}
		dest[k] = &values[k]
	}
	dest[0] = (*int64)(nil)
	if err := rows.Scan(dest...); err == nil {
		t.Error("a nil pointer: got no error")
	}
	if !rows.Next() {
		t.Fatal(rows.Err())
	}
	if err := rows.Scan(&values[0], &values[1], &values[2], &values[3], &values[4], &x, &j, &a); err != nil ||
		values[0] != nil || values[4] != nil || x != nil || j != nil || a == nil {
		t.Errorf("NULLs: got %v, %v, %v, %v, %v", values, x, j, a, err)
	}
	if err := rows.Scan(&i, &s, &f, &b, &when, &x, &j, &a); err == nil || !strings.Contains(err.Error(), "NULL") {
		t.Errorf("NULL into an int64: got %v", err)
	}
}
