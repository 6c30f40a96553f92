package auth

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// noFollow has no flag here, because making a link needs a privilege.
const noFollow = 0

// holderOffset skips the first byte of a lock file, which is locked: other
// handles can neither read nor write it.
const holderOffset = 1

// openPrivate opens a file for reading. It refuses a link, but in a step of its
// own before opening; on Windows making a link needs a privilege.
func openPrivate(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return os.Open(path)
}

// Windows protects the profile directory by access lists, which files inherit.
// Go's mode bits do not show them.
func ownedByUser(fs.FileInfo) bool      { return true }
func ownedByRoot(fs.FileInfo) bool      { return false }
func ownerText(fs.FileInfo) string      { return "unknown" }
func othersMayReplace(fs.FileInfo) bool { return false }
func othersMayRead(fs.FileInfo) bool    { return false }
func othersMayWrite(fs.FileInfo) bool   { return false }

func syncDir(string) {}

// sharingViolation reports whether another process has the file open.
func sharingViolation(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION) ||
		errors.Is(err, windows.ERROR_ACCESS_DENIED)
}
