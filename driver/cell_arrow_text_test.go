package driver

import (
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmemory "github.com/apache/arrow-go/v18/arrow/memory"
)

// TestArrowTexts: texts that are copied together are those of the array, whatever their lengths, and each is checked.
func TestArrowTexts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", textBlock)
	for _, tt := range []struct {
		name  string
		texts []string
		nulls string // rows that are NULL, as digits
		from  int
		want  error
	}{
		{name: "none"},
		{name: "empty", texts: []string{"", "", ""}},
		{name: "NULL", texts: []string{"a", "", "b", ""}, nulls: "13"},
		{name: "only NULL", texts: []string{"", ""}, nulls: "01"},
		{name: "not from the start", texts: []string{"a", "é", "😀", ""}, from: 1},
		{name: "long", texts: []string{long, "a", long + "b", long, ""}},
		{name: "as long as a block", texts: []string{long[:textBlock], "a", long[:textBlock-2], "é", "b"}},
		{name: "not UTF-8", texts: []string{"a", "\xff", "b"}, want: errNotUTF8},
		{name: "a character in two rows", texts: []string{"a", "\xc3", "\xa9"}, want: errNotUTF8},
		{name: "a character in two rows, second NULL", texts: []string{"a", "\xc3", "\xa9"}, nulls: "2", want: errNotUTF8},
		{name: "a character in two rows, first NULL", texts: []string{"a", "\xc3", "\xa9"}, nulls: "1", want: errNotUTF8},
		{name: "not UTF-8 where NULL", texts: []string{"a", "\xff", "b"}, nulls: "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := textArray(tt.texts, func(i int) bool { return strings.ContainsRune(tt.nulls, rune('0'+i)) })
			checkTexts(t, a, tt.from, len(tt.texts), tt.want)
			if len(tt.texts) > 1 { // a part of an array
				checkTexts(t, array.NewSlice(a, 1, int64(len(tt.texts))).(*array.String), 0, len(tt.texts)-1, tt.want)
			}
		})
	}
}

// textArray returns an array whose NULLs have bytes too.
func textArray(texts []string, null func(i int) bool) *array.String {
	build := array.NewStringBuilder(arrowmemory.DefaultAllocator)
	valid := make([]bool, len(texts))
	for i := range texts {
		valid[i] = !null(i)
	}
	build.AppendValues(texts, valid)
	return build.NewStringArray()
}

// checkTexts compares fill with the array, in runs of every size.
func checkTexts(t *testing.T, a *array.String, from, to int, want error) {
	t.Helper()
	const stride = 2
	for size := 1; size <= max(to-from, 1); size++ {
		var failed error
		for start := from; start < to && failed == nil; start += size {
			end := min(start+size, to)
			dst := make([]driver.Value, stride*(end-start))
			if failed = arrowTexts.fill(dst, stride, arrow.Array(a), start, end, new(boxes)); failed != nil {
				break
			}
			for i := start; i < end; i++ {
				var value driver.Value = a.Value(i)
				if a.IsNull(i) {
					value = nil
				}
				if got := dst[(i-start)*stride]; got != value {
					t.Errorf("row %d in runs of %d: got %.20q; want %.20q", i, size, got, value)
				}
			}
		}
		if !errors.Is(failed, want) || want == nil && failed != nil {
			t.Errorf("runs of %d: got error %v; want %v", size, failed, want)
		}
	}
}

// TestArrowTextsRandom compares many arrays of short, long, empty and NULL texts.
func TestArrowTextsRandom(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		texts := make([]string, 1+r.IntN(12))
		for i := range texts {
			texts[i] = strings.Repeat([]string{"", "x", "é", "日本", "😀"}[r.IntN(5)], 1<<r.IntN(12))
		}
		null := r.IntN(len(texts))
		checkTexts(t, textArray(texts, func(i int) bool { return i == null }), 0, len(texts), nil)
	}
}
