// Package auth signs a person in to Google from an installed application and
// keeps that sign-in usable: consent in the browser once, silent refresh
// afterwards.
package auth
