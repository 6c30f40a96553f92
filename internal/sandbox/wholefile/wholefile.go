// Package wholefile writes files that are whole at every moment, also for a reader who looks while they are written.
package wholefile

import (
	"errors"
	"os"
	"path/filepath"
)

// Write writes a file of mode 0600 that is whole at every moment.
func Write(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name()) // the first error counts
		}
	}()
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
