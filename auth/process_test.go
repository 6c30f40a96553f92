package auth

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bigqueryuser/bigqueryuser/internal/fakecert"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// childEnv tells the test binary to be one of several programs that share a
// token directory, instead of running tests.
const childEnv = "BIGQUERYUSER_TEST_CHILD"

// childMain is such a program: it does what its arguments say and prints what
// came of it, ended by a line "done".
func childMain() {
	job, secrets, dir := os.Args[1], os.Args[2], os.Args[3]
	if job == "shell" {
		shellMain()
		return
	}
	client, err := LoadClient(secrets)
	if err != nil {
		fmt.Println(err)
		return
	}
	store, err := FileStore(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	opened := 0
	cfg := Config{Client: client, Store: store, Mode: ModeBrowser, Prompter: quietPrompter{}, lookup: testLookup()}
	cfg.OpenBrowser = func(ctx context.Context, url string) error {
		opened++
		return fakegoogle.Consent(ctx, plainHTTP, url, "")
	}
	switch job {
	case "hold":
		cfg.OpenBrowser = func(ctx context.Context, _ string) error {
			fmt.Println("open")
			<-ctx.Done()
			return nil
		}
	case "deny":
		cfg.Prompter, cfg.notice = waitingPrinter{}, 10*time.Millisecond
		cfg.OpenBrowser = func(ctx context.Context, url string) error { return fakegoogle.Deny(ctx, plainHTTP, url) }
	case "manual":
		cfg.Mode, cfg.Prompter, cfg.OpenBrowser = ModeManual, nil, nil
	case "manual and read": // and then reads a line of the terminal
		cfg.Mode, cfg.Prompter, cfg.OpenBrowser = ModeManual, nil, nil
		defer readLine()
	case "interrupted": // ends the sign-in itself when Ctrl-C is pressed
		cfg.Mode, cfg.Prompter, cfg.OpenBrowser = ModeManual, nil, nil
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt)
		defer stop()
	case "no window": // an opener that ends well and shows nothing
		cfg.Prompter, cfg.patience = nil, 300*time.Millisecond
		cfg.OpenBrowser = func(context.Context, string) error { return nil }
	case "hanging opener":
		cfg.Prompter, cfg.patience = nil, 300*time.Millisecond
		cfg.OpenBrowser = func(ctx context.Context, _ string) error { <-ctx.Done(); return nil }
	case "impatient": // waits for another program's sign-in, for a second
		cfg.Prompter, cfg.notice = waitingPrinter{}, 10*time.Millisecond
		cfg.LoginTimeout, cfg.margin = 700*time.Millisecond, 300*time.Millisecond
	}
	a, err := New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer a.Close()
	if err := a.Ensure(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := a.Token(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("signed in, browser opened %d times\ndone\n", opened)
}

// readLine prints the next line of the terminal.
func readLine() {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer tty.Close()
	line, err := bufio.NewReader(tty).ReadString('\n')
	fmt.Printf("read %q, %v\n", line, err)
}

// family starts programs that share a token directory and a fake Google.
type family struct {
	t            *testing.T
	google       *fakegoogle.Server
	secrets, dir string
	env          []string // of the programs
}

func newFamily(t *testing.T, opts fakegoogle.Options) *family {
	t.Helper()
	opts.HTTP2 = *overHTTP2
	f := &family{t: t, google: fakegoogle.New(opts), dir: filepath.Join(t.TempDir(), "tokens"),
		env: append(os.Environ(), childEnv+"=1")}
	if opts.HTTP2 {
		root := filepath.Join(t.TempDir(), "root.pem")
		must(t, os.WriteFile(root, fakecert.PEM(), 0o600))
		f.env = append(f.env, "SSL_CERT_FILE="+root)
	}
	if _, err := f.google.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.google.Close() })
	f.secrets = filepath.Join(t.TempDir(), "client_secrets.json")
	must(t, os.WriteFile(f.secrets, f.google.ClientSecrets(), 0o600))
	return f
}

func (f *family) command(job string) *exec.Cmd {
	f.t.Helper()
	self, err := os.Executable()
	must(f.t, err)
	ctx, cancel := context.WithTimeout(f.t.Context(), 90*time.Second)
	f.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, job, f.secrets, f.dir)
	cmd.Env = f.env
	return cmd
}

