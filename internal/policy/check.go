package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a zone must be readable on a machine without zone files

	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/statute"
)

// Check holds a parsed policy against itself and against the laws it names: references that lead nowhere, promises
// that contradict each other or that a law forbids. Warnings are worth a look and make nothing wrong.
// The problems are sorted by place.
func (p *Policy) Check(book *statute.Book) []Problem {
	c := &checker{p: p, book: book}
	c.head()
	c.laws()
	for _, name := range p.RightNames() {
		c.right(name, p.Rights[name])
	}
	c.verification()
	for _, name := range p.CategoryNames() {
		c.category(name, p.Categories[name])
	}
	c.sharing()
	c.spelling()
	return sortProblems(c.out)
}

type checker struct {
	p     *Policy
	book  *statute.Book
	known []*statute.Jurisdiction // those of the policy that the book holds, on the day the policy comes into force
	out   []Problem
}

func (c *checker) add(warning bool, path, fix, format string, args ...any) {
	at := c.p.spotOf(path)
	c.out = append(c.out, Problem{File: c.p.File, Line: at.line, Column: at.column, Path: path,
		Message: fmt.Sprintf(format, args...), Fix: fix, Warning: warning})
}

func (c *checker) bad(path, fix, format string, args ...any) {
	c.add(false, path, fix, format, args...)
}
func (c *checker) warn(path, fix, format string, args ...any) {
	c.add(true, path, fix, format, args...)
}

// reserved are first parts of addresses that belong to the program itself: a tenant's pages lie at /{tenant}.
func reserved() []string {
	return []string{"v1", "docs", "healthz", "readyz", "metrics", "openapi", "console", "static", "assets", "login", "logout",
		"auth", "mailbox", "demo-mailbox", "admin", "api", "favicon", "robots", "well-known"}
}

func (c *checker) head() {
	if slices.Contains(reserved(), c.p.Tenant) {
		c.bad("tenant", "choose another name", "%q is part of the program's own addresses", c.p.Tenant)
	}
	if _, err := time.LoadLocation(c.p.Controller.Zone); err != nil || c.p.Controller.Zone == "Local" {
		c.bad("controller.zone", "write a name such as Europe/Berlin", "%q is not a time zone", c.p.Controller.Zone)
	}
	if place := c.p.Controller.Establishment; c.book != nil && place != "" {
		if e, ok := fault.As(c.book.CheckPlace(place)); ok && len(e.Fields) > 0 {
			c.bad("controller.establishment", "write a country or region code such as DE or GB-ENG", "%s", e.Fields[0].Message)
		}
	}
	if len(c.p.Rights) == 0 {
		c.bad("rights", "name at least access and erasure", "the policy promises no right")
	}
	if len(c.p.Categories) == 0 {
		c.warn("", "add categories:", "the policy names no category of data, so an answer can name none")
	}
	if d := c.p.Records.Keep; d.IsZero() {
		c.bad("records.keep", "write a period such as P3Y", "records that are kept for no time prove nothing")
	}
	for _, e := range []struct {
		path string
		p    statute.Period
	}{{"package.keep", c.p.Package.Keep}, {"verification.link_ttl", c.p.Verification.LinkTTL}, {"verification.expire", c.p.Verification.Expire},
		{"instructions.within", c.p.Instructions.Within}, {"instructions.remind", c.p.Instructions.Remind}} {
		if e.p.IsZero() {
			c.bad(e.path, "write a period such as P7D", "%s may not be nothing", e.path)
		}
	}
	if compare(c.p.Verification.LinkTTL, c.p.Verification.Expire) > 0 {
		c.bad("verification.link_ttl", "", "a link would work longer (%s) than the request waits to be verified (%s)", c.p.Verification.LinkTTL, c.p.Verification.Expire)
	}
}

