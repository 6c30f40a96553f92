package auth

import (
	"os"
	"path/filepath"
	"strings"
)

// expandHome replaces a leading "~/", because no shell expands a path inside a
// DSN.
func expandHome(path string) (string, error) {
	if path != "~" && !strings.HasPrefix(path, "~/") && !strings.HasPrefix(path, `~\`) {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", configError("configuration", "the path starts with ~ but the home directory is not known",
			"write the path in full")
	}
	return filepath.Join(home, filepath.FromSlash(path[1:])), nil
}
