package export

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/habeas-data/habeas/internal/connector"
)

// A memory tells what the last package held without holding it: a mark of each row's collection and key, and one of its
// content, both keyed. The next package compares itself with it. Without the key it is noise; it is sealed all the
// same by whoever keeps it, beside the package, and goes with the person's erasure.
//
//	"habeas-memory/1\n" | marks, sorted, 32 bytes each | 32 zero bytes | the collections' names as JSON
//
// Marks are: collection 8 bytes, key 16, content 8.
const memoryHead = "habeas-memory/1\n"

const (
	markSize  = 32
	markKey   = 24      // collection and key
	runLength = 1 << 16 // marks that are sorted in memory: 2 MiB
)

type mark [markSize]byte

func compareMarks(a, b mark) int { return bytes.Compare(a[:], b[:]) }

// CollectionName names a collection of a memory.
type CollectionName struct {
	System string `json:"system"`
	Table  string `json:"table"`
}

// namedMark is a line of the trailer.
type namedMark struct {
	CollectionName
	Mark uint64 `json:"mark,string"`
}

// MemoryWriter makes the memory of a package, of any number of rows, within a few MiB. It is for one goroutine.
type MemoryWriter struct {
	hash  connector.KeyHash
	run   []mark
	runs  []int64  // the length of each run in the file, in marks
	file  *os.File // nil while one run holds all
	names map[[8]byte]CollectionName
	now   CollectionName // the collection of the last row
	mark  [8]byte        // of now
	buf   []byte
}

// NewMemoryWriter begins a memory. hash must be keyed by a secret of the tenant that lives as long as memories do.
// Discard must be called in the end.
func NewMemoryWriter(hash connector.KeyHash) *MemoryWriter {
	return &MemoryWriter{hash: hash, names: map[[8]byte]CollectionName{}}
}

// collection gives the mark of a collection.
func collectionMark(hash connector.KeyHash, c CollectionName) [8]byte {
	h := hash(appendKey([]byte("memory/collection/"), c.System, []string{c.Table}))
	return [8]byte(h[:8])
}

// Add takes one row: its key, and its content as the package holds it.
func (w *MemoryWriter) Add(c CollectionName, key []string, content []byte) error {
	return w.add(c, appendKey(nil, c.Table, key), content)
}

// add takes a key as appendKey writes it.
func (w *MemoryWriter) add(c CollectionName, key, content []byte) error {
	var m mark
	if len(w.names) == 0 || c != w.now {
		w.now, w.mark = c, collectionMark(w.hash, c)
		w.names[w.mark] = c
	}
	copy(m[:], w.mark[:])
	w.buf = append(append(w.buf[:0], "memory/key/"...), key...)
	h := w.hash(w.buf)
	copy(m[8:markKey], h[:])
	w.buf = append(append(w.buf[:0], "memory/content/"...), content...)
	h = w.hash(w.buf)
	copy(m[markKey:], h[:])
	w.run = append(w.run, m)
	if len(w.run) == runLength {
		return w.spill()
	}
	return nil
}

// spill sorts what is in memory and writes it to a file without a name. Keyed marks alone lie there.
func (w *MemoryWriter) spill() error {
	if w.file == nil {
		f, err := os.CreateTemp("", "habeas-*")
		if err != nil {
			return fmt.Errorf("making a temporary file: %w", err)
		}
		_ = os.Remove(f.Name()) // where an open file can't lose its name, Discard removes it
		w.file = f
	}
	slices.SortFunc(w.run, compareMarks)
	out := bufio.NewWriterSize(w.file, 64<<10)
	for i := range w.run {
		_, _ = out.Write(w.run[i][:]) // errors stick to the buffer
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the temporary file: %w", err)
	}
	w.runs = append(w.runs, int64(len(w.run)))
	w.run = w.run[:0]
	return nil
}

