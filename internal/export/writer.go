package export

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
)

// Writer writes one package. It is for one goroutine; one collection is open at a time. Behind it two others work:
// one hashes and compresses the data, one makes the pages.
type Writer struct {
	meta  Meta
	zip   *zip.Writer
	paths paths
	spool *spool
	err   error // the first one: a package with a fault is never completed

	files  []File
	tables []tableDone
	hidden []HiddenRows
	since  *changesFile // nil: nothing to say of a last package
	open   *tableOpen
	closed bool
}

// tableDone is a collection that was written.
type tableDone struct {
	system, table, path string
	rows                int64
}

// NewWriter begins a package on w. Nothing is valid until Close gave no error; w itself is not closed.
func NewWriter(w io.Writer, meta Meta) *Writer {
	meta.MadeAt = meta.MadeAt.UTC().Truncate(time.Second) // what a ZIP can hold
	out := &Writer{meta: meta, zip: zip.NewWriter(w)}
	out.zip.RegisterCompressor(zip.Deflate, NewCompressor)
	if meta.Words == nil {
		out.err = errors.New("a package needs words")
		return out
	}
	out.spool, out.err = newSpool(meta.Words)
	return out
}

// level is that of the deflating: higher ones take twice the time for a tenth less.
const level = 2

// NewCompressor gives the compression of packages: raw deflate. Its bytes depend on the data alone, not on how they
// are cut.
func NewCompressor(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, level) }

// System gives the sink for one system's collections.
func (w *Writer) System(name string) connector.Sink { return &sink{w: w, system: name} }

// sink names the system of what comes.
type sink struct {
	w      *Writer
	system string
}

func (s *sink) Begin(c connector.Collection) error {
	c.System = s.system
	return s.w.keep(s.w.begin(c))
}

func (s *sink) Row(key connector.Key, values [][]byte) error {
	return s.w.keep(s.w.row(s.system, key, values))
}

func (s *sink) End() error { return s.w.keep(s.w.end(s.system)) }

func (s *sink) Hidden(table string, rows int64, why string) error {
	if s.w.err != nil {
		return s.w.err
	}
	s.w.hidden = append(s.w.hidden, HiddenRows{System: s.system, Table: table, Rows: rows, Why: why})
	return nil
}

