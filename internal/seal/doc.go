// Package seal owns keys: the master key that lies outside the database, the data keys it wraps, and
// the keyed hashes by which a person can be found again without being named.
//
// The one idea is the envelope. Whatever must be forgettable is sealed under a data key of its own,
// and the database holds that key only wrapped by the master key:
//
//	Master (key file or KMS) ──wraps──> Key ──seals──> a field        Seal, Open
//	                                     ├──seals──> a file, streamed Writer, Reader
//	                                     └──hashes─> an identifier    Hash
//
// Forgetting is then the deletion of one wrapped key: every copy of the sealed bytes, in a backup, a
// write-ahead log or an object store, is unreadable from that moment on. (NIST SP 800-88 calls this
// cryptographic erase; it holds only where no plaintext copy was left, which is not this package's to say.)
//
// Every operation takes a context: bytes that are authenticated but not stored, such as tenant, table
// and row. A sealed value that is copied to another row, or to another tenant, does not open there.
//
// What it does not own: which values are sealed under which key, where wrapped keys are stored and when
// they are deleted. It does no input or output beyond the key file.
package seal
