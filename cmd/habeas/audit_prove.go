package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/auditlog"
)

type auditProveCmd struct {
	settings `embed:""`
	Tenant   string `help:"The tenant (default: the only one)."`
	File     string `type:"existingfile" help:"Prove it from an export, instead of the stored log." placeholder:"FILE"`
	Entry    *int64 `xor:"what" required:"" help:"Inclusion: the number of the entry, from 0." placeholder:"N"`
	From     *int64 `xor:"what" required:"" help:"Consistency: the size of the older tree." placeholder:"SIZE"`
	Size     *int64 `help:"The size of the tree (default: that of the newest signed head)." placeholder:"SIZE"`
	JSON     bool   `help:"Print one JSON object."`
}

// Help shows an example.
func (auditProveCmd) Help() string {
	return "A proof is a list of hashes (RFC 6962) by which anybody who holds the tree heads can tell. It is checked before\n" +
		"it is printed.\n\n" +
		example("habeas audit prove --tenant acme --entry 17", "habeas audit prove --tenant acme --from 120 --size 180")
}

// proof is the answer of `audit prove`, in the words of the API.
type proof struct {
	Kind   string      `json:"kind"` // inclusion, consistency
	Tenant string      `json:"tenant"`
	Entry  *int64      `json:"entry"`
	From   *int64      `json:"from"`
	Size   int64       `json:"size"`
	Root   tlog.Hash   `json:"root"`           // of the tree of that size
	Older  *tlog.Hash  `json:"from_root"`      // of the older tree
	Leaf   []byte      `json:"leaf,omitempty"` // base64
	Hashes []tlog.Hash `json:"hashes"`
	Head   string      `json:"head"` // the newest signed tree head
	Key    string      `json:"key"`
}

// Run proves.
func (c *auditProveCmd) Run(ctx context.Context, p *program) (err error) {
	var log openedLog
	if c.File != "" {
		if c.Tenant != "" {
			return misused("give either --file or --tenant")
		}
		if log, err = readExport(c.File); err != nil {
			return err
		}
	} else {
		a, err := p.open(ctx, c.settings, true)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		if log, err = openLog(ctx, a, c.Tenant); err != nil {
			return err
		}
	}
	out := proof{Kind: "inclusion", Tenant: log.head.Tenant(), Entry: c.Entry, From: c.From, Size: log.head.Size, Head: string(log.signed), Key: log.vkey}
	if c.Size != nil {
		out.Size = *c.Size
	}
	if out.Size < 1 || out.Size > log.head.Size {
		return misused("--size: the log has %d entries", log.head.Size)
	}
	hashes := auditlog.HashReader(ctx, log.Reader)
	if out.Root, err = auditlog.Root(out.Size, hashes); err != nil {
		return err
	}
	if c.Entry != nil {
		err = out.inclusion(ctx, log, hashes)
	} else {
		err = out.consistency(log, hashes)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return p.json(out)
	}
	return p.proof(out)
}

func (o *proof) inclusion(ctx context.Context, log openedLog, hashes tlog.HashReader) (err error) {
	if *o.Entry < 0 || *o.Entry >= o.Size {
		return misused("--entry: the tree has the entries 0 to %d", o.Size-1)
	}
	if o.Leaf, err = log.Leaf(ctx, *o.Entry); err != nil {
		return err
	}
	if o.Hashes, err = auditlog.ProveInclusion(o.Size, *o.Entry, hashes); err != nil {
		return err
	}
	head := auditlog.Checkpoint{Origin: log.head.Origin, Size: o.Size, Root: o.Root}
	if err := auditlog.CheckInclusion(o.Hashes, head, *o.Entry, o.Leaf); err != nil {
		return no(fmt.Sprintf("habeas: entry %d is not what the tree says: %v", *o.Entry, err))
	}
	return o.underHead(log)
}

