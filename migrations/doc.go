// Package migrations holds the schema of our own database: one numbered SQL file for each change and engine.
//
// The same number means the same change in postgres/ and sqlite/; a test holds tables and columns of both against
// each other. A file that was released is never edited: a mistake is mended by a new number. Each file has a way
// down for development; production goes up only.
//
// Roles, policies and grants are not here. They depend on the name of the database, so store.Migrate sets them
// after every run, which also mends them after a restore under another name. A table without them shows nothing
// to anyone, because row-level security is forced here.
package migrations
