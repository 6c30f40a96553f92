package driver

import (
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"time"
	"unsafe"
	"weak"
)

// A time.Time does not say of which BigQuery type it is, nor does it hold what is below
// nanoseconds, and a string does not say that it is JSON. Their values must be plain ones, for ==
// and reflect.DeepEqual. So those of DATE, DATETIME, TIMESTAMP(12) and JSON are marked by where
// they lie: in runs of memory that are registered here. As, the JSON of a Struct and arguments look
// the address up. A copy, such as one that has been assigned to a variable of its type, has no
// mark.

// form is a BigQuery type whose values are marked.
type form uint8

const (
	noForm form = iota
	formDate
	formDatetime
	formPicos // TIMESTAMP(12)
	formJSON
	forms
)

// memoryPage is what the addresses of runs are a multiple of, but for a few bytes.
const memoryPage = 8192

// runLength is how many values of a size make an allocation of one page, with the header that the
// runtime may put before it.
func runLength(size uintptr) int { return int((memoryPage - 32) / size) }

// mark is a run of values of one form.
type mark struct {
	start func() uintptr // the address of the first; 0 once they are garbage
	size  uintptr        // of a value
	n     int
	form  form
	picos []uint16 // below the nanoseconds, 0 to 999; of formPicos only
}

// marks has the runs by the pages that they lie on, until they are garbage. Where two share a page,
// the earlier one goes unrecognised.
var marks sync.Map // uintptr -> *mark

func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// markedRun is the free part of a run of marked values.
type markedRun[T any] struct {
	values []T
	picos  []uint16
}

// leftRuns are the rests of runs, by form: a small result takes a few values of a run that others have
// begun.
var leftRuns struct {
	times [forms]sync.Pool // *markedRun[time.Time]
	texts sync.Pool        // *markedRun[string], JSON
}

// leftRun returns the rest of a run of a form, or a new one.
func leftRun[T any](pool *sync.Pool, f form) *markedRun[T] {
	if r, ok := pool.Get().(*markedRun[T]); ok {
		return r
	}
	r := newRun[T](f, 1)
	return &r
}

// leave gives the rest of a run back. The values that were taken are not touched again.
func (r *markedRun[T]) leave(pool *sync.Pool) {
	if r != nil && len(r.values) > 0 {
		pool.Put(r)
	}
}

// newRun makes room for n values of a form, or more.
func newRun[T any](f form, n int) markedRun[T] {
	size := unsafe.Sizeof(*new(T))
	if n = max(n, runLength(size)); n > runLength(size) {
		n = max(n, int(5*memoryPage/size)) // an allocation of pages of its own
	}
	values := make([]T, n)
	first := weak.Make(&values[0])
	m := &mark{size: size, n: n, form: f, start: func() uintptr { return addressOf(first.Value()) }}
	if f == formPicos {
		m.picos = make([]uint16, n)
	}
	from, to := addressOf(&values[0])/memoryPage, addressOf(&values[n-1])/memoryPage
	for page := from; page <= to; page++ {
		marks.Store(page, m)
	}
	runtime.AddCleanup(&values[0], func(m *mark) {
		for page := from; page <= to; page++ {
			marks.CompareAndDelete(page, m)
		}
	}, m)
	return markedRun[T]{values, m.picos}
}

// take takes the next n.
func (r *markedRun[T]) take(n int) ([]T, []uint16) {
	values, picos := r.values[:n:n], r.picos
	r.values = r.values[n:]
	if picos != nil {
		picos, r.picos = picos[:n:n], picos[n:]
	}
	return values, picos
}

// room takes room for n values of a form, one after the other, out of a run that it replaces if
// that is too short.
func room[T any](r *markedRun[T], f form, n int) ([]T, []uint16) {
	switch {
	case n == 0:
		return []T{}, nil
	case n > runLength(unsafe.Sizeof(*new(T))):
		long := newRun[T](f, n)
		return long.take(n)
	case len(r.values) < n:
		*r = newRun[T](f, n)
	}
	return r.take(n)
}

// markAt returns the form of the value at an address, and what is below its nanoseconds.
func markAt(at uintptr) (form, uint16) {
	found, ok := marks.Load(at / memoryPage)
	if !ok {
		return noForm, 0
	}
	m := found.(*mark)
	start := m.start()
	if start == 0 || at < start || at >= start+uintptr(m.n)*m.size {
		return noForm, 0
	}
	if m.form != formPicos {
		return m.form, 0
	}
	return formPicos, m.picos[(at-start)/m.size]
}

// markOf is markAt for a value that is a time or a string.
func markOf(v any) (form, uint16) {
	switch v.(type) {
	case time.Time, string:
		return markAt(uintptr((*eface)(unsafe.Pointer(&v)).data))
	}
	return noForm, 0
}

// isJSON reports whether a value is that of a JSON column, and not a STRING's.
func isJSON(v any) bool {
	f, _ := markOf(v)
	return f == formJSON
}

// markedText returns a marked time as BigQuery writes it. It reports false for other values.
func markedText(v any) (string, bool) {
	t, ok := v.(time.Time)
	if !ok {
		return "", false
	}
	switch f, picos := markOf(v); f {
	case formDate:
		return t.Format(time.DateOnly), true
	case formDatetime:
		return t.Format("2006-01-02T15:04:05.999999"), true
	case formPicos:
		return t.Format("2006-01-02T15:04:05.000000000") + strconv.Itoa(1000 + int(picos))[1:] + "Z", true
	}
	return "", false
}

var (
	anyTime any = time.Time{}
	anyText any = ""
)

// elementsOf returns how to get element i of a slice. It keeps its mark.
func elementsOf(rv reflect.Value) func(i int) any {
	switch list := rv.Interface().(type) {
	case []time.Time:
		return func(i int) any { return boxed(anyTime, &list[i]) }
	case []string:
		return func(i int) any { return boxed(anyText, &list[i]) }
	}
	return func(i int) any { return rv.Index(i).Interface() }
}
