package export_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/html"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/export"
)

// update makes go test -update write the golden files anew.
var update = flag.Bool("update", false, "write the golden files anew")

func unpack(t testing.TB, pkg []byte) map[string]string {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range r.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(b)
	}
	return out
}

func TestGoldenPackage(t *testing.T) {
	for _, lang := range []string{"en", "es", "de", "fr"} {
		pkg, m := build(t, testMeta(lang), shop())
		again, _ := build(t, testMeta(lang), shop())
		if !bytes.Equal(pkg, again) {
			t.Fatal("the same data gave other bytes")
		}
		files := unpack(t, pkg)
		for _, f := range m.Files {
			sum := sha256.Sum256([]byte(files[f.Path]))
			if hex.EncodeToString(sum[:]) != f.SHA256 || int64(len(files[f.Path])) != f.Bytes {
				t.Errorf("%s is not what the manifest says", f.Path)
			}
		}
		var list strings.Builder
		for _, name := range slices.Sorted(func(yield func(string) bool) {
			for n := range files {
				if !yield(n) {
					return
				}
			}
		}) {
			list.WriteString("==> " + name + "\n" + files[name] + "\n")
		}
		golden(t, "package."+lang+".txt", list.String())
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is another one; look at it with go test -run Golden -update and git diff", name)
	}
}

func TestManifestIsLastAndFitsItsSchema(t *testing.T) {
	pkg, _ := build(t, testMeta("en"), shop())
	r, err := zip.NewReader(bytes.NewReader(pkg), int64(len(pkg)))
	if err != nil {
		t.Fatal(err)
	}
	if last := r.File[len(r.File)-1].Name; last != "manifest.json" {
		t.Errorf("the last file is %s", last)
	}
	c := jsonschema.NewCompiler()
	s, err := c.Compile("../../api/schema/manifest.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(unpack(t, pkg)["manifest.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Error(err)
	}
	v.(map[string]any)["extra"] = 1
	if err := s.Validate(v); err == nil {
		t.Error("the schema takes anything")
	}
}

// Each data file fits the schema beside it, by a validator that is not ours.
func TestDataFitSchemas(t *testing.T) {
	tables := append(shop(), hostile())
	pkg, m := build(t, testMeta("en"), tables)
	files := unpack(t, pkg)
	n := 0
	for _, f := range m.Files {
		if f.Schema == "" {
			continue
		}
		n++
		c := jsonschema.NewCompiler()
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(files[f.Schema]))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource("mem:///schema.json", schema); err != nil {
			t.Fatal(err)
		}
		s, err := c.Compile("mem:///schema.json")
		if err != nil {
			t.Fatalf("%s: %v", f.Schema, err)
		}
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(files[f.Path]))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", f.Path, err)
		}
	}
	if n != len(tables) {
		t.Errorf("%d schemas for %d tables", n, len(tables))
	}
}

func TestValuesStayExact(t *testing.T) {
	pkg, _ := build(t, testMeta("en"), shop())
	files := unpack(t, pkg)
	for path, want := range map[string]string{
		"data/shop/order_item.json":   "[\n{\"order_id\":1001,\"line\":1,\"price\":8.910,\"note\":null},\n{\"order_id\":1001,\"line\":2,\"price\":12345678901234567890.123456789,\"note\":\"gift for <b>Bo</b>\"},\n{\"order_id\":1002,\"line\":1,\"price\":-0.00,\"note\":\"ok\"}\n]\n",
		"data/shop/customer.json":     "[\n{\"id\":17,\"email\":\"ada@example.com\",\"joined_at\":\"2024-03-01T10:20:30.5Z\",\"newsletter\":true,\"avatar\":\"AAEC\",\"settings\":{\"theme\": \"dark\", \"n\": [1, 2.50]}}\n]\n",
		"data/shop/chat.message.json": "[\n{\"id\":\"m-1\",\"from_id\":17,\"sent_on\":\"2025-01-02\",\"body\":\"Hi there\"},\n{\"id\":\"m-2\",\"to_id\":17,\"sent_on\":\"2025-01-03\",\"body\":\"مرحبا\"}\n]\n",
	} {
		if files[path] != want {
			t.Errorf("%s:\n%s", path, files[path])
		}
	}
}

func quoteJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// hostile is a table whose every text is an attack on the pages.
func hostile() testTable {
	bad := []string{
		`</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='alert(1)`, "\u202Egnp.exe\u202C", "a\x00b\x01\x7f\u0085",
		`<!-- `, `</td></tr></table></section></main>`, `]]>`, `{{.Title}}`, "`${1}`", `&lt;b&gt;`, "\u2028\u2029", `<base href="https://evil.example/">`, `javascript:alert(1)`,
	}
	t := testTable{head: connector.Collection{Table: "hostile", Key: []string{"id"}, Columns: []connector.CollectionColumn{
		column("id", connector.JSONInteger), column(`</style><script>x`, connector.JSONString), column(`"};*{}`, connector.JSONAny)}}}
	for i, b := range bad {
		id := strconv.Itoa(i)
		t.keys = append(t.keys, connector.Key{id})
		t.rows = append(t.rows, []string{id, quoteJSON(b), "[" + quoteJSON(b) + "]"})
	}
	return t
}

func TestHostileTextStaysText(t *testing.T) {
	meta := testMeta("en")
	meta.Controller = `Evil </title><script>alert(1)</script> & Co`
	meta.Contact = `"><script>alert(2)</script>`
	meta.Withheld[0].Ground = `<script>alert(3)</script>`
	account := meta.Policy.Categories["account"]
	account.Description, account.Purposes = `<script>alert(4)</script>`, []string{"\u202Ex</section>"}
	meta.Policy.Categories["account"] = account
	h := hostile()
	pkg, _ := build(t, meta, []testTable{h})
	files := unpack(t, pkg)
	for _, name := range []string{"index.html", "response.html"} {
		page := files[name]
		scripts, texts := parsePage(t, page)
		want := 0
		if name == "index.html" {
			want = 1
			for _, row := range h.rows {
				var s string
				if err := json.Unmarshal([]byte(row[1]), &s); err != nil {
					t.Fatal(err)
				}
				if !strings.ContainsAny(s, "\x00\u0085\u202E\x7f") && !slices.Contains(texts, s) {
					t.Errorf("%q is not shown as it is", s)
				}
			}
		}
		if scripts != want {
			t.Errorf("%s has %d scripts and not %d", name, scripts, want)
		}
		if strings.ContainsAny(page, "\x00\u202E\u0085") {
			t.Errorf("%s holds characters that a page must not hold", name)
		}
		if m := regexp.MustCompile(`(?i)<[^>]+(src|href)\s*=\s*["']?(https?:|//|javascript)`).FindString(page); m != "" {
			t.Errorf("%s reaches out: %s", name, m)
		}
	}
	if strings.ContainsAny(files["response.txt"], "\x00\u202E") {
		t.Error("response.txt turns text around")
	}
}

// parsePage counts scripts and gives the texts of cells, by a parser that is not ours.
func parsePage(t *testing.T, page string) (scripts int, cells []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "script":
				scripts++
			case "img", "iframe", "object", "link", "base", "form":
				t.Errorf("the page has a <%s>", n.Data)
			case "td":
				if n.FirstChild != nil {
					cells = append(cells, n.FirstChild.Data)
				}
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("the page has %s", a.Key)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	return scripts, cells
}

func TestContentPolicyNamesTheScript(t *testing.T) {
	pkg, _ := build(t, testMeta("en"), shop())
	page := unpack(t, pkg)["index.html"]
	_, rest, _ := strings.Cut(page, "<script>")
	script, _, _ := strings.Cut(rest, "</script>")
	sum := sha256.Sum256([]byte(script))
	policy := html.UnescapeString(page)
	if !strings.Contains(policy, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
		t.Error("the policy does not name the script as it stands: a browser would not run it")
	}
}

