package fulfill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/export"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/seal"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// memoryKeep is how long the memory of a package is kept: who asks once a year is told what changed.
func memoryKeep() statute.Period { return statute.Period{Months: 13} }

// memory is what a run keeps of a package for the next one, and what it has of the last.
type memory struct {
	marks *export.MemoryWriter
	last  store.Memory // zero: there is none
	kept  store.Memory
}

func (m *memory) discard() { m.marks.Discard() }

// identities gives the keyed hashes under which a person's memory is found: of the proven identifiers, and of the
// address that the product has on file for them, so that an erasure proven in another way finds it too.
func identities(tx *store.Tx, r *run) []string {
	var out []string
	for name, values := range r.scope().Identifiers {
		for _, v := range values {
			out = append(out, identifierHash(tx, name, v))
		}
	}
	if len(out) > 0 && r.sub.Person.Stored != "" {
		out = append(out, identifierHash(tx, "email", r.sub.Person.Stored))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *Service) beginMemory(ctx context.Context, r *run) (*memory, error) {
	m := &memory{}
	err := s.store.Read(ctx, r.req.Tenant, func(tx *store.Tx) (err error) {
		m.last, err = tx.MemoryOf(identities(tx, r), r.req.Right)
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for the last package: %w", err)
	}
	return m, s.freshMarks(ctx, r, m)
}

func (s *Service) freshMarks(ctx context.Context, r *run, m *memory) error {
	hash, err := s.keyed(ctx, r.req.Tenant, "memory")
	if err != nil {
		return err
	}
	m.marks = export.NewMemoryWriter(hash)
	return nil
}

// writeSince writes the package. What changed since the last one must never stand in the way of it: where the last
// memory can't be read, the package is written without.
func (s *Service) writeSince(ctx context.Context, r *run, p *plan.Plan, pkg *store.Package, m *memory) (export.Manifest, error) {
	manifest, err := s.write(ctx, r, p, pkg, m)
	if !errors.Is(err, export.ErrLastMemory) {
		return manifest, err
	}
	s.log.WarnContext(ctx, "what changed since the last package can't be told", "tenant", r.req.Tenant, "request", r.req.ID, "error", err)
	m.discard()
	m.last, pkg.Key = store.Memory{}, seal.NewKey()
	if err := s.freshMarks(ctx, r, m); err != nil {
		return export.Manifest{}, err
	}
	return s.write(ctx, r, p, pkg, m)
}

// lastPackage tells the writer of the last package; nil where there is none.
func (s *Service) lastPackage(ctx context.Context, m *memory) *export.LastPackage {
	if m.last.ID == "" {
		return nil
	}
	return &export.LastPackage{MadeAt: m.last.MadeAt, Open: func() (io.ReadCloser, error) {
		plain, closer, err := s.openSealed(ctx, m.last.BlobKey, m.last.Key)
		return readCloser{plain, closer}, err
	}}
}

// sealMemory puts the memory of a finished package beside it.
func (s *Service) sealMemory(ctx context.Context, pkg *store.Package, m *memory) error {
	m.kept = store.Memory{BlobKey: pkg.BlobKey + ".memory", Key: seal.NewKey(), MadeAt: pkg.MadeAt}
	err := s.putSealed(ctx, m.kept.Key, m.kept.BlobKey, func(w io.Writer) error {
		_, err := m.marks.WriteTo(w)
		return err
	})
	if err != nil {
		return fmt.Errorf("keeping the memory of the package: %w", err)
	}
	return nil
}

// keepMemory records it, in place of the one before.
func keepMemory(tx *store.Tx, req *dsr.Request, r *run, m *memory) error {
	m.kept.Identifiers, m.kept.Right = identities(tx, r), req.Right
	m.kept.ExpiresAt = memoryKeep().AddTo(tx.Now)
	_, err := tx.PutMemory(m.kept)
	return err
}

// Forget deletes a memory whose time is up: the bytes first, so that a try that is cut off is made again.
func (s *Service) Forget(ctx context.Context, id dsr.TenantID, memoryID string) error {
	var m store.Memory
	due := false
	err := s.store.Read(ctx, id, func(tx *store.Tx) (err error) {
		m, err = tx.Memory(memoryID)
		due = !tx.Now.Before(m.ExpiresAt)
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil || !due {
		return err
	}
	if err := s.blobs.Delete(ctx, m.BlobKey); err != nil {
		return fmt.Errorf("deleting the memory of a package: %w", err)
	}
	return s.store.InTx(ctx, id, func(tx *store.Tx) error { return tx.DropMemory(memoryID) })
}
