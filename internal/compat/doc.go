// Package compat holds libraries that people use on top of database/sql against the driver and the
// sandbox, unmodified and at their current versions.
package compat
