package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

const exampleClient = `{"installed": {
	"client_id": "123-abc.apps.googleusercontent.com",
	"auth_uri": "https://accounts.google.com/o/oauth2/auth",
	"token_uri": "https://oauth2.googleapis.com/token"
}}`

// exampleSignIn returns a sign-in that asks no user.
func exampleSignIn(store auth.Store) *auth.Authenticator {
	client, err := auth.ParseClient([]byte(exampleClient))
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client, Mode: auth.ModeNever, Store: store})
	if err != nil {
		log.Fatal(err)
	}
	return a
}

func ExampleNew() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client, Account: "ada@example.com", LoginTimeout: 2 * time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	if err := a.Ensure(context.Background()); err != nil {
		log.Fatal(err)
	}
	google := oauth2.NewClient(context.Background(), a) // an Authenticator is an oauth2.TokenSource
	google.Timeout = time.Minute
}

// Ensure returns an error that says why there is no token.
func ExampleAuthenticator_Ensure() {
	a := exampleSignIn(auth.MemoryStore())
	defer a.Close()
	err := a.Ensure(context.Background())
	switch {
	case errors.Is(err, auth.ErrConsentRequired):
		fmt.Println("the user must sign in, and may not be asked here")
	case errors.Is(err, auth.ErrConsentDenied):
		fmt.Println("the user said no")
	case errors.Is(err, auth.ErrLoginTimeout):
		fmt.Println("the user did not answer")
	case errors.Is(err, auth.ErrWrongAccount):
		fmt.Println("another account signed in")
	case errors.Is(err, auth.ErrScopeNotGranted):
		fmt.Println("the user left out a permission")
	case errors.Is(err, auth.ErrClosed):
		fmt.Println("the program is ending")
	case errors.Is(err, auth.ErrClientConfig):
		fmt.Println("the client_secrets.json is wrong")
	}
	// Output: the user must sign in, and may not be asked here
}

// An *Error has the OAuth error code and a hint. Temporary errors may be retried.
func ExampleError() {
	_, err := auth.ParseClient([]byte(`{"type": "authorized_user"}`))
	if e, ok := errors.AsType[*auth.Error](err); ok {
		fmt.Println(e.Op, e.Temporary())
		fmt.Println(e.Hint)
	}
	// Output:
	// client secrets false
	// use the client_secrets.json of a "Desktop app" client instead
}

// A command that shows who is signed in.
func ExampleAuthenticator_Identity() {
	a := exampleSignIn(auth.MemoryStore())
	defer a.Close()
	who, err := a.Identity(context.Background())
	if errors.Is(err, auth.ErrConsentRequired) {
		fmt.Println("signed out")
		return
	}
	if err != nil {
		log.Fatal(err)
	}
	show(who)
	// Output: signed out
}

func show(who auth.Identity) {
	fmt.Println("signed in as", who.Account, "since", who.SignedIn, "for", who.Scopes)
}

// "Sign in with another account": the stored sign-in is replaced.
func ExampleAuthenticator_Login() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	if err := a.Login(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// Revoke ends the grant at Google, on all machines.
func ExampleAuthenticator_Revoke() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client, Mode: auth.ModeNever})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	err = a.Revoke(context.Background())
	if e, ok := errors.AsType[*auth.Error](err); ok && e.Temporary() {
		log.Fatal("Google can't be reached; try again: ", err) // the sign-in is still there
	}
	if err != nil {
		log.Fatal(err)
	}
}

// An API has refused a token: the next call fetches another one.
func ExampleAuthenticator_Invalidate() {
	a := exampleSignIn(auth.MemoryStore())
	defer a.Close()
	tok, err := a.TokenContext(context.Background())
	if err != nil {
		fmt.Println(errors.Is(err, auth.ErrConsentRequired))
		return
	}
	r, err := http.NewRequest(http.MethodGet, "https://bigquery.googleapis.com/bigquery/v2/projects", nil)
	if err != nil {
		log.Fatal(err)
	}
	tok.SetAuthHeader(r)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized {
		a.Invalidate(tok.AccessToken)
	}
	// Output: true
}

// modeOf chooses how the user is asked.
func modeOf(interactive, overSSH bool) auth.Mode {
	switch {
	case !interactive:
		return auth.ModeNever
	case overSSH:
		return auth.ModeManual
	}
	return auth.ModeAuto // ModeBrowser would not fall back to the terminal
}

func ExampleMode() {
	fmt.Println(modeOf(true, false), modeOf(true, true), modeOf(false, false), auth.ModeBrowser)
	// Output: auto manual never browser
}

func ExampleParseMode() {
	mode, err := auth.ParseMode("manual")
	fmt.Println(mode, err, mode == auth.ModeManual)
	// Output: manual <nil> true
}

// dialog shows the sign-in in a window of the program.
type dialog struct{}

func (dialog) Prompt(ctx context.Context, p auth.Prompt) error {
	if p.Opened {
		fmt.Println("Please sign in with the browser.")
		return nil
	}
	fmt.Println("Please open", p.URL)
	// The window has a field for the address that the browser ends at: p.Paste(text).
	return nil
}

