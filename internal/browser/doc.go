// Package browser holds a test that looks at the sign-in pages in a real
// browser. It is a separate module, so that no user of the driver downloads a
// browser's remote control.
package browser
