package driver

import (
	"runtime"
	"testing"
	"time"
)

// TestMarks: a marked value is known by its address alone, wherever it lies in its run, and a run
// that is garbage is forgotten.
func TestMarks(t *testing.T) {
	t.Parallel()
	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	b := new(boxes)
	var values []any
	for i := range 2000 {
		values = append(values, b.mark(formDate, day, 0), b.mark(formPicos, day, uint16(i%1000)), b.json("{}"))
	}
	for _, n := range []int{1, 340, 341, 1000, 5000} {
		times := make([]time.Time, n)
		for i := range times {
			times[i] = day
		}
		list := b.markTimes(formDatetime, times, nil)
		for i := range list {
			if f, _ := markOf(boxed(anyTime, &list[i])); f != formDatetime {
				t.Fatalf("a list of %d: element %d has the form %d", n, i, f)
			}
		}
		if text, ok := markedText(times[0]); ok {
			t.Errorf("a time of the caller's is %s", text)
		}
	}
	for i, v := range values {
		f, picos := markOf(v)
		want := []form{formDate, formPicos, formJSON}[i%3]
		if f != want || f == formPicos && int(picos) != i/3%1000 {
			t.Fatalf("value %d: got the form %d and %d picoseconds", i, f, picos)
		}
		if when, ok := v.(time.Time); ok && when != day {
			t.Fatalf("value %d: got %v", i, when)
		}
	}
	if isJSON("{}") || isJSON(any(string([]byte("{}")))) {
		t.Error("a string of the caller's is JSON")
	}
	runtime.KeepAlive(values)
	for range 1000 {
		newRun[time.Time](formDate, 1)
	}
	count := func() (n int) {
		marks.Range(func(_, _ any) bool { n++; return true })
		return n
	}
	for range 100 {
		runtime.GC()
		if count() < 500 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("got %d pages after the runs were garbage", count())
}
