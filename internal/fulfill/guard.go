package fulfill

import (
	"context"
	"fmt"
	"slices"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/mail"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
)

// maxChecked bounds how many identifiers one call of the guard may ask for.
const maxChecked = 1000

func noPackage() error {
	return fault.New(fault.NotFound, "no_package", "This request has no package.")
}

// Suppressed tells for each identifier which lists it is on. list "" asks for all lists. An identifier is an e-mail
// address, or `name:value` for one of another kind (`user_id:42`).
func (s *Service) Suppressed(ctx context.Context, p access.Principal, list string, identifiers []string) ([]Suppressed, error) {
	if err := p.Check(access.SuppressionCheck); err != nil {
		return nil, s.refused(ctx, p, "", access.SuppressionCheck, err)
	}
	if len(identifiers) == 0 || len(identifiers) > maxChecked {
		return nil, badField("identifiers", "between 1 and %d", maxChecked)
	}
	lists, err := listsFor(list)
	if err != nil {
		return nil, err
	}
	out := make([]Suppressed, len(identifiers))
	err = s.store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		hashes := make([]string, len(identifiers))
		for i, id := range identifiers {
			out[i].Identifier = id
			hashes[i] = checkHash(tx, id)
		}
		found, err := tx.CheckSuppressions("", hashes)
		if err != nil {
			return err
		}
		for i, h := range hashes {
			out[i].Lists = on(found[h], lists)
			out[i].Suppressed = len(out[i].Lists) > 0
		}
		return nil
	})
	return out, err
}

// listsFor gives the lists that a question means: `marketing` is touched by every way of saying stop to it.
func listsFor(list string) ([]string, error) {
	known := []string{}
	for _, r := range dsr.Rights() {
		if r.Work() == dsr.WorkSuppress {
			known = append(known, string(r))
		}
	}
	switch {
	case list == "":
		return append(known, "marketing"), nil
	case list == "marketing":
		return []string{"marketing", string(dsr.RightObjection), string(dsr.RightWithdrawConsent), string(dsr.RightOptOut)}, nil
	case slices.Contains(known, list):
		return []string{list}, nil
	}
	return nil, badField("list", "this is none of marketing, %s", fmt.Sprint(known))
}

func on(found []store.Suppression, lists []string) []SuppressedOn {
	out := []SuppressedOn{}
	for _, f := range found {
		if f.LiftedAt.IsZero() && slices.Contains(lists, f.List) && !slices.ContainsFunc(out, func(o SuppressedOn) bool { return o.List == f.List }) {
			out = append(out, SuppressedOn{List: f.List, Since: f.Since})
		}
	}
	return out
}

func checkHash(tx *store.Tx, id string) string {
	if a, err := mail.ParseAddress(id); err == nil {
		return identifierHash(tx, "email", a.String())
	}
	for i := range id {
		if id[i] == ':' {
			return identifierHash(tx, id[:i], id[i+1:])
		}
	}
	return identifierHash(tx, "user_id", id)
}

// Obligations gives a page of dated obligations.
func (s *Service) Obligations(ctx context.Context, p access.Principal, state string, before statute.Date, cursor string, limit int) ([]Obligation, string, error) {
	if err := p.Check(access.ObligationList); err != nil {
		return nil, "", s.refused(ctx, p, "", access.ObligationList, err)
	}
	if state != "" && !slices.Contains([]string{store.ObligationOpen, store.ObligationDone, store.ObligationFailed}, state) {
		return nil, "", badField("state", "this is none of open, done, failed")
	}
	var (
		out  []Obligation
		next string
	)
	err := s.store.Read(ctx, dsr.TenantID(p.Tenant), func(tx *store.Tx) error {
		items, n, err := tx.ListObligations(store.ObligationFilter{State: state, Before: before, Cursor: cursor, Limit: limit})
		next = n
		for _, o := range items {
			out = append(out, Obligation{ID: o.ID, Request: o.Request, System: o.System, Table: o.Table, Kind: o.Kind, Rows: o.Rows,
				DueOn: o.DueOn, Ground: o.Ground, State: o.State, DoneAt: o.DoneAt})
		}
		return err
	})
	return out, next, err
}

// Certificate gives the evidence of what was done: counts, dates, digests, nothing of the person.
func (s *Service) Certificate(ctx context.Context, p access.Principal, id dsr.RequestID) (Certificate, error) {
	var c Certificate
	var erased *run
	err := s.reading(ctx, p, id, access.CertificateRead, func(tx *store.Tx, r *run) error {
		if r.req.Status != dsr.StatusFulfilled && r.req.Status != dsr.StatusDenied {
			return fault.New(fault.Conflict, "not_done", "There is a certificate once the request is fulfilled or denied; this one is %s.", r.req.Status)
		}
		c = Certificate{Reference: r.req.Reference, Request: id, Type: r.req.Right, Status: r.req.Status, PolicyVersion: r.sub.PolicyVersion,
			PlanDigest: r.req.PlanDigest, ReceivedAt: r.req.ReceivedAt, AnsweredAt: r.req.AnsweredAt, Steps: []CertStep{}, Remains: []CertRemains{}, Backups: []CertBackups{},
			Notes: []string{"Backups, replicas and logs of the systems named here are outside what was looked at: they end with their own expiry."}}
		steps, err := tx.Steps(id)
		if err != nil {
			return err
		}
		for _, st := range steps {
			c.Steps = append(c.Steps, CertStep{st.System, st.Table, st.Action, st.Expected, st.Affected, st.Gone})
		}
		if r.req.Right.Work() == dsr.WorkErase && r.req.Status == dsr.StatusFulfilled {
			erased = r
			c.Backups = backups(r, steps)
		}
		return s.remains(tx, r, &c)
	})
	if err == nil && erased != nil { // outside of the transaction: it asks the product's servers
		c.Notes = append(c.Notes, s.traces(ctx, erased)...)
	}
	return c, err
}

func (s *Service) remains(tx *store.Tx, r *run, c *Certificate) error {
	c.Check = "not_needed"
	if r.req.PlanDigest == "" {
		return nil
	}
	p, err := tx.Plan(r.req.ID, r.req.PlanDigest)
	if err != nil {
		return err
	}
	for _, w := range p.Withheld {
		c.Remains = append(c.Remains, CertRemains{w.System, w.Table, w.Rows, w.Ground, w.Until})
	}
	if r.req.Right.Work() == dsr.WorkErase && r.req.Status == dsr.StatusFulfilled {
		findings, err := tx.Findings(r.req.ID)
		if err != nil {
			return err
		}
		c.Check = "passed"
		for _, f := range findings {
			if f.Kind != findingFewShare {
				c.Check = "disagreed"
				continue
			}
			c.Notes = append(c.Notes, fmt.Sprintf("%s.%s: what stays of %d anonymized rows (%s) is shared by fewer people than the data map asks for; an officer let it be.", f.System, f.Table, f.Rows, f.Column))
		}
	}
	given, err := tx.Approvals(r.req.ID, p.Digest)
	c.Approvals = approvals(given)
	return err
}
