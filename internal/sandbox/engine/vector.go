package engine

import (
	"sort"

	"github.com/bigqueryuser/bigqueryuser/internal/sandbox/googlesql"
)

// Vector is a column of a block: values of one type, in Arrow's layout, so that
// record batches can be built from it without reading single cells. Only the
// fields that its type uses are set.
type Vector struct {
	Type googlesql.Type
	Len  int
	// Nulls has one bit per value, 1 = NULL; nil = none is NULL. An ARRAY is
	// never NULL: BigQuery stores a NULL array as an empty one.
	Nulls []uint64
	// Ints: INT64; DATE in days, DATETIME and TIMESTAMP in microseconds since
	// 1970; TIME in microseconds since midnight.
	Ints      []int64
	Floats    []float64  // FLOAT64
	Bools     []bool     // BOOL
	Decimals  []Int128   // NUMERIC, in units of 1e-9; TIMESTAMP(12), in picoseconds since 1970
	Intervals []Interval // INTERVAL
	// Offsets has Len+1 entries: value i is Data[Offsets[i]:Offsets[i+1]] of a
	// STRING, BYTES or JSON, or of a BIGNUMERIC or RANGE as package builtin encodes it, and Elem's
	// values from Offsets[i] to Offsets[i+1] of an ARRAY.
	Offsets []int32
	Data    []byte
	Elem    *Vector   // of an ARRAY
	Fields  []*Vector // of a STRUCT
}

// Interval is a value of INTERVAL. The parts may have different signs.
type Interval struct {
	Months, Days int32
	Micros       int64
}

// Null reports whether value i is NULL.
func (v *Vector) Null(i int) bool {
	return v.Nulls != nil && v.Nulls[i/64]&(1<<(i%64)) != 0
}

func (v *Vector) setNull(i int) {
	if v.Nulls == nil {
		v.Nulls = make([]uint64, (v.Len+63)/64)
	}
	v.Nulls[i/64] |= 1 << (i % 64)
}

// Bytes is value i of a STRING, BYTES, JSON, BIGNUMERIC or RANGE. The slice belongs to the vector.
func (v *Vector) Bytes(i int) []byte { return v.Data[v.Offsets[i]:v.Offsets[i+1]] }

// size returns the memory that the vector holds, in bytes.
func (v *Vector) size() int64 {
	n := int64(8*len(v.Nulls) + 8*len(v.Ints) + 8*len(v.Floats) + len(v.Bools) +
		16*len(v.Decimals) + 16*len(v.Intervals) + 4*len(v.Offsets) + len(v.Data))
	if v.Elem != nil {
		n += v.Elem.size()
	}
	for _, f := range v.Fields {
		n += f.size()
	}
	return n
}

// Block is a run of a result's rows, column by column.
type Block struct {
	Rows    int
	Columns []*Vector
}

// Result is the result of a statement. It never changes.
type Result struct {
	Columns []googlesql.Column
	Blocks  []*Block
	Rows    int64
	// Bytes is the memory that the rows hold.
	Bytes int64
	// Changed is the number of rows that a DML statement changed.
	Changed int64

	starts []int64 // first row of each block
}

func (r *Result) add(b *Block) {
	r.starts = append(r.starts, r.Rows)
	r.Blocks = append(r.Blocks, b)
	r.Rows += int64(b.Rows)
}

// Find returns the block with a row, and the row's index in it. After the last
// row it returns len(r.Blocks).
func (r *Result) Find(row int64) (block, offset int) {
	if row >= r.Rows {
		return len(r.Blocks), 0
	}
	i := sort.Search(len(r.starts), func(i int) bool { return r.starts[i] > row }) - 1
	return i, int(row - r.starts[i])
}

// Pick returns the result with some of its columns, by their indexes.
func (r *Result) Pick(places []int) *Result {
	out := &Result{Rows: r.Rows, Bytes: r.Bytes, starts: r.starts}
	for _, p := range places {
		out.Columns = append(out.Columns, r.Columns[p])
	}
	for _, b := range r.Blocks {
		part := &Block{Rows: b.Rows}
		for _, p := range places {
			part.Columns = append(part.Columns, b.Columns[p])
		}
		out.Blocks = append(out.Blocks, part)
	}
	return out
}
