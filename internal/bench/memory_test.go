//go:build !race

package main // the race detector keeps memory of its own, several times what is measured here

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test's own program be the server and make measurements, as the command does.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "-serve" || os.Args[1] == "-measure") {
		main()
		return
	}
	os.Exit(m.Run())
}

// longRows are the rows of TestMemory's longest results.
const longRows = 10_000_000

// memoryLimit is what a process that reads a result of any size may need at its peak, in bytes.
const memoryLimit = 160 << 20

// appendLimit is the same for a process that writes rows.
const appendLimit = 100 << 20

// TestMemory: a result of ten million rows, read by the driver in a process of its own, stays
// within the limit, and so do rows that are appended.
func TestMemory(t *testing.T) {
	if peakRSS() == 0 {
		t.Skip("this system does not tell the peak memory of a process")
	}
	at, stop, err := startServer(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for _, tt := range []struct {
		reader, shape string
		rows          int
	}{
		{"driver, REST", "narrow", longRows},
		{"driver, Storage", "narrow", longRows},
		{"driver, REST", "wide", longRows / 50},
		{"driver, Storage", "wide", longRows / 50},
		{"driver, REST", "nested", longRows / 50},
		{"driver, Storage", "nested", longRows / 50},
		{"bulk.Append", "wide", longRows / 100},
		{"bulk.Append", "wide", longRows / 5},
	} {
		t.Run(fmt.Sprintf("%s/%s/%d", tt.reader, tt.shape, tt.rows), func(t *testing.T) {
			m, err := inChild(t.Context(), job{At: at, Reader: tt.reader, Shape: tt.shape, Rows: tt.rows})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MB", m.RSS>>20)
			limit := int64(memoryLimit)
			if tt.reader == "bulk.Append" {
				limit = appendLimit
			}
			if m.RSS > limit {
				t.Errorf("got a peak of %d MB; want %d MB at most", m.RSS>>20, limit>>20)
			}
		})
	}
}

// TestWriters: every writer writes the rows of both shapes, also over several requests.
func TestWriters(t *testing.T) {
	t.Parallel()
	at, stop, err := startServer(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for _, s := range shapes[:2] {
		for _, w := range writers {
			t.Run(s.name+"/"+w.name, func(t *testing.T) {
				session, err := w.open(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				defer session.close()
				for _, rows := range []int{1, 1500} {
					if n, err := session.read(t.Context(), s, rows); err != nil || n != rows {
						t.Errorf("got %d rows, %v; want %d", n, err, rows)
					}
				}
			})
		}
	}
}
