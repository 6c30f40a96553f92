// Package oauthserver tests package auth against another authorization server:
// ory/fosite, with PKCE enforced and refresh tokens that work once. It is a
// separate module, because the server has many dependencies, and has only
// tests.
package oauthserver
