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

// A time.Time does not say which BigQuery type it has, and holds no picoseconds. A string does not
// say that it is JSON. Values must nevertheless be plain ones, for == and reflect.DeepEqual. So
// values of DATE, DATETIME, TIMESTAMP(12) and JSON are marked by their addresses, in runs of memory
// that are registered here. As, the JSON of a Struct and arguments look up the address. A copy, for
// example in a variable of type time.Time, has no mark.

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

// memoryPage divides the addresses of runs, except for the few bytes of a header.
const memoryPage = 8192

// runLength returns how many values of a size fill an allocation of one page, with the runtime's
// header.
func runLength(size uintptr) int { return int((memoryPage - 32) / size) }

// mark is a run of values of one form.
type mark struct {
	start func() uintptr // returns the address of the first value; 0 once the run is garbage
	size  uintptr        // of a value
	n     int
	form  form
	picos []uint16 // of formPicos only: the picoseconds below the nanoseconds, 0 to 999
}

// marks maps pages to the runs on them, until these are garbage. If two runs share a page, the
// earlier one is not recognized.
var marks sync.Map // uintptr -> *mark

func addressOf[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// markedRun is the unused part of a run of marked values.
type markedRun[T any] struct {
	values []T
	picos  []uint16
}

// leftRuns has unused parts of runs, by form. A small result takes a few values of a run that
// another result has started.
var leftRuns struct {
	times [forms]sync.Pool // *markedRun[time.Time]
	texts sync.Pool        // *markedRun[string], JSON
}

// leftRun returns the unused part of a run of a form, or a new run.
func leftRun[T any](pool *sync.Pool, f form) *markedRun[T] {
	if r, ok := pool.Get().(*markedRun[T]); ok {
		return r
	}
	r := newRun[T](f, 1)
	return &r
}

// leave returns the unused part of a run. The values that were taken are not changed.
func (r *markedRun[T]) leave(pool *sync.Pool) {
	if r != nil && len(r.values) > 0 {
		pool.Put(r)
	}
}

// newRun returns a run of at least n values of a form.
func newRun[T any](f form, n int) markedRun[T] {
	size := unsafe.Sizeof(*new(T))
	if n = max(n, runLength(size)); n > runLength(size) {
		n = max(n, int(5*memoryPage/size)) // an allocation with its own pages
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

// take returns the next n values.
func (r *markedRun[T]) take(n int) ([]T, []uint16) {
	values, picos := r.values[:n:n], r.picos
	r.values = r.values[n:]
	if picos != nil {
		picos, r.picos = picos[:n:n], picos[n:]
	}
	return values, picos
}

// room returns n consecutive values of a form from a run. It replaces the run if that is too short.
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

// markAt returns the form of the value at an address, and its picoseconds below the nanoseconds.
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

// markOf is markAt for a time or a string; other values have no mark.
func markOf(v any) (form, uint16) {
	switch v.(type) {
	case time.Time, string:
		return markAt(uintptr((*eface)(unsafe.Pointer(&v)).data))
	}
	return noForm, 0
}

// isJSON reports whether a value comes from a JSON column.
func isJSON(v any) bool {
	f, _ := markOf(v)
	return f == formJSON
}

// markedText returns a marked time as BigQuery writes it. It returns false for other values.
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

// elementsOf returns a function that returns element i of a slice, with its mark.
func elementsOf(rv reflect.Value) func(i int) any {
	switch list := rv.Interface().(type) {
	case []time.Time:
		return func(i int) any { return boxed(anyTime, &list[i]) }
	case []string:
		return func(i int) any { return boxed(anyText, &list[i]) }
	}
	return func(i int) any { return rv.Index(i).Interface() }
}
