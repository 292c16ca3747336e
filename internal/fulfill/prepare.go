package fulfill

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
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
			return nil, nil, away(opened{entry: entry}, err)
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

// scopeIn is scope for one system. Where a system knows several kinds of person and nobody said which is meant, every
// kind is asked for the proven identifiers: the one kind that answers is meant. Two kinds that answer to one identifier
// are two people until an officer decides.
func (s *Service) scopeIn(ctx context.Context, r *run, o opened) (connector.Scope, error) {
	scope := r.scope()
	if kind, ok := r.kinds[o.entry.Name]; ok {
		scope.Subject = kind
		return scope, nil
	}
	kind, err := kindIn(ctx, o, scope)
	if err != nil {
		return scope, err
	}
	if r.kinds == nil {
		r.kinds = map[string]string{}
	}
	r.kinds[o.entry.Name], scope.Subject = kind, kind
	return scope, nil
}

func kindIn(ctx context.Context, o opened, scope connector.Scope) (string, error) {
	if len(connector.Kinds(o.entry, scope.Subject)) < 2 {
		return connector.Kinds(o.entry, scope.Subject)[0], nil
	}
	resolver, ok := o.system.(connector.Resolver)
	if !ok {
		return "", nil
	}
	answers := []string{}
	for _, sub := range o.entry.Subjects {
		scope.Subject = sub.Name
		known := false
		for _, id := range sub.Identifiers {
			if len(scope.Identifiers[id.Name]) == 0 || known {
				continue
			}
			stored, err := resolver.Contact(ctx, scope, id.Name)
			if err != nil {
				return "", away(o, fmt.Errorf("asking who is meant: %w", err))
			}
			known = len(stored) > 0
		}
		if known {
			answers = append(answers, sub.Name)
		}
	}
	switch len(answers) {
	case 0:
		return o.entry.Subjects[0].Name, nil
	case 1:
		return answers[0], nil
	}
	return "", needsPerson(dsr.AttentionAmbiguous, "people of several kinds (%v) answer to the proven identifiers in %s", answers, o.entry.Name)
}

// away tells a stranger that a system does not answer, where the error itself is not fit for one.
func away(o opened, err error) error {
	err = fmt.Errorf("in the system %s: %w", o.entry.Name, err)
	if _, ok := fault.As(err); ok || errors.Is(err, errLasting) || errors.Is(err, connector.ErrChanged) {
		return err
	}
	return fault.Wrap(err, fault.Unavailable, "system_away", "The system %s can't be read at the moment: it is tried again.", o.entry.Name)
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
	return s.keyed(ctx, id, "row-keys")
}

// keyed gives a hash for one purpose. Its secret follows from the tenant's key and lives as long as that.
func (s *Service) keyed(ctx context.Context, id dsr.TenantID, purpose string) (connector.KeyHash, error) {
	var secret []byte
	err := s.store.Read(ctx, id, func(tx *store.Tx) error {
		secret = []byte(tx.Hash(purpose, "v1"))
		return nil
	})
	return func(key []byte) [32]byte {
		var room [256]byte // a key a row, and none on the heap
		return sha256.Sum256(append(append(room[:0], secret...), key...))
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
	var err error
	if in.Lifted, err = s.lifted(ctx, r); err != nil {
		return plan.Plan{}, err
	}
	open, unreached, err := s.openSystems(ctx, r)
	if err != nil {
		return plan.Plan{}, err
	}
	hash, err := s.keyHash(ctx, r.req.Tenant)
	if err != nil {
		return plan.Plan{}, err
	}
	for i, o := range open {
		if err := s.find(ctx, r, &in, i, o, begins, hash); err != nil {
			return plan.Plan{}, err
		}
	}
	if plan.Ambiguous(in.Founds) {
		return plan.Plan{}, needsPerson(dsr.AttentionAmbiguous, "several people answer to the proven identifiers")
	}
	if r.req.Right.Work() == dsr.WorkRectify {
		if err := s.findFields(ctx, r, &in, open, hash); err != nil {
			return plan.Plan{}, err
		}
	}
	for _, u := range unreached {
		if r.req.Right.Work() != dsr.WorkErase {
			break
		}
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
func (s *Service) find(ctx context.Context, r *run, in *plan.Input, system int, o opened, begins statute.Date, hash connector.KeyHash) error {
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
	scope, err := s.scopeIn(ctx, r, o)
	if err != nil {
		return err
	}
	if r.req.Right.Work() == dsr.WorkErase { // of a run before: what came late hangs on rows that are gone
		if err := s.recorded(ctx, r, system, &scope); err != nil {
			return err
		}
	}
	found, err := locator.Locate(ctx, scope, rules, hash)
	if err != nil {
		return away(o, fmt.Errorf("looking for the person: %w", err))
	}
	found.System = o.entry.Name
	in.Founds = append(in.Founds, found)
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
