package auth

import (
	"os"
	"path/filepath"
	"strings"
)

// expandHome replaces a leading "~/", since no shell does it for a path inside
// a connection string.
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
