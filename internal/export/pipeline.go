package export

import (
	"sync"
	"sync/atomic"

	"github.com/habeas-data/habeas/internal/connector"
)

// batchBytes is when a batch goes on; batchCount is how many there are at most, one being filled.
const (
	batchBytes = 128 << 10
	batchCount = 6
)

// batch is a run of rows on its way into the data file and onto the page.
type batch struct {
	json    []byte   // as the data file holds them
	cells   []cellAt // the values of the shown columns, row by row
	rows    int
	keys    []byte // as they are hashed, one after the other
	keyEnds []int
	rowEnds []int // of each row in json; for the memory alone
	users   atomic.Int32
}

// cellAt is where a value stands in a batch; from is -1 for one that is hidden.
type cellAt struct{ from, to int }

func (b *batch) reset() {
	const most = 4 * batchBytes // one huge row must not stay in memory to the end
	if cap(b.json) > most {
		b.json = nil
	}
	b.json, b.cells, b.keys, b.keyEnds, b.rowEnds, b.rows = b.json[:0], b.cells[:0], b.keys[:0], b.keyEnds[:0], b.rowEnds[:0], 0
}

// pipeline carries the rows of one collection. While a collection fits one batch nothing runs beside the writer.
type pipeline struct {
	table  *tableOpen
	spool  *spool
	hash   connector.KeyHash
	keys   keySum
	memory *MemoryWriter // or nil

	batch   *batch
	made    int
	free    chan *batch
	data    chan *batch
	pages   chan *batch
	running sync.WaitGroup
	failed  atomic.Pointer[error]
}

func newPipeline(t *tableOpen, s *spool, m *Meta) *pipeline {
	return &pipeline{table: t, spool: s, hash: m.KeyHash, memory: m.Memory, batch: &batch{}, made: 1}
}

// added is called after each row.
func (p *pipeline) added() error {
	if len(p.batch.json) < batchBytes {
		return nil
	}
	if p.data == nil {
		p.start()
	}
	p.batch.users.Store(2)
	p.data <- p.batch
	p.pages <- p.batch
	if p.made < batchCount {
		p.made++
		p.batch = &batch{}
	} else {
		p.batch = <-p.free
	}
	return p.error()
}

func (p *pipeline) start() {
	p.free, p.data, p.pages = make(chan *batch, batchCount), make(chan *batch, batchCount), make(chan *batch, batchCount)
	p.running.Go(func() { p.work(p.data, p.writeData) })
	p.running.Go(func() { p.work(p.pages, p.writePages) })
}

// work goes on taking batches after an error, so that nobody waits for ever.
func (p *pipeline) work(in <-chan *batch, do func(*batch) error) {
	for b := range in {
		if p.failed.Load() == nil {
			p.fail(do(b))
		}
		if b.users.Add(-1) == 0 {
			b.reset()
			p.free <- b
		}
	}
}

func (p *pipeline) fail(err error) {
	if err != nil {
		p.failed.CompareAndSwap(nil, &err)
	}
}

func (p *pipeline) error() error {
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// finish writes what is left and ends what runs beside the writer.
func (p *pipeline) finish() error {
	if p.data != nil {
		close(p.data)
		close(p.pages)
		p.running.Wait()
		p.data, p.pages = nil, nil
	}
	for _, do := range []func(*batch) error{p.writeData, p.writePages} {
		if p.error() == nil {
			p.fail(do(p.batch))
		}
	}
	p.batch = &batch{}
	return p.error()
}

func (p *pipeline) writeData(b *batch) error {
	start := 0
	for _, end := range b.keyEnds {
		if p.hash != nil {
			p.keys.add(p.hash(b.keys[start:end]))
		}
		start = end
	}
	if err := p.remember(b); err != nil {
		return err
	}
	_, err := p.table.entry.Write(b.json)
	return err
}

// remember takes the rows of a batch into the memory, as the data file holds them but for what parts them.
func (p *pipeline) remember(b *batch) error {
	const parting = len(",\n")
	c := CollectionName{p.table.head.System, p.table.head.Table}
	keyAt, rowAt := 0, 0
	for i, end := range b.rowEnds {
		if err := p.memory.add(c, b.keys[keyAt:b.keyEnds[i]], b.json[rowAt+parting:end]); err != nil {
			return err
		}
		keyAt, rowAt = b.keyEnds[i], end
	}
	return nil
}

func (p *pipeline) writePages(b *batch) error {
	t, cells := p.table, b.cells
	for range b.rows {
		p.spool.row()
		for i, name := range t.names {
			if name == nil {
				continue
			}
			var v []byte
			if c := cells[0]; c.from >= 0 {
				v = b.json[c.from:c.to]
			}
			cells = cells[1:]
			if err := p.spool.cell(t.head.Columns[i].JSON, v); err != nil {
				return err
			}
		}
		if err := p.spool.rowEnd(); err != nil {
			return err
		}
	}
	return nil
}
