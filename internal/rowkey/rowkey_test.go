package rowkey

import (
	"testing"
	"time"
)

func TestInt64(t *testing.T) {
	t.Parallel()
	last := int64(0)
	for range 10000 {
		key := Int64()
		if key <= last {
			t.Fatalf("got %d after %d", key, last)
		}
		last = key
	}
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	var k keys
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first := k.next(now)
	if second := k.next(now.Add(-time.Hour)); second != first+1 {
		t.Errorf("got %d after %d", second, first)
	}
	if last := k.next(time.Date(2150, 1, 1, 0, 0, 0, 0, time.UTC)); last <= first {
		t.Errorf("in the year 2150: got %d", last)
	}
}