// keep remembers the first error: what comes after it is refused, and Close completes nothing.
func (w *Writer) keep(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

// entry is one file of the ZIP while it is written.
type entry struct {
	path string
	hash hash.Hash
	n    int64
	buf  *bufio.Writer
}

// Write takes bytes of the file.
func (e *entry) Write(b []byte) (int, error) {
	e.n += int64(len(b))
	e.hash.Write(b)
	return e.buf.Write(b)
}

// create begins a file.
func (w *Writer) create(path string) (*entry, error) {
	out, err := w.zip.CreateHeader(&zip.FileHeader{Name: path, Method: zip.Deflate, Modified: w.meta.MadeAt})
	if err != nil {
		return nil, fmt.Errorf("beginning %s: %w", path, err)
	}
	return &entry{path: path, hash: sha256.New(), buf: bufio.NewWriterSize(out, 64<<10)}, nil
}

// finish ends a file and lists it.
func (w *Writer) finish(e *entry, f File) error {
	if err := e.buf.Flush(); err != nil {
		return fmt.Errorf("writing %s: %w", e.path, err)
	}
	f.Path, f.SHA256, f.Bytes = e.path, hex.EncodeToString(e.hash.Sum(nil)), e.n
	w.files = append(w.files, f)
	return nil
}

// put writes a whole file and lists it as f.
func (w *Writer) put(path string, content []byte, f File) error {
	e, err := w.create(path)
	if err != nil {
		return err
	}
	if _, err := e.Write(content); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return w.finish(e, f)
}

// tableOpen is the collection being written.
type tableOpen struct {
	head     connector.Collection
	schema   string
	entry    *entry
	names    [][]byte // `"name":` of each column; nil for those that are not shown
	optional []bool   // may be left out of a row: holds another person's key there
	left     []int64  // rows in which the column's value was left out
	rows     int64
	pipe     *pipeline
}

func (w *Writer) begin(c connector.Collection) error {
	switch {
	case w.err != nil:
		return w.err
	case w.closed:
		return errors.New("the package is closed")
	case w.open != nil:
		return fmt.Errorf("the collection %s is not ended", w.open.head.Table)
	}
	if slices.ContainsFunc(w.tables, func(t tableDone) bool { return t.system == c.System && t.table == c.Table }) {
		return fmt.Errorf("the collection %s of %s came twice", c.Table, c.System)
	}
	t := &tableOpen{head: c, names: make([][]byte, len(c.Columns)), optional: make([]bool, len(c.Columns)), left: make([]int64, len(c.Columns))}
	t.head.Columns, t.head.Key = slices.Clone(c.Columns), slices.Clone(c.Key)
	var optional []string
	if entry := w.meta.table(c.System, c.Table); entry != nil {
		optional = entry.Export.HideOthers
	}
	for i, col := range c.Columns {
		if !shown(col) {
			continue // never even by a mistake of the connector
		}
		name, err := marshalPlain(col.Name)
		if err != nil {
			return err
		}
		t.names[i] = []byte(name + ":")
		t.optional[i] = slices.Contains(optional, col.Name)
	}
	path := w.paths.of(c.System, c.Table)
	schema, err := writeSchema(t.head, optional)
	if err != nil {
		return err
	}
	t.schema = "schema/" + path + ".schema.json"
	if err := w.put(t.schema, schema, File{}); err != nil {
		return err
	}
	if t.entry, err = w.create("data/" + path + ".json"); err != nil {
		return err
	}
	t.pipe = newPipeline(t, w.spool, &w.meta)
	w.open = t
	return w.spool.begin(w.meta.Words, t.head, path, w.meta.category(c.System, c.Table))
}

func (w *Writer) row(system string, key connector.Key, values [][]byte) error {
	t := w.open
	switch {
	case w.err != nil:
		return w.err
	case t == nil || t.head.System != system:
		return errors.New("a row came outside of its collection")
	case len(values) != len(t.head.Columns):
		return fmt.Errorf("a row of %s has %d values for %d columns", t.head.Table, len(values), len(t.head.Columns))
	}
	b := t.pipe.batch
	line := b.json
	if t.rows == 0 {
		line = append(line, "[\n{"...)
	} else {
		line = append(line, ",\n{"...)
	}
	first := true
	for i, v := range values {
		if t.names[i] == nil {
			if t.head.Columns[i].Show != datamap.ShowPresence || string(v) != "false" {
				t.left[i]++
			}
			continue
		}
		if v == nil {
			if !t.optional[i] {
				return fmt.Errorf("a row of %s lacks the column %s, which nothing says may be hidden", t.head.Table, t.head.Columns[i].Name)
			}
			t.left[i]++
			b.cells = append(b.cells, cellAt{-1, -1})
			continue
		}
		if !validValue(v) {
			return fmt.Errorf("a value of %s.%s is no JSON", t.head.Table, t.head.Columns[i].Name)
		}
		if !first {
			line = append(line, ',')
		}
		first = false
		line = append(line, t.names[i]...)
		b.cells = append(b.cells, cellAt{len(line), len(line) + len(v)})
		line = append(line, v...)
	}
	b.json = append(line, '}')
	b.rows++
	t.rows++
	if w.meta.Memory != nil {
		b.rowEnds = append(b.rowEnds, len(b.json))
	}
	if w.meta.KeyHash != nil || w.meta.Memory != nil {
		b.keys = appendKey(b.keys, t.head.Table, key)
		b.keyEnds = append(b.keyEnds, len(b.keys))
	}
	return t.pipe.added()
}

// validValue tells whether v is one JSON value. Nearly all are plain texts and whole numbers.
func validValue(v []byte) bool {
	if n := len(v); n >= 2 && v[0] == '"' && v[n-1] == '"' {
		for _, c := range v[1 : n-1] {
			if c < 0x20 || c >= utf8.RuneSelf || c == '"' || c == '\\' {
				return json.Valid(v)
			}
		}
		return true
	}
	if len(v) == 0 || v[0] < '1' || v[0] > '9' {
		return json.Valid(v)
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return json.Valid(v)
		}
	}
	return true
}

