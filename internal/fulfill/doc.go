// Package fulfill carries requests through: review, grace, plan, execute, check, deliver, inform, close, purge.
//
// Advance is its heart. It may be called any time by anyone: it claims the request (epoch + 1), decides from what is
// stored what the one next step is, does it, and records it. Steps never call steps; the next wake-up finds the next
// step. No transaction is held across a network call: the intent is recorded, then the act, then the outcome.
//
//	in_review ── plan made ── (policy: auto) ──────────────► approve
//	in_grace ── GraceEndsAt reached ─────────────────────────► executing
//	executing: capture ─► act ─► check ─► tell ─► fulfilled
//	           │                   └─ disagrees: needs_attention
//	           └───────┴─ data moved: plan_outdated ─► in_review
//
// The other methods are what officers and persons may do to a request: each checks the right to do it, does it and
// leaves its leaf in the log, in one transaction.
package fulfill
