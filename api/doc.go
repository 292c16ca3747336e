// Package api owns the outer contract: openapi.yaml, which is its source, and the wire types that a program sees in
// JSON. It does nothing else: reading and writing them is the business of the doors.
//
// The types here are not those of the domain: an instant is RFC 3339 text in UTC, a civil date is YYYY-MM-DD, and what
// is not there is null, so that a reader never has to guess between "empty" and "not told".
//
//	openapi.yaml ──(tests hold every answer against it)── wire types ──(httpapi maps)── domain
package api
