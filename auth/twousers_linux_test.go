package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// nobody is the user and group id of the other user in tests that are run by root.
const nobody = 65534

// strangerMain is a program of another user. It prints what came of its job.
func strangerMain(args []string) {
	switch job := args[0]; job {
	case "get": // URL: what does it answer?
		client := &http.Client{Transport: plainHTTP.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		resp, err := client.Get(args[1])
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Printf("%d %q\n", resp.StatusCode, resp.Header.Get("Location"))
	case "send": // host:port and a path: send a request and be gone before it is read
		conn, err := net.Dial("tcp", args[1])
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", args[2], args[1])
		if args[3] == "reset" {
			conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
		fmt.Println("sent")
	case "store": // directory: save a record in it, and say what went wrong
		store, err := FileStore(args[1])
		if err != nil {
			fmt.Println(err)
			return
		}
		if _, err := store.Get(context.Background(), testKey); !errors.Is(err, ErrNotFound) {
			fmt.Println(err)
		}
		err = store.Update(context.Background(), testKey, func(*Record) (*Record, error) { return testRecord(), nil })
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("saved")
	case "arguments": // text: the command lines of the machine that contain it
		lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, path := range lines {
			raw, err := os.ReadFile(path)
			if err != nil {
				continue // the process has ended
			}
			if line := string(bytes.ReplaceAll(raw, []byte{0}, []byte(" "))); strings.Contains(line, args[1]) &&
				!strings.Contains(path, fmt.Sprintf("/%d/", os.Getpid())) {
				fmt.Println(line)
			}
		}
	}
}

// stranger runs a program as another user and returns what it printed. Only
// root can do that; other runs of the test leave it out.
func stranger(t *testing.T, args ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a process of another user can only be started by root; CI runs this test as root")
	}
	self := readableSelf(t)
	for {
		cmd := exec.CommandContext(t.Context(), self, args...)
		cmd.Env = []string{childEnv + "=stranger"}
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, err := cmd.CombinedOutput()
		switch {
		case errors.Is(err, syscall.ETXTBSY):
			// A process that another test has just started still has the copy open.
			time.Sleep(5 * time.Millisecond)
		case err != nil:
			t.Fatalf("the other user's program: %v\n%s", err, out)
		default:
			return strings.TrimSpace(string(out))
		}
	}
}

// publicDir is a directory that every user can look into.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bigqueryuser-test-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

// readableSelf is a copy of the test binary that every user can run.
func readableSelf(t *testing.T) string {
	t.Helper()
	dir := publicDir(t)
	in, err := os.Open("/proc/self/exe")
	must(t, err)
	defer in.Close()
	path := filepath.Join(dir, "stranger")
	out, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o755)
	must(t, err)
	_, err = io.Copy(out, in)
	must(t, err)
	must(t, out.Close())
	return path
}

// S45, S46: what another user reads in the opener's command line is of no use
// to them, and their visit changes nothing.
func TestOpenerArgumentsAreOfNoUse(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	dir := t.TempDir()
	opener := filepath.Join(dir, "opener.sh")
	// It sleeps with the address among its arguments, as a browser does.
	script := "#!/bin/sh\ncd " + dir + "; echo $$ > pid.new; mv pid.new pid; while :; do sleep 1; done\n"
	must(t, os.WriteFile(opener, []byte(script), 0o700))
	prompts := &promptLog{}
	a := r.open(func(c *Config) {
		c.OpenBrowser, c.Prompter = nil, prompts
		c.env = fakeEnv("linux", map[string]string{"BROWSER": opener}, []string{opener}, false)
	})
	done := make(chan error, 1)
	go func() { done <- a.Ensure(t.Context()) }()
	pidFile := filepath.Join(dir, "pid")
	waitFor(t, func() bool { _, err := os.Stat(pidFile); return err == nil })
	defer endProcess(t, pidFile)

	var seen string
	if os.Geteuid() == 0 {
		seen = stranger(t, "arguments", opener)
	} else { // a process of the same user, which can read no more
		self, err := os.Executable()
		must(t, err)
		spy := exec.CommandContext(t.Context(), self, "arguments", opener)
		spy.Env = []string{childEnv + "=stranger"}
		out, err := spy.CombinedOutput()
		must(t, err)
		seen = string(out)
	}
	shown := prompts.all()[0]
	for _, secret := range []string{"code_challenge", query(t, shown.URL, "state"), "client_id"} {
		if strings.Contains(seen, secret) {
			t.Errorf("the command line shows %q: %s", secret, seen)
		}
	}
	start := ""
	for _, field := range strings.Fields(seen) {
		if strings.HasPrefix(field, "http://127.0.0.1:") {
			start = field
		}
	}
	if start == "" {
		t.Fatalf("no address in the command line: %s", seen)
	}
	if os.Geteuid() == 0 {
		for range 3 {
			if got := stranger(t, "get", start); got != `403 ""` {
				t.Errorf("the other user's visit: got %s; want 403 and no address", got)
			}
		}
	}
	must(t, fakegoogle.Consent(t.Context(), nil, start, ""))
	must(t, <-done)
	r.wantCounts(fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1})
}

// S46: another user who has come to know everything cannot bring an answer.
func TestAnswerOfAnotherUser(t *testing.T) {
	t.Parallel()
	r := newRig(t, fakegoogle.Options{})
	prompts := &promptLog{}
	w := r.startWaiting(func(c *Config) { c.Prompter = prompts })
	waitFor(t, func() bool { return len(prompts.all()) == 1 })
	state := query(t, prompts.all()[0].URL, "state") // of the terminal: it needs no cookie
	path := "/oauth2/callback?" + enc("state", state, "code", "4/of-another-account")
	if got := stranger(t, "get", "http://"+w.addr+path); got != `403 ""` {
		t.Errorf("got %s; want 403", got)
	}
	// A socket that is closed belongs to root by the kernel's tables.
	for range 5 {
		stranger(t, "send", w.addr, path, "close")
		stranger(t, "send", w.addr, path, "reset")
	}
	time.Sleep(50 * time.Millisecond)
	if n := r.google.Counts().Exchanges; n != 0 {
		t.Errorf("%d codes of another user were exchanged; want 0", n)
	}
	w.consent(t)
}
