// Package export owns the export package: the ZIP in which a person gets their data.
//
// The one idea: it is written once, straight from the database into the stream, and then read by code that did not
// write it. Writer holds no row set in memory and puts nothing plain on a disk; Verify parses the finished stream
// byte by byte with a ZIP reader of its own and holds it against the approved plan: the counts, the hashes, and by
// their keys whose rows they are.
//
//	connector ──Sink──> Writer ──batches──> data file ──> ZIP ──> (sealing, storing) ──> Verify ──> plan.Steps
//	                                └─────> rows as HTML, compressed and encrypted, until index.html is written
//
// Rows cost one copy: the line of the data file is made once, and hashing, compressing and the page are done beside it,
// a batch at a time. The page's parts are compressed as they come and joined as they are.
//
// Values are those of the source, one by one: what JSON can't say plainly is an object with a tag (connector.Tag…), and
// tests bring every type of every engine through a package and back, where the database itself compares.
//
// A memory (MemoryWriter, CompareMemories) tells a later package what is new, changed and gone without holding data:
// changes.json says it by collection, and Verify holds its numbers against the rows that it read.
//
// The order within the ZIP is part of the format: the schema of a collection comes before its data, so that a reader
// of the stream knows the key before the first row, and manifest.json comes last and speaks of everything before it.
// The same data, plan and language give the same bytes: times are the plan's, and nothing is random.
//
// It does not know where rows come from, where the package is kept, or who may have it.
package export
