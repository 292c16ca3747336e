package export

import (
	"errors"
	"io"
)

// ahead reads a stream in a goroutine of its own, a few blocks before they are asked for: unpacking and checking of a
// package share the work.
type ahead struct {
	full  chan block
	free  chan []byte
	quit  chan struct{}
	now   block
	ended bool
}

type block struct {
	buf  []byte // as it was made
	rest []byte // not read yet
	err  error  // behind it
}

const aheadBlocks, aheadBytes = 3, 64 << 10

func readAhead(in io.Reader) *ahead {
	a := &ahead{full: make(chan block, aheadBlocks), free: make(chan []byte, aheadBlocks+1), quit: make(chan struct{})}
	for range aheadBlocks {
		a.free <- make([]byte, aheadBytes)
	}
	go a.run(in)
	return a
}

func (a *ahead) run(in io.Reader) {
	defer close(a.full)
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.quit:
			return
		}
		n, err := io.ReadFull(in, buf)
		if errors.Is(err, io.ErrUnexpectedEOF) && n > 0 {
			// ReadFull can't tell the end of the stream from a cut within it: the next call does.
			err = nil
		}
		a.full <- block{buf, buf[:n], err}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.now.rest) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.now.buf != nil {
			a.free <- a.now.buf
		}
		a.now = <-a.full
	}
	n := copy(p, a.now.rest)
	a.now.rest = a.now.rest[n:]
	return n, nil
}

// stop ends the goroutine and waits for it: then nobody reads the stream.
func (a *ahead) stop() {
	close(a.quit)
	for range a.full {
	}
}
