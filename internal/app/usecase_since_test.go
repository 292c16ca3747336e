package app_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/store"
)

// told is changes.json by table: new, changed, gone, same. since is zero when the package has none.
func (b *bench) told(z *zip.Reader) (since time.Time, tables map[string][4]int) {
	b.Helper()
	tables = map[string][4]int{}
	for _, f := range z.File {
		if f.Name != "changes.json" {
			continue
		}
		content, err := readZip(f)
		b.must(err)
		var file struct {
			Since       time.Time
			Collections []struct {
				System, Table            string
				New, Changed, Gone, Same int
			}
		}
		b.must(json.Unmarshal(content, &file))
		for _, c := range file.Collections {
			tables[c.Table] = [4]int{c.New, c.Changed, c.Gone, c.Same}
		}
		since = file.Since
	}
	return since, tables
}

// packageOf takes a request of a right to its package, and gives that with the time it was made at.
func (b *bench) packageOf(email, right string) (*zip.Reader, time.Time) {
	b.Helper()
	r, p := b.ask(email, right)
	b.approve(r, right)
	q := b.want(r, right, dsr.StatusFulfilled)
	return b.fetch(r, p, right), b.view(q.ID).Package.MadeAt.Truncate(time.Second)
}

func (b *bench) memories() []string {
	b.Helper()
	return slices.DeleteFunc(b.files(), func(path string) bool { return !strings.HasSuffix(path, ".memory") })
}

// wantMemories counts the files and the rows of memories.
func (b *bench) wantMemories(n int, when string) {
	b.Helper()
	var rows int
	b.must(b.own().QueryRow("SELECT count(DISTINCT id) FROM memory").Scan(&rows))
	if files := len(b.memories()); files != n || rows != n {
		b.Errorf("%s: %d files and %d rows of memories, want %d", when, files, rows, n)
	}
}

// textOf gives a file of a package.
func (b *bench) textOf(z *zip.Reader, name string) string {
	b.Helper()
	for _, f := range z.File {
		if f.Name == name {
			content, err := readZip(f)
			b.must(err)
			return string(content)
		}
	}
	return ""
}

// TestSinceTheLastPackage: who asks again is told what is new, changed and gone, in numbers that follow from what was
// done to the shop; another person's package between and one of another right do not disturb.
func TestSinceTheLastPackage(t *testing.T) {
	b := newBench(t)
	first, made := b.packageOf(demoshop.Person, "access")
	if since, _ := b.told(first); !since.IsZero() || strings.Contains(b.textOf(first, "index.html"), `id="since"`) || strings.Contains(b.textOf(first, "response.txt"), "last package") {
		t.Error("the first package speaks of one before")
	}
	before := b.rowsOf(first)
	b.pass(time.Hour)
	id := b.customer(demoshop.Person)
	b.exec("UPDATE customer SET phone = '+46 70 555 01 99' WHERE customer_id = ?", id)
	b.exec("INSERT INTO product_review (product_id, customer_id, display_name, rating, body, published_at) SELECT product_id, ?, 'N.', 5, 'Good', '2026-03-02 10:30:00' FROM product LIMIT 2", id)
	b.exec("DELETE FROM wishlist_item WHERE rowid = (SELECT min(i.rowid) FROM wishlist_item i JOIN wishlist w USING (wishlist_id) WHERE w.customer_id = ?)", id)
	b.packageOf(demoshop.ErasurePerson, "access")
	ported, _ := b.packageOf(demoshop.Person, "portability")
	if since, _ := b.told(ported); !since.IsZero() {
		t.Error("a package of another right is compared")
	}
	b.wantMemories(3, "two people, two rights")

	second, again := b.packageOf(demoshop.Person, "access")
	since, tables := b.told(second)
	if !since.Equal(made) {
		t.Errorf("it compares with the package of %s, want %s", since, made)
	}
	want := map[string][4]int{}
	for table, rows := range before {
		want[table] = [4]int{0, 0, 0, len(rows)}
	}
	want["customer"] = [4]int{0, 1, 0, len(before["customer"]) - 1}
	want["product_review"] = [4]int{2, 0, 0, len(before["product_review"])}
	want["wishlist_item"] = [4]int{0, 0, 1, len(before["wishlist_item"]) - 1}
	for table, w := range want {
		if w != [4]int{} && tables[table] != w {
			t.Errorf("%s: new, changed, gone, same are %v, want %v", table, tables[table], w)
		}
	}
	for table := range tables {
		if _, ok := want[table]; !ok {
			t.Errorf("%s is told of", table)
		}
	}
	if !strings.Contains(b.textOf(second, "index.html"), `id="since"`) || !strings.Contains(b.textOf(second, "response.txt"), "Since your last package of") ||
		!strings.Contains(b.textOf(second, "manifest.json"), `"schema": "schema/changes.schema.json"`) {
		t.Error("page, letter or manifest do not speak of the last package")
	}
	b.settle()
	b.wantMemories(3, "after the second package")

	third, _ := b.packageOf(demoshop.Person, "access")
	since, tables = b.told(third)
	if !since.Equal(again) || tables["product_review"] != [4]int{0, 0, 0, len(before["product_review"]) + 2} {
		t.Errorf("the third compares with %s: %v", since, tables["product_review"])
	}
}

