package auth

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"
)

// Store keeps records. Keys are 64 hexadecimal digits that tell nothing about
// the account. Implementations are safe for concurrent use.
//
// Get returns the record, an error that matches ErrNotFound if there is none,
// or one that matches ErrCorrupt if what is there cannot be used.
//
// Update runs fn with the present record (nil if there is none or it is corrupt)
// under a lock that other processes honour, and saves what fn returns. Returning
// nil deletes the record; returning old keeps it unchanged. If fn fails nothing is
// changed and its error is returned. fn may take minutes, since a user may be
// asked in it. Get does not wait for that lock. Waiting for the lock ends with ctx.
type Store interface {
	Get(ctx context.Context, key string) (*Record, error)
	Update(ctx context.Context, key string, fn func(old *Record) (*Record, error)) error
}

// failureNotes is what stores of this package also do: they tell processes
// that wait for the lock that its holder has asked the user in vain.
type failureNotes interface {
	noteFailure(key string)
	failedAt(key string) time.Time // zero = never
}

// checkKey keeps a key from being a path.
func checkKey(key string) error {
	if raw, err := hex.DecodeString(key); err != nil || len(raw) != 32 {
		return fmt.Errorf("auth: a store key is 64 hexadecimal digits")
	}
	return nil
}
