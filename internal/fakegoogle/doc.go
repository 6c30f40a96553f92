// Package fakegoogle is a Google authorization server for tests and for the
// sandbox: a consent page for users and programs, a token endpoint and a
// revocation endpoint. It is as strict as Google, so that a client that works
// with it does not rely on leniency: PKCE with S256 is required, the
// redirect_uri must be byte-equal in both requests, a code works once and for
// ten minutes, and a secret that is sent must be correct.
//
// The endpoints are
//
//	/o/oauth2/v2/auth, /o/oauth2/auth  the consent page (RFC 6749, section 4.1.1)
//	/token                             code exchange and refresh (4.1.3 and 6)
//	/revoke                            revocation (RFC 7009)
//
// Faults are scripted: [Server.ScriptToken] and [Server.ScriptRevoke] queue
// replies, [Server.EditToken] and [Server.EditCallback] change answers. Consent
// plays the user.
//
// It must never be reachable from a network, because it has no passwords.
package fakegoogle
