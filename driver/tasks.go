package driver

import (
	"sync"
	"time"
)

// tasks counts what is under way, so that Close can wait for it. Its zero value counts nothing.
type tasks struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again; nil if no wait needs it
}

// idle reports whether nothing is under way.
func (t *tasks) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n == 0
}

// begin counts a task in.
func (t *tasks) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

// end counts a task out.
func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// wait returns when nothing is under way, or after limit.
func (t *tasks) wait(limit time.Duration) {
	late := time.After(limit)
	for {
		t.mu.Lock()
		n := t.n
		if n > 0 && t.none == nil {
			t.none = make(chan struct{})
		}
		none := t.none
		t.mu.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-none:
		case <-late:
			return
		}
	}
}
