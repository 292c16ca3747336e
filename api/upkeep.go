package api

// Obligation is a dated promise that fires by itself.
type Obligation struct {
	ID      string  `json:"id"`
	Request *string `json:"request"`
	System  string  `json:"system"`
	Table   string  `json:"table"`
	Kind    string  `json:"kind"`
	Rows    int64   `json:"rows"`
	DueOn   *string `json:"due_on"`
	Ground  string  `json:"ground"`
	State   string  `json:"state"`
	DoneAt  *string `json:"done_at"`
}

// SuppressionQuestion asks for many identifiers at once.
type SuppressionQuestion struct {
	List        string   `json:"list"` // "": all lists
	Identifiers []string `json:"identifiers"`
}

// Suppression is the answer for one identifier.
type Suppression struct {
	Identifier string          `json:"identifier"`
	Suppressed bool            `json:"suppressed"`
	Lists      []SuppressionOn `json:"lists"`
}

// SuppressionOn is one list that an identifier is on.
type SuppressionOn struct {
	List  string  `json:"list"`
	Since *string `json:"since"`
}

// AuditEntry is one entry of a tenant's log.
type AuditEntry struct {
	Seq     int64             `json:"seq"`
	ID      string            `json:"id"`
	At      *string           `json:"at"`
	Actor   AuditActor        `json:"actor"`
	Action  string            `json:"action"`
	Object  AuditObject       `json:"object"`
	Outcome string            `json:"outcome"`
	Facts   map[string]string `json:"facts"`
	Leaf    []byte            `json:"leaf"` // base64 of the bytes that were hashed
}

// AuditActor is who acted: a kind and a keyed hash.
type AuditActor struct {
	Kind string `json:"kind"`
	Hash string `json:"hash"`
}

// AuditObject is what was acted on.
type AuditObject struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// TreeHead is the signed head of a tenant's log.
type TreeHead struct {
	Origin    string `json:"origin"`
	Size      int64  `json:"size"`
	Root      string `json:"root"`       // base64
	Note      string `json:"note"`       // the signed checkpoint (C2SP tlog-checkpoint)
	PublicKey string `json:"public_key"` // verifier key of the note
}

// AuditProof shows that an entry is in the log (kind inclusion), or that the log only grew between two sizes (kind
// consistency). Hashes are base64, in the order of RFC 6962.
type AuditProof struct {
	Kind   string   `json:"kind"`
	Entry  *int64   `json:"entry"` // for inclusion: its number
	From   *int64   `json:"from"`  // for consistency: the older size
	Size   int64    `json:"size"`  // the (newer) size of the log
	Leaf   []byte   `json:"leaf"`  // for inclusion
	Hashes []string `json:"hashes"`
}
