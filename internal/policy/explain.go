package policy

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Explain writes in plain English what the policy makes happen: for each right who decides and after what proof,
// for each category what becomes of the data, when and why. Errors of w are lost: give a buffer where they matter.
func (p *Policy) Explain(w io.Writer) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%s (%s): policy in force from %s.", p.Controller.Name, p.Tenant, p.VersionText)
	line("A request is handled under the version that was in force when it was received.")
	if len(p.Jurisdictions) > 0 {
		line("The law applied is that of the person asking, among %s; for people elsewhere it is %s.", and(p.Jurisdictions, "and"), p.Jurisdictions[0])
	}
	line("People are answered in %s and write to %s.", and(p.Controller.Languages, "or"), p.Controller.Contact)
	if p.MinimumAge > 0 {
		line("The service is not for people below %d: their data are erased %s.", p.MinimumAge, afterGrace(p.Rights["erasure"].ChildGrace.IsZero(), Say(p.Rights["erasure"].ChildGrace)))
	}
	if !p.Acknowledge.IsZero() {
		line("Each request is acknowledged within %s.", Say(p.Acknowledge))
	}
	line("\nRights")
	for _, name := range p.RightNames() {
		line("- %s", p.explainRight(name))
	}
	line("\nData")
	for _, name := range p.CategoryNames() {
		line("- %s", p.explainCategory(name))
	}
	if len(p.Recipients) > 0 {
		line("\nRecipients")
		for _, name := range keysOf(p.Recipients) {
			line("- %s", explainRecipient(p.Recipients[name]))
		}
	}
	p.explainRest(line)
	_, _ = io.WriteString(w, b.String())
}

func afterGrace(none bool, grace string) string {
	if none {
		return "at once, without a grace period"
	}
	return "after a grace period of " + grace
}

func (p *Policy) explainRight(name string) string {
	r := p.Rights[name]
	var s []string
	proof := "after the person proved who they are (" + and(spokenAll(p.MethodsFor(name)), "or") + ")"
	if name == "opt_out" || name == "limit_sensitive" {
		proof = "without proof of who asks, as nothing is disclosed or destroyed by it"
	}
	switch {
	case r.Review == ReviewAuto:
		s = append(s, fmt.Sprintf("%s runs by itself %s; no officer is asked.", capital(spoken(name)), proof))
	case r.Approvals == 2:
		s = append(s, fmt.Sprintf("%s waits for an officer and a second approver %s.", capital(spoken(name)), proof))
	default:
		s = append(s, fmt.Sprintf("%s waits for an officer %s.", capital(spoken(name)), proof))
	}
	if name == "erasure" {
		if r.Grace.IsZero() {
			s = append(s, "It is carried out as soon as it is approved and cannot be called back.")
		} else {
			how := map[string]string{
				GraceLive:    "the data stay in use",
				GraceBlocked: "the data stay where they are and are not used",
				GraceSealed:  "the data leave production at once and lie sealed under a key of their own",
			}[r.GraceMode]
			s = append(s, fmt.Sprintf("It can be called back for %s, in which %s; then it is carried out by itself.", Say(r.Grace), how))
		}
	}
	if name == "opt_out" && !p.Sells {
		s = append(s, "As nothing is sold or shared, the answer says that there is nothing to opt out of, and the wish is kept.")
	}
	return strings.Join(s, " ")
}

