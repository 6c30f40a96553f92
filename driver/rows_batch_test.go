package driver

import "testing"

// TestRunRows: the values that are decoded ahead do not grow with the number of columns.
func TestRunRows(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]int{0: lastRun, 1: lastRun, 8: lastRun, 20: 409, 64: 128, 5000: 1, 10_000: 1} {
		if got := runRows(width); got != want {
			t.Errorf("%d columns: got %d rows; want %d", width, got, want)
		}
	}
	columns := everyType()
	wide := make([]column, 0, 10_000)
	for len(wide) < cap(wide) {
		wide = append(wide, columns[0])
	}
	r := &jsonRows{columns: wide, cursor: &cursor{buf: []byte("[]"), boxes: new(boxes)}, size: lastRun}
	if b, err := r.batch(); err != nil || len(b.values) != len(wide) {
		t.Errorf("got room for %d values, %v; want one row of %d", len(b.values), err, len(wide))
	}
}
