package statute

import (
	"fmt"
	"regexp"
	"slices"
)

var codeForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)?$`)

// check finds everything that is wrong with one file. A mistake here would be a wrong date for a real person, so a
// book with any fault does not load.
func (l *law) check() []error {
	var errs []error
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(l.Code+": "+format, args...))
	}
	if l.Schema != 1 {
		bad("schema %d is not 1", l.Schema)
	}
	if !codeForm.MatchString(l.Code) || l.Name == "" || l.Law == "" || l.ValidFrom.IsZero() {
		bad("code, name, law and valid_from are required")
	}
	if _, ok := calendarOf(l.Establishment); !ok {
		bad("no calendar for the establishment %q", l.Establishment)
	}
	for i, g := range l.Rights {
		where := fmt.Sprintf("%s: rights[%d] %s", l.Code, i, g.Right)
		errs = append(errs, g.Rule.check(where)...)
		if !slices.Contains(RightNames(), g.Right) || len(g.Rights) > 0 {
			errs = append(errs, fmt.Errorf("%s: unknown right, or a list where one name belongs", where))
		}
	}
	for right, alts := range l.Instead {
		for _, name := range append([]string{right}, alts...) {
			if !slices.Contains(RightNames(), name) {
				bad("instead: unknown right %q", name)
			}
		}
	}
	errs = append(errs, checkAll(l.Code+": acknowledge", l.Acknowledge, span.faults, nil)...)
	errs = append(errs, checkAll(l.Code+": response", l.Response, span.faults, nil)...)
	errs = append(errs, checkAll(l.Code+": extension", l.Extension, span.faults, nil)...)
	errs = append(errs, checkAll(l.Code+": pauses", l.Pauses, pauseRule.faults, func(a, b pauseRule) bool { return a.Reason == b.Reason })...)
	errs = append(errs, checkAll(l.Code+": rollover", l.Rollover, rollRule.faults, nil)...)
	errs = append(errs, checkAll(l.Code+": facts", l.Facts, Fact.faults, func(a, b Fact) bool { return a.Fact == b.Fact })...)
	errs = append(errs, checkAll(l.Code+": remarks", l.Remarks, nil, func(Remark, Remark) bool { return false })...)
	return append(errs, l.checkSpans()...)
}

// checkSpans holds each granted right to a response rule and each extension to the unit and the cap of its base.
func (l *law) checkSpans() []error {
	var errs []error
	for _, g := range l.Rights {
		if g.None {
			continue
		}
		on := g.ValidFrom
		if on.IsZero() {
			on = l.ValidFrom
		}
		j := &Jurisdiction{law: l, on: on}
		base, ok := chain(j, responses, g.Right, nil)
		if !ok {
			errs = append(errs, fmt.Errorf("%s: %s has no response rule on %s", l.Code, g.Right, on))
			continue
		}
		ext, ok := chain(j, extensions, g.Right, nil)
		if !ok {
			continue
		}
		if ext.Unit != base.Unit {
			errs = append(errs, fmt.Errorf("%s: %s is extended in %s but answered in %s", l.Code, g.Right, ext.Unit, base.Unit))
		}
		if ext.MaxTotal > 0 && base.Amount+ext.Amount > ext.MaxTotal {
			errs = append(errs, fmt.Errorf("%s: %s reaches %d, more than the most allowed, %d", l.Code, g.Right, base.Amount+ext.Amount, ext.MaxTotal))
		}
	}
	return errs
}

func responses(l *law) []span     { return l.Response }
func extensions(l *law) []span    { return l.Extension }
func acknowledges(l *law) []span  { return l.Acknowledge }
func pausesOf(l *law) []pauseRule { return l.Pauses }
func rollsOf(l *law) []rollRule   { return l.Rollover }

// checkAll checks each rule of a list and that no two could both be picked for one request.
func checkAll[T headed](where string, rules []T, faults func(T) string, same func(a, b T) bool) []error {
	var errs []error
	for i, r := range rules {
		at := fmt.Sprintf("%s[%d]", where, i)
		errs = append(errs, r.head().check(at)...)
		if faults != nil && !r.head().None {
			if msg := faults(r); msg != "" {
				errs = append(errs, fmt.Errorf("%s: %s", at, msg))
			}
		}
		for k, o := range rules[:i] {
			if r.head().overlaps(o.head()) && (same == nil || same(r, o)) {
				errs = append(errs, fmt.Errorf("%s: holds for the same right on the same day as [%d]", at, k))
			}
		}
	}
	return errs
}

func (s span) faults() string {
	dated := s.Unit == unitMonth || s.Unit == unitDay || s.Unit == unitBusiness
	switch {
	case !dated && s.Unit != unitAtOnce && s.Unit != unitNoDate:
		return fmt.Sprintf("unit %q is not known", s.Unit)
	case dated != (s.Amount > 0):
		return fmt.Sprintf("amount %d does not go with unit %s", s.Amount, s.Unit)
	case s.Counting != "" && (s.Counting != countReceiptIsOne || s.Unit != unitDay):
		return fmt.Sprintf("counting %q does not go with unit %s", s.Counting, s.Unit)
	case s.ConservativeDays > 0:
		return "the stricter reading may not be later"
	case (s.Unit == unitBusiness) != (s.Holidays != ""):
		return "holidays go with business days and nothing else"
	case s.Holidays != "":
		if _, ok := calendarOf(s.Holidays); !ok {
			return fmt.Sprintf("no calendar for %q", s.Holidays)
		}
	}
	return ""
}

func (p pauseRule) faults() string {
	switch {
	case !slices.Contains([]string{reasonIdentity, reasonClarification, reasonFee}, p.Reason):
		return fmt.Sprintf("reason %q is not known", p.Reason)
	case p.Effect == effectNone:
		return ""
	case p.Effect != effectRestart && p.Effect != effectPause:
		return fmt.Sprintf("effect %q is not known", p.Effect)
	case p.Basis != basisStatute && p.Basis != basisGuidance:
		return fmt.Sprintf("basis %q is not known", p.Basis)
	case p.Effect == effectRestart && p.Basis != basisStatute:
		return "only a statute can restart a period"
	case (p.Effect == effectPause) != (p.Counting == countInclusive || p.Counting == countExclusive):
		return fmt.Sprintf("counting %q does not go with effect %s", p.Counting, p.Effect)
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
