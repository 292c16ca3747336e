package fulfill

import (
	"context"
	"slices"
	"time"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/dsr"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/notify"
	"github.com/habeas-data/habeas/internal/statute"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/tenant"
	"github.com/habeas-data/habeas/internal/webhook"
)

// Clock explains the legal dates of a request.
func (s *Service) Clock(ctx context.Context, p access.Principal, id dsr.RequestID) (statute.Clock, error) {
	var out statute.Clock
	err := s.reading(ctx, p, id, access.RequestRead, func(_ *store.Tx, r *run) (err error) {
		out, err = s.clockOf(r, r.req.ClockEvents)
		return err
	})
	return out, err
}

func (s *Service) clockOf(r *run, events []statute.Event) (statute.Clock, error) {
	return tenant.Clock(s.book, r.set.Policy, r.sub.Jurisdiction, r.req.Right, r.req.ReceivedAt, events)
}

// with adds an event to a request's clock and takes over the dates that follow from it. An event that the law refuses
// (a late notice, an extension where there is none) is the caller's fault, and nothing changes.
func (s *Service) with(tx *store.Tx, r *run, name string) (statute.Clock, error) {
	events := append(slices.Clone(r.req.ClockEvents), statute.Event{Name: name, On: statute.DateOf(tx.Now.In(zone(r.set.Policy)))})
	c, err := s.clockOf(r, events)
	if err != nil {
		return c, err
	}
	r.req.ClockEvents = events
	r.req.DueOn, r.req.DueOnConservative, r.req.ClockPaused = c.DueOn, c.DueOnConservative, c.Paused
	if c.Extended {
		r.req.ExtendedUntil = c.ExtendedUntil
	}
	return c, nil
}

func open(r *run) error {
	if r.req.Status.Final() || !r.req.AnsweredAt.IsZero() {
		return fault.New(fault.Conflict, "answered", "This request is answered: its clock has stopped.")
	}
	return nil
}

// Extend extends the legal date once; the notice goes out in the same act.
func (s *Service) Extend(ctx context.Context, p access.Principal, id dsr.RequestID, ground, explanation string) (dsr.Request, error) {
	if !slices.Contains([]string{"complexity", "number_of_requests", "other"}, ground) {
		return dsr.Request{}, badField("ground", "this is none of complexity, number_of_requests, other")
	}
	if err := text("explanation", explanation, 3, maxExplanation); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestExtend, func(tx *store.Tx, r *run) error {
		if err := open(r); err != nil {
			return err
		}
		if !r.req.ExtendedUntil.IsZero() {
			return fault.New(fault.Conflict, "extended_already", "The date was extended already, until %s: the law allows it once.", r.req.ExtendedUntil)
		}
		c, err := s.with(tx, r, statute.EventExtensionNotice)
		if fault.Is(err, fault.Invalid) {
			return fault.Wrap(err, fault.Conflict, "no_extension", "%s", errMessage(err))
		}
		if err != nil {
			return err
		}
		if !c.Extended {
			return fault.New(fault.Conflict, "no_extension", "The law that this request falls under gives no extension.")
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestExtend), Facts: map[string]string{"ground": ground, "extended_until": c.ExtendedUntil.String()}}
		if err := s.updateWithEvent(tx, r, "extended", act); err != nil {
			return err
		}
		if err := s.events.Request(tx, webhook.EventRequestExtended, r.req, map[string]any{"extended_until": c.ExtendedUntil.String()}); err != nil {
			return err
		}
		return s.letter(tx, r, notify.KindExtended, "extended:"+string(id), func(d *notify.Data) {
			d.Ground, d.Explanation, d.ExtendedUntil = ground, explanation, c.ExtendedUntil
		})
	})
}

func errMessage(err error) string {
	if e, ok := fault.As(err); ok {
		return e.Message
	}
	return "The law that this request falls under gives no extension."
}

func (s *Service) updateWithEvent(tx *store.Tx, r *run, name string, act store.Act) error {
	if err := tx.UpdateRequest(&r.req, act); err != nil {
		return err
	}
	return tx.AddEvent(r.req.ID, name, act)
}

// Pause records that identity or clarification was asked for; the law says whether the clock stops.
func (s *Service) Pause(ctx context.Context, p access.Principal, id dsr.RequestID, reason, explanation string) (dsr.Request, error) {
	event, ok := map[string]string{"identity": statute.EventIdentityAsked, "clarification": statute.EventClarificationAsked, "fee": statute.EventFeeAsked}[reason]
	if !ok {
		return dsr.Request{}, badField("reason", "this is none of identity, clarification, fee")
	}
	if err := text("explanation", explanation, 3, maxExplanation); err != nil {
		return dsr.Request{}, err
	}
	return s.change(ctx, p, id, access.RequestPause, func(tx *store.Tx, r *run) error {
		if err := open(r); err != nil {
			return err
		}
		if asked := askedFor(r.req.ClockEvents); asked != "" {
			return fault.New(fault.Conflict, "paused_already", "An answer is outstanding already: resume first.")
		}
		if _, err := s.with(tx, r, event); err != nil {
			return err
		}
		act := store.Act{By: tx.Actor(p), Action: string(access.RequestPause), Facts: map[string]string{"reason": reason, "act": "pause"}}
		if err := s.updateWithEvent(tx, r, "paused", act); err != nil {
			return err
		}
		return s.letter(tx, r, notify.KindClarification, "ask:"+string(id)+":"+tx.Now.Format(time.RFC3339), func(d *notify.Data) {
			d.Ground, d.Explanation = reason, explanation
		})
	})
}

// Resume records that what was asked for has come.
func (s *Service) Resume(ctx context.Context, p access.Principal, id dsr.RequestID) (dsr.Request, error) {
	return s.change(ctx, p, id, access.RequestPause, func(tx *store.Tx, r *run) error {
		asked := askedFor(r.req.ClockEvents)
		if asked == "" {
			return fault.New(fault.Conflict, "not_paused", "Nothing is outstanding on this request.")
		}
		answered := map[string]string{statute.EventIdentityAsked: statute.EventIdentityReceived,
			statute.EventClarificationAsked: statute.EventClarificationReceived, statute.EventFeeAsked: statute.EventFeePaid}[asked]
		if _, err := s.with(tx, r, answered); err != nil {
			return err
		}
		r.req.ClockPaused = false
		return s.updateWithEvent(tx, r, "resumed", store.Act{By: tx.Actor(p), Action: string(access.RequestPause), Facts: map[string]string{"act": "resume"}})
	})
}

// askedFor gives the question that has no answer yet, or "".
func askedFor(events []statute.Event) string {
	outstanding := ""
	for _, e := range events {
		switch e.Name {
		case statute.EventIdentityAsked, statute.EventClarificationAsked, statute.EventFeeAsked:
			outstanding = e.Name
		case statute.EventIdentityReceived, statute.EventClarificationReceived, statute.EventFeePaid:
			outstanding = ""
		}
	}
	return outstanding
}
