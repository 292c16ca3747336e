package oversee

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/auditlog"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
)

// Entries gives a page of the tenant's log, oldest first.
func (s *Service) Entries(ctx context.Context, p access.Principal, f store.AuditFilter) (items []store.AuditRecord, next string, err error) {
	err = s.read(ctx, p, access.AuditRead, func(tx *store.Tx) (err error) {
		items, next, err = tx.AuditEntries(f)
		return err
	})
	return items, next, err
}

// Head gives the newest signed checkpoint and the key that verifies it.
func (s *Service) Head(ctx context.Context, p access.Principal) (signed []byte, vkey string, err error) {
	err = s.read(ctx, p, access.AuditRead, func(tx *store.Tx) (err error) {
		if signed, err = tx.LatestCheckpoint(); err != nil {
			return err
		}
		vkey, err = tx.AuditKeys()
		return err
	})
	return signed, vkey, err
}

// Inclusion proves entry n in the log of size leaves.
func (s *Service) Inclusion(ctx context.Context, p access.Principal, n, size int64) (leaf []byte, hashes []tlog.Hash, err error) {
	r, have, err := s.log(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if size < 1 || size > have || n < 0 || n >= size {
		return nil, nil, outside(have)
	}
	if leaf, err = r.Leaf(ctx, n); err != nil {
		return nil, nil, fmt.Errorf("reading an entry: %w", err)
	}
	hashes, err = auditlog.ProveInclusion(size, n, auditlog.HashReader(ctx, r))
	return leaf, hashes, err
}

// Consistency proves that the log of size leaves begins with that of from leaves.
func (s *Service) Consistency(ctx context.Context, p access.Principal, from, size int64) ([]tlog.Hash, error) {
	r, have, err := s.log(ctx, p)
	if err != nil {
		return nil, err
	}
	if from < 1 || from > size || size > have {
		return nil, outside(have)
	}
	return auditlog.ProveConsistency(size, from, auditlog.HashReader(ctx, r))
}

func (s *Service) log(ctx context.Context, p access.Principal) (auditlog.Reader, int64, error) {
	if err := s.may(ctx, p, access.AuditRead); err != nil {
		return nil, 0, err
	}
	r, err := s.store.AuditReader(ctx, dsr.TenantID(p.Tenant))
	if err != nil {
		return nil, 0, err
	}
	have, err := r.Size(ctx)
	return r, have, err
}

func outside(have int64) error {
	return fault.New(fault.NotFound, "no_entry", "The log has %d numbered entries; this lies outside.", have)
}

// Check verifies the whole stored log against its newest checkpoint.
func (s *Service) Check(ctx context.Context, p access.Principal) (auditlog.Report, error) {
	signed, vkey, err := s.Head(ctx, p)
	if err != nil {
		return auditlog.Report{}, err
	}
	r, err := s.store.AuditReader(ctx, dsr.TenantID(p.Tenant))
	if err != nil {
		return auditlog.Report{}, err
	}
	return auditlog.VerifyStored(ctx, r, signed, vkey)
}

// Number gives numbers to the leaves that wait for one. One process at a time does it.
func (s *Service) Number(ctx context.Context, id dsr.TenantID) error {
	release, ok, err := s.store.LeaderTry(ctx, "audit:"+string(id))
	if err != nil || !ok {
		return err
	}
	defer release()
	_, err = s.store.Sequence(ctx, id)
	return err
}
