package fulfill

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/habeas-data/habeas/internal/connector"
	"github.com/habeas-data/habeas/internal/datamap"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/plan"
	"github.com/habeas-data/habeas/internal/policy"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
)

// opened is one system of the data map, open.
type opened struct {
	entry  *datamap.System
	system connector.System
}

// systems opens every system of the tenant's data map that is carried out by machine; unreached names the others.
func (s *Service) openSystems(ctx context.Context, r *run) (open []opened, unreached []*datamap.System, err error) {
	if !r.set.HasMap() {
		return nil, nil, needsPerson(dsr.AttentionNoDataMap, "the tenant has no data map")
	}
	key := fmt.Sprintf("%s/%d", r.set.Tenant, r.set.Version)
	for i := range r.set.Map.Systems {
		entry := &r.set.Map.Systems[i]
		if !s.systems.Has(entry.Kind) {
			unreached = append(unreached, entry)
			continue
		}
		sys, err := s.systems.System(ctx, key, entry)
		if err != nil {
			return nil, nil, err
		}
		open = append(open, opened{entry, sys})
	}
	return open, unreached, nil
}

// scope gives what may be used to find data: proven identifiers and nothing else.
func (r *run) scope() connector.Scope {
	out := connector.Scope{Subject: r.sub.Subject, Identifiers: map[string][]string{}}
	for _, p := range r.sub.Proofs {
		if !slices.Contains(out.Identifiers[p.Identifier], p.Value) {
			out.Identifiers[p.Identifier] = append(out.Identifiers[p.Identifier], p.Value)
		}
	}
	return out
}

// graceOf gives the grace period that the policy has for the right; only erasures wait.
func graceOf(r *run) statute.Period {
	if r.req.Right.Work() != dsr.WorkErase {
		return statute.Period{}
	}
	minor := r.sub.Person.OnBehalfOf != nil && r.sub.Person.OnBehalfOf.Relation == "child"
	grace, _ := r.set.Policy.GraceFor(string(r.req.Right), minor)
	return grace
}

func zone(p *policy.Policy) *time.Location { return tenant.Zone(p) }

// keyHash is keyed by the tenant, so that digests of keys in plans tell nothing to anybody else.
func (s *Service) keyHash(ctx context.Context, id dsr.TenantID) (connector.KeyHash, error) {
	var secret []byte
	err := s.store.Read(ctx, id, func(tx *store.Tx) error {
		secret = []byte(tx.Hash("row-keys", "v1"))
		return nil
	})
	return func(key []byte) [32]byte {
		h := sha256.New()
		h.Write(secret)
		h.Write(key)
		return [32]byte(h.Sum(nil))
	}, err
}

// makePlan finds the person in every system and decides. at is the instant that the plan speaks from: zero is now; the
// MadeAt of an approved plan gives the same plan again unless the data moved. For an erasure the plan is made for the
// day on which its grace period ends: a row whose retention ends meanwhile is deleted by what was approved.
func (s *Service) makePlan(ctx context.Context, r *run, at time.Time) (plan.Plan, error) {
	if at.IsZero() {
		at = s.now()
	}
	begins := statute.DateOf(at.In(zone(r.set.Policy)))
	ends := statute.DateOf(graceOf(r).AddTo(at.In(zone(r.set.Policy))))
	in := plan.Input{Right: r.req.Right, Policy: r.set.Policy, Map: r.set.Map, Rules: map[string]*plan.Rules{}, Today: ends, Now: at, ConfigVersion: r.set.Version}
	switch r.req.Right.Work() {
	case dsr.WorkSuppress, dsr.WorkLetter:
		return plan.Make(in)
	case dsr.WorkPackage, dsr.WorkErase, dsr.WorkRectify:
	}
	open, unreached, err := s.openSystems(ctx, r)
	if err != nil {
		return plan.Plan{}, err
	}
	hash, err := s.keyHash(ctx, r.req.Tenant)
	if err != nil {
		return plan.Plan{}, err
	}
	for _, o := range open {
		if err := s.find(ctx, r, &in, o, begins, hash); err != nil {
			return plan.Plan{}, err
		}
	}
	if plan.Ambiguous(in.Founds) {
		return plan.Plan{}, needsPerson(dsr.AttentionAmbiguous, "several people answer to the proven identifiers")
	}
	for _, u := range unreached {
		in.Refusals = append(in.Refusals, plan.Refusal{System: u.Name, Message: fmt.Sprintf("the system %s is of kind %s, which is not carried out by machine yet", u.Name, u.Kind)})
	}
	p, err := plan.Make(in)
	if err != nil {
		return plan.Plan{}, fmt.Errorf("making the plan: %w", err)
	}
	for _, u := range unreached {
		p.Withheld = append(p.Withheld, plan.Withheld{System: u.Name, What: "not_searched", Ground: "this system is looked through by a person"})
	}
	p.Digest = plan.Digest(p)
	return p, nil
}

