// Package connectortest owns the behavior that every SQL system must show: one invented database (the twin) with
// the shapes in which people's data really lie, and the promises held against it.
//
// Run loads the twin through a Fixture, one a subtest, and tries export, erasure, interruption, correction. The twin
// has children and grandchildren, composite keys, an address above its owner that two people share, retained rows,
// messages between people, rows found by mail or within JSON alone, a table that owns rows of itself, a ring of
// references, many-to-many, a reserved word as a name, apostrophes and letters beyond ASCII.
package connectortest
