package export_test

import (
	"bytes"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // makes the source

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/connector/sqldb"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/export"
)

const sourceSchema = `
CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT NOT NULL, password_hash TEXT, joined_at DATETIME, rating REAL, photo BLOB);
CREATE TABLE purchase (no TEXT PRIMARY KEY, customer_id INTEGER REFERENCES customer(id), total NUMERIC, made_on DATE);
CREATE TABLE line (no TEXT REFERENCES purchase(no), pos INTEGER, what TEXT, PRIMARY KEY (no, pos));
CREATE TABLE visit (customer_id INTEGER REFERENCES customer(id), at DATETIME, page TEXT);
CREATE TABLE message (id INTEGER PRIMARY KEY, from_id INTEGER REFERENCES customer(id), to_id INTEGER REFERENCES customer(id), body TEXT);
INSERT INTO customer VALUES (1, 'ada@example.com', 'argon2-CANARY', '2024-03-01 10:20:30', 4.5, x'000102'), (2, 'bob@example.com', 'argon2-CANARY', NULL, NULL, NULL);
INSERT INTO purchase VALUES ('P-1', 1, 8.91, '2025-01-01'), ('P-2', 1, 12, '2025-02-01'), ('P-3', 2, 1, '2025-02-01');
INSERT INTO line VALUES ('P-1', 1, 'tea'), ('P-1', 2, 'cup'), ('P-2', 1, NULL), ('P-3', 1, 'BOB-CANARY');
INSERT INTO visit VALUES (1, '2025-01-01 08:00:00', '/'), (1, '2025-01-01 08:00:00', '/'), (2, '2025-01-02 08:00:00', '/BOB-CANARY');
INSERT INTO message VALUES (1, 1, 2, 'hi bob'), (2, 2, 1, 'hi ada'), (3, 2, 2, 'BOB-CANARY');
`

const sourceMap = `
tenant: demo
systems:
  shop:
    kind: sqlite
    dsn: DSN
    subjects:
      customer: {table: customer, key: [id], identifiers: {email: {column: email}}}
    tables:
      customer: {category: account, erase: delete, columns: {password_hash: {export: presence, why: secret}}}
      purchase: {category: orders, owner: customer, erase: delete}
      line: {category: orders, owner: purchase, erase: with_owner}
      visit: {category: usage, owner: customer, erase: delete}
      message: {category: content, owner: [{table: customer, by: from_id}, {table: customer, by: to_id}], erase: delete, export: {hide_others: [from_id, to_id]}}
`

// From a database to a proven package: the plan's digests are those of the connector, not of this test.
func TestFromADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), sourceSchema); err != nil {
		t.Fatal(err)
	}
	m, problems := datamap.Parse("datamap.yaml", []byte(strings.Replace(sourceMap, "DSN", path, 1)))
	if m == nil {
		t.Fatal(problems)
	}
	sys, err := sqldb.Open(t.Context(), &m.Systems[0], func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = sys.Close() }()
	scope := connector.Scope{Identifiers: map[string][]string{"email": {"ada@example.com"}}}
	found, err := sys.Locate(t.Context(), scope, nil, hash)
	if err != nil {
		t.Fatal(err)
	}
	meta := testMeta("en")
	meta.Map, meta.Withheld = m, nil
	e := expect(nil)
	for _, f := range found.Tables {
		for _, g := range f.Groups {
			e.Collections = append(e.Collections, export.ExpectCollection{System: "shop", Table: f.Table, Rows: g.Rows, Keys: g.Digest})
		}
	}
	var b bytes.Buffer
	w := export.NewWriter(&b, meta)
	if err := sys.Collect(t.Context(), scope, w.System("shop")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := export.Verify(bytes.NewReader(b.Bytes()), e)
	if err != nil {
		t.Fatal(err)
	}
	proofs := map[string]export.Proof{}
	for _, c := range got.Collections {
		proofs[c.Table] = c.Proof
	}
	for table, want := range map[string]export.Proof{"customer": export.ProofData, "purchase": export.ProofData, "line": export.ProofData, "message": export.ProofData, "visit": export.ProofConnector} {
		if proofs[table] != want {
			t.Errorf("%s is proven by %q and not by %q", table, proofs[table], want)
		}
	}
	for name, content := range unpack(t, b.Bytes()) {
		if strings.Contains(content, "CANARY") || strings.Contains(content, "bob@") || strings.Contains(content, `"from_id":2`) || strings.Contains(content, `"to_id":2`) {
			t.Errorf("%s holds a secret or another person's data", name)
		}
	}
	// The other person's package against this plan: every collection is refused.
	b.Reset()
	w = export.NewWriter(&b, meta)
	if err := sys.Collect(t.Context(), connector.Scope{Identifiers: map[string][]string{"email": {"bob@example.com"}}}, w.System("shop")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := export.Verify(bytes.NewReader(b.Bytes()), e); err == nil {
		t.Error("another person's package passed")
	}
}
