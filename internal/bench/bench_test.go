package main

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRead reads results of 1, 1,000 and 100,000 rows by all readers, with the server in
// the same process. The command gives the figures that are comparable; this one is for
// profiles. With -short the longest results have 10,000 rows.
func BenchmarkRead(b *testing.B) {
	server, at, err := newServer(0)
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	sizes := []int{1, 1000, 100_000}
	if testing.Short() {
		sizes[2] = 10_000
	}
	for _, s := range shapes {
		for _, rows := range sizes {
			for _, r := range readers {
				name := strings.NewReplacer(" ", "-", ",", "").Replace(r.name)
				b.Run(fmt.Sprintf("%s/%d/%s", s.name, rows, name), func(b *testing.B) {
					session, err := r.open(b.Context(), at)
					if err != nil {
						b.Fatal(err)
					}
					defer session.close()
					b.ReportAllocs()
					for b.Loop() {
						if n, err := session.read(b.Context(), s, rows); err != nil || n != rows {
							b.Fatalf("got %d rows, %v; want %d", n, err, rows)
						}
					}
					b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds()/1000, "krows/s")
				})
			}
		}
	}
}

// TestReaders: every reader reads every row of every shape, over several pages and batches too.
// With -short, which CI adds for the race detector, only those of the driver do.
func TestReaders(t *testing.T) {
	t.Parallel()
	server, at, err := newServer(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	for _, s := range shapes {
		for _, r := range readers {
			if testing.Short() && !strings.HasPrefix(r.name, "driver") && !strings.HasPrefix(r.name, "Query") {
				continue
			}
			t.Run(s.name+"/"+r.name, func(t *testing.T) {
				session, err := r.open(t.Context(), at)
				if err != nil {
					t.Fatal(err)
				}
				defer session.close()
				for _, rows := range []int{1, 1000, 20_000} {
					if n, err := session.read(t.Context(), s, rows); err != nil || n != rows {
						t.Errorf("got %d rows, %v; want %d", n, err, rows)
					}
				}
			})
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   []float64
		want float64
	}{
		{"none", nil, 0},
		{"one", []float64{3}, 3},
		{"odd", []float64{9, 1, 5}, 5},
		{"even", []float64{4, 1, 2, 9}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []measurement
			for _, v := range tt.in {
				all = append(all, measurement{Seconds: v})
			}
			if got := median(all, seconds); got != tt.want {
				t.Errorf("%v: got %v; want %v", tt.in, got, tt.want)
			}
		})
	}
}
