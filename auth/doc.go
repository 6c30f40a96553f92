// Package auth signs a user in to Google from an installed application and
// keeps that sign-in usable: consent in the browser once, silent refresh
// afterwards, for any number of goroutines and processes.
//
//	client, err := auth.LoadClient("client_secrets.json")
//	a, err := auth.New(auth.Config{Client: client})
//	err = a.Ensure(ctx)          // asks the user, but only if need be
//	tok, err := a.Token()        // never asks; a is an oauth2.TokenSource
//
// An [Authenticator] owns one sign-in. [Authenticator.Ensure] may take minutes
// the first time, since the user has to answer: give it a ctx that allows for
// that, at the start of the program. [Authenticator.Token] gives up with
// [ErrConsentRequired] where only the user could help.
//
// # How the user is asked
//
// The flow is OAuth 2.0 for installed applications (RFC 8252): the system's
// browser shows Google's consent page, and Google sends it back to a port of
// this machine's loopback interface with a code, which is exchanged for tokens
// (RFC 6749, section 4.1) under the protection of PKCE (RFC 7636, S256), a
// state of 256 bits, and the issuer in the answer (RFC 9207).
//
//	ModeAuto     a browser if one can be shown, else ModeManual at a terminal, else ModeNever
//	ModeBrowser  opens the system's browser
//	ModeManual   prints the address; the answer is pasted, or comes over the port
//	ModeNever    ErrConsentRequired at once
//
// ModeAuto never asks where the variable CI is set to anything but false or 0,
// unless the program brings its own Config.OpenBrowser. On Linux it wants DISPLAY,
// WAYLAND_DISPLAY, WSL (wslview, or the browser of Windows) or a program named by
// BROWSER; over SSH on macOS and Windows it does not open a window on a desk far
// away.
//
// The browser is not given Google's address but a start page on the loopback
// port, because every user of a machine can read the command line of a process.
// The terminal shows an address of Google's of its own, for any browser. If no
// browser has loaded the start page after five seconds, the terminal also takes
// a pasted address.
//
// After a sign-in that was refused or not finished the user is not asked again for
// Config.PromptBackoff, so that a loop of queries does not open tab after tab;
// [Authenticator.Login] asks regardless. Programs that wait for another one's
// sign-in share its outcome, a refusal too. They wait for Config.LoginTimeout and
// up to 30 seconds more; the error names the process that is signing in.
//
// # Signing in on a server
//
// Without a browser (SSH, a container, a remote notebook) use ModeManual. The
// address is printed on the controlling terminal. Open it anywhere. The browser
// ends at a page of 127.0.0.1 that it cannot show: copy the whole address from
// its address bar and paste it at the terminal, which does not show it. Or
// forward the port, and the answer arrives by itself:
//
//	ssh -L 8085:127.0.0.1:8085 server     (with Config.RedirectPort 8085)
//
// Nothing is read from standard input or written to standard output. Paste only
// what came from a sign-in that you started yourself. The terminal is read only
// while the program is in its foreground; one in the background (program &,
// timeout program) says so and waits for the port alone. A program without a
// terminal finds the sign-in that another program of the same user, with the
// same client, scopes, account and profile, has stored.
//
// In a container the loopback port is the container's own, and publishing it
// with docker -p does not reach it; pasting always works. Google offers no
// device flow for BigQuery's scopes, and no longer the copy-a-code page.
//
// # A client of type Web application
//
// Use a client of type Desktop app. One of type Web application works if a
// loopback address is among its redirect URIs, which is then used to the letter:
// for http://localhost the port is listened on at 127.0.0.1 and [::1], for
// http://[::1] there. Ports below 1024 take a right that users seldom have.
//
// # What is stored, where, and who can read it
//
// One [Record] for each combination of client, token endpoint, scopes, account,
// hosted domain and profile: a refresh token, an access token, when they were
// made, and who signed in if that was asked for. Not the client's secret.
//
// [FileStore], the default, keeps it as a file of mode 0600 in a directory of
// mode 0700, named by a SHA-256: ~/.config/bigqueryuser on Linux,
// ~/Library/Application Support/bigqueryuser on macOS, %LocalAppData%\bigqueryuser
// on Windows, which does not roam and is protected by the profile's access list
// (records in %AppData%\bigqueryuser, where they used to be, are moved). Every
// program of the same user can read it, and so can root, a backup, and anyone who
// gets the disk if it is not encrypted.
//
// A file that others can read is closed to them; a link, a pipe, another user's
// file or a damaged one is set aside as *.corrupt-* and the user is asked again.
// What a newer version of this package wrote is left alone. A directory of
// another user (but root), one that others may write to, and one below a
// directory in which others may rename it are refused. If nothing can be saved
// the sign-in works until the process ends, with one warning.
//
// [KeyringStore] uses the platform's secure storage instead: Keychain,
// Credential Manager, Secret Service. To move there, choose it (token_store=keyring
// in the driver's connection string), sign in once more, and remove the old
// files. It does not fall back to files: without a keyring, as on most servers,
// the error matches [ErrStoreUnavailable].
//
// [MemoryStore] keeps nothing, and a program can bring its own [Store].
//
// # When a sign-in ends
//
// Google ends it when the user revokes it, after six months without use,
// after seven days if the consent screen is External and in Testing, when the
// user has more than 100 for the same client, when an administrator restricts
// the app, and, under session control (error_subtype invalid_rapt or
// rapt_required), every 1 to 24 hours. Token then returns ErrConsentRequired
// and the next Ensure asks, once, saying why. Network failures and 5xx answers
// keep the record, are tried three times within ten seconds, and give an error
// whose Temporary method returns true. Errors of the client or configuration
// match [ErrClientConfig] and keep the record.
//
// [Authenticator.Logout] removes the record from this machine and tells Google
// nothing. [Authenticator.Revoke] ends the grant at Google: for all machines,
// and for all clients of the application's Cloud project. Neither happens by
// itself.
//
// # Accounts
//
// Config.Account and Config.HostedDomain say who has to sign in. They are
// hints to Google's page, and afterwards checked against the ID token, for
// which the scopes openid and email are asked for in addition; this makes
// Google show a checkbox for each permission. Another account is refused with
// [ErrWrongAccount]. Config.Profile keeps sign-ins apart without any of that.
// [Authenticator.Identity] returns who is signed in. A sign-in is logged at info
// level with its account, if that is known, and its scopes, and so says the page
// that the browser ends at.
//
// [LoadDefaultCredentials] reads what gcloud has stored for a user instead,
// [LoadAnyDefaultCredentials] credentials of any kind. Both read one file, once.
//
// # Proxies and certificate authorities
//
// Token requests use Config.HTTPClient's transport, else the proxy, certificate
// authorities and dialer of [http.DefaultTransport]. Certificates are always
// verified: InsecureSkipVerify of either is not taken over. A company's own
// authority belongs into the system's store; on Linux and BSD the variables
// SSL_CERT_FILE and SSL_CERT_DIR name another one.
//
// # What the scope allows
//
// The default scope, bigquery, lets the program do whatever the account may do
// in BigQuery: read, change and delete tables and datasets of every project that
// the account has access to, run jobs that cost money, and grant access where the
// account may. What the account may do is decided by its roles, so a smaller role
// is a better bound than a smaller scope: SECURITY.md says what the others are
// good for, and when Google wants an app to be verified.
//
// # Google's error pages
//
// Some mistakes Google shows to the user alone. The application hears nothing
// and ends with [ErrLoginTimeout].
//
//	redirect_uri_mismatch  the client is of type Web application and lacks the loopback address:
//	                       use a client of type Desktop app
//	org_internal           the consent screen is Internal and the account is of another organization:
//	                       sign in with another account, or make the screen External
//	access_denied (403)    the consent screen is in Testing and the account is no test user: add it
//	admin_policy_enforced  an administrator must trust the client id (Admin console, API controls)
//	disallowed_useragent   the page was opened inside another application: use a real browser
//	invalid_client         the client_secrets.json is of a deleted or another client: download it again
//	deleted_client         the client was deleted, perhaps after six months without use: make a new one
//	invalid_scope          a scope is misspelled, or its API is not enabled in the client's project
//
// # For a security review
//
// Each sentence here has a number and its tests in the table of
// statements_test.go. SECURITY.md orders the same by attacker.
//
// The callback port is bound to 127.0.0.1 ([::1] only where there is no IPv4
// loopback; for a web client's localhost both), on a free port, only while the
// user is being asked. Requests with another Host header, method or path, without
// the state, or with a repeated parameter change nothing; so do prefetches. The
// state is compared in constant time and works once. Idle and slow connections
// are limited. The final page is static, loads nothing, and says success only
// when the tokens have been got and saved, or got and said to be unsaved. Its
// address holds neither the code nor the state.
//
// The start page that the opener gets sends the first browser on, with a cookie
// (HttpOnly, SameSite=Lax) that the answer has to bring back. On Linux it, the
// callback and the final page answer only established connections of the user or
// root, by the kernel's tables. Elsewhere a second visitor without the cookie ends the
// sign-in, and takes back one that ended well less than ten seconds ago. Close
// waits for such a visitor until ten seconds after the browser was opened.
//
// Tokens are sent to Google's endpoints, each known with its path, over https,
// or to one loopback origin for tests, and nowhere else, whatever
// client_secrets.json says: a file that names Google's page and another token
// endpoint is refused. Redirects are not followed, answers are read up to 1 MiB,
// a code is sent once. Ambient credentials (GOOGLE_APPLICATION_CREDENTIALS,
// gcloud's, a metadata server's) are not read, except by [LoadDefaultCredentials]
// and [LoadAnyDefaultCredentials] when they are called.
//
// No token, code, verifier, state or secret is in an error, a log line, or the
// printed or JSON form of a type; what a server echoes is removed in its plain,
// encoded and cut forms. The address of the consent page goes to the [Prompter]
// alone, never into a command line. The client secret of a desktop client is in
// the application and is no secret by Google's own account; PKCE is what
// protects the code.
//
// Limits: The ID token's signature is not verified, since it comes from the token
// endpoint itself over TLS (OpenID Connect Core, section 3.1.3.7). Tokens are
// bearer tokens: DPoP is not used, so who copies the record can use it. Other
// programs of the same user cannot be kept out. On macOS, Windows and BSD a
// program that ends without Close, within ten seconds of its sign-in, is not there
// any more to take it back. On Linux a connection that does not come from this network
// namespace (WSL in mirrored mode, some user-mode networks) has no owner in the
// kernel's tables and is refused; pasting works. On Windows links in the token
// directory are detected but not excluded in one step, and a line that was begun
// at the console keeps its reader until Enter.
package auth
