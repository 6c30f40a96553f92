package browser

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/bigqueryuser/bigqueryuser/auth"
	"github.com/bigqueryuser/bigqueryuser/internal/fakegoogle"
)

// TestStartPage: the cookie of the start page comes back from another site's
// page in a normal and in a private window, and not from another browser. The
// server is reached as localhost, which is another site than 127.0.0.1.
func TestStartPage(t *testing.T) {
	browser := startBrowser(t)
	private := chromedp.WithNewBrowserContext() // has cookies of its own, and none to begin with
	for name, window := range map[string][]chromedp.ContextOption{"window": nil, "private window": {private}} {
		t.Run(name, func(t *testing.T) {
			google := fakegoogle.New(fakegoogle.Options{})
			base, err := google.Start()
			if err != nil {
				t.Fatal(err)
			}
			defer google.Close()
			google.SetURL(strings.Replace(base, "127.0.0.1", "localhost", 1))
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

			tab, cancel := chromedp.NewContext(browser, window...)
			defer cancel()
			stranger, cancel := chromedp.NewContext(browser, private)
			defer cancel()
			start := <-opened
			if err := chromedp.Do(tab, chromedp.Navigate(start),
				chromedp.WaitVisible(chromedp.CSS(`input[name="account"]`))); err != nil {
				t.Fatal(err)
			}
			consent, err := chromedp.Run(tab, chromedp.Location())
			if err != nil {
				t.Fatal(err)
			}
			if title := allow(t, stranger, consent); title != "This is another browser" {
				t.Errorf("the other browser ends at %q; want a refusal", title)
			}
			if err := chromedp.Do(stranger, chromedp.Navigate(start),
				chromedp.WaitVisible(chromedp.CSS(`[role="status"]`))); err != nil {
				t.Fatal(err)
			}
			if n := google.Counts().Exchanges; n != 0 {
				t.Errorf("%d codes of the other browser were exchanged; want 0", n)
			}
			if title := allow(t, tab, consent); title != "You are signed in" {
				t.Errorf("the browser ends at %q", title)
			}
			select {
			case err := <-result:
				if err != nil {
					t.Errorf("Ensure: %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("Ensure did not return")
			}
			end, err := chromedp.Run(tab, chromedp.Location())
			if err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(end, "?#&=") || !strings.HasPrefix(end, "http://127.0.0.1:") {
				t.Errorf("the browser ends at %s; want an address without code and state", end)
			}
			cookies, err := chromedp.Run(tab, chromedp.Evaluate[string]("document.cookie"))
			if err != nil || cookies != "" {
				t.Errorf("scripts see the cookies %q, %v; want none", cookies, err)
			}
		})
	}
}

// allow consents at the page and returns the title of where the browser ends.
func allow(t *testing.T, tab context.Context, consent string) string {
	t.Helper()
	err := chromedp.Do(tab, chromedp.Navigate(consent),
		chromedp.WaitVisible(chromedp.CSS(`input[name="account"]`)),
		chromedp.Click(chromedp.CSS(`button[value="allow"]`)),
		chromedp.WaitVisible(chromedp.CSS(`[role="status"]`)))
	if err != nil {
		t.Fatal(err)
	}
	title, err := chromedp.Run(tab, chromedp.Title())
	if err != nil {
		t.Fatal(err)
	}
	return title
}
