// Package dsr owns the data subject request: what was asked, by whom, and how far it has come.
//
// A Submission is what one person asks at once: one reference, one verification. It holds one Request per
// right, each with its own status, legal clock and plan. The lifecycle is one table (lifecycle.go): a pair of
// status and event that is not in it is refused, with the list of what is possible instead. The diagram in
// LIFECYCLE.md is generated from that table by a test.
//
// The package is pure: no clock, no database, no network. Personal parts (Person, messages, changes) are plain
// values here; the store seals them before they touch a disk.
package dsr
