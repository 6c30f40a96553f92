package auth

import (
	"context"
	"errors"
	"time"

	"github.com/zalando/go-keyring"
)

const (
	// keyringService is the name under which the platform shows the entries.
	keyringService = "bigqueryuser"
	// keyringTimeout is long enough for a user to unlock the keyring.
	keyringTimeout = 30 * time.Second
	// keyringSize is the size that every platform can hold; that of Windows is
	// the smallest.
	keyringSize = 2500
)

// KeyringStore returns a Store in the platform's secure storage: the Keychain
// of macOS, the Credential Manager of Windows, or the Secret Service (GNOME
// Keyring, KWallet) of other systems. The directory lockDir has only lock files
// between processes; "" means the directory of FileStore("").
//
// If the platform has no such storage, or it does not answer within 30 s, the
// error of Get and Update matches ErrStoreUnavailable. KeyringStore does not
// fall back to files.
func KeyringStore(lockDir string) (Store, error) {
	files, err := FileStore(lockDir)
	if err != nil {
		return nil, err
	}
	return &keyringStore{
		files:   files.(*fileStore),
		timeout: keyringTimeout,
		get:     keyring.Get, set: keyring.Set, del: keyring.Delete,
	}, nil
}

type keyringStore struct {
	files   *fileStore // for its directory
	timeout time.Duration
	get     func(service, user string) (string, error)
	set     func(service, user, secret string) error
	del     func(service, user string) error
}

var _ failureNotes = (*keyringStore)(nil)

func (s *keyringStore) Get(ctx context.Context, key string) (*Record, error) {
	if err := checkKey(key); err != nil {
		return nil, err
	}
	var text string
	err := s.call(ctx, func() (err error) {
		text, err = s.get(keyringService, key)
		return err
	})
	if err != nil {
		return nil, err
	}
	return DecodeRecord([]byte(text))
}

func (s *keyringStore) Update(ctx context.Context, key string, fn func(*Record) (*Record, error)) error {
	if err := checkKey(key); err != nil {
		return err
	}
	unlock, err := s.lock(ctx, key)
	if err != nil {
		return err
	}
	defer unlock()
	old, err := s.Get(ctx, key)
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrCorrupt) {
		return err
	}
	next, err := fn(old)
	if err != nil || next == old {
		return err
	}
	if next == nil {
		err := s.call(ctx, func() error { return s.del(keyringService, key) })
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	data, err := keyringRecord(next)
	if err != nil {
		return err
	}
	return s.call(ctx, func() error { return s.set(keyringService, key, string(data)) })
}

// lock uses a lock file, since no keyring has locks.
func (s *keyringStore) lock(ctx context.Context, key string) (func(), error) {
	if s.files.unusable != nil {
		return nil, s.files.unusable
	}
	if err := s.files.makeDir(); err != nil {
		return nil, err
	}
	return s.files.lock(ctx, key)
}

func (s *keyringStore) noteFailure(key string) { s.files.noteFailure(key) }

func (s *keyringStore) holder(key string) string { return s.files.holder(key) }

func (s *keyringStore) failedAt(key string) time.Time { return s.files.failedAt(key) }

// keyringRecord encodes a record so that it fits. If necessary it leaves out
// the access token, because a refresh gets a new one.
func keyringRecord(rec *Record) ([]byte, error) {
	data, err := rec.Encode()
	if err == nil && len(data) > keyringSize {
		short := rec.clone()
		short.AccessToken, short.Expiry = "", time.Time{}
		return short.Encode()
	}
	return data, err
}

// call runs one operation with a time limit, because a locked keyring asks the
// user first, and a broken one never answers. A late operation goes on in the
// background, because it can't be stopped.
func (s *keyringStore) call(ctx context.Context, op func() error) error {
	done := make(chan error, 1)
	go func() { done <- op() }()
	timer := time.NewTimer(s.timeout)
	defer timer.Stop()
	select {
	case err := <-done:
		switch {
		case err == nil:
			return nil
		case errors.Is(err, keyring.ErrNotFound):
			return ErrNotFound
		case errors.Is(err, keyring.ErrSetDataTooBig):
			return unavailable("the sign-in is too large for the platform's secure storage", nil)
		}
		return unavailable("the platform's secure storage cannot be used", err)
	case <-timer.C:
		return unavailable("the platform's secure storage did not answer within "+s.timeout.String(), nil)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// unavailable wraps an error of the keyring. The texts of these errors name
// services and buses, and hold no secret.
func unavailable(text string, err error) error {
	e := &Error{Op: "keyring", kind: ErrStoreUnavailable, Description: text,
		Hint: "unlock or install a keyring (Secret Service, Keychain, Credential Manager), or choose token_store=file"}
	if err != nil {
		e.Description += ": " + printable(err.Error())
	}
	return e
}