// Notify shows a line that asks for nothing.
func (dialog) Notify(ctx context.Context, text string) { fmt.Println(text) }

func ExamplePrompter() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client, Prompter: dialog{}})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
}

func ExampleNotifier() {
	var p auth.Prompter = dialog{}
	if n, ok := p.(auth.Notifier); ok {
		n.Notify(context.Background(), "Another program is signing in.")
	}
	// Output: Another program is signing in.
}

// database is a Store of the program's own. It keeps what Encode returns, tokens included, so a
// real one encrypts it. Other processes must honour its lock too.
type database struct {
	mu   sync.Mutex
	rows map[string][]byte
}

func (d *database) Get(ctx context.Context, key string) (*auth.Record, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.get(key)
}

func (d *database) get(key string) (*auth.Record, error) {
	row, ok := d.rows[key]
	if !ok {
		return nil, auth.ErrNotFound
	}
	return auth.DecodeRecord(row)
}

func (d *database) Update(ctx context.Context, key string, fn func(*auth.Record) (*auth.Record, error)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.get(key)
	if err != nil && !errors.Is(err, auth.ErrNotFound) && !errors.Is(err, auth.ErrCorrupt) {
		return err
	}
	next, err := fn(old)
	switch {
	case err != nil:
		return err
	case next == nil:
		delete(d.rows, key)
		return nil
	case next == old:
		return nil
	}
	row, err := next.Encode()
	if err != nil {
		return err
	}
	d.rows[key] = row
	return nil
}

// A program with a place of its own for secrets keeps the sign-ins there.
func ExampleStore() {
	a := exampleSignIn(&database{rows: map[string][]byte{}})
	defer a.Close()
	_, err := a.Token()
	fmt.Println(errors.Is(err, auth.ErrConsentRequired))
	// Output: true
}

// The printed form of a Record has no tokens. Encode has them, for a Store.
func ExampleRecord() {
	r := auth.Record{
		ClientID: "123-abc.apps.googleusercontent.com", Account: "ada@example.com",
		Scopes: []string{auth.ScopeBigQuery}, Granted: []string{auth.ScopeBigQuery},
		RefreshToken: "1//secret", Created: time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC),
	}
	data, err := r.Encode()
	if err != nil {
		log.Fatal(err)
	}
	back, err := auth.DecodeRecord(data)
	if err != nil {
		log.Fatal(err)
	}
	_, damaged := auth.DecodeRecord(data[:10])
	fmt.Println(back.Account, back.RefreshToken == r.RefreshToken)
	fmt.Println(errors.Is(damaged, auth.ErrCorrupt), errors.Is(damaged, auth.ErrNewerRecord))
	// Output:
	// ada@example.com true
	// true false
}

func ExampleFileStore() {
	store, err := auth.FileStore("~/.config/sales-report")
	if err != nil {
		log.Fatal(err)
	}
	a := exampleSignIn(store)
	defer a.Close()
}

// The platform's secure storage keeps the sign-in. Without one, as on most servers, the program
// falls back to files itself.
func ExampleKeyringStore() {
	store, err := auth.KeyringStore("")
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.Get(context.Background(), strings.Repeat("0", 64))
	if errors.Is(err, auth.ErrStoreUnavailable) {
		if store, err = auth.FileStore(""); err != nil {
			log.Fatal(err)
		}
	}
	a := exampleSignIn(store)
	defer a.Close()
}

// Sign-ins in memory end with the program: for tests, and for machines of several users.
func ExampleMemoryStore() {
	store := auth.MemoryStore()
	first, second := exampleSignIn(store), exampleSignIn(store) // they share their sign-in
	defer first.Close()
	defer second.Close()
}

// The user has signed in with gcloud: gcloud auth application-default login.
func ExampleLoadDefaultCredentials() {
	found, err := auth.LoadDefaultCredentials(nil)
	if errors.Is(err, auth.ErrNotUserCredential) {
		log.Fatal("this is a service account; use LoadAnyDefaultCredentials: ", err)
	}
	if err != nil {
		log.Fatal(err)
	}
	client := oauth2.NewClient(context.Background(), found) // it is an oauth2.TokenSource
	client.Timeout = time.Minute
}

// On a server GOOGLE_APPLICATION_CREDENTIALS names the key of a service account.
func ExampleLoadAnyDefaultCredentials() {
	found, err := auth.LoadAnyDefaultCredentials(nil, auth.ScopeBigQuery)
	if err != nil {
		log.Fatal(err)
	}
	describe(found)
}

func describe(found *auth.DefaultCredentials) {
	fmt.Println("account", found.Account(), "with the quota of", found.QuotaProject())
}

// A Client prints as its id alone.
func ExampleLoadClient() {
	client, err := auth.LoadClient("~/client_secrets.json")
	if err != nil {
		log.Fatal(err) // it says what the file is instead, and what to do
	}
	fmt.Println(client.ID())
}
