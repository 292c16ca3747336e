package statute

import (
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// Strictest weighs several laws that a request falls under at once: each date is the earliest that any of them sets,
// and the steps say which law sets it and why. An extension reaches as far as every law lets it. A right that one of
// the laws knows under another name is asked for by that name; a law that does not give it, or is not in force, has no
// voice, and neither has an extension or appeal under a law that refuses it: a step says so. The question's own
// Jurisdiction is not looked at. Errors are those of Clock, and the first law's refusal where every law refuses.
func (b *Book) Strictest(q Question, codes []string) (Clock, error) {
	if len(codes) == 1 {
		q.Jurisdiction = codes[0]
		return b.Clock(q)
	}
	w := weighing{out: Clock{Milestones: []Milestone{}, Steps: []Step{}}}
	var first error
	for i, code := range codes {
		if slices.Contains(codes[:i], code) {
			continue
		}
		q.Jurisdiction = code
		c, notes, err := b.voice(q)
		w.out.Steps = append(w.out.Steps, notes...)
		if err != nil && !quiet(err) {
			return Clock{}, err
		}
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		w.out.Steps = append(w.out.Steps, c.Steps...)
		w.out.Milestones = append(w.out.Milestones, c.Milestones...)
		w.laws = append(w.laws, weighed{code, c})
	}
	switch {
	case len(w.laws) == 0 && first == nil:
		return Clock{}, fault.BadInput([]fault.Field{{Name: "jurisdiction", Message: "name at least one"}})
	case len(w.laws) == 0:
		return Clock{}, first
	}
	w.weigh()
	return w.out, nil
}

// quiet tells whether a refusal only takes away the law's voice.
func quiet(err error) bool {
	e, ok := fault.As(err)
	return ok && (e.Code == "right_not_available" || e.Code == "jurisdiction_not_in_force")
}

// voice asks one of several laws.
func (b *Book) voice(q Question) (Clock, []Step, error) {
	var notes []Step
	note := func(text string) {
		notes = append(notes, Step{Jurisdiction: q.Jurisdiction, Date: "note", Text: text})
	}
	for {
		c, err := b.Clock(q)
		if err == nil {
			return c, notes, nil
		}
		e, ok := fault.As(err)
		if !ok {
			return c, notes, err
		}
		drop := func(about ...string) {
			note(e.Message + " It is left out here.")
			q.Events = slices.DeleteFunc(slices.Clone(q.Events), func(ev Event) bool { return slices.Contains(about, ev.Name) })
		}
		switch {
		case e.Code == "right_not_available":
			note(e.Message)
			j, _ := b.find(q.Jurisdiction, q.Received)
			alt := j.Instead(q.Right)
			if len(alt) == 0 {
				return c, notes, err
			}
			q.Right = alt[0]
		case e.Code == "jurisdiction_not_in_force":
			note(e.Message)
			return c, notes, err
		case e.Code == "no_extension" || strings.HasPrefix(e.Code, "extension_"):
			drop(EventExtensionNotice, EventExtensionUntil)
		case e.Code == "no_appeal":
			drop(EventAppeal)
		default:
			return c, notes, err
		}
	}
}

type weighed struct {
	code string
	c    Clock
}

// weighing gathers what several laws say.
type weighing struct {
	laws []weighed
	out  Clock
}

// least gives the earliest of the laws' dates, and says whose it is where they differ.
func (w *weighing) least(name string, date func(Clock) Date) Date {
	var best weighed
	var said []string
	differ := false
	for _, l := range w.laws {
		d := date(l.c)
		if d.IsZero() {
			continue
		}
		said = append(said, l.code+" says "+d.String())
		b := date(best.c)
		differ = differ || (!b.IsZero() && b != d)
		if b.IsZero() || d.Before(b) {
			best = l
		}
	}
	d := date(best.c)
	switch {
	case d.IsZero():
	case differ:
		w.say(name, d, strings.Join(said, ", ")+". The stricter is that of "+best.code+": "+long(d)+".")
	case len(said) < len(w.laws):
		w.say(name, d, "Only "+best.code+" sets a day: "+long(d)+".")
	default:
		w.say(name, d, "All say the same: "+long(d)+".")
	}
	return d
}

func (w *weighing) say(name string, on Date, text string) {
	w.out.Steps = append(w.out.Steps, Step{Date: name, On: on, Text: text})
}

func (w *weighing) weigh() {
	o := &w.out
	o.AcknowledgeBy = w.least("acknowledge_by", func(c Clock) Date { return c.AcknowledgeBy })
	o.AcknowledgeByConservative = w.least("acknowledge_by_conservative", func(c Clock) Date { return c.AcknowledgeByConservative })
	o.DueOn = w.least("due_on", func(c Clock) Date { return c.DueOn })
	o.DueOnConservative = w.least("due_on_conservative", func(c Clock) Date { return c.DueOnConservative })
	o.AppealDueOn = w.least("appeal_due_on", func(c Clock) Date { return c.AppealDueOn })
	w.extension()
	for _, l := range w.laws {
		if l.c.DueOn == o.DueOn { // the law that sets the date says whether it stands
			o.Paused, o.PausedDays = l.c.Paused, l.c.PausedDays
			break
		}
	}
}

// extension reaches as far as every law lets it: a law without one, or without its notice, holds it back.
func (w *weighing) extension() {
	o := &w.out
	announced := slices.ContainsFunc(w.laws, func(l weighed) bool { return l.c.Extended })
	reach := func(c Clock, extended, due Date) Date {
		if extended.IsZero() || (announced && !c.Extended) {
			return due
		}
		return extended
	}
	far := func(c Clock) Date { return reach(c, c.ExtendedUntil, c.DueOn) }
	until := Date{}
	for _, l := range w.laws {
		if d := far(l.c); !d.IsZero() && (until.IsZero() || d.Before(until)) {
			until = d
		}
	}
	if !until.After(o.DueOn) {
		if slices.ContainsFunc(w.laws, func(l weighed) bool { return !l.c.ExtendedUntil.IsZero() }) {
			w.say("note", Date{}, "No extension helps: a law that knows none, or got no notice, ends on "+until.String()+".")
		}
		return
	}
	o.ExtendedUntil = w.least("extended_until", far)
	o.ExtendedUntilConservative = w.least("extended_until_conservative", func(c Clock) Date { return reach(c, c.ExtendedUntilConservative, c.DueOnConservative) })
	o.Extended = announced
	o.ExtensionNoticeBy = w.least("extension_notice_by", func(c Clock) Date { return c.ExtensionNoticeBy })
}
