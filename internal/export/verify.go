package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
)

// Expect is what a package must hold, from the approved plan.
type Expect struct {
	Request     string
	Reference   string
	KeyHash     connector.KeyHash // that of the plan's digests
	Collections []ExpectCollection
	Since       time.Time // when the last package was made, which changes.json may compare with; zero: there must be none
}

// ExpectCollection is one collection of the plan.
type ExpectCollection struct {
	System string
	Table  string
	Rows   int64
	Keys   string // plan.Step.Keys
}

// Report is what Verify read.
type Report struct {
	Manifest    Manifest
	Bytes       int64 // of the ZIP
	Rows        int64
	Collections []Checked // in the order of the package
}

// Checked is one collection as Verify found it.
type Checked struct {
	System string
	Table  string
	Rows   int64
	Proof  Proof
}

// Proof says how it was proven whose rows a collection holds.
type Proof string

// The ways to prove it, the strongest first.
const (
	ProofData      Proof = "data"      // the keys that stand in the data give the plan's digest
	ProofConnector Proof = "connector" // the keys that the connector named while it collected give the plan's digest
)

// maxSmall bounds manifest and schemas, which are held in memory.
const maxSmall = 64 << 20

// Verify reads a finished package, the plain ZIP, once from end to end and holds it against what was approved: every
// file is in the manifest with its SHA-256 and size, every collection of the plan is there with its rows and no other
// one, each row fits its schema, and by their keys they are the rows of the plan. It shares no code with Writer but
// the form of keys' digests, and needs memory for one row. The first fault is an error that names files and tables
// and no value.
func Verify(r io.Reader, expect Expect) (Report, error) {
	v := &verifier{expect: expect, files: map[string]File{}, tables: map[string]*tableCheck{}, schemas: map[string]*rowShape{}}
	u := newUnzip(r)
	if err := u.each(v.visit); err != nil {
		return Report{}, err
	}
	if v.manifest == nil {
		return Report{}, errors.New("the package has no manifest")
	}
	if err := v.compare(); err != nil {
		return Report{}, err
	}
	v.report.Manifest, v.report.Bytes = *v.manifest, u.in.at
	return v.report, nil
}

type verifier struct {
	expect   Expect
	manifest *Manifest
	files    map[string]File        // as read, by path
	schemas  map[string]*rowShape   // by the path of the data they describe
	tables   map[string]*tableCheck // by the path of their data
	changes  *changesFile           // nil: there is none
	report   Report
}

// tableCheck is what was read of one collection.
type tableCheck struct {
	shape  *rowShape
	path   string
	rows   int64
	keys   keySum
	proven bool // every key could be read back from its row
}

func (v *verifier) visit(name string, body io.Reader) error {
	if v.manifest != nil {
		return fmt.Errorf("%s follows the manifest", name)
	}
	sum := sha256.New()
	count := &countTo{w: sum}
	ahead := readAhead(body)
	defer ahead.stop()
	body = io.TeeReader(ahead, count)
	var err error
	switch {
	case name == "manifest.json":
		return v.readManifest(body)
	case name == changesPath:
		err = v.readChanges(body)
	case name == changesSchema:
	case strings.HasPrefix(name, "schema/") && strings.HasSuffix(name, ".schema.json"):
		err = v.readSchema(name, body)
	case strings.HasPrefix(name, "data/") && strings.HasSuffix(name, ".json"):
		err = v.readData(name, body)
	case name == "index.html", name == "response.html", name == "response.txt", strings.HasPrefix(name, "files/"):
	default:
		return fmt.Errorf("%s does not belong into a package", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := io.Copy(io.Discard, body); err != nil {
		return fmt.Errorf("%s: %w", name, cut(err))
	}
	f := File{Path: name, SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: count.n}
	if t := v.tables[name]; t != nil {
		f.Rows, f.Schema = t.rows, t.shape.path
	}
	if name == changesPath {
		f.Schema = changesSchema
	}
	v.files[name] = f
	return nil
}

// countTo counts what it passes on.
type countTo struct {
	w io.Writer
	n int64
}

func (c *countTo) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.w.Write(b)
}

func small(body io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(body, maxSmall+1))
	if err != nil {
		return nil, cut(err)
	}
	if len(b) > maxSmall {
		return nil, errors.New("it is too large")
	}
	return b, nil
}

func (v *verifier) readManifest(body io.Reader) error {
	b, err := small(body)
	if err != nil {
		return err
	}
	var m Manifest
	if err := decodeStrict(b, &m); err != nil {
		return fmt.Errorf("the manifest can't be read: %w", err)
	}
	v.manifest = &m
	return nil
}

