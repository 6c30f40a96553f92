// Package fakegoogle is a Google authorization server for tests and for the
// sandbox: a consent page that a user or a program can use, a token endpoint
// and a revocation endpoint. It is strict where Google is strict, so that a
// client which passes here has not relied on leniency: PKCE with S256 is
// demanded, the redirect_uri must be byte-equal in both requests, a code works
// once and for ten minutes, and a secret that is sent must be the right one.
//
// The endpoints are
//
//	/o/oauth2/v2/auth, /o/oauth2/auth  the consent page (RFC 6749, section 4.1.1)
//	/token                             code exchange and refresh (4.1.3 and 6)
//	/revoke                            revocation (RFC 7009)
//
// Faults are scripted: [Server.ScriptToken] and [Server.ScriptRevoke] queue
// replies, [Server.EditToken] and [Server.EditCallback] change what would
// have been sent. Consent plays the user.
//
// It must never be reachable from a network: it has no passwords.
package fakegoogle
