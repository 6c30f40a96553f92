// Package sandbox is a local BigQuery: the REST API v2 over DuckDB, with
// Google's sign-in in front of it, all in one process on one loopback port. It
// is for the quickstart and for tests; it never reaches the outside network.
//
// A request needs a bearer token that the sandbox's own sign-in has issued, and
// its user needs rights in the project. SQL is GoogleSQL, translated by package
// googlesql. A statement that can't be translated is refused as BigQuery
// refuses a wrong query, and never answered wrongly. The README lists what is
// supported and what is not.
package sandbox
