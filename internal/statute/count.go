package statute

import (
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// Clock gives the legal dates of one right and the reason for each.
//
// fault.Invalid answers an unknown jurisdiction, right, establishment or event, a right that the law does not give
// (the message says what it gives instead), events before the receipt, and an extension or appeal that the law does
// not know, that comes a second time or too late.
func (b *Book) Clock(q Question) (Clock, error) {
	if q.Received.IsZero() {
		return Clock{}, fault.BadInput([]fault.Field{{Name: "received", Message: "the day of receipt is required"}})
	}
	j, err := b.Jurisdiction(q.Jurisdiction, q.Received)
	if err != nil {
		return Clock{}, err
	}
	if _, ok := j.Grant(q.Right); !ok {
		return Clock{}, j.refuse(q.Right)
	}
	k := &counter{j: j, q: q, start: q.Received}
	if err := k.place(); err != nil {
		return Clock{}, err
	}
	if k.seen, err = readEvents(q); err != nil {
		return Clock{}, err
	}
	k.step("received", q.Received, Rule{}, "The request arrived on %s.", long(q.Received))
	k.acknowledge()
	k.respond()
	if err := k.extend(); err != nil {
		return Clock{}, err
	}
	if err := k.appeal(b); err != nil {
		return Clock{}, err
	}
	for _, r := range j.Remarks(q.Right) {
		k.step("note", Date{}, r.Rule, "%s", r.Text)
	}
	return k.out, nil
}

// counter carries one question through the counting.
type counter struct {
	j    *Jurisdiction
	q    Question
	seen happened
	out  Clock

	full   calendar // whose holidays move a last day
	strict calendar // the same for the stricter reading
	rolls  bool     // whether the law moves a last day at all
	roll   Rule

	base   span // the response rule
	dated  bool // whether it fixes a day that other rules can move
	start  Date // after restarts
	pauses []pause
}

// place finds the calendar. Where no establishment is named the default one counts, and the stricter reading trusts
// weekends alone: the true place may not keep that holiday.
func (k *counter) place() error {
	name := k.q.Establishment
	k.strict = weekdaysOnly()
	if name == "" {
		name = k.j.Establishment
	}
	full, ok := calendarOf(name)
	if !ok {
		return fault.BadInput([]fault.Field{{Name: "establishment",
			Message: fmt.Sprintf("%q is not a country or region code such as DE, FR, GB-ENG or US", name)}})
	}
	k.full = full
	if k.q.Establishment != "" {
		k.strict = full
	}
	r, ok := chain(k.j, rollsOf, k.q.Right, nil)
	k.rolls, k.roll = ok && r.To == rollWorkingDay, r.Rule
	return nil
}

// reach is the one place where a period is laid on a calendar: amount units from a start, never chained, plus the
// paused days, then rolled. strict asks for the stricter reading.
func (k *counter) reach(s span, start Date, amount, paused int, strict bool) (end Date, over []string) {
	switch s.Unit {
	case unitMonth:
		// Reg. 1182/71 Art. 3(2)(c): same date of the last month, or that month's last day.
		end = start.AddMonths(amount)
	case unitBusiness:
		c := weekdaysOnly()
		if !strict {
			c, _ = calendarOf(s.Holidays) // Load has checked it
		}
		end = c.addBusinessDays(start, amount)
	case unitDay:
		end = start.AddDays(amount)
		if s.Counting == countReceiptIsOne {
			end = end.AddDays(-1)
		}
	case unitAtOnce:
		return start, nil
	}
	end = end.AddDays(paused)
	c := k.full
	if strict {
		end, c = end.AddDays(s.ConservativeDays), k.strict
	}
	if k.rolls {
		// Reg. 1182/71 Art. 3(4): a last day that is a holiday, Sunday or Saturday moves to the next working day.
		end, over = c.roll(end)
	}
	return end, over
}

func (k *counter) acknowledge() {
	s, ok := chain(k.j, acknowledges, k.q.Right, nil)
	if !ok {
		return
	}
	end, over := k.reach(s, k.q.Received, s.Amount, 0, false)
	k.out.AcknowledgeBy = end
	k.step("acknowledge_by", end, s.Rule, "The arrival must be confirmed within %s: by %s.", s.words(s.Amount), long(end))
	k.rolled("acknowledge_by", end, over)
	k.out.AcknowledgeByConservative, _ = k.reach(s, k.q.Received, s.Amount, 0, true)
	if safe := k.out.AcknowledgeByConservative; safe != end {
		k.step("acknowledge_by_conservative", safe, s.Rule, "Under the stricter reading: by %s.", long(safe))
	}
}

func (k *counter) respond() {
	k.base, _ = chain(k.j, responses, k.q.Right, nil) // Load has checked that there is one
	k.dated = k.base.Unit != unitNoDate && k.base.Unit != unitAtOnce
	if !k.dated {
		if k.base.Unit == unitAtOnce {
			k.out.DueOn, k.out.DueOnConservative = k.q.Received, k.q.Received
			k.step("due_on", k.q.Received, k.base.Rule, "The law gives no period for this: it is carried out at once.")
		} else {
			k.step("due_on", Date{}, k.base.Rule, "The law fixes no day; the answer is given without undue delay.")
		}
		for _, w := range k.seen.waits {
			k.step("note", w.asked, Rule{}, "Asking back for %s moves nothing here.", w.reason)
		}
		return
	}
	for _, w := range k.seen.waits {
		due, _ := k.reach(k.base, k.start, k.base.Amount, pausedDays(k.pauses, k.start, false), false)
		k.apply(w, due, true)
	}
	days := pausedDays(k.pauses, k.start, false)
	end, over := k.reach(k.base, k.start, k.base.Amount, days, false)
	k.out.PausedDays, k.out.DueOn = days, end
	raw := *k
	raw.rolls = false
	unrolled, _ := raw.reach(k.base, k.start, k.base.Amount, 0, false)
	k.step("due_on", unrolled, k.base.Rule, "%s from %s ends on %s%s.", upper(k.base.words(k.base.Amount)), long(k.start), long(unrolled), clamped(k.base, k.start, unrolled))
	if days > 0 {
		k.step("due_on", unrolled.AddDays(days), Rule{}, "%d paused days are added: %s.", days, long(unrolled.AddDays(days)))
	}
	k.rolled("due_on", end, over)
	safe, _ := k.reach(k.base, k.start, k.base.Amount, pausedDays(k.pauses, k.start, true), true)
	k.out.DueOnConservative = safe
	if safe != end {
		k.step("due_on_conservative", safe, k.base.Rule, "Under the stricter reading: %s. Alarms run on this date.", long(safe))
	}
}

// apply lets one wait act on the clock. A question that is put after the period has run out cannot revive it.
func (k *counter) apply(w wait, limit Date, restartable bool) {
	r, ok := chain(k.j, pausesOf, k.q.Right, func(p pauseRule) bool { return p.Reason == w.reason })
	settled := !k.seen.answered.IsZero()
	switch {
	case !ok || r.Effect == effectNone:
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing under this law.", w.reason)
	case settled && (!w.asked.Before(k.seen.answered) || w.answered.IsZero() || w.answered.After(k.seen.answered)):
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing: the request was answered on %s.", w.reason, k.seen.answered)
	case w.asked.After(limit):
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing: the period had ended on %s.", w.reason, limit)
	case w.answered.IsZero():
		k.out.Paused = true
		k.step("note", w.asked, r.Rule, "The clock stands since %s was asked for. The dates shown move on when the answer comes.", w.reason)
	case r.Effect == effectRestart && !restartable:
		k.step("note", w.asked, r.Rule, "Asking back for %s moves nothing within an extension.", w.reason)
	case r.Effect == effectRestart:
		if w.answered.After(k.start) {
			k.start = w.answered
		}
		k.step("start", k.start, r.Rule, "The answer about %s arrived on %s: the whole period begins on that day.", w.reason, long(w.answered))
	case w.alone:
		k.step("note", w.asked, r.Rule, "No question about %s is on record, so its answer moves nothing.", w.reason)
	default:
		p := pause{from: w.asked, to: w.answered, inclusive: r.Counting == countInclusive, statutory: r.Basis == basisStatute}
		k.pauses = append(k.pauses, p)
		how, on := "", "statute"
		if p.inclusive {
			how = ", both days included"
		}
		if !p.statutory {
			on = "guidance only, so the stricter reading does not count it"
		}
		k.step("note", w.answered, r.Rule, "The days from %s to %s do not count%s: %s was asked for (%s).", w.asked, w.answered, how, w.reason, on)
	}
}

func (k *counter) extend() error {
	ext, ok := chain(k.j, extensions, k.q.Right, nil)
	if !ok || !k.dated {
		if len(k.seen.notices) > 0 {
			return fault.New(fault.Invalid, "no_extension", "%s knows no extension for %s.", k.j.Name, k.q.Right)
		}
		return nil
	}
	k.out.ExtensionNoticeBy = k.out.DueOn
	limit := func() Date {
		end, _ := k.reach(k.base, k.start, k.base.Amount+ext.Amount, pausedDays(k.pauses, k.start, false), false)
		return end
	}
	if len(k.seen.notices) == 1 {
		if err := k.notice(k.seen.notices[0]); err != nil {
			return err
		}
		k.out.Extended = true
		// Within the extension further pauses move the extended date, and that date alone.
		for _, w := range k.seen.waits {
			if w.asked.After(k.out.DueOn) {
				k.apply(w, limit(), false)
			}
		}
	}
	days := pausedDays(k.pauses, k.start, false)
	end, over := k.reach(k.base, k.start, k.base.Amount+ext.Amount, days, false)
	k.out.ExtendedUntil = end
	k.out.ExtendedUntilConservative, _ = k.reach(k.base, k.start, k.base.Amount+ext.Amount, pausedDays(k.pauses, k.start, true), true)
	total, verb := k.base.words(k.base.Amount+ext.Amount), "could reach"
	if k.out.Extended {
		verb = "reaches"
	}
	plus := ""
	if days > 0 {
		plus = fmt.Sprintf(" plus %d paused days", days)
	}
	k.step("extended_until", end, ext.Rule, "The one extension %s %s from the start%s: %s.", verb, total, plus, long(end))
	k.rolled("extended_until", end, over)
	if safe := k.out.ExtendedUntilConservative; safe != end {
		k.step("extended_until_conservative", safe, ext.Rule, "Under the stricter reading: %s.", long(safe))
	}
	return nil
}

// notice holds the day of an extension notice to the period that it wants to extend.
func (k *counter) notice(on Date) error {
	if a := k.seen.answered; !a.IsZero() && on.After(a) {
		return fault.New(fault.Invalid, "extension_after_answer", "The request was answered on %s; nothing is left to extend.", a)
	}
	// While an answer is outstanding under a rule that stops the clock the period has not ended.
	if on.After(k.out.DueOn) && !k.out.Paused {
		return fault.New(fault.Invalid, "extension_too_late",
			"The notice of %s comes too late: it had to be given by %s, within the period that it extends.", on, k.out.DueOn)
	}
	if on.After(k.out.DueOnConservative) {
		k.step("note", on, Rule{}, "The notice is in time only under the more generous reading; the stricter one ended on %s.", k.out.DueOnConservative)
	}
	return nil
}

// appeal counts an appeal as what it is: a request of its own, received on the day it was made.
func (k *counter) appeal(b *Book) error {
	if len(k.seen.appeals) == 0 {
		return nil
	}
	on := k.seen.appeals[0]
	j, err := b.Jurisdiction(k.q.Jurisdiction, on)
	if err != nil {
		return err
	}
	g, ok := j.Grant("appeal")
	if !ok || (len(g.Of) > 0 && !slices.Contains(g.Of, k.q.Right)) {
		return fault.New(fault.Invalid, "no_appeal", "%s knows no appeal to the controller about %s.", j.Name, k.q.Right)
	}
	c, err := b.Clock(Question{Jurisdiction: k.q.Jurisdiction, Right: "appeal", Received: on, Establishment: k.q.Establishment})
	if err != nil {
		return err
	}
	k.out.AppealDueOn = c.DueOn
	for _, s := range c.Steps {
		if s.Date == "due_on" {
			s.Date = "appeal_due_on"
			k.out.Steps = append(k.out.Steps, s)
		}
	}
	return nil
}

func (k *counter) step(date string, on Date, r Rule, format string, args ...any) {
	k.out.Steps = append(k.out.Steps, Step{Date: date, On: on, Text: fmt.Sprintf(format, args...), Cite: r.Cite, Confidence: r.Confidence})
}

func (k *counter) rolled(date string, end Date, over []string) {
	if len(over) > 0 {
		k.step(date, end, k.roll, "%s %s in %s: the last day moves to %s.", strings.Join(over, ", "), noWorkingDay(over), k.full.name, long(end))
	}
	if k.rolls && !k.full.known {
		k.step("note", Date{}, k.roll, "The public holidays of %s are not held here: only weekends were counted, which is the safe side.", k.full.name)
	}
}
