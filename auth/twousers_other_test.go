//go:build !linux

package auth

// strangerMain is a program of another user; the tests that need one run on Linux.
func strangerMain([]string) {}

// shellMain is a shell; the tests that need one run on Linux.
func shellMain() {}