// WriteTo writes the memory: the same rows, in whatever order they came, give the same bytes.
func (w *MemoryWriter) WriteTo(out io.Writer) (int64, error) {
	count := &countTo{w: out}
	b := bufio.NewWriterSize(count, 64<<10)
	_, _ = b.WriteString(memoryHead) // errors stick to the buffer
	slices.SortFunc(w.run, compareMarks)
	h := &runHeap{}
	at := int64(0)
	for _, n := range w.runs {
		h.add(bufio.NewReaderSize(io.NewSectionReader(w.file, at*markSize, n*markSize), 16<<10))
		at += n
	}
	last := make([]byte, 0, len(w.run)*markSize)
	for _, m := range w.run {
		last = append(last, m[:]...)
	}
	h.add(bytes.NewReader(last))
	heap.Init(h)
	for h.Len() > 0 {
		_, _ = b.Write(h.runs[0].now[:])
		if h.runs[0].next() {
			heap.Fix(h, 0)
		} else {
			heap.Pop(h)
		}
	}
	if h.err != nil {
		return count.n, fmt.Errorf("reading the temporary file: %w", h.err)
	}
	_, _ = b.Write(make([]byte, markSize))
	names := make([]namedMark, 0, len(w.names))
	for m, c := range w.names {
		names = append(names, namedMark{c, binary.BigEndian.Uint64(m[:])})
	}
	slices.SortFunc(names, func(a, b namedMark) int { return compareNames(a.CollectionName, b.CollectionName) })
	if err := json.NewEncoder(b).Encode(names); err != nil {
		return count.n, fmt.Errorf("writing the memory: %w", err)
	}
	if err := b.Flush(); err != nil {
		return count.n, fmt.Errorf("writing the memory: %w", err)
	}
	return count.n, nil
}

func compareNames(a, b CollectionName) int {
	return cmp.Or(cmp.Compare(a.System, b.System), cmp.Compare(a.Table, b.Table))
}

// Discard ends the writer.
func (w *MemoryWriter) Discard() {
	if w.file != nil {
		_ = w.file.Close() // nothing of it is needed any more
		_ = os.Remove(w.file.Name())
		w.file = nil
	}
}

// runHeap merges sorted runs.
type runHeap struct {
	runs []*sortedRun
	err  error
}

type sortedRun struct {
	in  io.Reader
	now mark
	h   *runHeap
}

func (h *runHeap) add(in io.Reader) {
	if r := (&sortedRun{in: in, h: h}); r.next() {
		h.runs = append(h.runs, r)
	}
}

func (r *sortedRun) next() bool {
	_, err := io.ReadFull(r.in, r.now[:])
	if err != nil && !errors.Is(err, io.EOF) {
		r.h.err = err
	}
	return err == nil
}

// Len implements heap.Interface.
func (h *runHeap) Len() int { return len(h.runs) }

// Less implements heap.Interface.
func (h *runHeap) Less(i, j int) bool { return compareMarks(h.runs[i].now, h.runs[j].now) < 0 }

// Swap implements heap.Interface.
func (h *runHeap) Swap(i, j int) { h.runs[i], h.runs[j] = h.runs[j], h.runs[i] }

// Push implements heap.Interface.
func (h *runHeap) Push(x any) { h.runs = append(h.runs, x.(*sortedRun)) } //nolint:forcetypeassert // ours alone

// Pop implements heap.Interface.
func (h *runHeap) Pop() any {
	last := h.runs[len(h.runs)-1]
	h.runs = h.runs[:len(h.runs)-1]
	return last
}

// Changes says how the rows of one collection differ from those of the last package.
type Changes struct {
	CollectionName
	New     int64 `json:"new"`
	Changed int64 `json:"changed"`
	Gone    int64 `json:"gone"`
	Same    int64 `json:"same"`
}

// ErrLastMemory says that the memory of the last package can't be read: the next package can be made without it.
var ErrLastMemory = errors.New("reading the last memory")

// CompareMemories reads two memories, made under one key, side by side and gives what differs, by collection, sorted
// by name. A memory that is cut off or not sorted is an error, for before an ErrLastMemory. Rows without a key of their own are addressed by all
// that they hold: one that changed counts as gone and new.
func CompareMemories(before, after io.Reader) ([]Changes, error) {
	a, err := openMemory(before)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLastMemory, err)
	}
	b, err := openMemory(after)
	if err != nil {
		return nil, fmt.Errorf("reading this memory: %w", err)
	}
	counts := map[[8]byte]*Changes{}
	for !a.ended || !b.ended {
		low := a.now
		if a.ended || !b.ended && compareMarks(b.now, a.now) < 0 {
			low = b.now
		}
		c := counts[[8]byte(low[:8])]
		if c == nil {
			c = &Changes{}
			counts[[8]byte(low[:8])] = c
		}
		if err := sameKey(a, b, [markKey]byte(low[:markKey]), c); err != nil {
			return nil, err
		}
	}
	out, err := nameChanges(counts, a, b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLastMemory, err) // ours was made this moment
	}
	return out, nil
}