// find looks for the person in one system.
func (s *Service) find(ctx context.Context, r *run, in *plan.Input, o opened, begins statute.Date, hash connector.KeyHash) error {
	locator, ok := o.system.(connector.Locator)
	if !ok {
		return fmt.Errorf("the system %s can't locate", o.entry.Name)
	}
	started := map[string]statute.Date{}
	for name := range r.set.Policy.Events {
		started[name] = begins // the erasure is the closing of the account: both clocks start together
	}
	started["account_closed"] = begins
	rules, refusals := plan.NewRules(r.set.Policy, o.entry, r.req.Right, in.Today, started)
	in.Refusals = append(in.Refusals, refusals...)
	if rules != nil {
		in.Rules[o.entry.Name] = rules
	}
	found, err := locator.Locate(ctx, r.scope(), rules, hash)
	if err != nil {
		return fmt.Errorf("looking through %s: %w", o.entry.Name, err)
	}
	found.System = o.entry.Name
	in.Founds = append(in.Founds, found)
	if r.req.Right.Work() != dsr.WorkRectify || found.Subjects == 0 {
		return nil
	}
	rectifier, ok := o.system.(connector.Rectifier)
	if !ok {
		in.Refusals = append(in.Refusals, plan.Refusal{System: o.entry.Name, Message: "values in this system are corrected by a person"})
		return nil
	}
	changes := map[string]string{}
	for _, c := range r.req.Changes {
		changes[c.Field] = c.To
	}
	steps, err := rectifier.Before(ctx, r.scope(), changes)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) { // no such field, or several values: asking again gives the same
		return &lasting{dsr.AttentionPlanRefused, fmt.Errorf("reading what is to be corrected in %s: %w", o.entry.Name, err)}
	}
	if err != nil {
		return fmt.Errorf("reading what is to be corrected in %s: %w", o.entry.Name, err)
	}
	in.Rectify = append(in.Rectify, steps...)
	return nil
}

// rulesFor gives the rules under which an approved plan was made, for one system.
func rulesFor(r *run, entry *datamap.System, madeAt time.Time) *plan.Rules {
	loc := zone(r.set.Policy)
	begins := statute.DateOf(madeAt.In(loc))
	started := map[string]statute.Date{"account_closed": begins}
	for name := range r.set.Policy.Events {
		started[name] = begins
	}
	rules, _ := plan.NewRules(r.set.Policy, entry, r.req.Right, statute.DateOf(graceOf(r).AddTo(madeAt.In(loc))), started)
	return rules
}

// stepsOf gives the indexes and steps of a plan that belong to one system, in order.
func stepsOf(p *plan.Plan, system string) (index []int, steps []plan.Step) {
	for i, st := range p.Steps {
		if st.System == system {
			index, steps = append(index, i), append(steps, st)
		}
	}
	return index, steps
}

// blobKey names a package's file: opaque ids alone.
func blobKey(tenant dsr.TenantID, id dsr.RequestID, epoch int64) string {
	return strings.Join([]string{string(tenant), string(id), base64.RawURLEncoding.EncodeToString(fmt.Append(nil, epoch)) + ".zip.sealed"}, "/")
}
