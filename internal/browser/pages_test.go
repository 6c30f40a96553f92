package browser

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// startBrowser starts a headless Chromium that can reach this machine alone.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("Chromium is not installed; on Debian: apt-get install chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	if os.Geteuid() == 0 {
		opts = append(opts, chromedp.NoSandbox) // Chromium's own sandbox refuses to run as root
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting %s: %v", path, err)
	}
	return ctx
}

// witness notes what a page loads and complains of.
type witness struct {
	mu         sync.Mutex
	hosts      map[string]bool
	complaints []string
}

func watch(t *testing.T, tab context.Context) *witness {
	t.Helper()
	w := &witness{hosts: map[string]bool{}}
	err := chromedp.Listen(tab, func(ev any) {
		w.mu.Lock()
		defer w.mu.Unlock()
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			if u, err := url.Parse(ev.Request.URL); err == nil {
				w.hosts[u.Hostname()] = true
			}
		case *log.EventEntryAdded:
			if ev.Entry.Source == log.EntrySourceSecurity ||
				strings.Contains(ev.Entry.Text, "Content Security Policy") {
				w.complaints = append(w.complaints, ev.Entry.Text)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(tab, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return w
}

// page is what the last page looks like.
type page struct {
	Lang       string
	Title      string
	Headings   []string
	Text       string
	Scripts    int
	Resources  int
	Width      float64
	Foreground string
	Background string
}

const readPage = `({
	Lang: document.documentElement.lang,
	Title: document.title,
	Headings: [...document.querySelectorAll("h1")].map(h => h.textContent),
	Text: document.querySelector("main").innerText,
	Scripts: document.querySelectorAll("script").length,
	Resources: performance.getEntriesByType("resource").filter(r => !r.name.endsWith("/favicon.ico")).length,
	Width: document.body.getBoundingClientRect().width,
	Foreground: getComputedStyle(document.body).color,
	Background: getComputedStyle(document.body).backgroundColor,
})`

func TestPages(t *testing.T) {
	browser := startBrowser(t)
	tests := []struct {
		name   string
		button string
		script []fakegoogle.Reply
		title  string
		detail string
		err    error
	}{
		{"finished", "allow", nil, "You are signed in", "close this window", nil},
		{"refused", "cancel", nil, "Sign-in refused", "access_denied", auth.ErrConsentDenied},
		{"failed", "allow", []fakegoogle.Reply{fakegoogle.ErrorReply(401, "invalid_client", "")}, "Sign-in failed",
			"invalid_client", auth.ErrClientConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			google := fakegoogle.New(fakegoogle.Options{})
			if _, err := google.Start(); err != nil {
				t.Fatal(err)
			}
			defer google.Close()
			google.ScriptToken(tt.script...)
			client, err := auth.ParseClient(google.ClientSecrets())
			if err != nil {
				t.Fatal(err)
			}
			opened := make(chan string, 1)
			a, err := auth.New(auth.Config{
				Client: client, Store: auth.MemoryStore(), Mode: auth.ModeBrowser, Prompter: silent{},
				Logger:      slog.New(slog.DiscardHandler),
				OpenBrowser: func(_ context.Context, url string) error { opened <- url; return nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			result := make(chan error, 1)
			go func() { result <- a.Ensure(t.Context()) }()

			tab, cancel := chromedp.NewContext(browser)
			defer cancel()
			seen := watch(t, tab)
			err = chromedp.Do(tab,
				chromedp.Navigate(<-opened),
				chromedp.WaitVisible(chromedp.CSS(`input[name="account"]`)),
				chromedp.Click(chromedp.CSS(`button[value="`+tt.button+`"]`)),
				chromedp.WaitVisible(chromedp.CSS(`[role="status"]`)),
			)
			if err != nil {
				t.Fatal(err)
			}
			got, err := chromedp.Run(tab, chromedp.Evaluate[page](readPage))
			if err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-result:
				if tt.err == nil && err != nil || !errors.Is(err, tt.err) {
					t.Errorf("Ensure: got %v; want %v", err, tt.err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("Ensure did not return")
			}
			if got.Title != tt.title || len(got.Headings) != 1 || got.Headings[0] != tt.title ||
				!strings.Contains(got.Text, tt.detail) {
				t.Errorf("page: got %+v; want title and heading %q and the text %q", got, tt.title, tt.detail)
			}
			if got.Lang != "en" || got.Scripts != 0 || got.Resources != 0 {
				t.Errorf("page: language %q, %d scripts, %d resources; want en, 0, 0", got.Lang, got.Scripts,
					got.Resources)
			}
			if got.Width > 39*16 {
				t.Errorf("the page is %v pixels wide: its style was not applied", got.Width)
			}
			checkAccessible(t, tab)
			checkSchemes(t, tab)
			seen.mu.Lock()
			defer seen.mu.Unlock()
			if len(seen.complaints) != 0 {
				t.Errorf("the browser complains: %q", seen.complaints)
			}
			if len(seen.hosts) != 1 || !seen.hosts["127.0.0.1"] {
				t.Errorf("the pages reach for %v; want 127.0.0.1 alone", seen.hosts)
			}
		})
	}
}

// checkAccessible asks the browser what a screen reader would be told.
func checkAccessible(t *testing.T, tab context.Context) {
	t.Helper()
	roles := map[string]bool{}
	tree, err := chromedp.Call(tab, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range tree.Nodes {
		if !n.Ignored && n.Role != nil {
			roles[strings.Trim(string(n.Role.Value), `"`)] = true
		}
	}
	for _, role := range []string{"main", "heading", "status"} {
		if !roles[role] {
			t.Errorf("a screen reader finds no %s among %v", role, roles)
		}
	}
}

// checkSchemes looks at the page in light and in dark surroundings.
func checkSchemes(t *testing.T, tab context.Context) {
	t.Helper()
	for scheme, dark := range map[string]bool{"light": false, "dark": true} {
		_, err := chromedp.Call(tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(tab, chromedp.Evaluate[page](readPage))
		if err != nil {
			t.Fatal(err)
		}
		contrast, err := chromedp.Run(tab, chromedp.Evaluate[float64](contrastOfBody))
		if err != nil {
			t.Fatal(err)
		}
		if isDark := got.Background != "rgb(255, 255, 255)"; isDark != dark {
			t.Errorf("%s: background is %s", scheme, got.Background)
		}
		if contrast < 7 { // WCAG 2, level AAA
			t.Errorf("%s: contrast of %s on %s is %.1f; want 7 at least", scheme, got.Foreground, got.Background,
				contrast)
		}
	}
}

// contrastOfBody is the contrast ratio of WCAG 2.
const contrastOfBody = `(() => {
	const light = color => {
		const [r, g, b] = color.match(/\d+/g).map(n => n / 255)
			.map(n => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
		return 0.2126 * r + 0.7152 * g + 0.0722 * b;
	};
	const style = getComputedStyle(document.body);
	const [a, b] = [light(style.color), light(style.backgroundColor)].sort((x, y) => y - x);
	return (a + 0.05) / (b + 0.05);
})()`

type silent struct{}

func (silent) Prompt(context.Context, auth.Prompt) error { return nil }
