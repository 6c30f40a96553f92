// Package oauthserver holds package auth against an authorization server that
// nobody here wrote: ory/fosite, with PKCE enforced and refresh tokens that work
// once. It is a module of its own, since the server has many dependencies, and
// has nothing but tests.
package oauthserver
