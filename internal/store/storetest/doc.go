// Package storetest is the conformance suite of package store and the way to get a real database in a test.
//
// Run holds one engine against everything that store promises; store's own tests call it for SQLite and for
// PostgreSQL. Tests of other packages call New, which gives an empty migrated SQLite database with one tenant in a
// few milliseconds: as fast as a fake, and not one. Postgres does the same on a server.
//
// It is test support and is imported by tests alone.
package storetest
