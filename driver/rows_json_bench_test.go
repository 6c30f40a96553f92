package driver

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
)

// BenchmarkPage reads pages of 1,000 rows from their bytes to values.
func BenchmarkPage(b *testing.B) {
	narrow := []string{"INTEGER", "STRING"}
	wide := strings.Fields(strings.Repeat("INTEGER FLOAT STRING TIMESTAMP ", 5))
	for _, shape := range []struct {
		name  string
		types []string
	}{
		{"narrow", narrow},
		{"wide", wide},
	} {
		body := []byte(pageOf(shape.types, 1000))
		b.Run(shape.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			dest := make([]driver.Value, len(shape.types))
			for b.Loop() {
				pg, err := parsePage(body, 0)
				if err != nil {
					b.Fatal(err)
				}
				columns, err := newColumns(pg.Schema)
				if err != nil {
					b.Fatal(err)
				}
				batch := &jsonRows{columns: columns, cursor: &cursor{buf: pg.rows, boxes: new(boxes)}}
				for {
					ok, err := batch.next(dest)
					if err != nil {
						b.Fatal(err)
					}
					if !ok {
						break
					}
				}
				if batch.row != 1000 {
					b.Fatalf("read %d rows; want 1000", batch.row)
				}
			}
		})
	}
}

func pageOf(types []string, rows int) string {
	cells := map[string]string{
		"INTEGER":   "1234567",
		"FLOAT":     "1234.5678",
		"STRING":    "a string of some length",
		"TIMESTAMP": "1700000000123456",
	}
	var fields, row []string
	for i, typ := range types {
		fields = append(fields, fmt.Sprintf(`{"name":"c%d","type":"%s","mode":"NULLABLE"}`, i, typ))
		row = append(row, fmt.Sprintf(`{"v":"%s"}`, cells[typ]))
	}
	all := strings.TrimSuffix(strings.Repeat(`{"f":[`+strings.Join(row, ",")+`]},`, rows), ",")
	return `{"jobComplete":true,"schema":{"fields":[` + strings.Join(fields, ",") + `]},"rows":[` + all + `]}`
}