func (p *Policy) explainCategory(name string) string {
	c := p.Categories[name]
	label := capital(spoken(name))
	if !c.Personal {
		return label + " is not about a person: requests leave it alone."
	}
	var s []string
	if c.Role == RoleProcessor {
		who := "whoever instructs"
		if c.InstructedBy != "" {
			who = "the " + spoken(c.InstructedBy)
		}
		s = append(s, fmt.Sprintf("%s is processed for somebody else: %s gets the request, has %s to instruct, and is reminded every %s.",
			label, who, Say(p.Instructions.Within), Say(p.Instructions.Remind)))
	} else {
		first := label + " is the company's own responsibility"
		if len(c.Purposes) > 0 {
			first += ", used for " + and(spokenAll(c.Purposes), "and")
		}
		if c.Basis != "" {
			first += ", on the basis of " + spoken(c.Basis)
		}
		s = append(s, first+".")
	}
	if c.Source != "" {
		s = append(s, "It comes from "+c.Source+".")
	}
	if len(c.Recipients) > 0 {
		names := make([]string, len(c.Recipients))
		for i, r := range c.Recipients {
			names[i] = p.Recipients[r].Name
			if names[i] == "" {
				names[i] = r
			}
		}
		s = append(s, "It goes to "+and(names, "and")+".")
	}
	s = append(s, p.explainRetention(c.Retention))
	return strings.Join(s, " ")
}

func (p *Policy) explainRetention(r *Retention) string {
	erased := "An erasure removes it as soon as it is approved."
	if grace := p.Rights["erasure"].Grace; !grace.IsZero() {
		erased = "An erasure removes it when the grace period of " + Say(grace) + " ends."
	}
	if r == nil {
		return "No time is promised for it. " + erased
	}
	from := "from the day of each row"
	switch r.From {
	case FromRowYearEnd:
		from = "from the end of the year of each row"
	case FromEvent:
		from = "from the day of the event " + spoken(r.After)
	}
	end := "and deleted then"
	if r.Then == ThenAnonymize {
		end = "and anonymized then"
	}
	s := fmt.Sprintf("Without a request it is kept for %s %s, %s, by itself.", r.Keep.explain(), from, end)
	if r.Ground != "" {
		return s + " What the data map retains outlives an erasure until then: " + strings.TrimSuffix(r.Ground, ".") + "."
	}
	s += " " + erased
	if r.From == FromEvent && !p.Rights["erasure"].Grace.IsZero() {
		s += " The two start together and are never added."
	}
	return s
}

func (k Keep) explain() string {
	if p, fixed := k.Fixed(); fixed {
		return Say(p)
	}
	branch := func(c KeepCase) string {
		if c.Column != "" {
			return "as many days as " + c.Column + " says"
		}
		return Say(c.Period)
	}
	if k.By == "" {
		return branch(*k.Else)
	}
	var parts []string
	for _, c := range k.Cases {
		parts = append(parts, fmt.Sprintf("%s where %s is %s", branch(c), k.By, c.Value))
	}
	return and(append(parts, branch(*k.Else)+" otherwise"), "and")
}

func explainRecipient(r Recipient) string {
	s := r.Name + " is a " + spoken(r.Role)
	if r.Purpose != "" {
		s += " for " + spoken(r.Purpose)
	}
	if r.Country != "" {
		s += " in " + r.Country
	}
	if r.Safeguard != "" && r.Safeguard != "none_needed" {
		s += ", under " + spoken(r.Safeguard)
	}
	if r.AskDirectly {
		s += "; the answer says to ask it as well"
	}
	return s + "."
}

func (p *Policy) explainRest(line func(string, ...any)) {
	line("\nKept by Habeas itself")
	line("- A package can be downloaded for %s, the link in a mail works for %s, and a request that nobody verifies expires after %s.",
		Say(p.Package.Keep), Say(p.Verification.LinkTTL), Say(p.Verification.Expire))
	line("- The record of a request is deleted %s after it is finished.", Say(p.Records.Keep))
	for _, name := range keysOf(p.Purposes) {
		if u := p.Purposes[name]; u.Objection == ObjectionGoesOn {
			line("- %s goes on after an objection: %s.", capital(spoken(name)), strings.TrimSuffix(u.Why, "."))
		}
	}
	for _, name := range keysOf(p.Consents) {
		u := p.Consents[name]
		over := slices.Concat(u.Purposes, u.Categories)
		line("- The consent %s is given and withdrawn by the %s%s.", spoken(name), u.By, map[bool]string{true: ", over " + and(spokenAll(over), "and")}[len(over) > 0])
	}
}
