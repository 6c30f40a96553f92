package driver

import (
	"database/sql/driver"
	"strings"
	"time"
	"unsafe"
)

// boxes makes interface values without an allocation for each. The values are in blocks, and are
// never overwritten. A value that is kept keeps its block, so blocks are small. boxes is for one
// goroutine.
type boxes struct {
	ints    block[int64]
	floats  block[float64]
	times   block[time.Time]
	strings block[string]
	slices  block[[]byte]
	marked  [forms]*markedRun[time.Time] // marked times, by form
	texts   *markedRun[string]           // JSON
	text    strings.Builder
	values  []driver.Value // the values of one call of row
}

const (
	firstBlock = 4   // values: the results of most statements are small
	lastBlock  = 256 // values: 2 KB of int64, 6 KB of time.Time

	firstText = 64      // bytes
	textBlock = 8 << 10 // bytes
	longText  = 512     // bytes: a longer text has its own allocation
)

// block provides memory for values of one type.
type block[T any] struct {
	free []T
	size int
	like any // a T
}

// put returns any(v).
func (b *block[T]) put(v T) any {
	if len(b.free) == 0 {
		b.size = min(max(2*b.size, firstBlock), lastBlock)
		b.free = make([]T, b.size)
		if b.like == nil {
			b.like = *new(T)
		}
	}
	p := &b.free[0]
	b.free = b.free[1:]
	*p = v
	return boxed(b.like, p)
}

// boxed returns any(*p) with p as the pointer in the interface, so *p must never change again. like
// is any T. T must not be a pointer, a map, a channel or a function, which an interface holds
// directly.
func boxed[T any](like any, p *T) any {
	(*eface)(unsafe.Pointer(&like)).data = unsafe.Pointer(p)
	return like
}

// eface is the runtime's layout of an interface value. TestBoxed checks it.
type eface struct {
	typ, data unsafe.Pointer
}

func (b *boxes) int(v int64) any      { return b.ints.put(v) }
func (b *boxes) float(v float64) any  { return b.floats.put(v) }
func (b *boxes) time(v time.Time) any { return b.times.put(v) }
func (b *boxes) string(v string) any  { return b.strings.put(v) }
func (b *boxes) bytes(v []byte) any   { return b.slices.put(v) }
func (b *boxes) bool(v bool) any      { return v } // Go allocates nothing for a bool

// timesOf returns the run for times of a form.
func (b *boxes) timesOf(f form) *markedRun[time.Time] {
	if b.marked[f] == nil {
		b.marked[f] = leftRun[time.Time](&leftRuns.times[f], f)
	}
	return b.marked[f]
}

// textsOf returns the run for JSON texts.
func (b *boxes) textsOf() *markedRun[string] {
	if b.texts == nil {
		b.texts = leftRun[string](&leftRuns.texts, formJSON)
	}
	return b.texts
}

// close returns the unused memory for marked values. Later uses of the boxes take new memory.
func (b *boxes) close() {
	for f, r := range b.marked {
		r.leave(&leftRuns.times[f])
	}
	b.texts.leave(&leftRuns.texts)
	b.marked, b.texts = [forms]*markedRun[time.Time]{}, nil
}

// mark returns any(t) for a time of a marked form.
func (b *boxes) mark(f form, t time.Time, picos uint16) any {
	r := b.timesOf(f)
	if len(r.values) == 0 {
		*r = newRun[time.Time](f, 1)
	}
	p := &r.values[0]
	r.values = r.values[1:]
	*p = t
	if f == formPicos {
		r.picos[0], r.picos = picos, r.picos[1:]
	}
	return boxed(anyTime, p)
}

// json returns any(text) for the text of a JSON value.
func (b *boxes) json(text string) any {
	r := b.textsOf()
	if len(r.values) == 0 {
		*r = newRun[string](formJSON, 1)
	}
	p := &r.values[0]
	r.values = r.values[1:]
	*p = text
	return boxed(anyText, p)
}

// markTimes returns a marked copy of a list of times.
func (b *boxes) markTimes(f form, list []time.Time, picos []uint16) []time.Time {
	times, below := room(b.timesOf(f), f, len(list))
	copy(times, list)
	copy(below, picos)
	return times
}

// markTexts returns a marked copy of a list of JSON texts.
func (b *boxes) markTexts(list []string) []string {
	texts, _ := room(b.textsOf(), formJSON, len(list))
	copy(texts, list)
	return texts
}

// str returns string(text). Short texts share an allocation.
func (b *boxes) str(text []byte) string {
	if !b.room(len(text)) {
		return string(text)
	}
	start := b.text.Len()
	b.text.Write(text)
	return b.text.String()[start:]
}

// room makes room for a text of n bytes. It returns false if the text is long and needs its own
// allocation.
func (b *boxes) room(n int) bool {
	if n > longText {
		return false
	}
	if b.text.Cap()-b.text.Len() < n {
		size := max(n, min(2*b.text.Cap(), textBlock), firstText)
		b.text.Reset() // texts in use keep the old one
		b.text.Grow(size)
	}
	return true
}

// row returns memory for n values, valid until the next call.
func (b *boxes) row(n int) []driver.Value {
	if cap(b.values) < n {
		b.values = make([]driver.Value, n)
	}
	return b.values[:n]
}