func (o *proof) consistency(log openedLog, hashes tlog.HashReader) (err error) {
	if *o.From < 1 || *o.From > o.Size {
		return misused("--from: it must lie between 1 and %d", o.Size)
	}
	older, err := auditlog.Root(*o.From, hashes)
	if err != nil {
		return err
	}
	o.Kind, o.Older = "consistency", &older
	if o.Hashes, err = auditlog.ProveConsistency(o.Size, *o.From, hashes); err != nil {
		return err
	}
	newer := auditlog.Checkpoint{Origin: log.head.Origin, Size: o.Size, Root: o.Root}
	if err := auditlog.CheckConsistency(o.Hashes, newer, auditlog.Checkpoint{Origin: log.head.Origin, Size: *o.From, Root: older}); err != nil {
		return no(fmt.Sprintf("habeas: the log of %d entries does not begin with that of %d: %v", o.Size, *o.From, err))
	}
	return o.underHead(log)
}

// underHead holds the proven tree against the signed head where it is that tree.
func (o *proof) underHead(log openedLog) error {
	if o.Hashes == nil {
		o.Hashes = []tlog.Hash{}
	}
	if o.Size == log.head.Size && o.Root != log.head.Root {
		return no("habeas: the log is not what its signed tree head says; see `habeas audit verify`")
	}
	return nil
}

func (p *program) proof(o proof) error {
	if o.Kind == "inclusion" {
		e, err := auditlog.Decode(o.Leaf)
		if err != nil {
			return no(fmt.Sprintf("habeas: entry %d can't be read", *o.Entry))
		}
		_, _ = fmt.Fprintf(p.stdout, "entry %d is in the log of %d entries: %s %s %s %s\n", *o.Entry, o.Size, rfc3339(e.At), e.Action, e.Object.ID, e.Outcome)
	} else {
		_, _ = fmt.Fprintf(p.stdout, "the log of %d entries begins with that of %d\nroot of %d: %s\n", o.Size, *o.From, *o.From, *o.Older)
	}
	_, _ = fmt.Fprintf(p.stdout, "root of %d: %s\n", o.Size, o.Root)
	for _, h := range o.Hashes {
		_, _ = fmt.Fprintf(p.stdout, "hash %s\n", h)
	}
	_, err := fmt.Fprintf(p.stdout, "\n%s", o.Head)
	return err
}

// readExport reads an export that verifies, into memory.
func readExport(name string) (openedLog, error) {
	f, err := os.Open(name) //nolint:gosec // named by who runs the command
	if err != nil {
		return openedLog{}, err
	}
	defer f.Close()
	report, err := auditlog.VerifyExport(f, "", nil)
	if err != nil {
		return openedLog{}, fmt.Errorf("reading %s: %w", name, err)
	}
	if !report.OK() {
		return openedLog{}, no(fmt.Sprintf("%s: the log is not whole: %s", name, report.Problem))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return openedLog{}, err
	}
	var log openedLog
	held := &heldLog{}
	in := bufio.NewReader(f)
	dec := json.NewDecoder(in)
	var first struct{ VKey, Checkpoint string }
	if err := dec.Decode(&first); err != nil {
		return openedLog{}, fmt.Errorf("reading %s: %w", name, err)
	}
	for dec.More() {
		var line struct{ Leaf string }
		if err := dec.Decode(&line); err != nil {
			return openedLog{}, fmt.Errorf("reading %s: %w", name, err)
		}
		held.leaves = append(held.leaves, []byte(line.Leaf))
	}
	if held.hashes, _, err = auditlog.AppendAll(0, auditlog.HashReader(context.Background(), held), held.leaves); err != nil {
		return openedLog{}, err
	}
	log.Reader, log.vkey, log.signed = held, first.VKey, []byte(first.Checkpoint)
	log.head, err = auditlog.OpenCheckpoint(log.signed, log.vkey)
	return log, err
}

// heldLog is a log in memory.
type heldLog struct {
	leaves [][]byte
	hashes []tlog.Hash
}

func (l *heldLog) Size(context.Context) (int64, error) { return int64(len(l.leaves)), nil }

func (l *heldLog) Leaf(_ context.Context, i int64) ([]byte, error) { return l.leaves[i], nil }

func (l *heldLog) Hashes(_ context.Context, idx []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(idx))
	for i, n := range idx {
		if n < 0 || n >= int64(len(l.hashes)) {
			return nil, errors.New("there is no such hash in the export")
		}
		out[i] = l.hashes[n]
	}
	return out, nil
}
