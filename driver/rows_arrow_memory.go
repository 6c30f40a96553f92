package driver

import arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"

// recordMemory is the memory of the records of one stream. A record uses the buffers of the record
// before it, which has been released, so that a long stream allocates little. Arrow writes every
// byte of a buffer before it reads it.
type recordMemory struct {
	keep bool     // buffers are never used again, because a caller can hold a record
	left int      // bytes that the message may still allocate
	free [][]byte // released buffers
}

var _ arrowmemory.Allocator = (*recordMemory)(nil)

// begin allows the memory that a message of this size can need: LZ4 expands at most 255
// times, and buffers are rounded up. A wrong length in a malformed message must not exhaust the
// program's memory.
func (m *recordMemory) begin(message int) {
	m.left = 300*message + 4096
	clear(m.free) // what the last record did not use
	m.free = m.free[:0]
}

func (m *recordMemory) take(size int) {
	if size > m.left {
		panic("a length larger than the message can hold") // to be recovered, because Allocate returns no error
	}
	m.left -= max(size, 0)
}

// Allocate returns the shortest free buffer that is long enough, or a new one.
func (m *recordMemory) Allocate(size int) []byte {
	m.take(size)
	best := -1
	for i, b := range m.free {
		if cap(b) >= size && (best < 0 || cap(b) < cap(m.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return arrowmemory.DefaultAllocator.Allocate(size)
	}
	b := m.free[best]
	last := len(m.free) - 1
	m.free[best], m.free[last] = m.free[last], nil
	m.free = m.free[:last]
	return b[:size]
}

func (m *recordMemory) Reallocate(size int, old []byte) []byte {
	if size <= cap(old) {
		return old[:size]
	}
	b := m.Allocate(size)
	copy(b, old)
	m.Free(old)
	return b
}

func (m *recordMemory) Free(b []byte) {
	if !m.keep && cap(b) > 0 {
		m.free = append(m.free, b)
	}
}
