package auth

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"
)

// Store keeps records by keys. A key has 64 hexadecimal digits and tells
// nothing about the account. Implementations must be safe for concurrent use.
//
// Get returns the record. The error matches ErrNotFound if there is none, and
// ErrCorrupt if it can't be read. Get does not wait for the lock of Update.
//
// Update calls fn with the current record (nil if there is none or it is corrupt)
// under a lock that other processes honour, and saves the record that fn returns.
// Returning nil deletes the record; returning old keeps it unchanged. If fn fails,
// Update changes nothing and returns its error. fn may take minutes, because it may
// ask the user. Update stops waiting for the lock when ctx ends.
type Store interface {
	Get(ctx context.Context, key string) (*Record, error)
	Update(ctx context.Context, key string, fn func(old *Record) (*Record, error)) error
}

// failureNotes is implemented by the stores of this package. They tell the
// processes that wait for the lock that its holder has asked the user without
// success.
type failureNotes interface {
	noteFailure(key string)
	failedAt(key string) time.Time // zero = never
}

// checkKey refuses a key that could be a path.
func checkKey(key string) error {
	if raw, err := hex.DecodeString(key); err != nil || len(raw) != 32 {
		return fmt.Errorf("auth: a store key is 64 hexadecimal digits")
	}
	return nil
}