func (w *Writer) end(system string) error {
	t := w.open
	switch {
	case w.err != nil:
		return w.err
	case t == nil || t.head.System != system:
		return errors.New("a collection ended that had not begun")
	}
	if err := t.pipe.finish(); err != nil {
		return fmt.Errorf("writing rows of %s: %w", t.head.Table, err)
	}
	tail := "\n]\n"
	if t.rows == 0 {
		tail = "[]\n"
	}
	if _, err := t.entry.Write([]byte(tail)); err != nil {
		return fmt.Errorf("writing rows of %s: %w", t.head.Table, err)
	}
	f := File{Rows: t.rows, Schema: t.schema}
	if w.meta.KeyHash != nil {
		f.KeyDigest = t.pipe.keys.String()
	}
	if err := w.finish(t.entry, f); err != nil {
		return err
	}
	w.tables = append(w.tables, tableDone{t.head.System, t.head.Table, strings.TrimSuffix(strings.TrimPrefix(t.entry.path, "data/"), ".json"), t.rows})
	w.hideColumns(t)
	w.open = nil
	return w.spool.end()
}

// hideColumns lists what was left out of the rows of a collection.
func (w *Writer) hideColumns(t *tableOpen) {
	entry := w.meta.table(t.head.System, t.head.Table)
	for i, n := range t.left {
		if n == 0 {
			continue
		}
		col := t.head.Columns[i]
		why := ""
		if entry != nil {
			why = entry.Columns[col.Name].Why
		}
		if why == "" {
			switch col.Show {
			case datamap.ShowPresence:
				why = "it is held and not shown"
			case datamap.ShowNever:
				why = "its value must not leave the system"
			case datamap.ShowHide:
				why = "left out by the controller's rule"
			case datamap.ShowFull:
				why = "it stands for another person there"
			}
		}
		w.hidden = append(w.hidden, HiddenRows{System: t.head.System, Table: t.head.Table, Column: col.Name, Rows: n, Why: why})
	}
}

// Discard gives up a package that will not be closed; after Close it does nothing.
func (w *Writer) Discard() {
	if w.closed {
		return
	}
	w.closed = true
	w.abandon()
}

func (w *Writer) abandon() {
	if w.open != nil {
		_ = w.open.pipe.finish() // only to end its goroutines
		w.open = nil
	}
	w.spool.discard()
}

// Close writes what is for people to read and, last, the manifest. After any error before or in it the ZIP stays
// without its directory: no reader takes it for whole.
func (w *Writer) Close() (Manifest, error) {
	if w.closed {
		return Manifest{}, errors.New("the package is closed already")
	}
	w.closed = true
	defer w.abandon()
	if w.err == nil && w.open != nil {
		w.err = fmt.Errorf("the collection %s is not ended", w.open.head.Table)
	}
	if w.err != nil {
		return Manifest{}, fmt.Errorf("the package is incomplete: %w", w.err)
	}
	m, err := w.finishAll()
	return m, w.keep(err)
}

func (w *Writer) finishAll() (Manifest, error) {
	if err := w.writeChanges(); err != nil {
		return Manifest{}, fmt.Errorf("telling what changed: %w", err)
	}
	if err := w.writeIndex(); err != nil {
		return Manifest{}, fmt.Errorf("writing index.html: %w", err)
	}
	if err := w.writeResponse(); err != nil {
		return Manifest{}, fmt.Errorf("writing the response: %w", err)
	}
	m := w.manifest()
	body, err := encodeJSON(m)
	if err != nil {
		return m, err
	}
	if err := w.put("manifest.json", body, File{}); err != nil {
		return m, err
	}
	if err := w.zip.Close(); err != nil {
		return m, fmt.Errorf("ending the ZIP: %w", err)
	}
	return m, nil
}

func (w *Writer) manifest() Manifest {
	m := Manifest{
		Format: Format, Request: w.meta.Request, Reference: w.meta.Reference, Type: string(w.meta.Right), Tenant: w.meta.Tenant,
		Language: w.meta.Words.Lang(), PolicyVersion: w.meta.PolicyVersion, MadeAt: w.meta.MadeAt,
		Files: slices.Clone(w.files), Hidden: slices.Clone(w.hidden), Withheld: []WithheldPart{},
	}
	if m.Hidden == nil {
		m.Hidden = []HiddenRows{}
	}
	for _, x := range w.meta.Withheld {
		m.Withheld = append(m.Withheld, WithheldPart(x))
	}
	for _, f := range m.Files {
		m.Rows += f.Rows
	}
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return m
}
