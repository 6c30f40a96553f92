package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/bigqueryuser/bigqueryuser/auth"
)

// A program makes sure of the sign-in when it starts, with time for the user
// to answer, and uses the tokens afterwards.
func ExampleAuthenticator() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	a, err := auth.New(auth.Config{Client: client})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	switch err := a.Ensure(ctx); {
	case errors.Is(err, auth.ErrConsentDenied):
		log.Fatal("not without your permission")
	case err != nil:
		log.Fatal(err)
	}
	tok, err := a.Token()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("good until", tok.Expiry)
}

func ExampleParseClient() {
	client, err := auth.ParseClient([]byte(`{"installed": {
		"client_id": "123-abc.apps.googleusercontent.com",
		"client_secret": "not printed",
		"auth_uri": "https://accounts.google.com/o/oauth2/auth",
		"token_uri": "https://oauth2.googleapis.com/token"
	}}`))
	fmt.Println(client, err)

	_, err = auth.ParseClient([]byte(`{"type": "service_account", "private_key": "..."}`))
	fmt.Println(errors.Is(err, auth.ErrClientConfig))
	// Output:
	// auth.Client(123-abc.apps.googleusercontent.com) <nil>
	// true
}

// A command-line program has a command to sign out: "prog logout" removes the
// sign-in from this machine, "prog logout -everywhere" ends it at Google.
func ExampleAuthenticator_Logout() {
	client, err := auth.LoadClient("client_secrets.json")
	if err != nil {
		log.Fatal(err)
	}
	// The same configuration as at the sign-in finds the same record. ModeNever:
	// who signs out is not asked to sign in.
	a, err := auth.New(auth.Config{Client: client, Mode: auth.ModeNever})
	if err != nil {
		log.Fatal(err)
	}
	defer a.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if len(os.Args) > 2 && os.Args[2] == "-everywhere" {
		if err := a.Revoke(ctx); err != nil {
			log.Fatal(err) // the sign-in is still there; "logout" removes it in any case
		}
		fmt.Println("Signed out on all machines.")
		return
	}
	if err := a.Logout(ctx); err != nil {
		log.Fatal(err)
	}
	fmt.Println("Signed out on this machine.")
}
