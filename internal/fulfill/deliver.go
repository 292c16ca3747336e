package fulfill

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/export"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/store"
)

// buildPackage collects a person's rows straight into a sealed file, has a reader that did not write it hold it against
// the approved plan, and records it. A run that was cut off leaves a file that nothing points at; the next run writes
// its own.
func (s *Service) buildPackage(ctx context.Context, r *run) error {
	p, err := s.confirm(ctx, r)
	if err != nil || p == nil {
		return err
	}
	if p.NothingHeld {
		return s.enter(ctx, r, dsr.StageTell)
	}
	mem, err := s.beginMemory(ctx, r)
	if err != nil {
		return err
	}
	pkg := store.Package{Submission: r.sub.ID, Request: r.req.ID, BlobKey: blobKey(r.req.Tenant, r.req.ID, r.req.Epoch), Key: seal.NewKey(), MadeAt: p.MadeAt}
	defer mem.discard()
	manifest, err := s.writeSince(ctx, r, p, &pkg, mem)
	if err != nil {
		return err
	}
	if err := s.reread(ctx, r, p, &pkg, mem.last.MadeAt); err != nil {
		_ = s.blobs.Delete(ctx, pkg.BlobKey) // a package that failed its check must not lie about; the error below matters more
		return err
	}
	if pkg.Manifest, err = json.Marshal(manifest); err != nil {
		return fmt.Errorf("keeping the manifest: %w", err)
	}
	for _, f := range manifest.Files {
		pkg.Rows += int64(f.Rows)
	}
	if err := s.sealMemory(ctx, &pkg, mem); err != nil {
		return err
	}
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		pkg.ExpiresAt = r.set.Policy.Package.Keep.AddTo(tx.Now)
		pkg.ReleasedAt = tx.Now
		if _, err := tx.PutPackage(pkg); err != nil {
			return err
		}
		if err := keepMemory(tx, req, r, mem); err != nil {
			return err
		}
		return stage(tx, req, dsr.StageTell)
	})
}

// counter hashes and counts the plain ZIP as it passes.
type counter struct {
	hash hash.Hash
	size int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.size += int64(len(b))
	return c.hash.Write(b)
}

// write streams: database → ZIP → sealing → blob store. No row set is held in memory, and nothing plain touches a disk.
func (s *Service) write(ctx context.Context, r *run, p *plan.Plan, pkg *store.Package, mem *memory) (export.Manifest, error) {
	open, _, err := s.openSystems(ctx, r)
	if err != nil {
		return export.Manifest{}, err
	}
	meta := s.exportMeta(r, p)
	if meta.KeyHash, err = s.keyHash(ctx, r.req.Tenant); err != nil {
		return export.Manifest{}, err
	}
	meta.Memory, meta.Last = mem.marks, s.lastPackage(ctx, mem)
	count := &counter{hash: sha256.New()}
	var manifest export.Manifest
	err = s.putSealed(ctx, pkg.Key, pkg.BlobKey, func(sealed io.Writer) (err error) {
		w := export.NewWriter(io.MultiWriter(sealed, count), meta)
		defer w.Discard()
		for _, o := range open {
			collector, ok := o.system.(connector.Collector)
			if !ok {
				return fmt.Errorf("the system %s can't collect", o.entry.Name)
			}
			scope, err := s.scopeIn(ctx, r, o)
			if err != nil {
				return err
			}
			if err := collector.Collect(ctx, scope, w.System(o.entry.Name)); err != nil {
				return fmt.Errorf("collecting from %s: %w", o.entry.Name, err)
			}
		}
		manifest, err = w.Close()
		if err != nil {
			return fmt.Errorf("closing the package: %w", err)
		}
		return nil
	})
	pkg.Size, pkg.SHA256 = count.size, hex.EncodeToString(count.hash.Sum(nil))
	return manifest, err
}

// putSealed seals what fill writes straight into the blob store.
func (s *Service) putSealed(ctx context.Context, key seal.Key, blobKey string, fill func(io.Writer) error) error {
	pr, pw := io.Pipe()
	stored := make(chan error, 1)
	go func() {
		_, err := s.blobs.Put(ctx, blobKey, pr)
		_ = pr.CloseWithError(err) // a writer blocked on a failed store must not wait for ever
		stored <- err
	}()
	err := func() error {
		sealed, err := key.Writer(pw, []byte(blobKey))
		if err != nil {
			return fmt.Errorf("sealing: %w", err)
		}
		if err := fill(sealed); err != nil {
			return err
		}
		return sealed.Close()
	}()
	_ = pw.CloseWithError(err) // nil ends the stream; an error spoils the file on purpose
	if perr := <-stored; err == nil && perr != nil {
		err = fmt.Errorf("storing a file: %w", perr)
	}
	return err
}

// reread opens the stored file again and holds it against the plan: hashes, counts, and whose rows they are.
func (s *Service) reread(ctx context.Context, r *run, p *plan.Plan, pkg *store.Package, since time.Time) error {
	plain, closer, err := s.openSealed(ctx, pkg.BlobKey, pkg.Key)
	if err != nil {
		return err
	}
	defer closer.Close()
	keyed, err := s.keyHash(ctx, r.req.Tenant)
	if err != nil {
		return err
	}
	expect := export.Expect{Request: string(r.req.ID), Reference: string(r.req.Reference), KeyHash: keyed, Since: since}
	for _, st := range p.Steps {
		if st.Action == plan.ActionCollect {
			expect.Collections = append(expect.Collections, export.ExpectCollection{System: st.System, Table: st.Table, Rows: st.Rows, Keys: st.Keys})
		}
	}
	if _, err := export.Verify(plain, expect); err != nil {
		return &lasting{dsr.AttentionPackageCheck, fmt.Errorf("checking the finished package: %w", err)}
	}
	return nil
}

