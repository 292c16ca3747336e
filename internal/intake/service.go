package intake

import (
	"context"
	"slices"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
	"github.com/habeas-data/habeas/internal/webhook"
)

// Service is the use case "accept a request".
type Service struct {
	store   *store.Store
	tenants *tenant.Registry
	book    *statute.Book
	events  *webhook.Events

	callBack Withdrawer
	decoy    string // a secret that nobody has
}

// Deps are what the service works with.
type Deps struct {
	Store   *store.Store
	Tenants *tenant.Registry
	Book    *statute.Book
	Events  *webhook.Events
	// CallBack ends open erasures when an account is reopened.
	CallBack Withdrawer
}

// New makes the service.
func New(d Deps) *Service {
	return &Service{store: d.Store, tenants: d.Tenants, book: d.Book, events: d.Events, callBack: d.CallBack, decoy: webhook.NewSecret()}
}

// Form gives what the form of a tenant needs.
func (s *Service) Form(ctx context.Context, id dsr.TenantID) (Form, error) {
	var f Form
	err := s.store.Read(ctx, id, func(tx *store.Tx) error {
		set, err := s.tenants.Current(tx)
		if err != nil {
			return err
		}
		f = formOf(set)
		return nil
	})
	return f, err
}

func formOf(set *tenant.Settings) Form {
	p := set.Policy
	f := Form{
		Tenant: set.Tenant, Controller: p.Controller.Name, Contact: p.Controller.Contact, Languages: p.Controller.Languages,
		PolicyVersion: p.VersionText, Jurisdictions: p.Jurisdictions, MinimumAge: p.MinimumAge,
		Fields: []FormField{{"types", true, MaxTypes}, {"email", true, 254}, {"name", false, MaxName},
			{"identifiers", false, MaxIdentifiers}, {"jurisdiction", false, 16}, {"language", false, 16},
			{"message", false, MaxMessage}, {"changes", false, MaxChanges}, {"on_behalf_of", false, 1}},
	}
	for _, r := range dsr.Rights() {
		if _, ok := p.Rights[string(r)]; ok || len(p.Rights) == 0 {
			f.Rights = append(f.Rights, r)
		}
	}
	f.Identifiers = identifierNames(set)
	return f
}

// identifierNames lists the identifiers that the data map knows, beside `email`, sorted.
func identifierNames(set *tenant.Settings) []string {
	var out []string
	for _, sys := range set.Map.Systems {
		for _, sub := range sys.Subjects {
			for _, i := range sub.Identifiers {
				if i.Name != "email" && !slices.Contains(out, i.Name) {
					out = append(out, i.Name)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// Submit accepts a submission. p is access.Principal{Kind: public} for the form. It never asks whether the person is
// known: a stranger gets the same answer in the same time.
func (s *Service) Submit(ctx context.Context, p access.Principal, id dsr.TenantID, in Input) (Receipt, error) {
	if err := p.Check(access.RequestCreate); err != nil {
		return Receipt{}, s.refuse(ctx, p, id, err)
	}
	var out Receipt
	err := s.store.InTx(ctx, id, func(tx *store.Tx) error {
		set, err := s.tenants.Current(tx)
		if err != nil {
			return err
		}
		c := &checker{set: set, p: p, in: &in, now: tx.Now}
		if err := c.check(); err != nil {
			return err
		}
		out, err = s.put(tx, set, p, c)
		return err
	})
	return out, err
}

// refuse leaves a leaf for a refusal; the refusal stands even if there is no such tenant to log it under.
func (s *Service) refuse(ctx context.Context, p access.Principal, id dsr.TenantID, why error) error {
	err := s.store.InTx(ctx, id, func(tx *store.Tx) error {
		return tx.Audit(store.Act{By: tx.Actor(p), Action: string(access.RequestCreate), Outcome: "refused"}, object("tenant", string(id)))
	})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	return why
}

// put stores one checked submission with its requests, their clocks and the first event.
func (s *Service) put(tx *store.Tx, set *tenant.Settings, p access.Principal, c *checker) (Receipt, error) {
	sub := s.submission(tx, set, p, c)
	reqs := make([]*dsr.Request, len(c.rights))
	for i, right := range c.rights {
		reqs[i] = s.request(tx, set, sub, right, c)
	}
	act := store.Act{By: tx.Actor(p), Action: string(access.RequestCreate), Facts: map[string]string{"channel": string(sub.Channel)}}
	if err := tx.CreateSubmission(sub, reqs, act); err != nil {
		return Receipt{}, err
	}
	out := Receipt{Submission: sub.ID, Reference: sub.Reference}
	for _, r := range reqs {
		if err := s.events.Request(tx, "request.received", *r, nil); err != nil {
			return Receipt{}, err
		}
		out.Requests = append(out.Requests, *r)
	}
	return out, nil
}

func (s *Service) submission(tx *store.Tx, set *tenant.Settings, p access.Principal, c *checker) *dsr.Submission {
	in := c.in
	sub := &dsr.Submission{
		ID: dsr.SubmissionID(dsr.NewID()), Tenant: tx.Tenant, Reference: dsr.NewReference(), Channel: c.channel,
		Subject: c.subject, Jurisdiction: set.Policy.Jurisdiction(in.Jurisdiction), Language: c.language,
		ConfigVersion: set.Version, PolicyVersion: set.Policy.VersionText,
		Person: dsr.Person{Email: in.Email, Name: in.Name, Identifiers: in.Identifiers, Message: in.Message, OnBehalfOf: in.OnBehalfOf},
		Proofs: c.proofs, ReceivedAt: c.receivedAt, Org: c.org,
	}
	if len(c.proofs) > 0 {
		sub.VerifiedAt = tx.Now
	}
	if p.Kind != access.KindPublic {
		sub.CreatedBy = tx.Actor(p).Hash
	}
	return sub
}

func (s *Service) request(tx *store.Tx, set *tenant.Settings, sub *dsr.Submission, right dsr.Right, c *checker) *dsr.Request {
	r := &dsr.Request{
		ID: dsr.RequestID(dsr.NewID()), Tenant: tx.Tenant, Submission: sub.ID, Reference: sub.Reference, Right: right,
		Status: dsr.StatusReceived, ReceivedAt: sub.ReceivedAt, NextActionAt: tx.Now, GraceEndsAt: c.graceEndsAt,
	}
	if right == dsr.RightRectification {
		r.Changes = c.in.Changes
	}
	if right == dsr.RightObjection && c.in.Purpose != "" {
		r.Changes = []dsr.Change{{Field: "purpose", To: c.in.Purpose}}
	}
	clock, err := tenant.Clock(s.book, set.Policy, sub.Jurisdiction, right, sub.ReceivedAt, nil)
	if err == nil {
		r.AcknowledgeBy, r.DueOn, r.DueOnConservative = clock.AcknowledgeBy, clock.DueOn, clock.DueOnConservative
	}
	return r
}
