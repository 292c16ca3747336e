package export_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"strconv"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/export"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
)

// hash stands for a tenant's keyed hash.
func hash(key []byte) [32]byte { return sha256.Sum256(append([]byte("tenant secret"), key...)) }

// digestOf is the digest of a plan, written down here once more: the sum of the hashes as little-endian numbers.
func digestOf(table string, keys ...[]string) string {
	var sum [4]uint64
	for _, key := range keys {
		buf := binary.AppendUvarint(nil, uint64(len(table)))
		buf = append(buf, table...)
		for _, p := range key {
			buf = append(binary.AppendUvarint(buf, uint64(len(p))), p...)
		}
		h := hash(buf)
		var carry uint64
		for i := range sum {
			sum[i], carry = bits.Add64(sum[i], binary.LittleEndian.Uint64(h[8*i:]), carry)
		}
	}
	var raw [32]byte
	for i, v := range sum {
		binary.LittleEndian.PutUint64(raw[8*i:], v)
	}
	return hex.EncodeToString(raw[:])
}

// testTable is a collection with its rows.
type testTable struct {
	head connector.Collection
	keys []connector.Key
	rows [][]string // JSON texts; "-" is a value that is hidden
}

func column(name string, kind connector.JSONType) connector.CollectionColumn {
	return connector.CollectionColumn{Name: name, Type: "source " + string(kind), JSON: kind, Nullable: true, Show: datamap.ShowFull}
}

func secret(name string, show datamap.Show) connector.CollectionColumn {
	return connector.CollectionColumn{Name: name, Type: "text", JSON: connector.JSONString, Show: show}
}

// shop is the small fixed data set of the golden package.
func shop() []testTable {
	return []testTable{
		{
			head: connector.Collection{Table: "customer", Key: []string{"id"}, Columns: []connector.CollectionColumn{
				column("id", connector.JSONInteger), column("email", connector.JSONString), column("joined_at", connector.JSONDateTime), column("newsletter", connector.JSONBoolean),
				secret("password_hash", datamap.ShowPresence), secret("totp_secret", datamap.ShowNever), column("avatar", connector.JSONBytes), column("settings", connector.JSONAny)}},
			keys: []connector.Key{{"17"}},
			rows: [][]string{{`17`, `"ada@example.com"`, `"2024-03-01T10:20:30.5Z"`, `true`, `-`, `-`, `"AAEC"`, `{"theme": "dark", "n": [1, 2.50]}`}},
		},
		{
			head: connector.Collection{Table: "order_item", Key: []string{"order_id", "line"}, Columns: []connector.CollectionColumn{
				column("order_id", connector.JSONInteger), column("line", connector.JSONInteger), column("price", connector.JSONNumber), column("note", connector.JSONString)}},
			keys: []connector.Key{{"1001", "1"}, {"1001", "2"}, {"1002", "1"}},
			rows: [][]string{{`1001`, `1`, `8.910`, `null`}, {`1001`, `2`, `12345678901234567890.123456789`, `"gift for <b>Bo</b>"`}, {`1002`, `1`, `-0.00`, `"ok"`}},
		},
		{
			head: connector.Collection{Table: "chat.message", Key: []string{"id"}, Columns: []connector.CollectionColumn{
				column("id", connector.JSONString), column("from_id", connector.JSONInteger), column("to_id", connector.JSONInteger), column("sent_on", connector.JSONDate), column("body", connector.JSONString)}},
			keys: []connector.Key{{"m-1"}, {"m-2"}},
			rows: [][]string{{`"m-1"`, `17`, `-`, `"2025-01-02"`, `"Hi there"`}, {`"m-2"`, `-`, `17`, `"2025-01-03"`, `"مرحبا"`}},
		},
		{
			head: connector.Collection{Table: "visit", Columns: []connector.CollectionColumn{column("at", connector.JSONDateTime), column("page", connector.JSONString)}},
			keys: []connector.Key{{"2025-02-01 08:00:00", "/tea"}},
			rows: [][]string{{`"2025-02-01T08:00:00Z"`, `"/tea"`}},
		},
	}
}

func testMap() *datamap.Map {
	return &datamap.Map{Tenant: "demo", Systems: []datamap.System{{Name: "shop", Tables: []datamap.Table{
		{Name: "customer", Category: "account"}, {Name: "order_item", Category: "orders"},
		{Name: "chat.message", Category: "content", Export: datamap.Export{HideOthers: []string{"from_id", "to_id"}}},
		{Name: "visit", Category: "usage"}, {Name: "hostile", Category: "account"}, {Name: "follow", Export: datamap.Export{HideOthers: []string{"follower", "followee"}}},
	}}}}
}

