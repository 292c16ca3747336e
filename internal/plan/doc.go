// Package plan owns the decision: which rows of which tables go, change, stay, and when.
//
//	policy + data map + today ── NewRules ──► Rules ── (a connector walks the rows) ──► Found
//	Found + policy + map + holds ── Make ──► Plan {steps, withheld, digest}
//
// It is pure and deterministic: the same data and the same files give the same plan and the same digest. The
// digest stands for everything an approval answers for; Diff says what moved between two plans.
package plan