// run starts n programs at the same time and returns what they printed.
func (f *family) run(job string, n int) []string {
	f.t.Helper()
	out := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		cmd := f.command(job)
		wg.Go(func() {
			text, err := cmd.CombinedOutput()
			out[i] = string(text)
			if err != nil || !strings.HasSuffix(out[i], "done\n") {
				f.t.Errorf("program %d: %v\n%s", i, err, text)
			}
		})
	}
	wg.Wait()
	return out
}

// T2, S39: programs that start together ask once.
func TestProcessesShareConsent(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	out := f.run("sign-in", 8)
	if n := strings.Count(strings.Join(out, ""), "opened 1 times"); n != 1 {
		t.Errorf("%d of 8 programs opened the browser; want 1", n)
	}
	if got, want := f.google.Counts(), (fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1}); got != want {
		t.Errorf("requests: got %+v; want %+v", got, want)
	}
}

// T3, S39: programs that find an expired access token refresh once, also when
// a refresh token works only once.
func TestProcessesShareRefresh(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{RotateRefreshTokens: true})
	f.run("sign-in", 1)
	f.expire()
	f.run("sign-in", 8)
	want := fakegoogle.Counts{AuthPages: 1, Consents: 1, Exchanges: 1, Refreshes: 1}
	if got := f.google.Counts(); got != want {
		t.Errorf("requests: got %+v; want %+v", got, want)
	}
}

// expire makes the stored access token look old.
func (f *family) expire() {
	f.t.Helper()
	files, err := filepath.Glob(filepath.Join(f.dir, "*.json"))
	must(f.t, err)
	if len(files) != 1 {
		f.t.Fatalf("records: got %v; want one", files)
	}
	store, err := FileStore(f.dir)
	must(f.t, err)
	key := strings.TrimSuffix(filepath.Base(files[0]), ".json")
	must(f.t, store.Update(f.t.Context(), key, func(old *Record) (*Record, error) {
		next := old.clone()
		next.Expiry = time.Now().Add(-time.Hour)
		return next, nil
	}))
}

// T4, S31: a program that is killed while it asks blocks no other program.
func TestKilledProcessFreesLock(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	holder := f.command("hold")
	stdout, err := holder.StdoutPipe()
	must(t, err)
	var stderr bytes.Buffer
	holder.Stderr = &stderr
	must(t, holder.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || line != "open\n" {
		t.Fatalf("the first program said %q, %v\n%s", line, err, stderr.String())
	}
	next := f.command("sign-in")
	nextOut, err := next.StdoutPipe()
	must(t, err)
	must(t, next.Start())
	must(t, holder.Process.Kill())
	holder.Wait() // it was killed; the error says so
	killed := time.Now()
	text, err := io.ReadAll(nextOut)
	must(t, err)
	if err := next.Wait(); err != nil || !strings.HasSuffix(string(text), "done\n") {
		t.Errorf("the next program: %v\n%s", err, text)
	}
	if d := time.Since(killed); d > 10*time.Second {
		t.Errorf("the next program needed %v after the kill", d)
	}
}

// S41: a user who says no to the first of several programs is not asked by
// those that wait for it; one that is started later may ask.
func TestProcessesShareRefusal(t *testing.T) {
	t.Parallel()
	f := newFamily(t, fakegoogle.Options{})
	holder := f.command("hold")
	stdout, err := holder.StdoutPipe()
	must(t, err)
	must(t, holder.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the first program said %q, %v", line, err)
	}
	// These wait for the lock. When it is free one of them asks, in vain.
	var waiting []*exec.Cmd
	for range 4 {
		cmd := f.command("deny")
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		lines := bufio.NewReader(out)
		if line, err := lines.ReadString('\n'); err != nil || line != "waiting\n" {
			t.Fatalf("a program that should wait said %q, %v", line, err)
		}
		go io.Copy(io.Discard, lines)
		waiting = append(waiting, cmd)
	}
	must(t, holder.Process.Kill())
	holder.Wait()
	for _, cmd := range waiting {
		cmd.Wait()
	}
	if got := f.google.Counts().Denials; got != 1 {
		t.Errorf("the user had to refuse %d times; want 1", got)
	}
	f.run("sign-in", 1)
}

// waitingPrinter says on standard output that another process is signing in.
type waitingPrinter struct{ quietPrompter }

func (waitingPrinter) Notify(context.Context, string) { fmt.Println("waiting") }
