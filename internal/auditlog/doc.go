// Package auditlog owns what an audit entry is, and the append-only Merkle log that makes a change to one
// visible.
//
// The one idea: what happened is a leaf of a Merkle tree (RFC 6962, by golang.org/x/mod/sumdb/tlog). A
// signed tree head of 32 bytes then vouches for every entry before it, and whoever kept an old head can
// tell that the log was only ever added to.
//
//	Entry ──Encode──> leaf ──AppendAll──> stored hashes ──Root──> Checkpoint ──SignCheckpoint──> signed note
//	                   │                                              │
//	                   └──────── VerifyStored, VerifyExport ──────────┘ + anchors kept elsewhere
//
// Leaves are written without a number, in the transaction of the thing they tell of. One sequencer a tenant
// numbers them later, so that transactions need not queue for a number.
//
// A checkpoint is a C2SP tlog-checkpoint: the lines `habeas/<tenant>`, size and base64 root, signed as a
// note with Ed25519. What detects what:
//
//	a changed, missing, doubled or moved entry    the hashes and the checkpoint, with its index
//	a cut tail                                    the size in the checkpoint
//	a rollback, or a history written anew with a stolen key   only a checkpoint kept outside: an anchor
//
// An entry holds no personal data: ids, enums, counts and digests, by a list of allowed facts. The actor
// and whoever else must be found again stand there as keyed hashes whose key can be destroyed.
//
// What it does not own: storage (Reader is all it asks for), when checkpoints are made, and where anchors go.
package auditlog
