package app_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/app/demoshop"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/intake"
)

// ready takes an access request to its finished package.
func (b *bench) ready() (intake.Receipt, access.Principal) {
	b.Helper()
	r, p := b.ask(demoshop.Person, "access")
	b.approve(r, "access")
	b.want(r, "access", dsr.StatusFulfilled)
	return r, p
}

// TestDownloadCodes: a code works once, dies after five wrong tries and after ten minutes, and is replaced by the next.
func TestDownloadCodes(t *testing.T) {
	b := newBench(t)
	r, p := b.ready()
	try := func(code string) error {
		d, err := b.app.Fulfill.Download(b.ctx, p, r.Reference, code, "")
		if err == nil {
			_, err = io.Copy(io.Discard, d.Stream)
			b.must(d.Stream.Close())
		}
		return err
	}
	wrong := func(code string) string {
		if code == "123456" {
			return "123457"
		}
		return "123456"
	}
	b.refuses(try("123456"), fault.Forbidden, "wrong_code") // before any was sent
	code := b.code(r, p)
	b.must(try(code))
	b.refuses(try(code), fault.Forbidden, "wrong_code")

	code = b.code(r, p)
	for range 4 {
		b.refuses(try(wrong(code)), fault.Forbidden, "wrong_code")
	}
	b.must(try(code)) // the fifth try may be the right one

	code = b.code(r, p)
	for range 5 {
		b.refuses(try(wrong(code)), fault.Forbidden, "wrong_code")
	}
	b.refuses(try(code), fault.Forbidden, "wrong_code")

	old := b.code(r, p)
	code = b.code(r, p)
	refused := 13
	if old != code {
		refused++
		b.refuses(try(old), fault.Forbidden, "wrong_code")
	}
	b.clock.add(11 * time.Minute)
	b.refuses(try(code), fault.Forbidden, "wrong_code")
	b.refuses(b.app.Fulfill.SendDownloadCode(b.ctx, p, r.Reference), fault.TooMany, "too_many_codes")
	b.clock.add(time.Hour)
	b.must(try(b.code(r, p)))
	if v := b.view(r.Requests[0].ID); v.Package.Downloads != 3 {
		t.Errorf("%d downloads are counted, want 3", v.Package.Downloads)
	}
	if l := b.leaves(); l["package.download/ok"] != 3 || l["package.download/refused"] != refused {
		t.Errorf("the log has %d downloads and %d refusals", l["package.download/ok"], l["package.download/refused"])
	}
}

// TestPackageExpires: on its day the key is destroyed and the bytes are gone; the person is told so.
func TestPackageExpires(t *testing.T) {
	b := newBench(t)
	r, p := b.ready()
	code := b.code(r, p)
	expires := b.view(r.Requests[0].ID).Package.ExpiresAt
	b.pass(expires.Sub(b.clock.Now()) - time.Minute)
	if n := len(b.blobs()); n != 1 {
		t.Fatalf("%d files before the end, want 1", n)
	}
	b.pass(2 * time.Minute)
	if n := len(b.blobs()); n != 0 {
		t.Errorf("%d files are left", n)
	}
	var keys int
	b.must(b.own().QueryRow("SELECT count(*) FROM package WHERE wrapped_key IS NOT NULL AND length(wrapped_key) > 0").Scan(&keys))
	if keys != 0 {
		t.Error("the key is still there")
	}
	_, err := b.app.Fulfill.Download(b.ctx, p, r.Reference, code, "")
	b.refuses(err, fault.Gone, "package_gone")
	b.refuses(b.app.Fulfill.SendDownloadCode(b.ctx, p, r.Reference), fault.Gone, "package_gone")
	if b.leaves()["package.destroy/ok"] != 1 {
		t.Error("the end of the package is not in the log once")
	}
}

// blobs lists the files that hold packages.
func (b *bench) blobs() []string {
	b.Helper()
	return slices.DeleteFunc(b.files(), func(path string) bool { return strings.HasSuffix(path, ".memory") })
}

