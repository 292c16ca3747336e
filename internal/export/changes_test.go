package export_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/habeas-data/habeas/internal/export"
)

// memoryOf gives what a package of tables leaves for the next one.
func memoryOf(t testing.TB, tables []testTable) []byte {
	t.Helper()
	meta := testMeta("en")
	meta.Memory = export.NewMemoryWriter(hash)
	defer meta.Memory.Discard()
	build(t, meta, tables)
	var b bytes.Buffer
	if _, err := meta.Memory.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func lastMade() time.Time { return time.Date(2025, 10, 1, 8, 0, 0, 5, time.UTC) }

// after builds the package that follows one.
func after(t testing.TB, lang string, memory []byte, tables []testTable) (pkg []byte, m export.Manifest) {
	t.Helper()
	meta := testMeta(lang)
	meta.Memory = export.NewMemoryWriter(hash)
	defer meta.Memory.Discard()
	meta.Last = &export.LastPackage{MadeAt: lastMade(), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(memory)), nil }}
	return build(t, meta, tables)
}

// before is the shop as the last package held it, with a table of many rows, which go through the pipeline in batches.
func before() []testTable {
	tables := append(shop(), many(9000))
	tables[0].rows[0][1] = `"old@example.com"`                                                                             // changed since
	tables[1].rows, tables[1].keys = tables[1].rows[:2], tables[1].keys[:2]                                                // one is new since
	tables[4].rows[8000][1] = `"another page"`                                                                             // changed
	tables[4].rows, tables[4].keys = tables[4].rows[:8990], tables[4].keys[:8990]                                          // ten are new
	tables[2], tables[3] = tables[3], tables[2]                                                                            // another order
	tables[2].rows[0], tables[2].keys[0] = []string{`"2024-02-01T08:00:00Z"`, `"/"`}, []string{"2024-02-01 08:00:00", "/"} // gone and new
	return tables
}

func TestChangesSinceTheLastPackage(t *testing.T) {
	tables := append(shop(), many(9000))
	memory := memoryOf(t, before())
	e := expect(tables)
	e.Since = lastMade()
	for lang, line := range map[string]string{"en": "Since your last package of 1 October 2025", "es": "Desde su último paquete del 1 de octubre de 2025",
		"de": "Seit Ihrem letzten Paket vom 1. Oktober 2025", "fr": "Depuis votre dernier dossier du 1 octobre 2025"} {
		pkg, _ := after(t, lang, memory, tables)
		again, _ := after(t, lang, memory, tables)
		if !bytes.Equal(pkg, again) {
			t.Fatal("the same data and the same memory gave other bytes")
		}
		if _, err := export.Verify(bytes.NewReader(pkg), e); err != nil {
			t.Error(err)
		}
		files := unpack(t, pkg)
		if got := strings.Join(strings.Fields(files["response.txt"]), " "); !strings.Contains(strings.ReplaceAll(got, "1er ", "1 "), line) || !strings.Contains(files["response.html"], "8") {
			t.Errorf("the letter lacks %q: %.700s", line, got)
		}
		if !strings.Contains(files["index.html"], `<section id="since">`) || strings.Contains(files["index.html"], "package.since") {
			t.Error("the page lacks what changed")
		}
	}
	pkg, m := after(t, "en", memory, tables)
	files := unpack(t, pkg)
	for table, want := range map[string]string{"customer": `"new": 0, "changed": 1, "gone": 0, "same": 0`, "order_item": `"new": 1, "changed": 0, "gone": 0, "same": 2`,
		"chat.message": `"new": 0, "changed": 0, "gone": 0, "same": 2`, "visit": `"new": 1, "changed": 0, "gone": 1, "same": 0`, "event": `"new": 10, "changed": 1, "gone": 0, "same": 8989`} {
		if got := strings.Join(strings.Fields(files["changes.json"]), " "); !strings.Contains(got, `"table": "`+table+`", `+want+" }") {
			t.Errorf("%s: want %s in %s", table, want, got)
		}
	}
	if !strings.Contains(files["changes.json"], `"since": "2025-10-01T08:00:00Z"`) {
		t.Error("the time is not that of the last package")
	}
	listed := false
	for _, f := range m.Files {
		listed = listed || f.Path == "changes.json" && f.Schema == "schema/changes.schema.json" && files[f.Schema] != ""
	}
	if !listed {
		t.Error("the manifest does not list it with its schema")
	}
	c := jsonschema.NewCompiler()
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(files["schema/changes.schema.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("changes", schema); err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(files["changes.json"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.MustCompile("changes").Validate(v); err != nil {
		t.Error(err)
	}
}

// Nothing is told of a package that shares no row with this one, and a memory that can't be read has an error of its own.
func TestNoChangesOfAStranger(t *testing.T) {
	pkg, _ := after(t, "en", memoryOf(t, []testTable{many(3)}), shop())
	if unpack(t, pkg)["changes.json"] != "" {
		t.Error("a stranger's package was told of")
	}
	memory := memoryOf(t, shop())
	for _, cut := range []int{0, 10, 40, len(memory) - 3} {
		meta := testMeta("en")
		meta.Memory = export.NewMemoryWriter(hash)
		meta.Last = &export.LastPackage{Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(memory[:cut])), nil }}
		w := export.NewWriter(io.Discard, meta)
		if err := send(w.System("shop"), shop()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Close(); !errors.Is(err, export.ErrLastMemory) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
}

func TestVerifyHoldsTheChanges(t *testing.T) {
	tables := append(shop(), many(9000))
	good, _ := after(t, "en", memoryOf(t, before()), tables)
	e := expect(tables)
	wantFault(t, good, e, "another package than the last one")
	e.Since = lastMade()
	for name, c := range map[string]struct {
		change func(f []file) []file
		want   string
	}{
		"a number of new rows": {func(f []file) []file { edit(f, "changes.json", `"new": 10`, `"new": 11`); return f }, "other numbers"},
		"less than nothing":    {func(f []file) []file { edit(f, "changes.json", `"gone": 0`, `"gone": -1`); return f }, "other numbers"},
		"a collection renamed": {func(f []file) []file { edit(f, "changes.json", `"visit"`, `"visits"`); return f }, "other numbers"},
		"another time":         {func(f []file) []file { edit(f, "changes.json", `2025-10-01`, `2025-10-02`); return f }, "another package"},
		"more than it says":    {func(f []file) []file { edit(f, "changes.json", `"since"`, `"more": 1, "since"`); return f }, "can't be read"},
		"no file":              {func(f []file) []file { return remove(f, "changes.json") }, "is not there"},
	} {
		f := c.change(takeApart(t, good))
		if name != "no file" {
			honest(t, f)
		}
		if _, err := export.Verify(bytes.NewReader(putTogether(t, f)), e); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
