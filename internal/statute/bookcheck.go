package statute

import (
	"fmt"
	"regexp"
	"slices"
)

var codeForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)?$`)

// check finds everything that is wrong with one file. A mistake here would be a wrong date for a real person, so a
// book with any fault does not load.
func (l *law) check(b *Book) []error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(l.file+": "+format, args...))
	}
	if l.Schema != 1 {
		bad("schema %d is not 1", l.Schema)
	}
	if !codeForm.MatchString(l.Code) || l.Name == "" || l.Law == "" || l.ValidFrom.IsZero() {
		bad("code, name, law and valid_from are required")
	}
	if err := b.CheckPlace(l.Establishment); err != nil {
		bad("no calendar for the establishment %q", l.Establishment)
	}
	for right, alts := range l.Instead {
		for _, name := range append([]string{right}, alts...) {
			if !slices.Contains(RightNames(), name) {
				bad("instead: unknown right %q", name)
			}
		}
	}
	spans := func(s span) string { return s.faults(b) }
	same := func(a, b milestone) bool { return a.What == b.What }
	errs = append(errs, checkAll(l, "rights", l.Rights, Grant.faults, func(a, b Grant) bool { return a.Right == b.Right })...)
	errs = append(errs, checkAll(l, "acknowledge", l.Acknowledge, spans, nil)...)
	errs = append(errs, checkAll(l, "response", l.Response, spans, nil)...)
	errs = append(errs, checkAll(l, "extension", l.Extension, spans, nil)...)
	errs = append(errs, checkAll(l, "milestones", l.Milestones, func(m milestone) string { return m.faults(b) }, same)...)
	errs = append(errs, checkAll(l, "pauses", l.Pauses, pauseRule.faults, func(a, b pauseRule) bool { return a.Reason == b.Reason })...)
	errs = append(errs, checkAll(l, "rollover", l.Rollover, rollRule.faults, nil)...)
	errs = append(errs, checkAll(l, "facts", l.Facts, Fact.faults, func(a, b Fact) bool { return a.Fact == b.Fact })...)
	errs = append(errs, checkAll(l, "remarks", l.Remarks, Remark.faults, func(Remark, Remark) bool { return false })...)
	return append(errs, l.checkSpans()...)
}

// checkSpans holds each granted right, for each kind of controller, to a response rule and each extension to the unit
// and the cap of its base. An abstract pattern may leave the rest to the files that extend it.
func (l *law) checkSpans() []error {
	var errs []error
	kinds := l.Controllers
	if len(kinds) == 0 {
		kinds = []string{""}
	}
	for _, g := range l.Rights {
		for _, kind := range kinds {
			if !g.None && !l.Abstract {
				errs = append(errs, l.checkRight(g, kind)...)
			}
		}
	}
	return errs
}

func (l *law) checkRight(g Grant, kind string) []error {
	on := g.ValidFrom
	if on.Before(l.ValidFrom) {
		on = l.ValidFrom
	}
	j := &Jurisdiction{law: l, on: on, kind: kind}
	base, ok := chain(j, responses, g.Right, nil)
	if !ok {
		return []error{fmt.Errorf("%s: %s has no response rule on %s", l.file, g.Right, on)}
	}
	ext, ok := chain(j, extensions, g.Right, nil)
	if !ok || ext.Unit == unitNamed {
		return nil
	}
	var errs []error
	if ext.Unit != base.Unit {
		errs = append(errs, fmt.Errorf("%s: %s is extended in %s but answered in %s", l.file, g.Right, ext.Unit, base.Unit))
	}
	if ext.MaxTotal > 0 && base.Amount+ext.Amount > ext.MaxTotal {
		errs = append(errs, fmt.Errorf("%s: %s reaches %d, more than the most allowed, %d", l.file, g.Right, base.Amount+ext.Amount, ext.MaxTotal))
	}
	return errs
}

func milestonesOf(l *law) []milestone { return l.Milestones }
func responses(l *law) []span         { return l.Response }
func extensions(l *law) []span        { return l.Extension }
func acknowledges(l *law) []span      { return l.Acknowledge }
func pausesOf(l *law) []pauseRule     { return l.Pauses }
func rollsOf(l *law) []rollRule       { return l.Rollover }

// checkAll checks each rule of a list and that no two could both be picked for one request.
func checkAll[T headed](l *law, where string, rules []T, faults func(T) string, same func(a, b T) bool) []error {
	var errs []error
	for i, r := range rules {
		at := fmt.Sprintf("%s: %s[%d]", l.file, where, i)
		h := r.head()
		errs = append(errs, h.check(at)...)
		for _, c := range h.Controllers {
			if !slices.Contains(l.Controllers, c) {
				errs = append(errs, fmt.Errorf("%s: %q is not among the file's controllers", at, c))
			}
		}
		if msg := faults(r); msg != "" && !h.None {
			errs = append(errs, fmt.Errorf("%s: %s", at, msg))
		}
		for k, o := range rules[:i] {
			if h.overlaps(o.head()) && (same == nil || same(r, o)) {
				errs = append(errs, fmt.Errorf("%s: holds for the same right on the same day as [%d]", at, k))
			}
		}
	}
	return errs
}

func (g Grant) faults() string {
	if !slices.Contains(RightNames(), g.Right) || len(g.Rights) > 0 {
		return fmt.Sprintf("%q is not a right, or a list stands where one name belongs", g.Right)
	}
	return ""
}

func (r Remark) faults() string {
	if r.Text == "" {
		return "no text"
	}
	return ""
}

func (m milestone) faults(b *Book) string {
	if !whatForm.MatchString(m.What) || m.Text == "" {
		return "what (a word such as simplified_confirmation) and text are required"
	}
	return measure{m.Amount, m.Unit, m.Holidays}.faults(b, unitAtOnce)
}

var whatForm = regexp.MustCompile(`^[a-z][a-z_]*$`)

func (s span) faults(b *Book) string {
	if msg := (measure{s.Amount, s.Unit, s.Holidays}).faults(b, unitAtOnce, unitNoDate, unitNamed); msg != "" {
		return msg
	}
	switch {
	case s.Counting != "" && (s.Counting != countReceiptIsOne || s.Unit != unitDay):
		return fmt.Sprintf("counting %q does not go with unit %s", s.Counting, s.Unit)
	case s.ConservativeDays > 0:
		return "the stricter reading may not be later"
	case s.Basis != "" && s.Basis != basisGuidance && s.Basis != basisTarget:
		return fmt.Sprintf("basis %q is neither guidance nor target", s.Basis)
	case s.Stricter != nil && s.ConservativeDays != 0:
		return "stricter and conservative_days are two ways to say one thing"
	case s.Stricter != nil:
		return s.Stricter.faults(b)
	}
	return ""
}

// faults holds a period to its unit; undated lists the units that go without an amount where they may stand.
func (m measure) faults(b *Book, undated ...string) string {
	dated := slices.Contains([]string{unitMonth, unitDay, unitBusiness}, m.Unit)
	switch {
	case !dated && !slices.Contains(undated, m.Unit):
		return fmt.Sprintf("unit %q is not known", m.Unit)
	case dated != (m.Amount > 0):
		return fmt.Sprintf("amount %d does not go with unit %s", m.Amount, m.Unit)
	case (m.Unit == unitBusiness) != (m.Holidays != ""):
		return "holidays go with business days and nothing else"
	case m.Holidays != "" && b.CheckPlace(m.Holidays) != nil:
		return fmt.Sprintf("no calendar for %q", m.Holidays)
	}
	return ""
}

func (p pauseRule) faults() string {
	switch {
	case !slices.Contains([]string{reasonIdentity, reasonClarification, reasonFee}, p.Reason):
		return fmt.Sprintf("reason %q is not known", p.Reason)
	case p.Effect == effectNone:
		return ""
	case !slices.Contains([]string{effectRestart, effectPause, effectReflect}, p.Effect):
		return fmt.Sprintf("effect %q is not known", p.Effect)
	case !slices.Contains([]string{basisStatute, basisGuidance, basisReading}, p.Basis):
		return fmt.Sprintf("basis %q is not known", p.Basis)
	case p.Effect != effectPause && p.Basis != basisStatute:
		return "only a statute can begin a period anew"
	case (p.Effect == effectPause) != (p.Counting == countInclusive || p.Counting == countExclusive):
		return fmt.Sprintf("counting %q does not go with effect %s", p.Counting, p.Effect)
	case (p.Effect == effectReflect) != (p.Days > 0):
		return "days go with the effect reflect and nothing else"
	}
	return ""
}

func (r rollRule) faults() string {
	if r.To != rollWorkingDay && r.To != rollNone {
		return fmt.Sprintf("to: %q is not known", r.To)
	}
	return ""
}

func (f Fact) faults() string {
	if !slices.Contains(factNames(), f.Fact) || len(f.Values) == 0 {
		return fmt.Sprintf("%q is not a known fact, or has no values", f.Fact)
	}
	return ""
}