// laws finds the jurisdictions and what they say about the list of rights.
func (c *checker) laws() {
	if c.book == nil {
		return
	}
	for i, code := range c.p.Jurisdictions {
		path := indexed("jurisdictions", i)
		if !slices.Contains(c.book.Codes(), code) {
			c.bad(path, c.book.Suggest(code), "there is no jurisdiction %q", code)
			continue
		}
		j, err := c.book.Jurisdiction(code, c.p.Version)
		if err != nil {
			// A policy may be older than the rules held here: requests are received now, so today's rules are held to it.
			if j = c.later(code); j == nil {
				continue
			}
		}
		c.known = append(c.known, j)
		c.records(j)
		c.acknowledgeAgainstLaw(j)
		if i == 0 {
			c.offered(j)
		}
	}
	if len(c.known) != len(c.p.Jurisdictions) {
		return // an unknown one could give the right
	}
	for _, name := range c.p.RightNames() {
		if !slices.ContainsFunc(c.known, func(j *statute.Jurisdiction) bool { return serves(j, name) }) {
			c.warn("rights."+name, "", "none of %s gives this right: no law sets a date for it", strings.Join(c.p.Jurisdictions, ", "))
		}
	}
}

// acknowledgeAgainstLaw holds the promise to acknowledge to the law that asks for one sooner.
func (c *checker) acknowledgeAgainstLaw(j *statute.Jurisdiction) {
	if c.p.Acknowledge.IsZero() {
		return
	}
	received := statute.NewDate(2026, time.March, 2)
	if from := c.book.InForceFrom(j.Code); received.Before(from) {
		received = from
	}
	if received.Before(c.p.Version) {
		received = c.p.Version
	}
	promised := c.p.Acknowledge.AddToDate(received)
	for _, name := range c.p.RightNames() {
		if _, gives := j.Grant(name); !gives && len(j.Instead(name)) > 0 {
			name = j.Instead(name)[0]
		}
		clock, err := c.book.Clock(statute.Question{Jurisdiction: j.Code, Right: name, Received: received})
		if err == nil && !clock.AcknowledgeBy.IsZero() && promised.After(clock.AcknowledgeBy) {
			c.bad("acknowledge", "shorten it", "a request for %s would be acknowledged after %s, later than the law of %s wants it: one received on %s by %s",
				name, c.p.Acknowledge, j.Name, received, clock.AcknowledgeBy)
			return
		}
	}
}

// later finds the rules of a jurisdiction on the first day of a year on which it has any.
func (c *checker) later(code string) *statute.Jurisdiction {
	for y := c.p.Version.Year + 1; y < c.p.Version.Year+30; y++ {
		if j, err := c.book.Jurisdiction(code, statute.NewDate(y, time.December, 31)); err == nil {
			return j
		}
	}
	return nil
}

func serves(j *statute.Jurisdiction, right string) bool {
	_, ok := j.Grant(right)
	return ok || len(j.Instead(right)) > 0
}

// offered warns of rights that the first law gives and the form would not offer.
func (c *checker) offered(j *statute.Jurisdiction) {
	for _, g := range j.Rights {
		offered := func(name string) bool { _, ok := c.p.Rights[name]; return ok }
		same := slices.ContainsFunc(c.p.RightNames(), func(r string) bool { return slices.Contains(j.Instead(r), g.Right) })
		if !offered(g.Right) && !same && slices.Contains([]string{"access", "rectification", "erasure", "portability", "restriction", "objection", "know_specific", "know_categories", "opt_out"}, g.Right) {
			c.warn("rights", "add "+g.Right+":", "%s gives a right of %s (%s) that the policy does not offer", j.Name, g.Right, g.Cite)
		}
	}
}

// records holds the life of our own records to what a law asks: 11 CCR 7101 wants 24 months.
func (c *checker) records(j *statute.Jurisdiction) {
	f, ok := j.Fact("records_months", "")
	if !ok {
		return
	}
	months, err := strconv.Atoi(f.Values[0])
	if err != nil {
		return
	}
	if compare(c.p.Records.Keep, statute.Period{Months: months}) < 0 {
		c.bad("records.keep", fmt.Sprintf("write at least P%dM", months), "%s wants records of requests kept for %d months (%s), not %s", j.Name, months, f.Cite, c.p.Records.Keep)
	}
}

