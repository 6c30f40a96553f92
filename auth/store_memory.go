package auth

import (
	"context"
	"sync"
)

// MemoryStore returns a Store that keeps records until the process ends.
// Authenticators with the same MemoryStore share their sign-ins.
func MemoryStore() Store {
	return &memoryStore{records: map[string]*Record{}, locks: map[string]chan struct{}{}}
}

type memoryStore struct {
	mu      sync.Mutex
	records map[string]*Record
	locks   map[string]chan struct{} // of capacity 1; full while an Update runs
}

func (s *memoryStore) Get(_ context.Context, key string) (*Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.records[key]; r != nil {
		return r.clone(), nil
	}
	return nil, ErrNotFound
}

func (s *memoryStore) Update(ctx context.Context, key string, fn func(*Record) (*Record, error)) error {
	s.mu.Lock()
	lock := s.locks[key]
	if lock == nil {
		lock = make(chan struct{}, 1)
		s.locks[key] = lock
	}
	s.mu.Unlock()
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}

	s.mu.Lock()
	old := s.records[key].clone()
	s.mu.Unlock()
	next, err := fn(old)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch next {
	case old:
	case nil:
		delete(s.records, key)
	default:
		s.records[key] = next.clone()
	}
	return nil
}