func (s *Service) openSealed(ctx context.Context, blobKey string, key seal.Key) (io.Reader, io.Closer, error) {
	sealed, _, err := s.blobs.Get(ctx, blobKey)
	if err != nil {
		return nil, nil, fmt.Errorf("opening a stored file: %w", err)
	}
	plain, err := key.Reader(sealed, []byte(blobKey))
	if err != nil {
		_ = sealed.Close()
		return nil, nil, fmt.Errorf("unsealing a stored file: %w", err)
	}
	return plain, sealed, nil
}

func (s *Service) exportMeta(r *run, p *plan.Plan) export.Meta {
	m := export.Meta{
		Request: string(r.req.ID), Reference: string(r.req.Reference), Right: r.req.Right, Tenant: string(r.req.Tenant),
		Controller: r.set.Policy.Controller.Name, Contact: r.set.Policy.Controller.Contact, Language: r.sub.Language,
		Jurisdiction: r.sub.Jurisdiction, PolicyVersion: r.sub.PolicyVersion, MadeAt: p.MadeAt, Withheld: p.Withheld,
		Words: notify.Words(r.sub.Language), Policy: r.set.Policy, Map: r.set.Map,
	}
	return m
}

// suppress records what the guard answers from now on: for every identifier of the person, proven or, for rights that
// need no proof, as it was said.
func (s *Service) suppress(ctx context.Context, r *run) error {
	return s.fenced(ctx, r, func(tx *store.Tx, req *dsr.Request) error {
		identifiers := r.scope().Identifiers
		if len(identifiers) == 0 && !r.needsProof() {
			identifiers = asSaid(r.sub)
		}
		if len(identifiers) == 0 {
			return attention(tx, req, dsr.AttentionStepFailed) // nothing would be suppressed: never claim it was
		}
		list := listOf(*req)
		for name, values := range identifiers {
			for _, v := range values {
				_, err := tx.AddSuppression(store.Suppression{List: list, IdentifierHash: identifierHash(tx, name, v), Request: req.ID},
					store.Act{By: job(), Action: "suppression.add", Facts: map[string]string{"list": list}})
				if err != nil {
					return err
				}
			}
		}
		return stage(tx, req, dsr.StageTell)
	})
}

// asSaid gives the identifiers of a submission as they were written, proven or not.
func asSaid(sub dsr.Submission) map[string][]string {
	out := map[string][]string{}
	for name, v := range sub.Person.Identifiers {
		out[name] = []string{v}
	}
	if sub.Person.Email != "" {
		out["email"] = []string{sub.Person.Email}
	}
	return out
}

// answer closes a request that an officer answers by letter: the words are in Decision, or follow from the policy.
func (s *Service) answer(ctx context.Context, r *run) error {
	return s.enter(ctx, r, dsr.StageTell)
}

// Download redeems a code and opens the package.
func (s *Service) openPackage(ctx context.Context, pkg store.Package, ref dsr.Reference) (Download, error) {
	plain, closer, err := s.openSealed(ctx, pkg.BlobKey, pkg.Key)
	if err != nil {
		return Download{}, err
	}
	return Download{Name: string(ref) + ".zip", Size: pkg.Size, Stream: readCloser{plain, closer}}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// destroyPackage ends a package: the key first, so that the file means nothing even if deleting it fails.
func (s *Service) destroyPackage(ctx context.Context, id dsr.TenantID, pkg store.Package) error {
	err := s.store.InTx(ctx, id, func(tx *store.Tx) error {
		return tx.DestroyPackage(pkg.ID, store.Act{By: job(), Action: "package.destroy"})
	})
	if err != nil {
		return fmt.Errorf("destroying a package's key: %w", err)
	}
	return s.blobs.Delete(ctx, pkg.BlobKey)
}

// Expire destroys a package whose time is up.
func (s *Service) Expire(ctx context.Context, id dsr.TenantID, packageID string) error {
	var (
		pkg store.Package
		now time.Time
	)
	err := s.store.Read(ctx, id, func(tx *store.Tx) (err error) {
		pkg, err = tx.Package(packageID)
		now = tx.Now
		return err
	})
	if err != nil || !pkg.DestroyedAt.IsZero() || now.Before(pkg.ExpiresAt) {
		return err
	}
	return s.destroyPackage(ctx, id, pkg)
}

// listOf names the suppression list of a request: its right, and for an objection to marketing `marketing`.
func listOf(r dsr.Request) string {
	if r.Right == dsr.RightObjection && len(r.Changes) == 1 && r.Changes[0].Field == "purpose" {
		return r.Changes[0].To
	}
	return string(r.Right)
}

// identifierHash is how an identifier stands in the suppression list: keyed, by kind.
func identifierHash(tx *store.Tx, name, value string) string {
	if name == "email" {
		if a, err := mail.ParseAddress(value); err == nil {
			value = a.String() // one form of an international domain, whoever asks
		}
		return tx.EmailHash(value)
	}
	return tx.Hash("identifier", name+"\x00"+value)
}