func TestPathsAreSafeAndUnique(t *testing.T) {
	names := []string{"users", "Users", "USERS", "a/b", "a%2Fb", "..", ".", "", ".hidden", "end.", "con", "COM1.txt", "naïve", "a b", "x\x00y", "a\\b", "crm.contact", "a..b",
		strings.Repeat("long", 100), strings.Repeat("long", 100) + "x", "schema", "日本語"}
	var tables []testTable
	for _, n := range names {
		tables = append(tables, testTable{head: connector.Collection{Table: n, Key: []string{"id"}, Columns: []connector.CollectionColumn{column("id", connector.JSONInteger)}}, keys: []connector.Key{{"1"}}, rows: [][]string{{"1"}}})
	}
	tables[11].head.Columns = nil
	tables[11].rows, tables[11].keys = nil, nil
	meta := testMeta("en")
	pkg, m := build(t, meta, tables)
	safe := regexp.MustCompile(`^(data|schema)/shop/[A-Za-z0-9_%~-][A-Za-z0-9_.%~-]*\.json$`)
	seen := map[string]bool{}
	n := 0
	for _, f := range m.Files {
		if seen[strings.ToLower(f.Path)] {
			t.Errorf("%s is there twice for a file system that folds case", f.Path)
		}
		seen[strings.ToLower(f.Path)] = true
		if !strings.Contains(f.Path, "/") {
			continue
		}
		n++
		if !safe.MatchString(f.Path) || strings.Contains(f.Path, "..") || !filepath.IsLocal(f.Path) {
			t.Errorf("%q is not safe", f.Path)
		}
	}
	if n != 2*len(names) {
		t.Errorf("%d files for %d tables", n, len(names))
	}
	for _, want := range []string{"data/shop/users.json", "data/shop/crm.contact.json"} {
		if !seen[want] {
			t.Errorf("%s is not named as the map writes it", want)
		}
	}
	e := expect(tables)
	e.Collections = slices.DeleteFunc(e.Collections, func(c export.ExpectCollection) bool { return c.Table == "" })
	if _, err := export.Verify(bytes.NewReader(pkg), e); err == nil {
		t.Error("a collection without a name went through")
	}
	unnamed := slices.Delete(slices.Clone(tables), 7, 8)
	pkg, _ = build(t, meta, unnamed)
	if _, err := export.Verify(bytes.NewReader(pkg), expect(unnamed)); err != nil {
		t.Error(err)
	}
}

func TestBigCollectionsArePaged(t *testing.T) {
	pkg, _ := build(t, testMeta("en"), []testTable{many(2500)})
	page := unpack(t, pkg)["index.html"]
	if n := strings.Count(page, "<details"); n != 3 {
		t.Errorf("2,500 rows have %d pages", n)
	}
	if n := strings.Count(page, "<details open>"); n != 1 {
		t.Errorf("%d pages are open", n)
	}
	parsePage(t, page)
}

func TestEmptyPackage(t *testing.T) {
	var b bytes.Buffer
	meta := testMeta("de")
	meta.Policy, meta.Map, meta.Withheld = nil, nil, nil
	w := export.NewWriter(&b, meta)
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := export.Verify(&b, expect(nil)); err != nil {
		t.Error(err)
	}
	if _, err := w.Close(); err == nil {
		t.Error("a package was closed twice")
	}
}

// An error in the middle leaves something that no reader takes for a package.
func TestFaultsLeaveNoPackage(t *testing.T) {
	boom := errors.New("the database went away")
	customer := shop()[0]
	tests := map[string]func(s connector.Sink) error{
		"an end without a begin": func(s connector.Sink) error { return s.End() },
		"a row without a begin":  func(s connector.Sink) error { return s.Row(nil, nil) },
		"two begins":             func(s connector.Sink) error { return errors.Join(s.Begin(customer.head), s.Begin(customer.head)) },
		"one collection twice": func(s connector.Sink) error {
			return errors.Join(s.Begin(customer.head), s.End(), s.Begin(customer.head))
		},
		"too few values": func(s connector.Sink) error {
			return errors.Join(s.Begin(customer.head), s.Row(nil, values([]string{"1"})))
		},
		"no JSON": func(s connector.Sink) error {
			return errors.Join(s.Begin(customer.head), s.Row(nil, values([]string{"17", "{", "1", "1", "-", "-", "1", "1"})))
		},
		"a value hidden without rule": func(s connector.Sink) error {
			return errors.Join(s.Begin(customer.head), s.Row(nil, values([]string{"17", "-", "1", "1", "-", "-", "1", "1"})))
		},
	}
	for name, do := range tests {
		var b bytes.Buffer
		w := export.NewWriter(&b, testMeta("en"))
		if err := do(w.System("shop")); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := w.Close(); err == nil {
			t.Errorf("%s: the package was closed all the same", name)
		}
		if _, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len())); err == nil {
			t.Errorf("%s: the ZIP is whole", name)
		}
	}
	var b bytes.Buffer
	w := export.NewWriter(&b, testMeta("en"))
	if err := w.System("shop").Begin(customer.head); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err == nil {
		t.Error("a package with an open collection was closed")
	}
	w = export.NewWriter(brokenWriter{boom}, testMeta("en"))
	_ = send(w.System("shop"), shop())
	if _, err := w.Close(); !errors.Is(err, boom) {
		t.Errorf("the error of the stream became %v", err)
	}
	if _, err := export.NewWriter(&b, export.Meta{}).Close(); err == nil {
		t.Error("a package without words was written")
	}
}