// sameKey takes all rows of one key from both: usually one each.
func sameKey(a, b *memoryReader, key [markKey]byte, c *Changes) error {
	var gone, fresh int64
	has := func(r *memoryReader) bool { return !r.ended && [markKey]byte(r.now[:markKey]) == key }
	for has(a) || has(b) {
		order := 0
		switch {
		case !has(b):
			order = -1
		case !has(a):
			order = 1
		default:
			order = compareMarks(a.now, b.now)
		}
		if order == 0 {
			c.Same++
		}
		if order <= 0 {
			if err := a.next(); err != nil {
				return fmt.Errorf("%w: %w", ErrLastMemory, err)
			}
		}
		if order >= 0 {
			if err := b.next(); err != nil {
				return fmt.Errorf("reading this memory: %w", err)
			}
		}
		if order < 0 {
			gone++
		}
		if order > 0 {
			fresh++
		}
	}
	changed := min(gone, fresh)
	c.Changed, c.Gone, c.New = c.Changed+changed, c.Gone+gone-changed, c.New+fresh-changed
	return nil
}

func nameChanges(counts map[[8]byte]*Changes, readers ...*memoryReader) ([]Changes, error) {
	names := map[CollectionName]bool{}
	var list []CollectionName
	for _, r := range readers {
		for _, n := range r.names {
			if !names[n] {
				names[n] = true
				list = append(list, n)
			}
		}
	}
	slices.SortFunc(list, compareNames)
	byName := map[CollectionName][8]byte{}
	for _, r := range readers {
		for i, n := range r.names {
			byName[n] = r.marks[i]
		}
	}
	out := make([]Changes, 0, len(list))
	for _, n := range list {
		c, ok := counts[byName[n]]
		if !ok {
			return nil, errors.New("a memory names a collection that it does not hold")
		}
		c.CollectionName = n
		out = append(out, *c)
	}
	if len(out) != len(counts) {
		return nil, errors.New("a memory holds a collection that it does not name")
	}
	return out, nil
}

// memoryReader reads a memory mark by mark.
type memoryReader struct {
	in    *bufio.Reader
	now   mark
	ended bool
	seen  [][8]byte // the marks of collections, in their order
	names []CollectionName
	marks [][8]byte // of names
}

func openMemory(in io.Reader) (*memoryReader, error) {
	r := &memoryReader{in: bufio.NewReaderSize(in, 64<<10)}
	head := make([]byte, len(memoryHead))
	if _, err := io.ReadFull(r.in, head); err != nil || string(head) != memoryHead {
		return nil, errors.New("it is no memory of a package")
	}
	return r, r.next()
}

func (r *memoryReader) next() error {
	before := r.now
	if _, err := io.ReadFull(r.in, r.now[:]); err != nil {
		return errors.New("it is cut off")
	}
	if r.now == (mark{}) {
		r.ended = true
		return r.readNames()
	}
	if compareMarks(r.now, before) < 0 {
		return errors.New("it is not sorted")
	}
	if id := [8]byte(r.now[:8]); len(r.seen) == 0 || r.seen[len(r.seen)-1] != id {
		r.seen = append(r.seen, id)
	}
	return nil
}

// readNames reads the trailer: a name with the mark of its collection, for each.
func (r *memoryReader) readNames() error {
	var list []namedMark
	dec := json.NewDecoder(io.LimitReader(r.in, maxSmall))
	if err := dec.Decode(&list); err != nil || len(list) != len(r.seen) {
		return errors.New("it does not end")
	}
	for _, n := range list {
		r.names = append(r.names, n.CollectionName)
		r.marks = append(r.marks, [8]byte(binary.BigEndian.AppendUint64(nil, n.Mark)))
	}
	return nil
}