func (c *checker) right(name string, r Right) {
	path := "rights." + name
	if r.Review == ReviewAuto && r.Approvals > 1 {
		c.bad(path, "write review: officer, or leave approvals out", "%s runs without an officer (review: auto) and wants %d approvals", name, r.Approvals)
	}
	if r.Review == ReviewAuto && slices.Contains([]string{"appeal", "complaint", "automated_decision_review"}, name) {
		// GDPR Art. 22(3), and what an appeal is: a person must look.
		c.bad(path, "write review: officer", "%s cannot run without an officer: a person has to look again", name)
	}
	hasMode := c.p.at[path+".grace"] != (position{}) && r.GraceMode != ""
	switch {
	case name != "erasure" && hasMode:
		c.bad(path+".grace", "leave it out", "%s has no grace period: the wait that can be called back belongs to erasure", name)
	case name == "erasure" && hasMode && r.Grace.IsZero() && r.GraceMode != GraceLive:
		c.bad(path+".grace", "", "a grace period of no time cannot have the mode %s", r.GraceMode)
	case name == "erasure" && r.GraceMode == GraceLive:
		c.graceAgainstLaw(path+".grace", r.Grace)
	}
	if !r.ChildGrace.IsZero() {
		switch {
		case name != "erasure":
			c.bad(path+".child_grace", "leave it out", "%s has no grace period", name)
		case c.p.MinimumAge == 0:
			c.bad(path+".child_grace", "add minimum_age:", "child_grace needs the age below which it counts")
		case compare(r.ChildGrace, r.Grace) > 0:
			c.bad(path+".child_grace", "", "a child would wait longer (%s) than a grown person (%s)", r.ChildGrace, r.Grace)
		}
	}
}

// graceAgainstLaw warns where data would stay in use beyond the last day on which a law lets the answer wait.
func (c *checker) graceAgainstLaw(path string, grace statute.Period) {
	received := statute.NewDate(2026, time.March, 2)
	if received.Before(c.p.Version) {
		received = c.p.Version
	}
	for _, j := range c.known {
		clock, err := c.book.Clock(statute.Question{Jurisdiction: j.Code, Right: "erasure", Received: received})
		if err != nil || clock.DueOn.IsZero() {
			continue
		}
		last := clock.DueOn
		if !clock.ExtendedUntil.IsZero() {
			last = clock.ExtendedUntil
		}
		if grace.AddToDate(received).After(last) {
			c.warn(path, "shorten it, or use mode: blocked or sealed so that the data are out of use meanwhile",
				"data stay in use for %s, longer than the law of %s lets an answer to an erasure wait at most", grace, j.Name)
		}
	}
}

func (c *checker) verification() {
	v := c.p.Verification
	if slices.Contains(v.Methods, MethodNone) {
		c.bad("verification.methods", "name it under for:, for opt_out or limit_sensitive alone", "no proof at all cannot be a method for every right")
	}
	for _, right := range keysOf(v.For) {
		path := "verification.for." + right
		if _, ok := c.p.Rights[right]; !ok {
			c.warn(path, "", "the policy does not offer the right %s", right)
		}
		open := right == "opt_out" || right == "limit_sensitive"
		for i, m := range v.For[right] {
			switch {
			case m == MethodNone && !open:
				c.bad(indexed(path, i), "name a method that proves who asks", "%s without proof of who asks would harm people", right)
			case m != MethodNone && !slices.Contains(v.Methods, m):
				c.bad(indexed(path, i), "add it to verification.methods", "the method %s is not among those allowed", m)
			}
		}
		if open && !slices.Contains(v.For[right], MethodNone) {
			for _, j := range c.known {
				if f, ok := j.Fact("verification", right); ok && slices.Contains(f.Values, "none") {
					c.bad(path, "write [none], or leave it out", "%s forbids asking for proof before a request of the type %s (%s)", j.Name, right, f.Cite)
				}
			}
		}
	}
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// compare orders two periods by the days they span from a leap-free January: enough to tell a contradiction.
func compare(a, b statute.Period) int {
	from := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	return a.AddTo(from).Compare(b.AddTo(from))
}
