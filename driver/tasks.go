package driver

import (
	"sync"
	"time"
)

// tasks counts running tasks, so that Close can wait for them. Its zero value counts none.
type tasks struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n is 0 again; nil if nothing waits
}

// idle reports whether no task is running.
func (t *tasks) idle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n == 0
}

// begin adds a task.
func (t *tasks) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
}

// end removes a task.
func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n--; t.n == 0 && t.none != nil {
		close(t.none)
		t.none = nil
	}
}

// wait returns when no task is running, or after limit.
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
