package driver

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	bq "google.golang.org/api/bigquery/v2"
)

// TestRecordMemory: a record uses the buffers of the one before it, and no others.
func TestRecordMemory(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		keep  bool
		sizes []int // of the second record, after one with buffers of 64 and 256 bytes
		again int   // how many of these are old buffers
	}{
		{"the same sizes", false, []int{64, 256}, 2},
		{"in another order", false, []int{256, 64}, 2},
		{"shorter", false, []int{10, 100}, 2},
		{"one longer", false, []int{512, 256}, 1},
		{"more buffers", false, []int{64, 64, 64}, 2},
		{"kept", true, []int{64, 256}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := recordMemory{keep: tt.keep}
			m.begin(10)
			old := [][]byte{m.Allocate(64), m.Allocate(256)}
			isOld := func(b []byte) bool { return &b[:1][0] == &old[0][0] || &b[:1][0] == &old[1][0] }
			m.begin(10)
			for _, b := range old {
				m.Free(b)
			}
			seen, again := map[*byte]bool{}, 0
			for _, size := range tt.sizes {
				b := m.Allocate(size)
				if len(b) != size || seen[&b[0]] {
					t.Fatalf("Allocate(%d) returned %d bytes, in use: %t", size, len(b), seen[&b[0]])
				}
				if seen[&b[0]] = true; isOld(b) {
					again++
				}
			}
			if again != tt.again {
				t.Errorf("%d old buffers were used again; want %d", again, tt.again)
			}
			m.begin(10)
			m.begin(10)
			if b := m.Allocate(64); isOld(b) {
				t.Error("a buffer that a record did not need was kept")
			}
		})
	}
}

// TestRecordMemoryGrows: a longer buffer has the bytes of the old one, which is free again.
func TestRecordMemoryGrows(t *testing.T) {
	t.Parallel()
	var m recordMemory
	m.begin(10)
	old := m.Allocate(64)
	copy(old, "text")
	b := m.Reallocate(1000, old)
	if len(b) != 1000 || !bytes.HasPrefix(b, []byte("text")) {
		t.Errorf("got %d bytes %q; want 1000 that begin with text", len(b), b[:4])
	}
	if again := m.Allocate(64); &again[0] != &old[0] {
		t.Error("the old buffer is not free")
	}
}

// TestRowsOutliveRecord: no value of a row refers to its message or record, whose memory the next one uses.
func TestRowsOutliveRecord(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options []ipc.Option
	}{
		{"plain", nil},
		{"LZ4", []ipc.Option{ipc.WithLZ4()}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fields, schema, message := arrowMessages(t, tt.options...)
			want, _, err := readArrow(fields, schema, bytes.Clone(message))
			if err != nil {
				t.Fatal(err)
			}
			columns, err := newColumns(&bq.TableSchema{Fields: fields})
			if err != nil {
				t.Fatal(err)
			}
			r, err := newArrowReader(columns, fields, schema, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			record, err := r.record(message, 3)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.batch(record, 0, 3)
			if err != nil {
				t.Fatal(err)
			}
			spoil(message)
			for _, a := range record.Columns() {
				spoilArray(a.Data())
			}
			if !reflect.DeepEqual(got.values, want.values) {
				t.Errorf("the rows changed with the memory of their record: got %v; want %v", got.values, want.values)
			}
		})
	}
}

func spoil(b []byte) {
	for i := range b {
		b[i] = 0xAA
	}
}

func spoilArray(data arrow.ArrayData) {
	for _, b := range data.Buffers() {
		if b != nil {
			spoil(b.Bytes())
		}
	}
	for _, child := range data.Children() {
		spoilArray(child)
	}
}
