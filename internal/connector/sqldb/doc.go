// Package sqldb owns the reach into a product's SQL database: PostgreSQL, MySQL or MariaDB, and SQLite.
//
//	catalog ─┐
//	         ├─► graph ──► set of a table = one SELECT, from the person's own keys down ──► locate, collect, capture
//	map ─────┘                                                    keys ──► erase, rectify, count
//
// The one idea: whose row it is, is asked of the database in one set-based statement a table, compiled from the
// map's relations. First the subject's own keys are resolved by the proven identifiers (few); everything else hangs
// on these keys as parameters. No statement is per row, nothing is paged by offset.
//
// An engine's differences (quoting, placeholders, catalog, forms of values, snapshot) sit in one dialect each.
// What a row means to the law is not decided here: package plan gives the fate of each row.
package sqldb