// decodeStrict reads one JSON value without members that are not known. Its errors hold nothing of it.
func decodeStrict(b []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return errors.New("it has another form")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

func (v *verifier) readSchema(name string, body io.Reader) error {
	b, err := small(body)
	if err != nil {
		return err
	}
	s, err := parseShape(b)
	if err != nil {
		return err
	}
	s.path = name
	path := strings.TrimSuffix(strings.TrimPrefix(name, "schema/"), ".schema.json")
	// The path says the names too: a schema that names another table is a mix-up.
	if plain, err := url.PathUnescape(path); err == nil && !strings.Contains(path, "~") && plain != s.System+"/"+s.Table && path != "%/%" {
		return errors.New("it describes another collection than its name says")
	}
	v.schemas["data/"+path+".json"] = s
	return nil
}

func (v *verifier) readData(name string, body io.Reader) error {
	s, ok := v.schemas[name]
	if !ok {
		return errors.New("no schema came before it")
	}
	t := &tableCheck{shape: s, path: name, proven: len(s.Key) > 0}
	v.tables[name] = t
	row := newRow(s)
	var key []byte
	err := newRows(body).each(func(b []byte, i int) (int, error) {
		end, err := row.read(b, i)
		if err != nil {
			return end, fmt.Errorf("row %d: %w", t.rows+1, err)
		}
		t.rows++
		if t.proven = t.proven && row.provable; t.proven && v.expect.KeyHash != nil {
			key = appendKey(key[:0], s.Table, row.key)
			t.keys.add(v.expect.KeyHash(key))
		}
		return end, nil
	})
	if err != nil {
		return err
	}
	v.report.Rows += t.rows
	return nil
}

// compare holds what was read against the manifest and against what was approved.
func (v *verifier) compare() error {
	m := v.manifest
	if m.Format != Format || m.Request != v.expect.Request || m.Reference != v.expect.Reference {
		return errors.New("the manifest is of another request or of another format")
	}
	listed := map[string]File{}
	for _, f := range m.Files {
		if _, twice := listed[f.Path]; twice {
			return fmt.Errorf("the manifest names %s twice", f.Path)
		}
		listed[f.Path] = f
		got, ok := v.files[f.Path]
		if !ok {
			return fmt.Errorf("the manifest names %s, which is not there", f.Path)
		}
		got.KeyDigest = f.KeyDigest // compared with the plan's below
		if got != f {
			return fmt.Errorf("%s is not what the manifest says: its hash, its size, its rows or its schema differ", f.Path)
		}
	}
	for path := range v.files {
		if _, ok := listed[path]; !ok {
			return fmt.Errorf("%s is not in the manifest", path)
		}
	}
	for path := range v.schemas {
		if v.tables[path] == nil {
			return fmt.Errorf("there is a schema of %s, but no data", path)
		}
	}
	for _, name := range []string{"index.html", "response.html", "response.txt"} {
		if _, ok := v.files[name]; !ok {
			return fmt.Errorf("%s is missing", name)
		}
	}
	if m.Rows != v.report.Rows {
		return errors.New("the manifest's number of rows is not that of its files")
	}
	if err := v.compareChanges(); err != nil {
		return err
	}
	return v.compareTables(listed)
}

func (v *verifier) compareTables(listed map[string]File) error {
	byName := map[[2]string]*tableCheck{}
	for _, t := range v.tables {
		name := [2]string{t.shape.System, t.shape.Table}
		if byName[name] != nil {
			return fmt.Errorf("%s/%s is there twice", name[0], name[1])
		}
		byName[name] = t
	}
	for _, want := range v.expect.Collections {
		name := [2]string{want.System, want.Table}
		t := byName[name]
		delete(byName, name)
		switch {
		case t == nil && want.Rows == 0:
			continue
		case t == nil:
			return fmt.Errorf("%s/%s is in the plan and not in the package", want.System, want.Table)
		case t.rows != want.Rows:
			return fmt.Errorf("%s/%s has %d rows and not %d", want.System, want.Table, t.rows, want.Rows)
		}
		proof, err := v.prove(t, want, listed[t.path].KeyDigest)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", want.System, want.Table, err)
		}
		v.report.Collections = append(v.report.Collections, Checked{want.System, want.Table, t.rows, proof})
	}
	for name := range byName {
		return fmt.Errorf("%s/%s is in the package and not in the plan", name[0], name[1])
	}
	return nil
}

// prove holds the keys of a collection against the plan's digest. What can be proven in no way is refused: a package
// whose rows may be somebody else's must not go out.
func (v *verifier) prove(t *tableCheck, want ExpectCollection, told string) (Proof, error) {
	others := errors.New("its rows are not those of the plan")
	if want.Keys == "" || v.expect.KeyHash == nil {
		return "", errors.New("there is no digest to hold its rows against")
	}
	if told != "" && told != want.Keys {
		return "", others
	}
	switch {
	case t.proven:
		if t.keys.String() != want.Keys {
			return "", others
		}
		return ProofData, nil
	case told != "":
		return ProofConnector, nil
	}
	return "", errors.New("nothing proves whose rows these are")
}
