package export_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/export"
)

func TestVerifyTakesWhatWasWritten(t *testing.T) {
	tables := append(shop(), hostile(), many(1500))
	pkg, m := build(t, testMeta("fr"), tables)
	got, err := export.Verify(bytes.NewReader(pkg), expect(tables))
	if err != nil {
		t.Fatal(err)
	}
	if got.Bytes != int64(len(pkg)) || got.Rows != m.Rows || got.Rows != 1500+7+14 || len(got.Collections) != len(tables) {
		t.Errorf("the report says %d bytes, %d rows, %d collections", got.Bytes, got.Rows, len(got.Collections))
	}
	for _, c := range got.Collections {
		want := export.ProofData
		if c.Table == "visit" { // no key of its own: the times are written otherwise than in a key
			want = export.ProofConnector
		}
		if c.Proof != want {
			t.Errorf("%s is proven by %s, not by %s", c.Table, c.Proof, want)
		}
	}
}

// Without the connector's word only data prove whose rows they are; what they can't prove is refused.
func TestNothingUnproven(t *testing.T) {
	meta := testMeta("en")
	meta.KeyHash = nil
	tables := shop()
	pkg, _ := build(t, meta, tables[:3])
	if _, err := export.Verify(bytes.NewReader(pkg), expect(tables[:3])); err != nil {
		t.Error(err)
	}
	pkg, _ = build(t, meta, tables)
	wantFault(t, pkg, expect(tables), "nothing proves")
	e := expect(tables[:3])
	e.Collections[0].Keys = ""
	pkg, _ = build(t, meta, tables[:3])
	wantFault(t, pkg, e, "no digest")
}

// A part of the key that is hidden in the data is proven by the keys that the connector gave, and is in no file.
func TestHiddenKeyPartsAreProven(t *testing.T) {
	follow := testTable{
		head: connector.Collection{Table: "follow", Key: []string{"follower", "followee"}, Columns: []connector.CollectionColumn{column("follower", connector.JSONInteger), column("followee", connector.JSONInteger)}},
		keys: []connector.Key{{"17", "404"}, {"505", "17"}}, rows: [][]string{{"17", "-"}, {"-", "17"}},
	}
	e := expect([]testTable{follow})
	pkg, m := build(t, testMeta("en"), []testTable{follow})
	got, err := export.Verify(bytes.NewReader(pkg), e)
	if err != nil {
		t.Fatal(err)
	}
	if got.Collections[0].Proof != export.ProofConnector {
		t.Errorf("proven by %s", got.Collections[0].Proof)
	}
	for name, content := range unpack(t, pkg) {
		if name != "manifest.json" && name != "index.html" && strings.Contains(content, "404") || strings.Contains(content, ">404<") {
			t.Errorf("%s shows the key of another person", name)
		}
	}
	want := []export.HiddenRows{{System: "shop", Table: "follow", Column: "follower", Rows: 1, Why: "it stands for another person there"}, {System: "shop", Table: "follow", Column: "followee", Rows: 1, Why: "it stands for another person there"}}
	if len(m.Hidden) != 3 || !slices.Equal(m.Hidden[:2], want) {
		t.Errorf("the manifest lists as hidden %v", m.Hidden)
	}
	e.Collections[0].Keys = digestOf("follow", []string{"17", "4"}, []string{"505", "17"})
	wantFault(t, pkg, e, "not those of the plan")
}

func wantFault(t *testing.T, pkg []byte, e export.Expect, words string) {
	t.Helper()
	_, err := export.Verify(bytes.NewReader(pkg), e)
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("the fault is told as %v and not as %q", err, words)
	}
	for _, personal := range []string{"ada@", "Hi there", "m-1"} {
		if err != nil && strings.Contains(err.Error(), personal) {
			t.Errorf("the error repeats data: %v", err)
		}
	}
}

// file is one entry of a package taken apart.
type file struct{ name, content string }

func takeApart(t *testing.T, pkg []byte) []file {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	var out []file
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file{f.Name, string(b)})
	}
	return out
}

