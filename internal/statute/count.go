package statute

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/habeas-data/habeas/internal/fault"
)

// Clock gives the legal dates of one right and the reason for each.
//
// fault.Invalid answers an unknown jurisdiction, right, establishment, kind of controller or event, a right that the
// law does not give (the message says what it gives instead), days outside the years 1995 to 2200, events before the
// receipt or out of order, and an extension or appeal that the law does not know, that comes a second time or too late.
func (b *Book) Clock(q Question) (Clock, error) {
	if err := CheckDay("received", q.Received); err != nil {
		return Clock{}, err
	}
	j, err := b.find(q.Jurisdiction, q.Received)
	if err != nil {
		return Clock{}, err
	}
	if q.Controller != "" {
		if !slices.Contains(j.Controllers, q.Controller) {
			return Clock{}, fault.BadInput([]fault.Field{{Name: "controller", Message: noSuchController(j, q.Controller)}})
		}
		j.kind = q.Controller
	}
	if _, ok := j.Grant(q.Right); !ok {
		return Clock{}, j.refuse(q.Right)
	}
	k := &counter{b: b, j: j, q: q, start: q.Received, strictStart: q.Received}
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
	k.milestones()
	for _, r := range j.Remarks(q.Right) {
		k.step("note", Date{}, r.Rule, "%s", r.Text)
	}
	return k.out, nil
}

// CheckDay refuses no day at all and a day outside the years of which dates are counted, as a fault.Invalid about the
// named field.
func CheckDay(field string, d Date) error {
	switch {
	case d.IsZero():
		return fault.BadInput([]fault.Field{{Name: field, Message: "a day is required"}})
	case d.Year < firstYear || d.Year > lastYear:
		return fault.BadInput([]fault.Field{{Name: field, Message: fmt.Sprintf("%s lies outside the years %d to %d, of which dates are counted", d, firstYear, lastYear)}})
	}
	return nil
}

func noSuchController(j *Jurisdiction, kind string) string {
	if len(j.Controllers) == 0 {
		return fmt.Sprintf("%s tells no kinds of controller apart, so %q is none", j.Name, kind)
	}
	return fmt.Sprintf("%q is no kind of controller of %s; there it is %s", kind, j.Name, strings.Join(j.Controllers, " or "))
}

// counter carries one question through the counting.
type counter struct {
	b    *Book
	j    *Jurisdiction
	q    Question
	seen happened
	out  Clock

	full   calendar // whose holidays move a last day
	strict calendar // the same for the stricter reading
	rolls  bool     // whether the law moves a last day at all
	roll   Rule

	base        span // the response rule
	dated       bool // whether it fixes a day that other rules can move
	start       Date // after restarts
	strictStart Date // the same under the stricter reading
	pauses      []pause
}

// place finds the calendar. Where no establishment is named the default one counts, and the stricter reading trusts
// weekends alone: the true place may not keep that holiday.
func (k *counter) place() error {
	full, err := k.b.calendar(cmp.Or(k.q.Establishment, k.j.Establishment))
	if err != nil {
		return err
	}
	k.full, k.strict = full, weekdaysOnly()
	if k.q.Establishment != "" {
		k.strict = full.stricter()
	}
	r, ok := chain(k.j, rollsOf, k.q.Right, nil)
	k.rolls, k.roll = ok && r.To == rollWorkingDay, r.Rule
	return nil
}