// TestMemoriesEnd: after 13 months and after an erasure file and row are gone, of the one person alone.
func TestMemoriesEnd(t *testing.T) {
	b := newBench(t)
	b.packageOf(demoshop.ErasurePerson, "access")
	b.packageOf(demoshop.ErasurePerson, "portability")
	b.packageOf(demoshop.Person, "access")
	b.wantMemories(3, "before the erasure")
	r, _ := b.ask(demoshop.ErasurePerson, "erasure")
	b.approve(r, "erasure")
	b.wantMemories(3, "in the grace period")
	b.until(b.want(r, "erasure", dsr.StatusInGrace).GraceEndsAt.Add(time.Hour), nil)
	b.settle()
	b.want(r, "erasure", dsr.StatusFulfilled)
	b.wantMemories(1, "after the erasure")

	var expires time.Time
	b.must(b.own().QueryRow("SELECT expires_at FROM memory").Scan(&expires))
	if got := benchStart().AddDate(0, 13, 0); expires.Before(got) || expires.After(got.Add(time.Hour)) {
		t.Errorf("it ends on %s", expires)
	}
	b.clock.set(expires.Add(-time.Minute))
	b.drain()
	b.wantMemories(1, "before 13 months")
	b.pass(2 * time.Minute)
	b.wantMemories(0, "after 13 months")
	z, _ := b.packageOf(demoshop.Person, "access")
	if since, _ := b.told(z); !since.IsZero() {
		t.Error("a package speaks of one that is forgotten")
	}
}

// TestALostMemoryStopsNothing: where the memory of the last package can't be read, the next one is made without.
func TestALostMemoryStopsNothing(t *testing.T) {
	b := newBench(t)
	b.packageOf(demoshop.Person, "access")
	path := b.memories()[0]
	content, err := os.ReadFile(path) //nolint:gosec // our own path
	b.must(err)
	content[len(content)/2] ^= 1
	b.must(os.WriteFile(path, content, 0o600))
	z, made := b.packageOf(demoshop.Person, "access")
	if since, _ := b.told(z); !since.IsZero() {
		t.Error("a spoiled memory was read")
	}
	b.must(os.Remove(b.memories()[0]))
	z, _ = b.packageOf(demoshop.Person, "access")
	if since, _ := b.told(z); since.Equal(made) {
		t.Error("a memory that is gone was read")
	}
}

// TestAMemoryHoldsNoValue: neither the sealed file nor what is sealed in it holds a value of the package, in any of the
// usual encodings.
func TestAMemoryHoldsNoValue(t *testing.T) {
	b := newBench(t)
	z, _ := b.packageOf(demoshop.Person, "access")
	path := b.memories()[0]
	content, err := os.ReadFile(path) //nolint:gosec // our own path
	b.must(err)
	var opened []byte
	b.must(b.app.Store.Read(b.ctx, demo, func(tx *store.Tx) error {
		m, err := tx.MemoryOf([]string{tx.EmailHash(demoshop.Person)}, dsr.RightAccess)
		if err != nil {
			return err
		}
		if filepath.Base(m.BlobKey) != filepath.Base(path) {
			t.Errorf("the row names another file")
		}
		plain, err := m.Key.Reader(bytes.NewReader(content), []byte(m.BlobKey))
		if err != nil {
			return err
		}
		var buf bytes.Buffer
		_, err = buf.ReadFrom(plain)
		opened = buf.Bytes()
		return err
	}))
	if !bytes.HasPrefix(opened, []byte("habeas-memory/1\n")) {
		t.Fatal("what was opened is no memory")
	}
	marks, _, _ := bytes.Cut(opened, make([]byte, 32)) // what follows are the names of tables
	seen := map[string]int{}
	for table, rows := range b.rowsOf(z) {
		for _, row := range rows {
			for column, v := range row {
				value := stringOf(v)
				if at := table + "." + column; len(value) < 8 || seen[value] > 0 || seen[at] == 10 {
					continue
				} else {
					seen[value], seen[at] = 1, seen[at]+1
				}
				for form, bytesOf := range spellings(value) {
					if bytes.Contains(marks, bytesOf) || bytes.Contains(content, bytesOf) {
						t.Errorf("a value of %s.%s stands in the memory as %s", table, column, form)
					}
				}
			}
		}
	}
	if len(seen) < 100 || len(marks) < 100*32 {
		t.Fatalf("only %d values were looked for in %d bytes", len(seen), len(marks))
	}
}