type brokenWriter struct{ err error }

func (b brokenWriter) Write([]byte) (int, error) { return 0, b.err }

// What is not to be shown is not in any file, whatever the connector hands over.
func TestSecretsNeverLeave(t *testing.T) {
	tables := shop()[:1]
	tables[0].rows[0][4], tables[0].rows[0][5] = `"argon2-CANARY"`, `"totp-CANARY"`
	pkg, _ := build(t, testMeta("en"), tables)
	for name, content := range unpack(t, pkg) {
		if strings.Contains(content, "CANARY") {
			t.Errorf("%s holds a secret", name)
		}
	}
}

func TestMemoryStaysBounded(t *testing.T) {
	const rows, most = 100_000, 30 << 20
	head := connector.Collection{Table: "event", Key: []string{"id"}, Columns: []connector.CollectionColumn{
		column("id", connector.JSONInteger), column("what", connector.JSONString), column("detail", connector.JSONString)}}
	pr, pw := io.Pipe()
	done := make(chan error, 1)
	want := expect(nil)
	detail := []byte(`"` + strings.Repeat("lorem ipsum ", 8) + `"`)
	// First the digest, then the stream: nothing is kept.
	keys := func(yield func(string) bool) {
		for i := range rows {
			if !yield(strconv.Itoa(i)) {
				return
			}
		}
	}
	list := make([][]string, 0, rows)
	for k := range keys {
		list = append(list, []string{k})
	}
	want.Collections = []export.ExpectCollection{{System: "shop", Table: "event", Rows: rows, Keys: digestOf("event", list...)}}
	list = nil
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	go func() {
		_, err := export.Verify(pr, want)
		_, _ = io.Copy(io.Discard, pr)
		done <- err
	}()
	w := export.NewWriter(pw, testMeta("en"))
	s := w.System("shop")
	if err := s.Begin(head); err != nil {
		t.Fatal(err)
	}
	peak := uint64(0)
	for i := range rows {
		id := []byte(strconv.Itoa(i))
		if err := s.Row(connector.Key{string(id)}, [][]byte{id, []byte(`"visit"`), detail}); err != nil {
			t.Fatal(err)
		}
		if i%20_000 == 19_999 {
			runtime.GC()
			runtime.ReadMemStats(&during)
			peak = max(peak, during.HeapAlloc)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	_ = pw.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > most {
		t.Errorf("writing and verifying %d rows took %d MB", rows, grown>>20)
	} else {
		t.Logf("writing and verifying %d rows took %d KB", rows, grown>>10)
	}
}

func TestNothingPlainOnDisk(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var b bytes.Buffer
	w := export.NewWriter(&b, testMeta("en"))
	if err := send(w.System("shop"), []testTable{many(5000)}); err != nil {
		t.Fatal(err)
	}
	// The file has no name any more; what is open can be read through /proc.
	found := 0
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		target, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err != nil || !strings.HasPrefix(target, dir) {
			continue
		}
		found++
		content, err := os.ReadFile("/proc/self/fd/" + fd.Name())
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte("page 1")) || bytes.Contains(content, []byte("<td")) {
			t.Error("the temporary file can be read")
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 || found != 1 {
		t.Errorf("%d temporary files have a name, %d are open (%v)", len(left), found, err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
