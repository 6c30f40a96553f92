// Package browser holds a test that looks at the sign-in pages in a real
// browser. It is a module of its own, so that nobody who uses the driver
// downloads a browser's remote control.
package browser
