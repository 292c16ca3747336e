// Package plan owns the decision: which rows of which tables go, change, stay, and when.
//
//	policy + data map + today ── NewRules ──► Rules ── (a connector walks the rows) ──► Found
//	Found + policy + map + holds ── Make ──► Plan {steps, withheld, digest}
//
// It is pure and deterministic: the same data and the same files give the same plan and the same digest. The
// digest stands for everything an approval answers for; Diff says what moved between two plans.
//
// Within one table of an erasure there is at most one step that deletes, one that anonymizes and one that redacts;
// retain and keep have a step for every day and ground. Table, action, day and ground therefore tell which rows a
// step means. Rows that stay only because kept rows need them have two steps: anonymize now, retain until their day.
//
// Plans are made for the day of execution, the end of the grace period: a plan made anew on that day has the same
// digest unless the data moved.
package plan
