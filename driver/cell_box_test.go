package driver

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"
)

// TestBoxed holds the interface values to those that Go itself makes, also after the collector has
// been by.
func TestBoxed(t *testing.T) {
	t.Parallel()
	var b boxes
	var got, want []any
	for i := range 3 * lastBlock {
		at := time.Unix(int64(i), 0).UTC()
		text := fmt.Sprint("text ", i)
		got = append(got, b.ints.put(int64(i)), b.floats.put(float64(i)/3),
			b.times.put(at), b.strings.put(b.str([]byte(text))))
		want = append(want, int64(i), float64(i)/3, at, text)
		if i%lastBlock == 0 {
			runtime.GC()
		}
	}
	b = boxes{}
	runtime.GC()
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) || got[i] != want[i] {
			t.Fatalf("value %d: got %#v; want %#v", i, got[i], want[i])
		}
	}
}

func TestStr(t *testing.T) {
	t.Parallel()
	var b boxes
	var got, want []string
	for i := range 2000 {
		text := fmt.Sprintf("%0*d", i, i)
		buf := []byte(text)
		got, want = append(got, b.str(buf)), append(want, text)
		clear(buf) // what was given out does not depend on it
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("text %d: got %q; want %q", i, got[i], want[i])
		}
	}
}