// reach is the one place where a period is laid on a calendar: amount units from a start, never chained, plus the
// paused days, then rolled. strict asks for the stricter reading.
func (k *counter) reach(s span, start Date, amount, paused int, strict bool) (end Date, over []string) {
	if strict && s.Stricter != nil {
		s, amount = span{Unit: s.Stricter.Unit, Holidays: s.Stricter.Holidays}, s.Stricter.Amount
	}
	switch s.Unit {
	case unitMonth:
		// Reg. 1182/71 Art. 3(2)(c): same date of the last month, or that month's last day.
		end = start.AddMonths(amount)
	case unitBusiness:
		c := weekdaysOnly()
		if !strict {
			c, _ = k.b.calendar(s.Holidays) // Load has checked it
		}
		end = c.addBusinessDays(start, amount)
	case unitDay:
		end = start.AddDays(amount)
		if s.Counting == countReceiptIsOne {
			end = end.AddDays(-1)
		}
	case unitAtOnce:
		return start, nil
	default:
		return Date{}, nil // no day
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

// reachStrict is reach under the stricter reading, with what that reading holds of starts and pauses.
func (k *counter) reachStrict(s span, amount int) Date {
	end, _ := k.reach(s, k.strictStart, amount, pausedDays(k.pauses, k.strictStart, true), true)
	return end
}

func (k *counter) acknowledge() {
	s, ok := chain(k.j, acknowledges, k.q.Right, nil)
	if !ok {
		return
	}
	end, over := k.reach(s, k.q.Received, s.Amount, 0, false)
	k.out.AcknowledgeBy = end
	if !end.IsZero() {
		k.step("acknowledge_by", end, s.Rule, "The arrival must be confirmed within %s: by %s.", s.words(s.Amount), long(end))
		k.rolled("acknowledge_by", end, over)
	}
	k.out.AcknowledgeByConservative, _ = k.reach(s, k.q.Received, s.Amount, 0, true)
	if safe := k.out.AcknowledgeByConservative; safe != end {
		k.step("acknowledge_by_conservative", safe, s.Rule, "Under the stricter reading%s: by %s.", s.stricterWords(), long(safe))
	}
}

func (k *counter) respond() {
	k.base, _ = chain(k.j, responses, k.q.Right, nil) // Load has checked that there is one
	k.dated = k.base.Unit != unitNoDate && k.base.Unit != unitAtOnce
	if !k.dated {
		k.undated()
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
	k.step("due_on", unrolled, k.base.Rule, "%s%s from %s ends on %s%s.", basisWords(k.base.Basis), upper(k.base.words(k.base.Amount)), long(k.start), long(unrolled), clamped(k.base, k.start, unrolled))
	if days > 0 {
		k.step("due_on", unrolled.AddDays(days), Rule{}, "%d paused days are added: %s.", days, long(unrolled.AddDays(days)))
	}
	k.rolled("due_on", end, over)
	k.out.DueOnConservative = k.reachStrict(k.base, k.base.Amount)
	if safe := k.out.DueOnConservative; safe != end {
		k.step("due_on_conservative", safe, k.base.Rule, "Under the stricter reading%s: %s. Alarms run on this date.", k.base.stricterWords(), long(safe))
	}
}

// undated answers where the law gives no period that could be moved.
func (k *counter) undated() {
	if k.base.Unit == unitAtOnce {
		k.out.DueOn, k.out.DueOnConservative = k.q.Received, k.q.Received
		k.step("due_on", k.q.Received, k.base.Rule, "The law gives no period for this: it is carried out at once.")
	} else {
		k.step("due_on", Date{}, k.base.Rule, "The law fixes no day; the answer is given without undue delay.")
	}
	for _, w := range k.seen.waits {
		k.step("note", w.asked, Rule{}, "Asking back for %s moves nothing here.", w.reason)
	}
}

func (k *counter) extend() error {
	ext, ok := chain(k.j, extensions, k.q.Right, nil)
	if !ok || !k.dated {
		if len(k.seen.notices) > 0 || !k.seen.until.IsZero() {
			return fault.New(fault.Invalid, "no_extension", "%s knows no extension for %s.", k.j.Name, k.q.Right)
		}
		return nil
	}
	k.out.ExtensionNoticeBy = k.out.DueOn
	if len(k.seen.notices) == 1 {
		if err := k.notice(k.seen.notices[0]); err != nil {
			return err
		}
		k.out.Extended = true
	}
	if !k.seen.until.IsZero() && !k.out.Extended {
		return fault.New(fault.Invalid, "extension_without_notice", "The event %s needs the %s that names that day.", EventExtensionUntil, EventExtensionNotice)
	}
	if ext.Unit == unitNamed {
		return k.extendToNamed(ext)
	}
	if !k.seen.until.IsZero() {
		k.step("note", k.seen.until, ext.Rule, "The law itself says how far an extension reaches; the day that the notice names does not move it.")
	}
	if k.out.Extended {
		// Within the extension further pauses move the extended date, and that date alone.
		for _, w := range k.seen.waits {
			if w.asked.After(k.out.DueOn) {
				limit, _ := k.reach(k.base, k.start, k.base.Amount+ext.Amount, pausedDays(k.pauses, k.start, false), false)
				k.apply(w, limit, false)
			}
		}
	}
	k.extendBy(ext)
	return nil
}

// extendBy counts the extension from the start of the clock: never from the day on which the first period ended.
func (k *counter) extendBy(ext span) {
	days := pausedDays(k.pauses, k.start, false)
	end, over := k.reach(k.base, k.start, k.base.Amount+ext.Amount, days, false)
	k.out.ExtendedUntil = end
	k.out.ExtendedUntilConservative = k.reachStrict(k.base, k.base.Amount+ext.Amount)
	total, verb, plus := k.base.words(k.base.Amount+ext.Amount), "could reach", ""
	if k.out.Extended {
		verb = "reaches"
	}
	if days > 0 {
		plus = fmt.Sprintf(" plus %d paused days", days)
	}
	k.step("extended_until", end, ext.Rule, "The one extension %s %s from the start%s: %s.", verb, total, plus, long(end))
	k.rolled("extended_until", end, over)
	if safe := k.out.ExtendedUntilConservative; safe != end {
		k.step("extended_until_conservative", safe, ext.Rule, "Under the stricter reading%s: %s.", k.base.stricterWords(), long(safe))
	}
}

// extendToNamed takes the day that the notice names, where the law sets no limit.
func (k *counter) extendToNamed(ext span) error {
	until := k.seen.until
	switch {
	case !k.out.Extended:
		k.step("note", Date{}, ext.Rule, "The law sets no limit to an extension: its notice, by %s, names the new day.", k.out.ExtensionNoticeBy)
		return nil
	case until.IsZero():
		return fault.New(fault.Invalid, "extension_names_no_day",
			"%s sets no limit to an extension, so its notice has to name the new day: add the event %s.", k.j.Name, EventExtensionUntil)
	case !until.After(k.out.DueOn):
		return fault.New(fault.Invalid, "extension_too_short", "%s would extend nothing: without an extension the answer is due on %s.", until, k.out.DueOn)
	}
	k.out.ExtendedUntil, k.out.ExtendedUntilConservative = until, until
	k.step("extended_until", until, ext.Rule, "The notice named %s; the law sets no limit.", long(until))
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
	j, err := b.find(k.q.Jurisdiction, on)
	if err != nil {
		return err
	}
	g, ok := j.Grant("appeal")
	if !ok || (len(g.Of) > 0 && !slices.Contains(g.Of, k.q.Right)) {
		return fault.New(fault.Invalid, "no_appeal", "%s knows no appeal to the controller about %s.", j.Name, k.q.Right)
	}
	c, err := b.Clock(Question{Jurisdiction: k.q.Jurisdiction, Right: "appeal", Received: on, Establishment: k.q.Establishment, Controller: k.q.Controller})
	if err != nil {
		return err
	}
	k.out.AppealDueOn = c.DueOn
	for _, s := range c.Steps {
		if name := strings.TrimSuffix(s.Date, "_conservative"); name == "due_on" || name == "extended_until" {
			s.Date = "appeal_" + s.Date
			k.out.Steps = append(k.out.Steps, s)
		}
	}
	return nil
}

// milestones finds the dates beside the answer.
func (k *counter) milestones() {
	k.out.Milestones = []Milestone{}
	seen := map[string]bool{}
	for l := k.j.law; l != nil; l = l.parent {
		for _, m := range l.Milestones {
			m, ok := chain(k.j, milestonesOf, k.q.Right, func(o milestone) bool { return o.What == m.What })
			if !ok || seen[m.What] {
				continue
			}
			seen[m.What] = true
			on, over := k.reach(span{Unit: m.Unit, Holidays: m.Holidays}, k.q.Received, m.Amount, 0, false)
			k.out.Milestones = append(k.out.Milestones, Milestone{What: m.What, On: on})
			when := long(on)
			if m.Unit == unitAtOnce {
				when = "at once"
			}
			k.step("milestone:"+m.What, on, m.Rule, "%s: %s.", m.Text, when)
			k.rolled("milestone:"+m.What, on, over)
		}
	}
}

func (k *counter) step(date string, on Date, r Rule, format string, args ...any) {
	k.out.Steps = append(k.out.Steps, Step{Jurisdiction: k.q.Jurisdiction, Date: date, On: on, Text: fmt.Sprintf(format, args...), Cite: r.Cite, Confidence: r.Confidence})
}

func (k *counter) rolled(date string, end Date, over []string) {
	if len(over) > 0 {
		k.step(date, end, k.roll, "%s %s in %s: the last day moves to %s.", strings.Join(over, ", "), noWorkingDay(over), k.full.name, long(end))
	}
	if k.rolls && !k.full.known && date == "due_on" {
		k.step("note", Date{}, k.roll, "The public holidays of %s are not held here: only weekends were counted, which is the safe side.", k.full.name)
	}
}
