// Package auth signs a user in to Google from an installed application and
// keeps the sign-in usable. The user consents in the browser once. After that
// tokens are refreshed silently, for any number of goroutines and processes.
//
//	client, err := auth.LoadClient("client_secrets.json")
//	a, err := auth.New(auth.Config{Client: client})
//	err = a.Ensure(ctx)          // asks the user if necessary
//	tok, err := a.Token()        // never asks; a is an oauth2.TokenSource
//
// An [Authenticator] owns one sign-in. The first call of [Authenticator.Ensure]
// may take minutes, because the user has to answer: make it when the program
// starts, with a context that allows for that. [Authenticator.Token] returns
// [ErrConsentRequired] if only the user can help.
//
// # How the user is asked
//
// The flow is OAuth 2.0 for installed applications (RFC 8252). The system's
// browser shows Google's consent page. Google then sends the browser, with a
// code, to a port of this machine's loopback interface, and the code is
// exchanged for tokens (RFC 6749, section 4.1). PKCE (RFC 7636, S256), a state
// of 256 bits and the issuer in the answer (RFC 9207) protect the exchange.
//
//	ModeAuto     ModeBrowser if a browser can be shown, else ModeManual at a terminal, else ModeNever
//	ModeBrowser  opens the system's browser
//	ModeManual   prints the address; the answer is pasted, or arrives at the port
//	ModeNever    returns ErrConsentRequired at once
//
// ModeAuto does not ask if the variable CI is set to anything but false or 0,
// unless Config.OpenBrowser is set. On Linux it needs DISPLAY, WAYLAND_DISPLAY,
// WSL (wslview, or the browser of Windows) or a program named by BROWSER. Over
// SSH on macOS and Windows it opens no browser, because the window would appear
// on the remote machine's own screen.
//
// The browser is opened at a start page on the loopback port and not at
// Google's address, because all users of a machine can read the command lines
// of its processes. The terminal shows another address, of Google's page, for
// any browser. If no browser has loaded the start page after five seconds, the
// terminal also accepts a pasted address.
//
// After a sign-in that was refused or not finished, the user is not asked again
// for Config.PromptBackoff, so that a loop of queries does not open one tab
// after another. [Authenticator.Login] asks regardless. A program that waits
// for the sign-in of another program gets its outcome, even if it was refused.
// It waits for Config.LoginTimeout and up to 30 seconds more; the error names
// the process that is signing in.
//
// # Signing in on a server
//
// Without a browser (SSH, a container, a remote notebook) use ModeManual. It
// prints the address on the controlling terminal. Open the address in a browser
// on any machine. After the consent that browser is sent to 127.0.0.1, where it
// finds no page: copy the whole address from its address bar and paste it at
// the terminal, which does not echo it. Or forward the port, and the answer
// arrives by itself:
//
//	ssh -L 8085:127.0.0.1:8085 server     (with Config.RedirectPort 8085)
//
// Nothing is read from standard input or written to standard output. Paste only
// the address of a sign-in that you started yourself. The terminal is read only
// while the program is in the foreground. A program in the background (program
// &, timeout program) says so and waits for the port alone. A program without a
// terminal uses the sign-in that another program of the same user has stored,
// with the same client, scopes, account and profile.
//
// In a container the loopback port is the container's own, and docker -p does
// not publish it; pasting always works. Google offers no device flow for
// BigQuery's scopes, and has shut down the flow in which its page showed a code
// to copy.
//
// # A client of type Web application
//
// Use a client of type Desktop app. A client of type Web application works if a
// loopback address is among its redirect URIs. That address is used as it is
// registered: the package listens at 127.0.0.1 and [::1] for http://localhost,
// and at [::1] for http://[::1]. Ports below 1024 need a privilege that users
// seldom have.
//
// # What is stored, where, and who can read it
//
// There is one [Record] for each combination of client, token endpoint, scopes,
// account, hosted domain and profile. It holds a refresh token, an access
// token, their times, and the account if the sign-in asked for it. It does not
// hold the client's secret.
//
// [FileStore], the default, keeps a record in a file of mode 0600 in a
// directory of mode 0700. A SHA-256 hash is the name of the file. The directory
// is ~/.config/bigqueryuser on Linux, ~/Library/Application
// Support/bigqueryuser on macOS, and %LocalAppData%\bigqueryuser on Windows,
// which does not roam and is protected by the access list of the user's
// profile. Records that earlier versions wrote to %AppData%\bigqueryuser are
// moved there. Every program of the same user can read the file, and so can
// root, a backup, and a thief of the disk if it is not encrypted.
//
// If others can read the file, its mode is set to 0600 again. A link, a pipe,
// another user's file or a damaged file is renamed to *.corrupt-*, and the user
// is asked again. A record that a newer version of this package wrote is left
// alone. A directory is refused if it belongs to another user except root, if
// others may write to it, or if others may rename it. If nothing can be saved,
// the package warns once, and the sign-in works until the process ends.
//
// [KeyringStore] uses the platform's secure storage: the Keychain, the
// Credential Manager or the Secret Service. To move to it, choose it
// (token_store=keyring in the driver's DSN), sign in again, and remove the old
// files. It does not fall back to files: without a keyring, as on most servers,
// the error matches [ErrStoreUnavailable].
//
// [MemoryStore] keeps nothing after the process ends. A program can also
// implement [Store] itself.
//
// # When a sign-in ends
//
// A sign-in ends when the user revokes it, when it is not used for six months,
// after seven days if the consent screen is External and in Testing, when the
// user has more than 100 sign-ins with the same client, and when an
// administrator restricts the app. Under session control (error_subtype
// invalid_rapt or rapt_required) it ends after 1 to 24 hours. Token then
// returns ErrConsentRequired. The next Ensure asks the user once, with the
// reason.
//
// Network failures and 5xx answers do not end a sign-in. They are tried three
// times within ten seconds, and return an error whose Temporary method returns
// true. Errors of the client or the configuration match [ErrClientConfig] and
// do not end it either.
//
// [Authenticator.Logout] removes the record from this machine and makes no
// request to Google. [Authenticator.Revoke] ends the grant at Google, on all
// machines and for all clients of the application's Cloud project. The package
// never calls either by itself.
//
// # Accounts
//
// Config.Account and Config.HostedDomain require an account. They are sent to
// Google's page as hints, and checked against the ID token after the sign-in.
// Another account is refused with [ErrWrongAccount]. For the ID token the
// scopes openid and email are requested too, and Google then shows a checkbox
// for each permission. Config.Profile keeps sign-ins apart without these
// scopes.
//
// [Authenticator.Identity] returns who is signed in. A sign-in is logged at
// info level with its scopes and, if it is known, its account. The page that
// the browser shows at the end names them too.
//
// [LoadDefaultCredentials] reads the credentials of a user that gcloud has
// stored. [LoadAnyDefaultCredentials] reads credentials of any kind. Both read
// one file, once.
//
// # Proxies and certificate authorities
//
// Token requests use the transport of Config.HTTPClient. By default they use
// the proxy, certificate authorities and dialer of [http.DefaultTransport].
// Certificates are always verified: InsecureSkipVerify has no effect. Add a
// company's own authority to the system's store or, on Linux and BSD, name it
// in the variables SSL_CERT_FILE and SSL_CERT_DIR.
//
// # What the scope allows
//
// With the default scope, bigquery, the program can do whatever the account may
// do in BigQuery: read, change and delete tables and datasets in all projects
// that the account has access to, run jobs that cost money, and grant access.
// The account's roles decide what it may do, so fewer roles protect more than a
// narrower scope. SECURITY.md describes the other scopes, and says when Google
// requires an app to be verified.
//
// # Google's error pages
//
// Google shows some mistakes to the user alone. The application gets no answer,
// and the sign-in ends with [ErrLoginTimeout].
//
//	redirect_uri_mismatch  the client is of type Web application and lacks the loopback address:
//	                       use a client of type Desktop app
//	org_internal           the consent screen is Internal and the account is of another organization:
//	                       sign in with another account, or make the screen External
//	access_denied (403)    the consent screen is in Testing and the account is no test user: add it
//	admin_policy_enforced  an administrator must trust the client id (Admin console, API controls)
//	disallowed_useragent   the page was opened inside another application: use a real browser
//	invalid_client         the client_secrets.json is of a deleted or another client: download it again
//	deleted_client         the client was deleted, perhaps after six months without use: create a new one
//	invalid_scope          a scope is misspelled, or its API is not enabled in the client's project
//
// # For a security review
//
// Each statement of this section has a number and tests, in the table of
// statements_test.go. SECURITY.md orders the statements by attacker.
//
// The callback port is open only while the user is being asked. It is bound to
// 127.0.0.1, to [::1] if there is no IPv4 loopback, or to both for a web client
// that registered localhost. A request with another Host header, method or
// path, without the state, or with a repeated parameter changes nothing, and
// neither does a prefetch. The state is compared in constant time and works
// once. Idle and slow connections are limited. The final page is static and
// loads nothing. It reports success only after the tokens arrived and were
// saved, and says so if they could not be saved. Its address contains neither
// the code nor the state.
//
// The start page sends the first browser on to Google with a cookie (HttpOnly,
// SameSite=Lax), and the answer must bring the cookie back. On Linux the start
// page, the callback and the final page answer only connections of the user or
// root, which the kernel's tables of established connections show. On other
// systems a second visitor without the cookie ends the sign-in. If it comes
// less than ten seconds after the sign-in has succeeded, the sign-in is
// removed. Close waits for such a visitor until ten seconds after the browser
// was opened.
//
// Tokens are sent to Google's endpoints over https, and each endpoint is
// compared with its path. For tests they are sent to one loopback origin. No
// content of client_secrets.json changes that: a file that names Google's page
// and another token endpoint is refused. Redirects are not followed, answers
// are read up to 1 MiB, and a code is sent once. Ambient credentials
// (GOOGLE_APPLICATION_CREDENTIALS, gcloud's, a metadata server's) are not read,
// except by [LoadDefaultCredentials] and [LoadAnyDefaultCredentials].
//
// No token, code, verifier, state or secret appears in an error, a log line, or
// the printed or JSON form of a type. If a server echoes one, it is removed,
// whether plain, encoded or cut short. The address of the consent page goes
// only to the [Prompter], never into a command line. The secret of a desktop
// client is part of the application, and Google does not treat it as a secret;
// PKCE protects the code.
//
// Limits:
//
//   - The signature of the ID token is not verified, because the token comes
//     from the token endpoint over TLS (OpenID Connect Core, section 3.1.3.7).
//   - Tokens are bearer tokens without DPoP: anyone who copies the record can
//     use it.
//   - Other programs of the same user can read the record.
//   - On macOS, Windows and BSD a program that ends without Close within ten
//     seconds of its sign-in can't remove it any more if a second visitor
//     comes.
//   - On Linux a connection from outside the network namespace (WSL in mirrored
//     mode, some user-mode networks) has no owner in the kernel's tables and is
//     refused; pasting works.
//   - On Windows links in the token directory are detected, but another process
//     can create one between the check and the use. A line that was begun at
//     the console keeps its reader until Enter is pressed.
package auth
