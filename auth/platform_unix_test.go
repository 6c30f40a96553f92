//go:build unix

package auth

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func makePipe(t *testing.T, path string) {
	t.Helper()
	must(t, syscall.Mkfifo(path, 0o600))
}

// T29: the modes do not depend on the umask. The umask belongs to the whole
// process, so this test runs alone.
func TestUmask(t *testing.T) {
	for _, mask := range []int{0, 0o077, 0o277} {
		dir := filepath.Join(t.TempDir(), "tokens")
		old := syscall.Umask(mask)
		s, err := FileStore(dir)
		if err == nil {
			err = s.Update(t.Context(), testKey, func(*Record) (*Record, error) { return testRecord(), nil })
		}
		syscall.Umask(old)
		if err != nil {
			if mask == 0o277 && os.Geteuid() != 0 {
				continue // nothing can be made in a directory without write permission
			}
			t.Fatalf("umask %03o: %v", mask, err)
		}
		info, err := os.Stat(filepath.Join(dir, testKey+".json"))
		must(t, err)
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("umask %03o: file mode %o; want 600", mask, got)
		}
		info, err = os.Stat(dir)
		must(t, err)
		if got := info.Mode().Perm(); got&0o077 != 0 {
			t.Errorf("umask %03o: directory mode %o; want 700", mask, got)
		}
	}
}

// endProcess ends the process whose id is in the file.
func endProcess(t *testing.T, pidFile string) {
	t.Helper()
	text, err := os.ReadFile(pidFile)
	must(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	must(t, syscall.Kill(pid, syscall.SIGKILL))
}

// stopProcess stops a process as Ctrl-Z does, and reports whether it could.
func stopProcess(p *os.Process) bool { return p.Signal(syscall.SIGSTOP) == nil }
