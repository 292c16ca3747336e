// Bench measures the program's limits against baselines of the same run: a shop of a million or ten million rows is
// generated, one heavy and one light person are exported, planned and erased by the packages that serve uses, and the
// same is done by hand-written SQL. It prints one line a measurement and ends with exit code 1 when a limit is missed.
//
//	main ── build shop (template) ── copy ──► child process: the program's own parts, timed at their interfaces
//	                                    └───► baseline: COPY, DELETE …
//
// Each measurement of ours runs in a process of its own, so that its peak memory is its own. Everything is on
// loopback, bounded in time, and dropped at the end.
package main
