// Package residue owns the independent look after an erasure: is what should be gone really gone, and is what was
// kept exactly what the plan said?
//
//	keys recorded before ──► rows that still answer to them     left_over, missing, not_anonymized
//	the map's identifiers ──► look-ups that must count nothing   identifier
//	all proven identifiers ──► a bounded search of every table   copy
//
// The one idea: a mistake must not be able to hide itself. The package opens connections of its own, read only, asks
// the database itself which tables exist, and writes its own queries: it shares no code with the connector that
// erased, and does not import it. What it reports are tables, columns and counts, never a value; what it could not
// look at it lists, so that silence is not taken for absence.
//
// What becomes of a difference (a request that needs attention) is decided by the caller.
package residue
