package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/habeas-data/habeas/internal/app"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Was the log changed? Also offline, from an export."`
	Prove  auditProveCmd  `cmd:"" help:"Prove that an entry is in the log, or that the log only grew."`
	Export auditExportCmd `cmd:"" help:"Write the log out, with all that is needed to verify it elsewhere."`
}

// Help shows an example.
func (auditCmd) Help() string {
	return example("habeas audit export --tenant acme --file acme-audit.ndjson", "habeas audit verify --file acme-audit.ndjson",
		"habeas audit prove --tenant acme --entry 17")
}

type auditVerifyCmd struct {
	settings `embed:""`
	Tenant   string   `help:"The tenant (default: the only one)."`
	File     string   `type:"existingfile" help:"An export to verify offline, instead of the stored log." placeholder:"FILE"`
	Key      string   `help:"The public key that you trust (habeas/acme+…), kept from before. Without it a file is held against the key in itself." placeholder:"VKEY"`
	Anchor   []string `sep:"none" type:"existingfile" help:"A signed tree head that you kept; repeatable. It shows a log that was rolled back or written anew." placeholder:"FILE"`
	JSON     bool     `help:"Print one JSON object."`
}

// Help shows an example.
func (auditVerifyCmd) Help() string {
	return "Prints how many entries were read, the root over them and, if something is wrong, the first bad entry.\n\n" +
		example("habeas audit verify --tenant acme", "habeas audit verify --file acme-audit.ndjson --key habeas/acme+1a2b3c4d+AS…")
}

// verification is the answer of `audit verify`.
type verification struct {
	OK bool `json:"ok"`
	auditlog.Report
	Key  string `json:"key,omitempty"`  // that the stored head was verified with
	Head string `json:"head,omitempty"` // the signed tree head, to be kept elsewhere
}

// Run verifies.
func (c *auditVerifyCmd) Run(ctx context.Context, p *program) error {
	var v verification
	var err error
	if c.File != "" {
		if c.Tenant != "" {
			return misused("give either --file or --tenant")
		}
		v, err = c.offline()
	} else {
		v, err = c.stored(ctx, p)
	}
	if err != nil {
		return err
	}
	v.OK = v.Report.OK()
	if c.JSON {
		if err := p.json(v); err != nil {
			return err
		}
	} else {
		_, _ = fmt.Fprintf(p.stdout, "tenant %s\nsize %d\nroot %s\n", v.Tenant, v.Size, v.Root)
	}
	switch {
	case !v.OK && v.FirstBad >= 0:
		return no(fmt.Sprintf("habeas: the log is not whole: the first bad entry is %d: %s", v.FirstBad, v.Problem))
	case !v.OK:
		return no("habeas: the log is not whole: " + v.Problem)
	case !c.JSON && c.File != "" && c.Key == "" && len(c.Anchor) == 0:
		_, _ = fmt.Fprintln(p.stderr, "habeas: the file agrees with itself; with --key or --anchor it is held against what you kept")
	}
	return nil
}

func (c *auditVerifyCmd) offline() (verification, error) {
	f, err := os.Open(c.File)
	if err != nil {
		return verification{}, err
	}
	defer f.Close()
	anchors, err := c.anchors(c.Key)
	if err != nil {
		return verification{}, err
	}
	r, err := auditlog.VerifyExport(f, c.Key, anchors)
	if err != nil {
		return verification{}, fmt.Errorf("reading %s: %w", c.File, err)
	}
	return verification{Report: r, Key: c.Key}, nil
}

func (c *auditVerifyCmd) stored(ctx context.Context, p *program) (_ verification, err error) {
	a, err := p.open(ctx, c.settings, true)
	if err != nil {
		return verification{}, err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	log, err := openLog(ctx, a, c.Tenant)
	if err != nil {
		return verification{}, err
	}
	key := log.vkey
	if c.Key != "" {
		key = c.Key
	}
	anchors, err := c.anchors(key)
	if err != nil {
		return verification{}, err
	}
	r, err := auditlog.VerifyStored(ctx, log.Reader, log.signed, key, anchors...)
	return verification{Report: r, Key: key, Head: string(log.signed)}, err
}

// anchors reads the tree heads that were kept. They must be signed, so a key is needed to believe them.
func (c *auditVerifyCmd) anchors(key string) ([]auditlog.Checkpoint, error) {
	var out []auditlog.Checkpoint
	for _, name := range c.Anchor {
		if key == "" {
			return nil, misused("--anchor: give the --key that signed it")
		}
		signed, err := os.ReadFile(name) //nolint:gosec // named by who runs the command
		if err != nil {
			return nil, err
		}
		head, err := auditlog.OpenCheckpoint(signed, key)
		if err != nil {
			return nil, no(fmt.Sprintf("%s: this is no tree head signed with that key", name))
		}
		out = append(out, head)
	}
	return out, nil
}

// openedLog is a log to prove things from.
type openedLog struct {
	auditlog.Reader
	signed []byte // its newest tree head
	vkey   string
	head   auditlog.Checkpoint
}

// openLog opens the stored log of a tenant at its newest signed head.
func openLog(ctx context.Context, a *app.App, named string) (openedLog, error) {
	id, err := tenantOf(ctx, a, named)
	if err != nil {
		return openedLog{}, err
	}
	var log openedLog
	err = a.Store.Read(ctx, id, func(tx *store.Tx) (err error) {
		if log.vkey, err = tx.AuditKeys(); err != nil {
			return err
		}
		log.signed, err = tx.LatestCheckpoint()
		if fault.Is(err, fault.NotFound) {
			return no(fmt.Sprintf("habeas: the log of %s has no numbered entries yet; they get numbers while `habeas serve` or `habeas worker` runs", id))
		}
		return err
	})
	if err != nil {
		return openedLog{}, err
	}
	if log.Reader, err = a.Store.AuditReader(ctx, id); err != nil {
		return openedLog{}, err
	}
	log.head, err = auditlog.OpenCheckpoint(log.signed, log.vkey)
	if err != nil {
		return openedLog{}, no(fmt.Sprintf("habeas: the stored tree head of %s is not signed by its key", id))
	}
	return log, nil
}

type auditExportCmd struct {
	settings `embed:""`
	Tenant   string `help:"The tenant (default: the only one)."`
	File     string `help:"Where to (default: stdout)." placeholder:"FILE"`
}

// Help shows an example.
func (auditExportCmd) Help() string {
	return "One line of JSON an entry, under a line with the signed tree head and the public key. It holds no personal data.\n\n" +
		example("habeas audit export --tenant acme --file acme-audit.ndjson")
}

// Run writes the log.
func (c *auditExportCmd) Run(ctx context.Context, p *program) (err error) {
	a, err := p.open(ctx, c.settings, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close()) }()
	log, err := openLog(ctx, a, c.Tenant)
	if err != nil {
		return err
	}
	if c.File == "" {
		return auditlog.WriteExport(ctx, p.stdout, log.Reader, log.signed, log.vkey)
	}
	err = writeWhole(c.File, func(w io.Writer) error {
		return auditlog.WriteExport(ctx, w, log.Reader, log.signed, log.vkey)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s: %d entries, root %s\n", c.File, log.head.Size, log.head.Root)
	return err
}

// writeWhole writes a file that appears only when it is complete.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".habeas-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
