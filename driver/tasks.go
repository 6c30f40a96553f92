package driver

import (
	"sync"
	"time"
)

// tasks counts what is under way, so that Close can wait for it. Its zero value counts nothing.
type tasks struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again
}

// idle reports whether nothing is under way.
func (t *tasks) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n == 0
}

// begin counts a task in. The returned function counts it out, once.
func (t *tasks) begin() (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n++; t.n == 1 {
		t.none = make(chan struct{})
	}
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.n--; t.n == 0 {
			close(t.none)
		}
	})
}

// wait returns when nothing is under way, or after limit.
func (t *tasks) wait(limit time.Duration) {
	late := time.After(limit)
	for {
		t.mu.Lock()
		n, none := t.n, t.none
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
