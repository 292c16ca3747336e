package export

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// The names of the file that tells what changed since the last package, and of its schema.
const (
	changesPath   = "changes.json"
	changesSchema = "schema/changes.schema.json" // a collection's lies in a folder of its system
)

// changesFile is changes.json.
type changesFile struct {
	Since       time.Time `json:"since"`       // when the last package was made
	Collections []Changes `json:"collections"` // of both packages, sorted by system and table
}

func (c *changesFile) total() (sum Changes) {
	for _, x := range c.Collections {
		sum.New, sum.Changed, sum.Gone, sum.Same = sum.New+x.New, sum.Changed+x.Changed, sum.Gone+x.Gone, sum.Same+x.Same
	}
	return sum
}

// writeChanges compares the package with the last one. Where no row has the key of one that was in the last package,
// nothing says that it was the same person's (an address can change hands), and nothing is told of it.
func (w *Writer) writeChanges() error {
	if w.meta.Last == nil {
		return nil
	}
	if w.meta.Memory == nil {
		return errors.New("a last package needs a memory of this one")
	}
	last, err := w.meta.Last.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLastMemory, err)
	}
	defer last.Close()
	pr, pw := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := w.meta.Memory.WriteTo(pw)
		_ = pw.CloseWithError(err) // nil ends the stream
	}()
	list, err := CompareMemories(last, pr)
	_ = pr.Close() // so that a writer that is not read to the end ends too
	<-done
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(c Changes) bool { return c.Same+c.Changed > 0 }) {
		return nil
	}
	file := &changesFile{Since: w.meta.Last.MadeAt.UTC().Truncate(time.Second), Collections: list}
	body, err := encodeJSON(file)
	if err != nil {
		return err
	}
	if err := w.put(changesSchema, []byte(asset("changes.schema.json")), File{}); err != nil {
		return err
	}
	if err := w.put(changesPath, body, File{Schema: changesSchema}); err != nil {
		return err
	}
	w.since = file
	return nil
}

// sinceView is what the page says of the last package.
type sinceView struct {
	Title, Lead string
	Head        []string
	Lines       [][]string
}

func (w *Writer) sinceView() *sinceView {
	if w.since == nil {
		return nil
	}
	words := w.meta.Words
	v := &sinceView{Title: words.Say("package.since"), Lead: words.Say("package.since.lead", "date", words.At(w.since.Since, nil)),
		Head: []string{words.Say("package.table"), words.Say("package.since.new"), words.Say("package.since.changed"), words.Say("package.since.gone"), words.Say("package.since.same")}}
	for _, c := range w.since.Collections {
		v.Lines = append(v.Lines, []string{visible(words.Thing(c.Table)), words.Number(c.New), words.Number(c.Changed), words.Number(c.Gone), words.Number(c.Same)})
	}
	return v
}

// readChanges reads changes.json as a stranger's file.
func (v *verifier) readChanges(body io.Reader) error {
	b, err := small(body)
	if err != nil {
		return err
	}
	var c changesFile
	if err := decodeStrict(b, &c); err != nil {
		return errors.New("it can't be read")
	}
	v.changes = &c
	return nil
}

// compareChanges holds changes.json against what was read of the collections: what is new, changed or the same is all
// that there is.
func (v *verifier) compareChanges() error {
	_, schema := v.files[changesSchema]
	if v.changes == nil {
		if schema {
			return fmt.Errorf("there is a schema of %s, but no such file", changesPath)
		}
		return nil
	}
	if !schema {
		return fmt.Errorf("%s has no schema", changesPath)
	}
	if !v.changes.Since.Equal(v.expect.Since.UTC().Truncate(time.Second)) {
		return fmt.Errorf("%s compares with another package than the last one", changesPath)
	}
	rows := map[CollectionName]int64{}
	for _, t := range v.tables {
		if t.rows > 0 {
			rows[CollectionName{t.shape.System, t.shape.Table}] = t.rows
		}
	}
	for i, c := range v.changes.Collections {
		if i > 0 && compareNames(v.changes.Collections[i-1].CollectionName, c.CollectionName) >= 0 {
			return fmt.Errorf("%s is not sorted, or names a collection twice", changesPath)
		}
		if min(c.New, c.Changed, c.Gone, c.Same) < 0 || c.New+c.Changed+c.Same != rows[c.CollectionName] {
			return fmt.Errorf("%s has other numbers for %s/%s than the package has rows", changesPath, c.System, c.Table)
		}
		delete(rows, c.CollectionName)
	}
	for c := range rows {
		return fmt.Errorf("%s lacks %s/%s", changesPath, c.System, c.Table)
	}
	return nil
}