// files lists what lies in the blob store.
func (b *bench) files() []string {
	b.Helper()
	var out []string
	b.must(filepath.WalkDir(filepath.Join(b.dir, "packages"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	return out
}

// TestASpoiledPackageIsRefused: one byte of the stored file is another, wherever it is, and nothing that was not
// written is taken for the package.
func TestASpoiledPackageIsRefused(t *testing.T) {
	b := newBench(t)
	r, _ := b.ready()
	path := b.blobs()[0]
	content, err := os.ReadFile(path) //nolint:gosec // our own path
	b.must(err)
	read := func() error {
		d, err := b.app.Fulfill.OpenPackage(b.ctx, b.officer, r.Requests[0].ID)
		if err != nil {
			return err
		}
		defer d.Stream.Close()
		_, err = io.Copy(io.Discard, d.Stream)
		return err
	}
	b.must(read())
	for _, at := range []int{0, 1, 20, len(content) / 3, len(content) / 2, len(content) - 20, len(content) - 1} {
		spoiled := slices.Clone(content)
		spoiled[at] ^= 1
		b.must(os.WriteFile(path, spoiled, 0o600))
		if read() == nil {
			t.Errorf("byte %d of %d was changed, and nobody saw it", at, len(content))
		}
	}
	for _, n := range []int{0, 10, len(content) / 2, len(content) - 1} {
		b.must(os.WriteFile(path, content[:n], 0o600))
		if read() == nil {
			t.Errorf("cut to %d of %d bytes, and nobody saw it", n, len(content))
		}
	}
	b.must(os.WriteFile(path, append(slices.Clone(content), 0), 0o600))
	if read() == nil {
		t.Error("a byte was added, and nobody saw it")
	}
	b.must(os.WriteFile(path, content, 0o600))
	b.must(read())
}

// TestNothingPlainOnDisk runs access, rectification, erasure and correspondence, and looks for the persons' words in
// every file of the data dir, in each of the spellings in which they might lie there.
func TestNothingPlainOnDisk(t *testing.T) {
	b := newBench(t)
	_, err := b.app.Oversee.AddEndpoint(b.ctx, b.admin, "http://127.0.0.1:1/path-with-a-secret", nil)
	b.must(err)
	r, p := b.askWith(intake.Input{Email: demoshop.Person, Name: "Nora Lindqvist", Message: "My cat is called Grisella.", Types: []string{"access", "rectification", "opt_out", "objection"},
		Identifiers: map[string]string{"user_id": "77123477"}, Changes: []dsr.Change{{Field: "full_name", To: "Nora Quillfeather"}}})
	b.must(b.app.Fulfill.MessageAsPerson(b.ctx, p, r.Reference, message("I moved to Brambleholt last year.")))
	b.must(b.app.Fulfill.AddNote(b.ctx, b.officer, r.Requests[0].ID, "Caller sounded like Wendolyn."))
	b.must(b.app.Fulfill.SendMessage(b.ctx, b.officer, r.Requests[0].ID, message("Do you mean Cobblestead?")))
	b.approve(r, "access")
	b.approve(r, "rectification")
	b.fetch(r, p, "access")
	gone, _ := b.askWith(intake.Input{Email: demoshop.ErasurePerson, Name: "Tomás Rivera", Types: []string{"erasure"}})
	b.approve(gone, "erasure")
	b.pass(15 * day)
	b.want(gone, "erasure", dsr.StatusFulfilled)

	words := []string{demoshop.Person, demoshop.ErasurePerson, "nora.lindqvist", "Nora Lindqvist", "Tomás Rivera", "Grisella", "Quillfeather",
		"Brambleholt", "Wendolyn", "Cobblestead", "77123477", "path-with-a-secret"}
	files := 0
	b.must(filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(path) //nolint:gosec // our own path
		if err != nil {
			return err
		}
		for _, w := range words {
			for form, needle := range spellings(w) {
				if bytes.Contains(content, needle) {
					t.Errorf("%s holds %q as %s", filepath.Base(path), w, form)
				}
			}
		}
		return nil
	}))
	if files < 4 {
		t.Fatalf("only %d files were looked through", files)
	}
	for _, w := range words {
		if strings.Contains(b.logs.String(), w) {
			t.Errorf("the program's log holds %q", w)
		}
	}
}

// spellings gives a word in the forms in which it might lie in a file. Of base64 there are three, by where it begins.
func spellings(w string) map[string][]byte {
	out := map[string][]byte{"text": []byte(w), "hex": []byte(hex.EncodeToString([]byte(w))), "HEX": []byte(strings.ToUpper(hex.EncodeToString([]byte(w))))}
	var le, be []byte
	for _, u := range utf16.Encode([]rune(w)) {
		le, be = append(le, byte(u), byte(u>>8)), append(be, byte(u>>8), byte(u))
	}
	out["utf-16le"], out["utf-16be"] = le, be
	for shift, cut := range []int{0, 2, 3} {
		s := base64.RawStdEncoding.EncodeToString(append(bytes.Repeat([]byte{0}, shift), w...))
		out["base64+"+string(rune('0'+shift))] = []byte(s[cut : len(s)-2])
	}
	return out
}

// TestReviewBeforeRelease: where the policy wants it, a package waits for an officer's look.
func TestReviewBeforeRelease(t *testing.T) {
	b := newBench(t)
	r, p := b.ready()
	_, err := b.app.Fulfill.OpenPackage(b.ctx, b.auditor, r.Requests[0].ID)
	b.refuses(err, fault.Forbidden, "not_allowed")
	for _, who := range []access.Principal{b.product, b.admin} {
		if _, err := b.app.Fulfill.OpenPackage(b.ctx, who, r.Requests[0].ID); err == nil {
			t.Errorf("%s opens a package", who.Subject)
		}
	}
	_, err = b.app.Fulfill.Download(b.ctx, b.officer, r.Reference, "123456", "")
	b.refuses(err, fault.Unauthorized, "")
	v, err := b.app.Fulfill.Status(b.ctx, p, r.Reference)
	b.must(err)
	if v.Requests[0].Package == nil || !v.Requests[0].Package.Available || len(v.Requests[0].Package.Files) == 0 {
		t.Errorf("the status page shows the package %+v", v.Requests[0].Package)
	}
}
