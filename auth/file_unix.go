//go:build unix

package auth

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// noFollow makes it an error to open a symbolic link. Without O_NONBLOCK a
// named pipe would block the process that opens it.
const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// holderOffset is the offset of the holder's description in a lock file.
const holderOffset = 0

// openPrivate opens a file for reading; a symbolic link is an error, and a
// named pipe does not block.
func openPrivate(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|noFollow, 0)
}

func ownedByUser(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}

func ownedByRoot(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0
}

// ownerText describes the owner of a file.
func ownerText(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "unknown"
	}
	if st.Uid == 0 {
		return "root"
	}
	return "user id " + itoa(int(st.Uid))
}

// othersMayReplace reports whether others may rename and replace the entries of
// a directory. The user's own group does not count, because many systems give
// every user one.
func othersMayReplace(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if ok && os.Geteuid() != 0 && st.Uid != 0 && int(st.Uid) != os.Geteuid() {
		return true // its owner may, whatever the mode
	}
	if !ok || info.Mode()&fs.ModeSticky != 0 {
		return false
	}
	byGroup := info.Mode().Perm()&0o020 != 0 && int(st.Gid) != os.Getegid()
	return info.Mode().Perm()&0o002 != 0 || byGroup
}

func othersMayRead(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

// othersMayWrite also refuses a sticky directory such as /tmp: others could
// put lock files there first.
func othersMayWrite(info fs.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// syncDir makes a rename survive a power cut if the file system can. Its errors
// are ignored, because the file itself has been written.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

func sharingViolation(error) bool { return false }