func putTogether(t *testing.T, files []file) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: time.Unix(1.7e9, 0).UTC()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(e, f.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// honest brings the manifest into line with the files: the fault was made before the manifest, not after it.
func honest(t *testing.T, files []file) {
	t.Helper()
	var m export.Manifest
	last := &files[len(files)-1]
	if err := json.Unmarshal([]byte(last.content), &m); err != nil {
		t.Fatal(err)
	}
	m.Rows = 0
	for i := range m.Files {
		for _, f := range files {
			if f.name == m.Files[i].Path {
				sum := sha256.Sum256([]byte(f.content))
				m.Files[i].SHA256, m.Files[i].Bytes = hex.EncodeToString(sum[:]), int64(len(f.content))
				if m.Files[i].Schema != "" {
					var rows []json.RawMessage
					if err := json.Unmarshal([]byte(f.content), &rows); err == nil {
						m.Files[i].Rows = int64(len(rows))
					}
				}
			}
		}
		m.Rows += m.Files[i].Rows
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	last.content = string(b)
}

func edit(files []file, name, old, fresh string) {
	for i := range files {
		if files[i].name == name {
			if !strings.Contains(files[i].content, old) {
				panic("the fault is not planted: " + name + " does not hold " + old)
			}
			files[i].content = strings.Replace(files[i].content, old, fresh, 1)
			return
		}
	}
	panic("the fault is not planted: there is no " + name)
}

func remove(files []file, name string) []file {
	return slices.DeleteFunc(files, func(f file) bool { return f.name == name })
}

func insert(files []file, f file) []file { return slices.Insert(files, len(files)-1, f) }

func TestVerifyFindsPlantedFaults(t *testing.T) {
	tables := shop()
	good, _ := build(t, testMeta("en"), tables)
	const items, customer, messages = "data/shop/order_item.json", "data/shop/customer.json", "data/shop/chat.message.json"
	tests := []struct {
		name   string
		honest bool // the manifest agrees with the fault
		plant  func([]file) []file
		want   string
	}{
		{"a row dropped", true, func(f []file) []file {
			edit(f, items, ",\n{\"order_id\":1002,\"line\":1,\"price\":-0.00,\"note\":\"ok\"}", "")
			return f
		}, "has 2 rows and not 3"},
		{"a row of another person added", true, func(f []file) []file {
			edit(f, items, "\n]", ",\n{\"order_id\":2001,\"line\":1,\"price\":1,\"note\":null}\n]")
			return f
		}, "has 4 rows and not 3"},
		{"a row exchanged for another person's", true, func(f []file) []file { edit(f, items, "1002", "2002"); return f }, "not those of the plan"},
		{"a text key exchanged", true, func(f []file) []file { edit(f, messages, "m-2", "m-9"); return f }, "not those of the plan"},
		{"one row twice, another missing", true, func(f []file) []file {
			edit(f, items, `"order_id":1002,"line":1`, `"order_id":1001,"line":1`)
			return f
		}, "not those of the plan"},
		{"another digest told", false, func(f []file) []file {
			edit(f, "manifest.json", digestOf("visit", []string{"2025-02-01 08:00:00", "/tea"}), digestOf("visit", []string{"x"}))
			return f
		}, "not those of the plan"},
		{"a value changed after the hash", false, func(f []file) []file { edit(f, items, "8.910", "8.920"); return f }, "not what the manifest says"},
		{"a hash flipped", false, func(f []file) []file { edit(f, "manifest.json", `"sha256": "`, `"sha256": "0`); return f }, "not what the manifest says"},
		{"a page changed", false, func(f []file) []file { edit(f, "index.html", "Fika", "Evil"); return f }, "not what the manifest says"},
		{"a number of rows changed", false, func(f []file) []file { edit(f, "manifest.json", `"rows": 3`, `"rows": 4`); return f }, "not what the manifest says"},
		{"the sum of rows changed", false, func(f []file) []file { edit(f, "manifest.json", `"rows": 7`, `"rows": 8`); return f }, "number of rows"},
		{"another request", false, func(f []file) []file { edit(f, "manifest.json", "HB-7K3M-92QD", "HB-AAAA-AAAA"); return f }, "another request"},
		{"an extra file", false, func(f []file) []file { return insert(f, file{"files/shop/secret.pdf", "x"}) }, "not in the manifest"},
		{"a foreign file", false, func(f []file) []file { return insert(f, file{"autorun.inf", "x"}) }, "does not belong"},
		{"a file outside", false, func(f []file) []file { return insert(f, file{"data/../../etc/passwd", "x"}) }, "not safe"},
		{"one file twice", false, func(f []file) []file { return insert(f, file{"index.HTML", "x"}) }, "twice"},
		{"a file missing", false, func(f []file) []file { return remove(f, "response.txt") }, "is not there"},
		{"a collection missing", false, func(f []file) []file { return remove(f, customer) }, "is not there"},
		{"no manifest", false, func(f []file) []file { return remove(f, "manifest.json") }, "no manifest"},
		{"a file after the manifest", false, func(f []file) []file { return append(f, file{"files/x", "x"}) }, "follows the manifest"},
		{"data before its schema", false, func(f []file) []file { f[0], f[1] = f[1], f[0]; return f }, "no schema came before"},
		{"the schema of another table", true, func(f []file) []file {
			edit(f, "schema/shop/customer.schema.json", `"collection": "customer"`, `"collection": "order_item"`)
			return f
		}, "another collection"},
		{"an unknown column", true, func(f []file) []file { edit(f, customer, `"id":17`, `"id":17,"password_hash":"x"`); return f }, "does not know"},
		{"a column twice", true, func(f []file) []file { edit(f, customer, `"id":17`, `"id":18,"id":17`); return f }, "one twice"},
		{"a column missing", true, func(f []file) []file { edit(f, customer, `"email":"ada@example.com",`, ``); return f }, "lacks the column email"},
		{"a value of another kind", true, func(f []file) []file { edit(f, customer, `"ada@example.com"`, `{"a":1}`); return f }, "column email"},
		{"no array", true, func(f []file) []file { edit(f, customer, "[\n", ""); return f }, "not a JSON array"},
		{"no JSON", true, func(f []file) []file { edit(f, customer, "\n]", ""); return f }, "does not end"},
		{"something after the array", true, func(f []file) []file { edit(f, customer, "\n]\n", "\n]\n[]"); return f }, "follows the array"},
	}
	for _, tt := range tests {
		files := tt.plant(takeApart(t, good))
		if tt.honest {
			honest(t, files)
		}
		t.Run(tt.name, func(t *testing.T) { wantFault(t, putTogether(t, files), expect(tables), tt.want) })
	}
	// The tools of this test break nothing by themselves.
	same := takeApart(t, good)
	honest(t, same)
	if _, err := export.Verify(bytes.NewReader(putTogether(t, same)), expect(tables)); err != nil {
		t.Errorf("taken apart and put together: %v", err)
	}
}

func TestVerifyHoldsThePlan(t *testing.T) {
	tables := shop()
	pkg, _ := build(t, testMeta("en"), tables)
	e := expect(tables)
	e.Collections = e.Collections[1:]
	wantFault(t, pkg, e, "in the package and not in the plan")
	e = expect(append(tables, many(1)))
	wantFault(t, pkg, e, "in the plan and not in the package")
	e = expect(append(tables, many(0)))
	if _, err := export.Verify(bytes.NewReader(pkg), e); err != nil {
		t.Errorf("a collection without rows need not be there: %v", err)
	}
	e = expect(tables)
	e.KeyHash = func(k []byte) [32]byte { return sha256.Sum256(k) }
	wantFault(t, pkg, e, "not those of the plan")
	e = expect(tables)
	e.Request = "01990000-0000-7000-8000-000000000002"
	wantFault(t, pkg, e, "another request")
}

// Every package that is cut anywhere is refused, and every one with a byte changed, unless the byte says nothing.
func TestVerifyFindsCutsAndFlips(t *testing.T) {
	tables := shop()[:1]
	pkg, _ := build(t, testMeta("en"), tables)
	e := expect(tables)
	for n := range pkg {
		if n%97 != 0 && n < len(pkg)-600 {
			continue
		}
		if _, err := export.Verify(bytes.NewReader(pkg[:n]), e); err == nil {
			t.Fatalf("cut at %d of %d bytes and taken", n, len(pkg))
		}
	}
	if _, err := export.Verify(bytes.NewReader(append(slices.Clone(pkg), 0)), e); err == nil {
		t.Error("a byte more was taken")
	}
	if _, err := export.Verify(bytes.NewReader(append(slices.Clone(pkg), pkg...)), e); err == nil {
		t.Error("a second package behind the first was taken")
	}
	whole := takeApart(t, pkg)
	rapid.Check(t, func(r *rapid.T) {
		at := rapid.IntRange(0, len(pkg)-1).Draw(r, "at")
		bad := slices.Clone(pkg)
		bad[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "bits"))
		if _, err := export.Verify(bytes.NewReader(bad), e); err == nil {
			// Times and version numbers of entries are not read; then the content must be whole for other readers too.
			if got := takeApart(t, bad); !slices.Equal(got, whole) {
				r.Fatalf("byte %d changed the content and was taken", at)
			}
		}
	})
}

// A directory at the end that says something else than the stream would show two readers two packages.
func TestVerifyHoldsTheDirectory(t *testing.T) {
	tables := shop()[:1]
	pkg, _ := build(t, testMeta("en"), tables)
	files := takeApart(t, pkg)
	changed := slices.Clone(files)
	edit(changed, "data/shop/customer.json", "ada@example.com", "eve@example.com")
	other := putTogether(t, changed)
	start := bytes.Index(other, []byte("PK\x01\x02"))
	mine := putTogether(t, files)
	at := bytes.Index(mine, []byte("PK\x01\x02"))
	mixed := append(slices.Clone(mine[:at]), other[start:]...)
	wantFault(t, mixed, expect(tables), "directory")
	// The same length and place, another name or checksum.
	for _, change := range []func([]byte){
		func(d []byte) { copy(d[bytes.Index(d, []byte("data/shop/customer.json")):], "data/shop/kustomer.json") },
		func(d []byte) { d[16] ^= 1 },
		func(d []byte) { d[42] ^= 1 },
	} {
		bad := slices.Clone(mine)
		change(bad[at:])
		wantFault(t, bad, expect(tables), "directory says something else")
	}
	// A file that only the stream has, and one that only the directory has.
	less := putTogether(t, remove(slices.Clone(files), "index.html"))
	wantFault(t, append(slices.Clone(mine[:at]), less[bytes.Index(less, []byte("PK\x01\x02")):]...), expect(tables), "directory")
	more := putTogether(t, insert(slices.Clone(files), file{"files/x", "x"}))
	wantFault(t, append(slices.Clone(mine[:at]), more[bytes.Index(more, []byte("PK\x01\x02")):]...), expect(tables), "directory")
}

// For all rows that a source can hold: what is written is read again, and each row is proven.
func TestWriteAndVerifyForAllRows(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		texts := rapid.String()
		ids := rapid.SliceOfDistinct(texts, rapid.ID[string]).Draw(r, "ids")
		table := testTable{head: connector.Collection{Table: rapid.StringMatching(`.{1,40}`).Draw(r, "table"), Key: []string{"id"}, Columns: []connector.CollectionColumn{
			column("id", connector.JSONString), column(rapid.StringMatching(`.{3,12}`).Draw(r, "column"), connector.JSONAny), secret("s", datamap.ShowHide)}}}
		for _, id := range ids {
			if strings.ContainsRune(id, '\uFFFD') {
				continue
			}
			table.keys = append(table.keys, connector.Key{id})
			table.rows = append(table.rows, []string{quoteJSON(id), quoteJSON(texts.Draw(r, "value")), "-"})
		}
		pkg, _ := build(t, testMeta("es"), []testTable{table})
		if _, err := export.Verify(bytes.NewReader(pkg), expect([]testTable{table})); err != nil {
			r.Fatal(err)
		}
	})
}
