//go:build !race

package main // the race detector keeps memory of its own, several times what is measured here

import (
	"fmt"
	"os"
	"testing"
	"time"
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

// slowNetwork is a latency with which the driver requests several pages at a time.
const slowNetwork = 50 * time.Millisecond

// TestMemory: a result of ten million rows, read by the driver in a process of its own, stays
// within the limit, also over a slow network, and so do rows that are appended.
func TestMemory(t *testing.T) {
	if peakRSS() == 0 {
		t.Skip("this system does not tell the peak memory of a process")
	}
	at := map[time.Duration]addresses{}
	for _, latency := range []time.Duration{0, slowNetwork} {
		address, stop, err := startServer(latency)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
		at[latency] = address
	}
	for _, tt := range []struct {
		reader, shape string
		rows          int
		latency       time.Duration
	}{
		{"driver, REST", "narrow", longRows, 0},
		{"driver, Storage", "narrow", longRows, 0},
		{"driver, REST", "wide", longRows / 50, 0},
		{"driver, REST", "wide", longRows / 50, slowNetwork},
		{"driver, Storage", "wide", longRows / 50, 0},
		{"driver, REST", "nested", longRows / 50, 0},
		{"driver, REST", "nested", longRows / 50, slowNetwork},
		{"driver, Storage", "nested", longRows / 50, 0},
		{"bulk.Append", "wide", longRows / 100, 0},
		{"bulk.Append", "wide", longRows / 5, 0},
	} {
		t.Run(fmt.Sprintf("%s/%s/%d/%s", tt.reader, tt.shape, tt.rows, tt.latency), func(t *testing.T) {
			m, err := inChild(t.Context(), job{At: at[tt.latency], Reader: tt.reader, Shape: tt.shape, Rows: tt.rows})
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