func testPolicy() *policy.Policy {
	year := statute.Period{Years: 5}
	return &policy.Policy{
		VersionText: "2025-01-01", Tenant: "demo", Controller: policy.Controller{Name: "Fika & Leaf", Contact: "privacy@shop.example"}, Jurisdictions: []string{"eu"},
		Rights: map[string]policy.Right{"access": {}, "erasure": {}, "rectification": {}},
		Categories: map[string]policy.Category{
			"account": {Role: "controller", Personal: true, Purposes: []string{"keeping the account"}, Basis: "contract", Source: "the person", Recipients: []string{"hosting", "mailer"}},
			"orders":  {Role: "controller", Personal: true, Purposes: []string{"delivering orders"}, Basis: "contract", Recipients: []string{"hosting"}, Retention: &policy.Retention{From: policy.FromRowYearEnd, Keep: policy.Keep{Period: year}, Ground: "tax law", Then: policy.ThenDelete}},
			"content": {Role: "processor", InstructedBy: "workspace", Personal: true, Automated: "messages are scored for spam"},
			"usage":   {Role: "controller", Personal: true, Basis: "legitimate_interests", Retention: &policy.Retention{From: policy.FromEvent, After: "account_closed", Keep: policy.Keep{Period: statute.Period{Days: 30}}, Then: policy.ThenAnonymize}},
			"support": {Role: "controller", Personal: true},
		},
		Recipients: map[string]policy.Recipient{
			"hosting": {Name: "Northern Hosting", Purpose: "hosting", Country: "SE", Safeguard: "none_needed", Role: "processor", Kind: "vendor"},
			"mailer":  {Name: "Post & Co", Purpose: "newsletter", Country: "US", Safeguard: "scc", Role: "controller", AskDirectly: true, PolicyURL: "https://post.example/privacy"},
		},
	}
}

func testMeta(lang string) export.Meta {
	return export.Meta{
		Request: "01990000-0000-7000-8000-000000000001", Reference: "HB-7K3M-92QD", Right: dsr.RightAccess, Tenant: "demo", Controller: "Fika & Leaf (demo shop)",
		Contact: "privacy@shop.example", Language: lang, Jurisdiction: "eu", PolicyVersion: "2025-01-01",
		MadeAt: time.Date(2026, 11, 22, 14, 5, 9, 123456789, time.UTC), Words: notify.Words(lang), Policy: testPolicy(), Map: testMap(), KeyHash: hash,
		Withheld: []plan.Withheld{
			{System: "shop", Table: "customer", Column: "password_hash", What: "presence", Rows: 1, Ground: "it is held; showing its value would weaken the account's protection"},
			{System: "shop", Table: "customer", Column: "totp_secret", What: "never", Rows: 1, Ground: "its value must not leave the system"},
			{System: "shop", Table: "audit", What: "not_searched", Ground: "no key leads to these rows: an officer decides"},
		},
	}
}

func values(row []string) [][]byte {
	out := make([][]byte, len(row))
	for i, v := range row {
		if v != "-" {
			out[i] = []byte(v)
		}
	}
	return out
}

// send gives tables to a package.
func send(s connector.Sink, tables []testTable) error {
	for _, t := range tables {
		if err := s.Begin(t.head); err != nil {
			return err
		}
		for i, row := range t.rows {
			if err := s.Row(t.keys[i], values(row)); err != nil {
				return err
			}
		}
		if err := s.End(); err != nil {
			return err
		}
	}
	return s.Hidden("order_item", 2, "somebody else's")
}

// build writes a package of one system.
func build(t testing.TB, meta export.Meta, tables []testTable) ([]byte, export.Manifest) {
	t.Helper()
	var b bytes.Buffer
	w := export.NewWriter(&b, meta)
	if err := send(w.System("shop"), tables); err != nil {
		t.Fatal(err)
	}
	m, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

// expect is what the plan says of tables.
func expect(tables []testTable) export.Expect {
	m := testMeta("en")
	e := export.Expect{Request: m.Request, Reference: m.Reference, KeyHash: hash}
	for _, t := range tables {
		keys := make([][]string, len(t.keys))
		for i, k := range t.keys {
			keys[i] = k
		}
		e.Collections = append(e.Collections, export.ExpectCollection{System: "shop", Table: t.head.Table, Rows: int64(len(t.rows)), Keys: digestOf(t.head.Table, keys...)})
	}
	return e
}

// many is a table of n rows.
func many(n int) testTable {
	t := testTable{head: connector.Collection{Table: "event", Key: []string{"id"}, Columns: []connector.CollectionColumn{column("id", connector.JSONInteger), column("what", connector.JSONString)}}}
	for i := range n {
		id := strconv.Itoa(i)
		t.keys = append(t.keys, connector.Key{id})
		t.rows = append(t.rows, []string{id, `"page ` + id + `"`})
	}
	return t
}
