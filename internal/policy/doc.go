// Package policy owns policy.yaml, the file in which a tenant writes down what its privacy policy promises:
// which rights, who decides, how long the way back stays open, which categories of data exist, for what,
// how long they stay and who else gets them.
//
// It does not own where data lie (package datamap), what a request is (package dsr) or what the law asks
// (package statute, against which Check holds the promises).
//
// The one idea: the file is read by lawyers, so every fault in it is told at once, at its line and column, with
// what would be right. Parsing never stops at the first fault, and a key that is not known is a fault.
//
//	bytes ── Parse ──> *Policy + []Problem      shape: keys, words, durations, dates
//	         Policy.Check(book) ──> []Problem   sense: references, laws, contradictions
//	         Policy.Explain                     the same, as plain sentences
//
// A Policy is read-only once parsed. Its Digest is the same for two files that promise the same.
package policy
