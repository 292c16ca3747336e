// Package oracle owns a second opinion on the walk over a product's SQL database: whose row it is, and what an
// erasure does to it.
//
//	seed ── Generate ──► Case {schema, rows, map, policy, person} ──┬─► Judge: the connector's answer, on a real engine
//	                                                                └─► Case.Expect: the same from the rules, in memory
//
// The one idea: Expect is written from the rules of the data map alone. It holds whole tables in memory, compares
// every row with every other and repeats until nothing moves: slow and obvious where the connector is quick. It shares
// no code with the connector or with package plan; the types of the map and of dates are all they have in common.
//
// When the two disagree, Shrink drops tables, relations and rows as long as they still do, and the rest is printed.
package oracle
